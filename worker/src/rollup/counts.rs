//! Plain counts: events by minute, hour and day of receipt, domain events by the hour they happened.

/// Of rows `[minute, type, source, n]`.
pub(super) const MINUTES: &str = "INSERT INTO minute_counts (site_id, minute, event_type, source, n) \
     SELECT ?1, value->>0, value->>1, value->>2, value->>3 FROM json_each(?2) WHERE true \
     ON CONFLICT (site_id, minute, event_type, source) DO UPDATE SET n = n + excluded.n";

/// Of rows `[hour, type, source, n]`.
pub(super) const HOURS: &str = "INSERT INTO hour_counts (site_id, hour, event_type, source, n) \
     SELECT ?1, value->>0, value->>1, value->>2, value->>3 FROM json_each(?2) WHERE true \
     ON CONFLICT (site_id, hour, event_type, source) DO UPDATE SET n = n + excluded.n";

/// Of the rows of [`MINUTES`].
pub(super) const DAYS: &str = "INSERT INTO daily_counts (site_id, date, event_type, n) \
     SELECT ?1, date(value->>0 / 1000, 'unixepoch'), value->>1, sum(value->>3) \
     FROM json_each(?2) GROUP BY 2, 3 \
     ON CONFLICT (site_id, date, event_type) DO UPDATE SET n = n + excluded.n";

/// Of rows `[hour, type, status, n]`.
pub(super) const DOMAIN_HOURS: &str = "INSERT INTO domain_hours (site_id, hour, event_type, status, n) \
     SELECT ?1, value->>0, value->>1, value->>2, value->>3 FROM json_each(?2) WHERE true \
     ON CONFLICT (site_id, hour, event_type, status) DO UPDATE SET n = n + excluded.n";

/// `h`: domain events of the day as they must be counted.
macro_rules! hours {
    () => {
        concat!(
            stored!(),
            ", h AS MATERIALIZED (SELECT x->>3 AS hour, x->>2 AS event_type, x->>11 AS status, \
             count(*) AS n FROM f WHERE x->>3 IS NOT NULL GROUP BY 1, 2, 3) "
        )
    };
}

const NOTE_HOURS: &str = concat!(
    hours!(),
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?4, ?1, ?2 / 86400000, 'domain_hours', h.event_type, coalesce(d.n, 0), h.n FROM h \
     LEFT JOIN domain_hours AS d ON d.site_id = ?1 AND d.hour = h.hour \
     AND d.event_type = h.event_type AND d.status = h.status WHERE d.n IS NOT h.n"
);

const MEND_HOURS: &str = concat!(
    hours!(),
    "INSERT INTO domain_hours (site_id, hour, event_type, status, n) \
     SELECT ?1, hour, event_type, status, n FROM h WHERE true \
     ON CONFLICT (site_id, hour, event_type, status) DO UPDATE SET n = excluded.n \
     WHERE n <> excluded.n"
);

/// `d`: rows of `hour_counts` of the day (`?2` up to before `?3`) that are not what its minutes add up
/// to, with what they were and what they must be; 0 where there is no such row. The minutes are the
/// measure, not the events: they outlive them, and an erasure leaves them alone.
macro_rules! received {
    () => {
        "WITH d AS (SELECT hour, event_type, source, sum(was) AS was, sum(n) AS n FROM \
         (SELECT minute - minute % 3600000 AS hour, event_type, source, 0 AS was, n \
         FROM minute_counts WHERE site_id = ?1 AND minute >= ?2 AND minute < ?3 \
         UNION ALL SELECT hour, event_type, source, n, 0 \
         FROM hour_counts WHERE site_id = ?1 AND hour >= ?2 AND hour < ?3) \
         GROUP BY 1, 2, 3 HAVING sum(was) <> sum(n)) "
    };
}

/// Whether the hours of a day differ from its minutes.
pub(crate) const CHECK_RECEIVED: &str = concat!(received!(), "SELECT count(*) AS n FROM d");

const NOTE_RECEIVED: &str = concat!(
    received!(),
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?4, ?1, ?2 / 86400000, 'hour_counts', event_type, was, n FROM d"
);

const MEND_RECEIVED: &str = concat!(
    received!(),
    "INSERT INTO hour_counts (site_id, hour, event_type, source, n) \
     SELECT ?1, hour, event_type, source, n FROM d WHERE true \
     ON CONFLICT (site_id, hour, event_type, source) DO UPDATE SET n = excluded.n"
);

/// What has no minutes is none to keep.
const DROP_RECEIVED: &str =
    "DELETE FROM hour_counts WHERE site_id = ?1 AND hour >= ?2 AND hour < ?3 AND n = 0";

/// Hours of a day added up again from its minutes, now being `?4`.
pub(crate) const RECEIVED: [&str; 3] = [NOTE_RECEIVED, MEND_RECEIVED, DROP_RECEIVED];

/// Domain events of a day counted again from the stored events, now being `?4`.
pub(crate) const STORED: [&str; 2] = [NOTE_HOURS, MEND_HOURS];
