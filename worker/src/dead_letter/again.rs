//! What services sent and could not be taken, judged once more.

use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::{Rules, Sender};

use crate::base::sql::Statement;
use crate::ingest::adapters;
use crate::ingest::draft::{Body, Delivery};
use crate::ingest::judge::{Context, judge};
use crate::ingest::publish::Publication;
use crate::ingest::rejected::Rejected;

/// What a replay comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// The events that are taken now; none: no item is.
    pub publication: Option<Publication>,
    /// What is left; none: nothing.
    pub rest: Option<Rejected>,
}

/// The statement that tells how a site is to be cleaned: a row with its `hash_routing`.
pub fn site_of(site: &str) -> Statement {
    Statement::new(
        "SELECT hash_routing FROM sites WHERE site_id = ?1",
        [site.into()],
    )
}

impl Again {
    /// Judges the items once more, as a service's. The part's id names them, so that a replay that comes twice counts
    /// once.
    pub fn of(
        rejected: &Rejected,
        part_id: &str,
        hash_routing: bool,
        (now_ms, shards): (i64, u32),
        fresh_id: impl Fn() -> String,
    ) -> Self {
        let site = rejected.site_id.as_str();
        let name = format!("rejected:{part_id}");
        let batch_id = shoreline_shared::id::foreign(site, &name);
        let context = Context {
            site,
            sender: Sender::Source { name: None },
            source: "service",
            privacy: Privacy {
                hash_routing,
                anonymous: None,
            },
            rules: Rules {
                now_ms,
                retention_days: 0,
                any_past: true,
            },
            batch_id: Some(&batch_id),
            stored_batch_id: &batch_id,
            sent_at: None,
            clock_offset: 0,
            hash_ids: None,
            country: None,
            region: None,
            is_bot: false,
            agent: None,
        };
        let texts = rejected.texts();
        let drafts = texts.iter().map(|text| adapters::line(text.as_bytes()));
        let delivery = Delivery {
            drafts: drafts.collect(),
            ..Delivery::default()
        };
        let judged = judge(delivery.drafts, &Body::default(), &context, fresh_id);
        let publication = (!judged.lines.is_empty())
            .then(|| Publication::of_replay(site, &batch_id, &judged.lines, now_ms, shards));
        Self {
            publication,
            rest: rejected.without(&judged.places),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::Commit;
    use crate::testing::{NOW, published_rows, uuid};

    /// Before the mapping was mended an item was refused; now it is taken, once, and the other stays.
    #[test]
    fn what_is_taken_now_is_published_and_the_rest_stays() {
        let good = json!({"eventType": "a.b", "source": "s", "occurredAt": "2001-01-01T00:00:00Z", "payload": {"n": 1}});
        let rejected = Rejected {
            site_id: "demo".into(),
            received_at: NOW,
            code: "unknown_shape".into(),
            field: String::new(),
            items: vec![(7, json!({"what": 1})), (9, good)],
            left_out: 0,
        };
        let again = || Again::of(&rejected, "p1", false, (NOW, 1), || uuid(1));
        let first = again();
        assert_eq!(first.rest.unwrap().items, [(7, json!({"what": 1}))]);
        let publication = first.publication.unwrap();
        let rows = published_rows(&publication);
        assert_eq!(rows[0]["events"][0]["eventType"], "a.b");
        assert_eq!(rows[0]["events"][0]["siteId"], "demo");
        // A replay that comes twice is the same batch of the same events.
        let second = again().publication.unwrap();
        assert_eq!(second, publication);
        let commit = Commit::parse(publication.body()).unwrap();
        assert!(commit.head().batch.is_some());
        let none = Rejected {
            items: vec![(7, json!({"what": 1}))],
            ..rejected.clone()
        };
        let none = Again::of(&none, "p1", false, (NOW, 1), || uuid(1));
        assert_eq!(none.publication, None);
        assert!(none.rest.is_some());
    }
}
