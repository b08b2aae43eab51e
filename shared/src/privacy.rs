//! What is hidden, shortened or replaced before an event is stored or sent on.

mod anonymous;
mod card;
mod contact;
mod ip;
mod key;
mod redact;
mod spelling;
mod style;
mod url;

pub use anonymous::{
    anonymous_id, hashed_id, is_anonymous_id, session_hash, ticket_seal, user_hash,
};
pub use ip::truncate_ip;
pub use spelling::spelled;
pub use url::path_part;

pub(crate) use card::is_card_number;
pub(crate) use ip::truncate_ips;
pub(crate) use key::KeyKind;
pub(crate) use redact::{redact, suspicion};
pub(crate) use style::Style;
pub(crate) use url::{clean_url, is_absolute_url};

/// What stands where something was hidden.
pub const REDACTED: &str = "[redacted]";
