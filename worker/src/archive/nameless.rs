//! A user's own data: what is kept of them, and how they are forgotten.
//!
//! Erasure takes who it was and what they did out of the stored events, and leaves that something
//! happened: userId and sessionId become ids that stand for them, eventData and metadata go. No
//! count changes. The events are the archive's ([`crate::archive::erase`]); D1 notes who was erased. What of
//! theirs was received before and comes later meets that note, of which the archive has a copy.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shoreline_shared::privacy::{session_hash, user_hash};

use crate::archive::people;
use crate::base::sql::Statement;
use crate::read::days::date;

/// What the ids begin with that stand for a user who was erased, and for their sessions.
pub(crate) const ERASED_PREFIX: &str = "erased-";

/// Whether an id stands for a user who was erased.
pub(crate) fn is_erased_id(id: &str) -> bool {
    let is_hex = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    id.strip_prefix(ERASED_PREFIX).is_some_and(is_hex)
}

/// Steps of one call at most: the archive looks at 1,000 segments in each and rewrites eight. A call that
/// ends before all is done says so, and the next one goes on.
pub const MAX_STEPS: usize = 100;

/// The secret that makes the ids that stand for a user's: a row of [`suppress`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alias {
    /// Random, in hex.
    pub alias_key: String,
    /// When the erasure was asked for: what was received later is kept.
    pub erased_at: i64,
}

/// The statement that lists whom a site's archive is to forget, each a
/// [`Forget`](crate::archive::erase::Forget).
pub fn erased(site: &str) -> Statement {
    Statement::new(
        "SELECT user_hash AS user, alias_key, erased_at FROM erasures WHERE site_id = ?1 \
         ORDER BY user_hash",
        [site.into()],
    )
}

/// The answer of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// Stored events that were made nameless by this call.
    pub events: i64,
    /// Whether all are; else call again.
    pub complete: bool,
}

/// The statement that puts a user on the suppression list and answers the [`Alias`]; a second
/// erasure keeps the first one's.
pub fn suppress(site: &str, hash: &str, now_ms: i64, random: &str) -> Statement {
    Statement::new(
        "INSERT INTO erasures (site_id, user_hash, erased_at, alias_key) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (site_id, user_hash) DO UPDATE SET erased_at = max(erased_at, excluded.erased_at) \
         RETURNING alias_key, erased_at",
        [site.into(), hash.into(), now_ms.into(), random.into()],
    )
}

/// A stored event's text without its user: the same for the same event and alias, in the archive and in
/// the lake.
pub fn nameless_text(site: &str, body: &str, alias: &Alias) -> String {
    // What cannot be read cannot be kept either.
    let mut fields: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let key = alias.alias_key.as_bytes();
    if let Some(Value::String(id)) = fields.get_mut("userId") {
        *id = format!("{ERASED_PREFIX}{}", user_hash(key, site, id));
    }
    if let Some(Value::String(id)) = fields.get_mut("sessionId") {
        *id = format!("{ERASED_PREFIX}{}", session_hash(key, site, id));
    }
    for name in ["eventData", "metadata"] {
        fields.insert(name.to_owned(), Value::Object(Map::new()));
    }
    Value::Object(fields).to_string()
}

/// What the read models know of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The first event ever, Unix milliseconds.
    #[cfg_attr(test, schema(required))]
    pub first_seen_at: Option<i64>,
    /// The first registration event.
    #[cfg_attr(test, schema(required))]
    pub registered_at: Option<i64>,
    /// When an erasure was asked for.
    #[cfg_attr(test, schema(required))]
    pub erased_at: Option<i64>,
    /// The days on which there was an event.
    pub active_days: Vec<String>,
}

/// When an erasure was asked for: a row of [`erased_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ErasedAt {
    /// Unix milliseconds.
    pub erased_at: i64,
}

/// The statement that tells whether a user was erased, as an [`ErasedAt`].
pub fn erased_at(site: &str, hash: &str) -> Statement {
    Statement::new(
        "SELECT erased_at FROM erasures WHERE site_id = ?1 AND user_hash = ?2",
        [site.into(), hash.into()],
    )
}

impl Profile {
    /// Of what the archive knows of a user, and when an erasure was asked for.
    pub fn of(known: Option<&people::Profile>, erased_at: Option<i64>) -> Self {
        let mut profile = Self {
            erased_at,
            ..Self::default()
        };
        if let Some(known) = known {
            profile.first_seen_at = Some(known.first_at);
            profile.registered_at = known.registered_at;
            profile.active_days = known.days.iter().copied().map(date).collect();
        }
        profile
    }
}

#[cfg(test)]
mod tests;
