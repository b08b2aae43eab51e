//! How long ids are known, which is what deduplication reaches back.

use crate::privacy::DAY_MS;

/// Days that ids are kept at least.
pub const IDS_AT_LEAST_DAYS: i64 = 45;

/// Days for which a site's ids are kept, as SQL of its retention: 15 longer than its events, and
/// [`IDS_AT_LEAST_DAYS`].
macro_rules! ids_days {
    ($retention:literal) => {
        concat!("max(", $retention, " + 15, 45)")
    };
}

/// The first moment from which on the ids of all sites are known, whatever their retention; with a
/// day to spare.
pub fn ids_known_from(now_ms: i64) -> i64 {
    let days = IDS_AT_LEAST_DAYS.saturating_sub(1);
    now_ms.saturating_sub(days.saturating_mul(DAY_MS))
}
