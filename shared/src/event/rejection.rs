//! Why an event is refused: one code, one field, one sentence.

use std::borrow::Cow;

/// A stable code of the wire contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A required field is absent or null.
    MissingField,
    /// A required string is empty once control characters and outer spaces are gone.
    EmptyField,
    /// A field has another JSON type than it must have.
    WrongType,
    /// The event type is no name, a reserved one, or one that this kind of key may not send.
    InvalidEventType,
    /// The event id is no UUID.
    InvalidEventId,
    /// The user id is `.` or `..`, which no address of a call can hold.
    InvalidUserId,
    /// The timestamp is neither a number nor RFC 3339.
    InvalidTimestamp,
    /// The timestamp lies too far ahead or too far back.
    TimestampOutOfRange,
    /// The event is over 32 KiB.
    EventTooLarge,
    /// The event is nested over 16 levels.
    TooDeep,
    /// An object of the event has over 256 keys.
    TooManyKeys,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::MissingField,
        Self::EmptyField,
        Self::WrongType,
        Self::InvalidEventType,
        Self::InvalidEventId,
        Self::InvalidUserId,
        Self::InvalidTimestamp,
        Self::TimestampOutOfRange,
        Self::EventTooLarge,
        Self::TooDeep,
        Self::TooManyKeys,
    ];

    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingField => "missing_field",
            Self::EmptyField => "empty_field",
            Self::WrongType => "wrong_type",
            Self::InvalidEventType => "invalid_event_type",
            Self::InvalidEventId => "invalid_event_id",
            Self::InvalidUserId => "invalid_user_id",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::TimestampOutOfRange => "timestamp_out_of_range",
            Self::EventTooLarge => "event_too_large",
            Self::TooDeep => "too_deep",
            Self::TooManyKeys => "too_many_keys",
        }
    }
}

/// An event that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What is wrong.
    pub code: Code,
    /// Where: a path such as `eventData.feature`; empty for the event as a whole.
    pub field: Cow<'static, str>,
    /// One sentence for the developer, free of anything the event holds.
    pub message: String,
}

impl Rejection {
    /// An event over the size limit, as it came or as it has grown (`[redacted]` can be longer than
    /// what it hides).
    pub fn too_large() -> Self {
        Self::new(
            Code::EventTooLarge,
            "",
            "An event is at most 32 KiB of JSON.",
        )
    }

    pub(crate) fn not_an_object() -> Self {
        Self::new(Code::WrongType, "", "An event must be a JSON object.")
    }

    pub(crate) fn too_deep() -> Self {
        let message = "An event is nested at most 16 levels deep, itself included.";
        Self::new(Code::TooDeep, "", message)
    }

    pub(crate) fn too_many_keys() -> Self {
        let message = "An object in an event has at most 256 keys.";
        Self::new(Code::TooManyKeys, "", message)
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self::new(Code::MissingField, field, format!("{field} is required."))
    }

    pub(crate) fn empty(field: &'static str) -> Self {
        Self::new(
            Code::EmptyField,
            field,
            format!("{field} must not be empty."),
        )
    }

    pub(crate) fn wrong_type(field: &'static str, expected: &str) -> Self {
        Self::new(
            Code::WrongType,
            field,
            format!("{field} must be {expected}."),
        )
    }

    pub(crate) fn new(code: Code, field: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            field: Cow::Borrowed(field),
            message: message.into(),
        }
    }
}
