//! Plain counts: events by minute and by day of receipt, domain events by the hour they happened.

/// Of rows `[minute, type, source, n]`.
pub(super) const MINUTES: &str = "INSERT INTO minute_counts (site_id, minute, event_type, source, n) \
     SELECT ?1, value->>0, value->>1, value->>2, value->>3 FROM json_each(?2) WHERE true \
     ON CONFLICT (site_id, minute, event_type, source) DO UPDATE SET n = n + excluded.n";

/// Of the same rows.
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

/// Domain events of a day counted again from the stored events, now being `?4`.
pub(crate) const STORED: [&str; 2] = [NOTE_HOURS, MEND_HOURS];
