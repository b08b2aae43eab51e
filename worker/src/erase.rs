//! A user's own data: what is kept of them, and how they are forgotten.
//!
//! Erasure takes who it was and what they did out of the stored events, and leaves that something
//! happened: userId and sessionId become ids that stand for them, eventData and metadata go. No
//! count changes. What of theirs was received before and comes later meets the suppression list.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shoreline_shared::privacy::{session_hash, user_hash};

use crate::read::days::date;
use crate::sql::Statement;

/// Events of a step at most: as much as fits memory with bodies of 32 KiB.
pub const STEP_EVENTS: i64 = 200;

/// Steps of one call at most: 20,000 events. A call that ends before all is done says so, and the
/// next one goes on.
pub const MAX_STEPS: usize = 100;

/// The secret that makes the ids that stand for a user's: a row of [`suppress`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alias {
    /// Random, in hex.
    pub alias_key: String,
    /// When the erasure was asked for: what was received later is kept.
    pub erased_at: i64,
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

/// A stored event of the user: a row of [`find`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Found {
    id: i64,
    body: String,
    facts: Option<String>,
}

/// The statement that finds some of a user's events that were received before the erasure.
pub fn find(site: &str, user: &str, alias: &Alias) -> Statement {
    Statement::new(
        "SELECT rowid AS id, body, facts FROM events \
         WHERE site_id = ?1 AND user_id = ?2 AND received_at <= ?3 LIMIT ?4",
        [
            site.into(),
            user.into(),
            alias.erased_at.into(),
            STEP_EVENTS.into(),
        ],
    )
}

/// The transaction that makes the found events nameless.
pub fn forget(site: &str, found: &[Found], alias: &Alias) -> Vec<Statement> {
    let rows: Vec<(i64, Option<String>, String, Option<String>)> = found
        .iter()
        .map(|event| {
            let (user, body) = nameless(site, &event.body, alias);
            let facts = event.facts.as_deref().map(|facts| stripped(facts, &body));
            (event.id, user, body.to_string(), facts)
        })
        .collect();
    let rows = serde_json::to_string(&rows).unwrap_or_default();
    vec![
        Statement::new(
            "INSERT INTO erased_days (site_id, day) SELECT DISTINCT ?1, facts->>1 FROM events \
             WHERE rowid IN (SELECT value->>0 FROM json_each(?2)) AND facts IS NOT NULL \
             ON CONFLICT DO NOTHING",
            [site.into(), rows.as_str().into()],
        ),
        Statement::new(
            "UPDATE events SET user_id = e.value->>1, body = e.value->>2, facts = e.value->>3 \
             FROM json_each(?2) AS e WHERE events.rowid = e.value->>0 AND +events.site_id = ?1",
            [site.into(), rows.into()],
        ),
    ]
}

/// A stored event's text without its user: the same for the same event and alias, in D1 and in the
/// lake.
pub fn nameless_text(site: &str, body: &str, alias: &Alias) -> String {
    nameless(site, body, alias).1.to_string()
}

fn nameless(site: &str, body: &str, alias: &Alias) -> (Option<String>, Value) {
    // What cannot be read cannot be kept either.
    let mut fields: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let key = alias.alias_key.as_bytes();
    let mut user = None;
    if let Some(Value::String(id)) = fields.get_mut("userId") {
        *id = format!("erased-{}", user_hash(key, site, id));
        user = Some(id.clone());
    }
    if let Some(Value::String(id)) = fields.get_mut("sessionId") {
        *id = format!("erased-{}", session_hash(key, site, id));
    }
    for name in ["eventData", "metadata"] {
        fields.insert(name.to_owned(), Value::Object(Map::new()));
    }
    (user, Value::Object(fields))
}

/// Facts without what tells of a person: a funnel of event types still finds the same users.
fn stripped(facts: &str, body: &Value) -> String {
    let mut facts: Vec<Value> = serde_json::from_str(facts).unwrap_or_default();
    let id = |name: &str| body.get(name).cloned().unwrap_or(Value::Null);
    let tracked = facts.get(5).and_then(Value::as_i64).unwrap_or(0) > 0;
    let new = [
        (4, id("userId")),
        (5, Value::from(if tracked { 2 } else { 0 })),
        (6, id("sessionId")),
        (7, Value::Object(Map::new())),
        (8, Value::from(0)),
        (9, Value::from(0)),
        (11, Value::from("")),
    ];
    for (place, value) in new {
        if let Some(slot) = facts.get_mut(place) {
            *slot = value;
        }
    }
    // How fast a page was is no person's; which page it was may be.
    if let Some(page) = facts.get_mut(12).and_then(|vital| vital.get_mut(2)) {
        *page = Value::Null;
    }
    Value::Array(facts).to_string()
}

/// What the read models know of a user: rows of [`profile`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProfileRow {
    kind: String,
    n: i64,
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

/// The statement of a [`Profile`].
pub fn profile(site: &str, hash: &str) -> Statement {
    Statement::new(
        "SELECT 'first' AS kind, first_at AS n FROM users WHERE site_id = ?1 AND user_hash = ?2 \
         UNION ALL SELECT 'registered', registered_at FROM users \
         WHERE site_id = ?1 AND user_hash = ?2 AND registered_at IS NOT NULL \
         UNION ALL SELECT 'erased', erased_at FROM erasures WHERE site_id = ?1 AND user_hash = ?2 \
         UNION ALL SELECT 'day', day FROM members WHERE site_id = ?1 AND dim = 'user' AND key = '' \
         AND user_hash = ?2",
        [site.into(), hash.into()],
    )
}

impl Profile {
    /// Of the statement's rows.
    pub fn of(rows: Vec<ProfileRow>) -> Self {
        let mut profile = Self::default();
        let mut days: Vec<i64> = Vec::new();
        for row in rows {
            match row.kind.as_str() {
                "first" => profile.first_seen_at = Some(row.n),
                "registered" => profile.registered_at = Some(row.n),
                "erased" => profile.erased_at = Some(row.n),
                _ => days.push(row.n),
            }
        }
        days.sort_unstable();
        profile.active_days = days.into_iter().map(date).collect();
        profile
    }
}

#[cfg(test)]
mod tests;
