//! Pieces that the SQL of the read models is put together from.

/// `f`: the facts of the stored events that happened from `?2` up to before `?3`, one day; of a day
/// with erased events, nothing.
macro_rules! stored {
    () => {
        "WITH f AS (SELECT received_at AS received, facts AS x FROM events \
         WHERE site_id = ?1 AND at >= ?2 AND at < ?3 AND facts IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM erased_days AS z \
         WHERE z.site_id = ?1 AND z.day = ?2 / 86400000))"
    };
}

/// The day of a moment, also before 1970.
macro_rules! day {
    ($at:literal) => {
        concat!(
            "((",
            $at,
            " - ((",
            $at,
            " % 86400000) + 86400000) % 86400000) / 86400000)"
        )
    };
}
