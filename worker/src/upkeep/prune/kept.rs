//! How long ids are known, which is what deduplication reaches back.

use crate::base::time::DAY_MS;

/// Days that ids are kept at least.
pub const IDS_AT_LEAST_DAYS: i64 = 45;

/// The first moment from which on the ids of all sites are known, whatever their retention; with a
/// day to spare.
pub fn ids_known_from(now_ms: i64) -> i64 {
    let days = IDS_AT_LEAST_DAYS.saturating_sub(1);
    now_ms.saturating_sub(days.saturating_mul(DAY_MS))
}
