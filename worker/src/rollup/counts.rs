//! Plain counts: events by minute and by day of receipt, domain events by the hour they happened.

const MINUTES: &str = concat!(
    fresh!(),
    "INSERT INTO minute_counts (site_id, minute, event_type, source, n) \
     SELECT ?1, received - received % 60000, x->>2, coalesce(x->>'$[7].source', ''), count(*) \
     FROM f GROUP BY 2, 3, 4 \
     ON CONFLICT (site_id, minute, event_type, source) DO UPDATE SET n = n + excluded.n"
);

const DAYS: &str = concat!(
    fresh!(),
    "INSERT INTO daily_counts (site_id, date, event_type, n) \
     SELECT ?1, date(received / 1000, 'unixepoch'), x->>2, count(*) FROM f GROUP BY 2, 3 \
     ON CONFLICT (site_id, date, event_type) DO UPDATE SET n = n + excluded.n"
);

const DOMAIN_HOURS: &str = concat!(
    fresh!(),
    "INSERT INTO domain_hours (site_id, hour, event_type, status, n) \
     SELECT ?1, x->>3, x->>2, x->>11, count(*) FROM f WHERE x->>3 IS NOT NULL GROUP BY 2, 3, 4 \
     ON CONFLICT (site_id, hour, event_type, status) DO UPDATE SET n = n + excluded.n"
);

/// The statements of a message's counts.
pub(super) const COUNTS: [&str; 3] = [MINUTES, DAYS, DOMAIN_HOURS];

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
