//! What is kept of counts: under which names, and for how long.

use shoreline_shared::event_type::TrackerType;

use super::{ACTIVE_MS, LIVE_MINUTES};
use crate::base::sorted::Map;
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
use crate::protocol::counters::Kind;

/// Keys of a kind that are counted by name in one minute. A site has fewer pages; what anybody makes
/// up on top is counted together as [`OTHER`], so that a flood of pages fills no memory: 60 minutes
/// of 1,000 keys of two kinds, at most 128 characters each, are some 25 MB.
pub(super) const MAX_KEYS_PER_MINUTE: usize = 1_000;

/// Types of events that are counted by name in one minute, beside those of pages, and ids that are joined in one. Only
/// services send other types: at 100 characters each a minute's are 1.5 MB.
pub(super) const MAX_TYPES_PER_MINUTE: usize = 10_000;

/// The key of what is over these.
pub(super) const OTHER: &str = "…";

/// Adds to one key of a bucket, or to [`OTHER`] where the bucket has too many.
pub(super) fn add(keys: &mut Map<String, i64>, kind: Kind, key: &str, n: i64) {
    if let Some(sum) = keys.get_mut(key) {
        *sum = sum.saturating_add(n);
        return;
    }
    let most = match kind {
        Kind::Type | Kind::Identified => MAX_TYPES_PER_MINUTE,
        _ => MAX_KEYS_PER_MINUTE,
    };
    // What pages send is always told by name: there are ten of it.
    let is_of_page = kind == Kind::Type && TrackerType::parse(key).is_some();
    let is_full = keys.len() >= most && !is_of_page;
    let key = if is_full { OTHER } else { key };
    let sum = keys.entry(key.to_owned()).or_default();
    *sum = sum.saturating_add(n);
}

/// Whether a kind's buckets are hours that the ledger shows.
pub(super) fn is_hourly(kind: Kind) -> bool {
    matches!(kind, Kind::Outcome | Kind::Imported)
}

/// Whether a bucket of the live view, or of a quota, is still of use.
pub(super) fn is_shown(kind: Kind, bucket: i64, now_ms: i64) -> bool {
    let memory = match kind {
        Kind::Quota => HOUR_MS,
        // What an id did before it was joined counts as live for an hour, and the user is active then for a while.
        Kind::Identified => LIVE_MINUTES
            .saturating_mul(MINUTE_MS)
            .saturating_add(ACTIVE_MS),
        _ => LIVE_MINUTES.saturating_mul(MINUTE_MS),
    };
    bucket >= floor_to(now_ms, MINUTE_MS).saturating_sub(memory)
}

pub(super) fn is_active(at: i64, now_ms: i64) -> bool {
    at > now_ms.saturating_sub(ACTIVE_MS)
}

/// A user's keyed hash, written with 16 hex digits.
pub(super) fn hash_of(hex: &str) -> u64 {
    u64::from_str_radix(hex, 16).unwrap_or_default()
}
