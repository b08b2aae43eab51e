//! A user's own data, for the admin: what is kept of them, and how they are forgotten.
//!
//! The events are the archive's, which makes them nameless ([`crate::archive::erase`]); D1 notes who was erased.
//! What of theirs was received before and comes later meets that note, of which the archive has a copy.

use serde::{Deserialize, Serialize};

use crate::archive::people;
use crate::base::sql::Statement;
use crate::base::time::date;

/// Steps of one call at most: the archive looks at 1,000 segments in each and rewrites eight. A call that
/// ends before all is done says so, and the next one goes on.
pub const MAX_STEPS: usize = 100;

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

/// The statement that puts a user on the suppression list, by all ids of theirs, and answers each as a [`Suppressed`]; a
/// second erasure keeps the first one's.
pub fn suppress(site: &str, ids: &[String], now_ms: i64, random: &str) -> Statement {
    // A list of texts always serializes.
    let ids = serde_json::to_string(ids).unwrap_or_default();
    Statement::new(
        "INSERT INTO erasures (site_id, user_hash, erased_at, alias_key) \
         SELECT ?1, value, ?3, ?4 FROM json_each(?2) WHERE true \
         ON CONFLICT (site_id, user_hash) DO UPDATE SET erased_at = max(erased_at, excluded.erased_at) \
         RETURNING user_hash, alias_key, erased_at",
        [site.into(), ids.into(), now_ms.into(), random.into()],
    )
}

/// A row of the suppression list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Suppressed {
    /// The hash of the id, in hex.
    pub user_hash: String,
    /// What the ids that stand for it are made with.
    pub alias_key: String,
    /// When the erasure was asked for, Unix milliseconds.
    pub erased_at: i64,
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
