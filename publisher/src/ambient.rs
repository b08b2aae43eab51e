//! The moment and chance: the only place of this crate that reads them.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use shoreline_shared::id::uuid_v7;

/// Now, Unix milliseconds by this machine's clock; 0 for a clock set to before 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "this crate is for native services only, where the clock does not panic"
)]
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// A fresh UUIDv7 of now.
pub(crate) fn fresh_id() -> String {
    uuid_v7(now_ms(), random_bytes())
}

/// Any `u32`, for jitter.
pub(crate) fn random_u32() -> u32 {
    u32::from_ne_bytes(random_bytes())
}

/// Random bytes of the operating system. Where it has none to give (a sandbox without the call),
/// the standard library's own per-process keys make ids that are different still.
fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        for (at, chunk) in bytes.chunks_mut(8).enumerate() {
            let word = RandomState::new().hash_one(at).to_ne_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        let ids: Vec<String> = (0..1_000).map(|_| fresh_id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert_eq!(
            shoreline_shared::id::parse_uuid(&ids[0]),
            Some(ids[0].clone())
        );
    }
}
