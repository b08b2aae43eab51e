//! What the `POST /v1/analytics/query/…` calls have in common: a JSON body that becomes a question to the
//! archive, whose shards each answer a part.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::archive::scan::{Asked, Part};
use crate::http::error::Fault;

/// A question.
pub trait Question: Sized {
    /// What a shard answers.
    type Found: DeserializeOwned;
    /// The answer.
    type Answer: Serialize;
    /// Checks the body.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the field, [`Fault::Malformed`] for what is no object.
    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault>;
    /// What each shard of the archive is asked.
    fn asked(&self) -> Asked;
    /// The answer from what the shards found.
    fn answer(&self, found: Vec<Self::Found>) -> Self::Answer;
}

/// What shards found, and the segments that none of them could read, which are not in it.
pub fn found<T>(parts: Vec<Part<T>>) -> (Vec<T>, i64) {
    let unreadable = parts.iter().map(|part| part.unreadable);
    let unreadable = unreadable.fold(0, i64::saturating_add);
    (
        parts.into_iter().map(|part| part.found).collect(),
        unreadable,
    )
}

/// An answer, a JSON object, that says how many segments are missing in it, where any are.
pub fn with_missing(mut json: String, segments: i64) -> String {
    if segments > 0 && json.pop() == Some('}') {
        json.push_str(&format!(",\"unreadableSegments\":{segments}}}"));
    }
    json
}
