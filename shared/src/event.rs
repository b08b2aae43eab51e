//! The first stage: one event's JSON text, or the value an adapter made, read and bounded.

use serde_json::{Map, Value};

use crate::limits::MAX_EVENT_BYTES;

mod rejection;
mod repair;
mod shape;

pub use rejection::{Code, Rejection};

/// One event as it came: a JSON object within the limits of size, nesting and keys, and nothing
/// more known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEvent(Map<String, Value>);

impl RawEvent {
    /// Reads one event's JSON text.
    ///
    /// Two things that browsers send and a strict parser refuses do not lose the event: a number
    /// too large for a double counts as null, and half of a surrogate pair in a string becomes
    /// U+FFFD. Of keys that are there twice the last counts, as in `JSON.parse`.
    ///
    /// # Errors
    /// In this order, all with an empty field: [`Code::EventTooLarge`] over 32 KiB of text,
    /// [`Code::WrongType`] for what is no JSON object, [`Code::TooDeep`] over 16 levels (the event
    /// itself is the first), [`Code::TooManyKeys`] over 256 keys in one object.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        if text.len() > MAX_EVENT_BYTES {
            return Err(Rejection::too_large());
        }
        if !text.trim_ascii_start().starts_with('{') {
            return Err(Rejection::not_an_object());
        }
        shape::check_text(text)?;
        serde_json::from_str(text)
            .or_else(|_| serde_json::from_str(&repair::repair(text)))
            .map(Self)
            .map_err(|_| Rejection::not_an_object())
    }

    /// Takes an event that an adapter made of a foreign payload.
    ///
    /// # Errors
    /// As [`RawEvent::parse`], the size being that of the value's shortest JSON text; but of a value
    /// that is too deep the size is not looked at.
    pub fn from_value(value: Value) -> Result<Self, Rejection> {
        let Value::Object(fields) = value else {
            return Err(Rejection::not_an_object());
        };
        shape::check_fields(&fields)?;
        Ok(Self(fields))
    }

    /// Its fields, for an adapter that reads a foreign payload within the same limits.
    pub fn into_fields(self) -> Map<String, Value> {
        self.0
    }
}

#[cfg(test)]
mod tests;
