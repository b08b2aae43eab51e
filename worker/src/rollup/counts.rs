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
