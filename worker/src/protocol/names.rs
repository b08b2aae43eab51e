//! Names that two deployments must agree on: objects, their commands, bindings. A change of one
//! would cut new code off from stored data, so a test pins them.

/// Shoreline's own site: of its own calls, and of refusals that no site can be known of. No key can name it.
pub const OWN_SITE: &str = "_shoreline";

/// Name of the Durable Object that counts a shard of a site.
pub fn site_object(site: &str, shard: u32) -> String {
    format!("{site}/{shard}")
}

/// Name of the Durable Object that is one of a site's archives. Those of the first generation (0) have no other mark.
pub fn archive_object(site: &str, shard: u32, generation: i64) -> String {
    match generation {
        0 => site_object(site, shard),
        _ => format!("{site}/{shard}@{generation}"),
    }
}

/// The site, shard and generation of an archive's name.
pub fn parse_archive(name: &str) -> Option<(&str, u32, i64)> {
    let (object, generation) = match name.split_once('@') {
        Some((object, generation)) => (object, generation.parse().ok()?),
        None => (name, 0),
    };
    let (site, shard) = parse_object(object)?;
    Some((site, shard, generation))
}

/// Name of the Durable Object of an import.
pub fn import_object(site: &str, import_id: &str) -> String {
    format!("{site}/{import_id}")
}

/// Name of the Durable Object that holds a site's live streams.
pub fn live_object(site: &str) -> String {
    site.to_owned()
}

/// The site and id of an import's object's name.
pub fn parse_import_object(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('/')
}

/// The site and shard of an object's name.
pub fn parse_object(name: &str) -> Option<(&str, u32)> {
    let (site, shard) = name.rsplit_once('/')?;
    Some((site, shard.parse().ok()?))
}

/// Name of the one object that keeps the day's key.
pub const PRIVACY_OBJECT: &str = "day-key";

/// The site whose objects are checked where nobody says which: no site can have this id.
pub const HEALTH_SITE: &str = "_health";

/// `site_do`: rows are in the archive.
pub const CONFIRM: &str = "/confirm";
/// `site_do`: the live counts.
pub const SNAPSHOT: &str = "/snapshot";
/// `site_do`: the live counts, and word to `live_do` once they change.
pub const WATCH: &str = "/watch";
/// `live_do`: keep a ticket, by its hash in the body.
pub const TICKET: &str = "/ticket";
/// `live_do`: open a stream, for the ticket whose hash is the query.
pub const OPEN: &str = "/open";
/// `live_do`: a shard's counts changed.
pub const CHANGED: &str = "/changed";
/// `site_do`: outcomes by hour, from the Unix milliseconds in the body on.
pub const OUTCOMES: &str = "/outcomes";
/// `site_do`: what became of an import's events, by its id in the body.
pub const IMPORT_STATE: &str = "/import-state";
/// `import_do`: make it.
pub const CREATE: &str = "/create";
/// `import_do`: whether it takes parts.
pub const IS_OPEN: &str = "/is-open";
/// `import_do`: a part lies in the bucket.
pub const ADD_PART: &str = "/add-part";
/// `import_do`: no more parts come.
pub const COMPLETE: &str = "/complete";
/// `import_do`: how far it has come.
pub const PROGRESS: &str = "/progress";
/// `site_do` and `archive_do`: what is done and what waits by hour, from the Unix milliseconds in the
/// body on.
pub const HOURS: &str = "/hours";
/// `site_do` and `archive_do`: how full it is.
pub const STATE: &str = "/state";
/// `site_do`, `archive_do` and `import_do`: look at the alarm; sent by the cron.
pub const WAKE: &str = "/wake";
/// `archive_do`: append a message.
pub const APPEND: &str = "/append";
/// `archive_do`, the first of a site's first generation: how many archives there are, and of which generation.
pub const ARCHIVES: &str = "/archives";
/// The same one: how far another number is, and a wish for one.
pub const RESHARD: &str = "/reshard";
/// `archive_do`: a step of another number of archives.
pub const OBEY: &str = "/obey";
/// `archive_do`: take what another archive gives.
pub const TAKE: &str = "/take";
/// `archive_do`: answer a question.
pub const ASK: &str = "/ask";
/// `archive_do`: answer any question with a part.
pub const QUERY: &str = "/query";
/// `archive_do`: fold what is not folded yet into D1.
pub const FOLD: &str = "/fold";
/// `archive_do`: tell what D1's sums lack.
pub const LOOK: &str = "/look";
/// `archive_do`: fold everything again, into a D1 that was lost.
pub const REFOLD: &str = "/refold";
/// `archive_do`: take lines of an object of the lake.
pub const RESTORE: &str = "/restore";
/// `archive_do`: seal what is open.
pub const SEAL: &str = "/seal";
/// `archive_do`: take an object up again that a sink refused.
pub const RETRY: &str = "/retry";
/// `archive_do`: a step of forgetting a user.
pub const FORGET: &str = "/forget";
/// `archive_do`: whether any ids are one person.
pub const JOINS: &str = "/joins";
/// `archive_do`: the ids of the person of a user, by their hash in the body.
pub const IDS: &str = "/ids";
/// `archive_do`: what is known of a user, by their hash in the body.
pub const PROFILE: &str = "/profile";
/// `archive_do`: delete some of what happened before the Unix milliseconds in the body.
pub const PRUNE: &str = "/prune";
/// `archive_do`: count a day again.
pub const RECOUNT: &str = "/recount";
/// `site_do` of Shoreline's own site: which alerts are to be posted.
pub const ALERTS: &str = "/alerts";
/// `site_do` of Shoreline's own site: an alert did not get through.
pub const UNSENT: &str = "/unsent";
/// `privacy_do`: today's key.
pub const DAY_KEY: &str = "/day-key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_what_stored_data_is_under() {
        assert_eq!(site_object("demo", 3), "demo/3");
        assert_eq!(archive_object("demo", 2, 0), "demo/2");
        assert_eq!(archive_object("demo", 2, 17), "demo/2@17");
        assert_eq!(parse_archive("demo/2"), Some(("demo", 2, 0)));
        assert_eq!(parse_archive("demo/2@17"), Some(("demo", 2, 17)));
        assert_eq!(parse_archive("demo/2@x"), None);
        assert_eq!(parse_object("demo/3"), Some(("demo", 3)));
        assert_eq!(parse_object("demo"), None);
        assert_eq!(PRIVACY_OBJECT, "day-key");
        assert!(!crate::access::auth::is_site_id(HEALTH_SITE));
        assert_eq!(
            [
                CONFIRM, SNAPSHOT, OUTCOMES, HOURS, STATE, WAKE, APPEND, SEAL, RETRY, DAY_KEY
            ],
            [
                "/confirm",
                "/snapshot",
                "/outcomes",
                "/hours",
                "/state",
                "/wake",
                "/append",
                "/seal",
                "/retry",
                "/day-key"
            ]
        );
    }
    #[test]
    fn names_of_imports_stay_what_stored_data_is_under() {
        assert_eq!(import_object("demo", "id"), "demo/id");
        assert_eq!(parse_import_object("demo/id"), Some(("demo", "id")));
        assert_eq!(
            [IMPORT_STATE, CREATE, IS_OPEN, ADD_PART, COMPLETE, PROGRESS],
            [
                "/import-state",
                "/create",
                "/is-open",
                "/add-part",
                "/complete",
                "/progress"
            ]
        );
    }

    #[test]
    fn names_of_live_streams_stay_too() {
        assert_eq!(live_object("demo"), "demo");
        assert_eq!(
            [WATCH, TICKET, OPEN, CHANGED],
            ["/watch", "/ticket", "/open", "/changed"]
        );
    }
}
