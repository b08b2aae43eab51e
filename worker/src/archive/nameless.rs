//! An event without its user.
//!
//! Erasure takes who it was and what they did out of the stored events, and leaves that something happened: userId and
//! sessionId become ids that stand for them, eventData and metadata go. No count changes.

use serde::Deserialize;
use serde_json::{Map, Value};
use shoreline_shared::privacy::{session_hash, user_hash};

/// What the ids begin with that stand for a user who was erased, and for their sessions.
pub(crate) const ERASED_PREFIX: &str = "erased-";

/// Whether an id stands for a user who was erased.
pub(crate) fn is_erased_id(id: &str) -> bool {
    let is_hex = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    id.strip_prefix(ERASED_PREFIX).is_some_and(is_hex)
}

/// The secret that makes the ids that stand for a user's: a row of D1's `erasures`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alias {
    /// Random, in hex.
    pub alias_key: String,
    /// When the erasure was asked for: what was received later is kept.
    pub erased_at: i64,
}

/// A stored event's text without its user: the same for the same event and alias, in the archive and in
/// the lake.
pub fn nameless_text(site: &str, body: &str, alias: &Alias) -> String {
    // What cannot be read cannot be kept either.
    let mut fields: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let key = alias.alias_key.as_bytes();
    if let Some(Value::String(id)) = fields.get_mut("userId") {
        // The same for all ids of a person: the secret is theirs alone.
        *id = format!("{ERASED_PREFIX}{}", user_hash(key, site, ""));
    }
    if let Some(Value::String(id)) = fields.get_mut("sessionId") {
        *id = format!("{ERASED_PREFIX}{}", session_hash(key, site, id));
    }
    for name in ["eventData", "metadata"] {
        fields.insert(name.to_owned(), Value::Object(Map::new()));
    }
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests;
