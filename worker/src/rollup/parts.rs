//! Pieces that the SQL of the read models is put together from.

/// The rows (`?2`) that this attempt (`?3`) was the first to bring. CROSS JOIN keeps SQLite to this
/// order: it knows no better than to walk all ids of the site first.
macro_rules! fresh_events {
    () => {
        "FROM json_each(?2) AS e CROSS JOIN event_ids AS i \
         WHERE i.site_id = ?1 AND i.event_id = e.value->>1 \
         AND i.part_id = e.value->>0 AND i.attempt = ?3"
    };
}

/// `f`: the facts of the fresh events of a message.
macro_rules! fresh {
    () => {
        concat!(
            "WITH f AS (SELECT e.value->>2 AS received, e.value->3 AS x ",
            fresh_events!(),
            ")"
        )
    };
}

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
