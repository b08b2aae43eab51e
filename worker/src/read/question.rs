//! What the `POST /v1/analytics/query/…` calls have in common: a JSON body that becomes a question to the
//! archive, whose shards each answer a part.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::days::Days;
use crate::archive::scan::{Asked, Part};
use crate::base::json;
use crate::base::whole;
use crate::http::error::Fault;
use crate::http::known;

/// Bytes of a question at most: ten steps of long names are a tenth of it.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

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

/// Reads the body as an object of known fields, each looked at by itself.
///
/// # Errors
/// [`Fault::Malformed`] for what is none, [`Fault::UnknownParameter`] for a field that is not known.
pub(crate) fn object(
    body: &[u8],
    known: &[&str],
) -> Result<serde_json::Map<String, serde_json::Value>, Fault> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Fault::PayloadTooLarge("A question has at most 64 KiB."));
    }
    let object = json::read(body);
    let object = object.map_err(|_| Fault::malformed("The body must be a JSON object."))?;
    known::fields(&object, known)?;
    Ok(object)
}

/// Reads the range of a body.
///
/// # Errors
/// [`Fault::InvalidParameter`] with the field.
pub(super) fn days(
    fields: &serde_json::Map<String, serde_json::Value>,
    now_ms: i64,
) -> Result<Days, Fault> {
    let text = |name: &'static str| match fields.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Fault::InvalidParameter {
            name,
            detail: "A date is a string of the form YYYY-MM-DD, in UTC.",
        }),
    };
    Days::of(text("startDate")?, text("endDate")?, now_ms)
}

/// Reads a whole number of a body.
///
/// # Errors
/// [`Fault::InvalidParameter`] with the field.
pub(crate) fn number(
    fields: &serde_json::Map<String, serde_json::Value>,
    name: &'static str,
    range: std::ops::RangeInclusive<i64>,
    default: i64,
    detail: &'static str,
) -> Result<i64, Fault> {
    match fields.get(name) {
        None | Some(serde_json::Value::Null) => Ok(default),
        Some(value) => value
            .as_number()
            .and_then(whole::of)
            .filter(|number| range.contains(number))
            .ok_or(Fault::InvalidParameter { name, detail }),
    }
}
