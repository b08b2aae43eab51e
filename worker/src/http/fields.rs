//! The JSON body of a question: an object of known fields, each looked at by itself.

use serde_json::{Map, Value};

use crate::base::{json, whole};
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::known;

/// Bytes of a question at most: ten steps of long names are a tenth of it.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// What is answered to a longer one.
pub const QUESTION_TOO_LARGE: Fault = Fault::PayloadTooLarge("A question has at most 64 KiB.");

/// Reads the body as an object of known fields, each looked at by itself.
///
/// # Errors
/// [`Fault::Malformed`] for what is none, [`Fault::UnknownParameter`] for a field that is not known.
pub fn object(body: &[u8], known: &[&str]) -> Result<Map<String, Value>, Fault> {
    if body.len() > MAX_BODY_BYTES {
        return Err(QUESTION_TOO_LARGE);
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
pub fn days(fields: &Map<String, Value>, now_ms: i64) -> Result<Days, Fault> {
    let text = |name: &'static str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
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
pub fn number(
    fields: &Map<String, Value>,
    name: &'static str,
    range: std::ops::RangeInclusive<i64>,
    default: i64,
    detail: &'static str,
) -> Result<i64, Fault> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_number()
            .and_then(whole::of)
            .filter(|number| range.contains(number))
            .ok_or(Fault::InvalidParameter { name, detail }),
    }
}
