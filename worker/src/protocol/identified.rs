//! What an event `identify` says, in hashes: a user was known by another id before.

use shoreline_shared::event_type::IDENTIFY;
use shoreline_shared::privacy::is_anonymous_id;

/// What an event `identify` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identified {
    /// The first 64 bits of the keyed hash of the id that came before.
    pub anonymous: u64,
    /// When it happened, Unix milliseconds.
    pub at: i64,
    /// The event's id.
    pub id: u128,
    /// The first 64 bits of the keyed hash of the user.
    pub user: u64,
}

/// Whether an event says that its user was known by another id before, of whom more is known than a day.
pub fn identifies(event_type: &str, user: Option<&str>, anonymous: &str) -> bool {
    let is_somebody = |id: &str| !id.trim().is_empty() && !is_anonymous_id(id);
    event_type == IDENTIFY && user.is_some_and(is_somebody) && is_somebody(anonymous)
}

impl Identified {
    /// As a text: both hashes and the id in hex, and when it happened.
    pub fn text(&self) -> String {
        let Self {
            anonymous,
            at,
            id,
            user,
        } = self;
        format!("{anonymous:016x}{user:016x}{id:032x}{at}")
    }

    /// Reads such a text.
    pub fn parse(text: &str) -> Option<Self> {
        let hash =
            |from: usize| u64::from_str_radix(text.get(from..from.checked_add(16)?)?, 16).ok();
        Some(Self {
            anonymous: hash(0)?,
            user: hash(16)?,
            id: u128::from(hash(32)?) << 64 | u128::from(hash(48)?),
            at: text.get(64..)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_read_as_it_was_written(anonymous: u64, at: i64, id: u128, user: u64) {
            let one = Identified { anonymous, at, id, user };
            prop_assert_eq!(Identified::parse(&one.text()), Some(one));
        }

        #[test]
        fn any_other_text_is_none_or_is_read(text in ".{0,90}") {
            let _ = Identified::parse(&text);
        }
    }

    #[test]
    fn nobody_is_identified_with_an_id_of_a_day() {
        let day = format!("anon-{}", "a".repeat(32));
        assert!(identifies("identify", Some("u"), "v-1"));
        for (event_type, user, anonymous) in [
            ("page_view", Some("u"), "v-1"),
            ("identify", None, "v-1"),
            ("identify", Some("u"), " "),
            ("identify", Some("u"), day.as_str()),
            ("identify", Some(day.as_str()), "v-1"),
        ] {
            assert!(!identifies(event_type, user, anonymous));
        }
    }
}
