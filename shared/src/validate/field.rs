//! Reading single fields out of an event.

use serde_json::{Map, Value};

use crate::event::Rejection;

/// Whether nothing is left of a text without control characters and outer spaces.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_control() || c.is_whitespace())
}

/// Takes a text that must be there; `path` is its name in a rejection.
pub(super) fn required_text(
    fields: &mut Map<String, Value>,
    name: &str,
    path: &'static str,
) -> Result<String, Rejection> {
    check_text(fields.get(name), path)?;
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Rejection::missing(path)),
    }
}

/// Takes a text that may be absent; a blank one counts as absent.
pub(super) fn optional_text(
    fields: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, Rejection> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !is_blank(text))),
        Some(_) => Err(Rejection::wrong_type(name, "a string")),
    }
}

/// Checks that there is a text, and that it is not blank.
pub(super) fn check_text(value: Option<&Value>, path: &'static str) -> Result<(), Rejection> {
    match value {
        None | Some(Value::Null) => Err(Rejection::missing(path)),
        Some(Value::String(text)) if is_blank(text) => Err(Rejection::empty(path)),
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(Rejection::wrong_type(path, "a string")),
    }
}

/// Takes an object that may be absent.
pub(super) fn object(
    fields: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<Map<String, Value>>, Rejection> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Rejection::wrong_type(name, "an object")),
    }
}
