//! In which of a site's archives an event is: that of its user; of nobody, that of its session; else that of its id.

use super::event::first_bits;
use super::{Hasher, id_bits};
use crate::archive::counted::Stored;

/// In which of so many archives a user is, by their hash in hex.
pub fn home_of_user(hash: &str, archives: u32) -> u32 {
    home(first_bits(hash), archives)
}

pub(super) fn home(hash: u64, archives: u32) -> u32 {
    let place = hash.checked_rem(u64::from(archives)).unwrap_or(0);
    u32::try_from(place).unwrap_or(0)
}

/// In which of so many archives an event is.
pub(super) fn home_of(event: &Stored<'_>, archives: u32, hasher: &mut Hasher<'_>) -> u32 {
    let hash = match (&event.user_id, &event.session_id) {
        (Some(user), _) => hasher.user(user),
        (None, Some(session)) => hasher.session(session, None),
        (None, None) => {
            let bits = id_bits(&event.event_id);
            (bits ^ (bits >> 64)) as u64
        }
    };
    home(hash, archives)
}
