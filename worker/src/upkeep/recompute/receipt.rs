//! Hours and days of receipt held against the minutes, which are the measure: an erasure leaves them alone,
//! and they outlive the events.

use crate::base::sql::{Param, Statement};
use crate::base::time::{DAY_MS, date};

/// `d`: rows of `hour_counts` of the day (`?2` up to before `?3`) that are not what its minutes add up to,
/// with what they were and what they must be; 0 where there is no such row.
macro_rules! hours {
    () => {
        "WITH d AS (SELECT hour, event_type, source, sum(was) AS was, sum(n) AS n FROM \
         (SELECT minute - minute % 3600000 AS hour, event_type, source, 0 AS was, n \
         FROM minute_counts WHERE site_id = ?1 AND minute >= ?2 AND minute < ?3 \
         UNION ALL SELECT hour, event_type, source, n, 0 \
         FROM hour_counts WHERE site_id = ?1 AND hour >= ?2 AND hour < ?3) \
         GROUP BY 1, 2, 3 HAVING sum(was) <> sum(n)) "
    };
}

/// `e`: rows of `daily_counts` of the day (`?4`) likewise.
macro_rules! days {
    () => {
        "e AS (SELECT event_type, sum(was) AS was, sum(n) AS n FROM \
         (SELECT event_type, 0 AS was, n \
         FROM minute_counts WHERE site_id = ?1 AND minute >= ?2 AND minute < ?3 \
         UNION ALL SELECT event_type, n, 0 FROM daily_counts WHERE site_id = ?1 AND date = ?4) \
         GROUP BY 1 HAVING sum(was) <> sum(n)) "
    };
}

const CHECK: &str = concat!(
    hours!(),
    ", ",
    days!(),
    "SELECT (SELECT count(*) FROM d) + (SELECT count(*) FROM e) AS n"
);

const NOTE_HOURS: &str = concat!(
    hours!(),
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?4, ?1, ?2 / 86400000, 'hour_counts', event_type, was, n FROM d"
);

const MEND_HOURS: &str = concat!(
    hours!(),
    "INSERT INTO hour_counts (site_id, hour, event_type, source, n) \
     SELECT ?1, hour, event_type, source, n FROM d WHERE true \
     ON CONFLICT (site_id, hour, event_type, source) DO UPDATE SET n = excluded.n"
);

/// What has no minutes is none to keep.
const CLEAR_HOURS: &str =
    "DELETE FROM hour_counts WHERE site_id = ?1 AND hour >= ?2 AND hour < ?3 AND n = 0";

const NOTE_DAYS: &str = concat!(
    "WITH ",
    days!(),
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?5, ?1, ?2 / 86400000, 'daily_counts', event_type, was, n FROM e"
);

const MEND_DAYS: &str = concat!(
    "WITH ",
    days!(),
    "INSERT INTO daily_counts (site_id, date, event_type, n) \
     SELECT ?1, ?4, event_type, n FROM e WHERE true \
     ON CONFLICT (site_id, date, event_type) DO UPDATE SET n = excluded.n"
);

const CLEAR_DAYS: &str = "DELETE FROM daily_counts WHERE site_id = ?1 AND date = ?2 AND n = 0";

fn of_day(sql: &'static str, site: &str, day: i64, more: &[Param]) -> Statement {
    let from = day.saturating_mul(DAY_MS);
    let base: [Param; 3] = [site.into(), from.into(), from.saturating_add(DAY_MS).into()];
    Statement::new(sql, base.into_iter().chain(more.iter().cloned()))
}

pub(super) fn check(site: &str, day: i64) -> Statement {
    of_day(CHECK, site, day, &[date(day).into()])
}

pub(super) fn mend(site: &str, day: i64, now_ms: i64) -> Vec<Statement> {
    let now = Param::Int(now_ms);
    vec![
        of_day(NOTE_HOURS, site, day, std::slice::from_ref(&now)),
        of_day(MEND_HOURS, site, day, &[]),
        of_day(CLEAR_HOURS, site, day, &[]),
        of_day(NOTE_DAYS, site, day, &[date(day).into(), now]),
        of_day(MEND_DAYS, site, day, &[date(day).into()]),
        Statement::new(CLEAR_DAYS, [site.into(), date(day).into()]),
    ]
}
