//! Forgetting: stored events after their retention, ids of events and sessions some time later.
//! Rollups stay. Each statement is bounded, so that no run of the cron takes long.

use serde::Deserialize;

use crate::privacy::{DAY_MS, day_of};
use crate::sql::Statement;
use crate::tally::OWN_SITE;

/// Events that one statement deletes at most: with four indexes, 2,500 rows.
pub const MAX_EVENTS: i64 = 500;

/// Statements of a run at most: 10,000 events a minute.
pub const MAX_STATEMENTS: usize = 20;

/// Ids and sessions that one run looks at. They have no index by time, which would cost a row
/// written an event: the run goes on where the last one ended, and begins again at the end.
pub const MAX_LOOKED_AT: i64 = 2_000;

/// Days that it is known who was there: over the 366 of the longest range and the 30 of the month
/// before it. Whoever comes back later has a gap over any range either way.
const MEMBER_DAYS: i64 = 400;

/// Days that ids are kept beyond the events, and at least: what deduplication reaches back.
const IDS_LONGER_DAYS: i64 = 15;
const IDS_AT_LEAST_DAYS: i64 = 45;

/// An event that a statement deleted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deleted {}

/// The first moment whose events are kept: the start of a day, so that a day is there or not.
pub fn events_from(retention_days: u32, now_ms: i64) -> i64 {
    day_of(now_ms)
        .saturating_sub(i64::from(retention_days))
        .saturating_mul(DAY_MS)
}

/// The first moment whose ids are kept.
pub fn ids_from(retention_days: u32, now_ms: i64) -> i64 {
    let days = i64::from(retention_days)
        .saturating_add(IDS_LONGER_DAYS)
        .max(IDS_AT_LEAST_DAYS);
    now_ms.saturating_sub(days.saturating_mul(DAY_MS))
}

/// The statement that lists sites (Shoreline's own too) with events from before `from`, some of
/// them.
pub fn sites(from: i64) -> Statement {
    Statement::new(
        "SELECT s.site_id FROM (SELECT site_id FROM sites UNION ALL SELECT ?2) AS s \
         WHERE EXISTS (SELECT 1 FROM events AS e \
         WHERE e.site_id = s.site_id AND e.at < ?1) OR EXISTS (SELECT 1 FROM events AS e \
         WHERE e.site_id = s.site_id AND e.received_at < ?1 - 86400000) LIMIT 20",
        [from.into(), OWN_SITE.into()],
    )
}

/// A row of [`sites`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Site {
    /// The site.
    pub site_id: String,
}

/// Two statements that delete some events of a site that are from before `from`, each answering
/// [`Deleted`]s: by when they happened, and, of events from before there was that, by their
/// receipt. An event is received at most a day before it says it happened.
pub fn events(site: &str, from: i64) -> [Statement; 2] {
    let by = |sql, from: i64| Statement::new(sql, [site.into(), from.into(), MAX_EVENTS.into()]);
    [
        by(
            "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events \
             WHERE site_id = ?1 AND at < ?2 LIMIT ?3) RETURNING 1 AS n",
            from,
        ),
        by(
            "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events \
             WHERE site_id = ?1 AND received_at < ?2 LIMIT ?3) RETURNING 1 AS n",
            from.saturating_sub(DAY_MS),
        ),
    ]
}

/// Minutes of calls that are kept: the longest window that can be asked for is seven days.
const CALLS_KEPT_MS: i64 = 8 * DAY_MS;

/// Rows of them that one statement deletes at most.
pub const MAX_CALLS: i64 = 2_000;

/// Such statements of a run at most: 20,000 rows a minute.
pub const MAX_CALL_STATEMENTS: usize = 10;

/// The statement that deletes some of the oldest minutes of calls; it answers [`Deleted`]s.
pub fn calls(now_ms: i64) -> Statement {
    Statement::new(
        "DELETE FROM operation_minutes WHERE (site_id, minute, action, status) IN \
         (SELECT site_id, minute, action, status FROM operation_minutes \
         WHERE minute < ?1 LIMIT ?2) RETURNING 1 AS n",
        [
            now_ms.saturating_sub(CALLS_KEPT_MS).into(),
            MAX_CALLS.into(),
        ],
    )
}

/// A table whose rows are swept by a cursor: the key of the last row that was looked at, as a JSON
/// array; empty at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Ids of events.
    Ids,
    /// Sessions.
    Sessions,
    /// Who was there on which day.
    Members,
}

/// Where a run of a sweep ends: a row of [`Sweep::end`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// The cursor for the next run.
    pub cursor: String,
}

/// Before every key of every table.
const BEGIN: &str = r#"["","","","",-1000000]"#;

/// After every site's id, which is of a-z, 0-9 and -, or begins with _.
const AFTER: &str = r#"["~","","","",0]"#;

impl Sweep {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ids, Self::Sessions, Self::Members];

    /// The name of its job.
    pub fn job(self) -> &'static str {
        match self {
            Self::Ids => "sweep_ids",
            Self::Sessions => "sweep_sessions",
            Self::Members => "sweep_members",
        }
    }

    /// The statement that finds where the run that begins after `cursor` ends; none: at the end.
    pub fn end(self, cursor: &str) -> Statement {
        let sql = match self {
            Self::Ids => {
                "SELECT json_array(site_id, event_id) AS cursor FROM event_ids \
                 WHERE (site_id, event_id) > (?1->>0, ?1->>1) \
                 ORDER BY site_id, event_id LIMIT 1 OFFSET ?2"
            }
            Self::Sessions => {
                "SELECT json_array(site_id, session_hash) AS cursor FROM sessions \
                 WHERE (site_id, session_hash) > (?1->>0, ?1->>1) \
                 ORDER BY site_id, session_hash LIMIT 1 OFFSET ?2"
            }
            Self::Members => {
                "SELECT json_array(site_id, dim, key, user_hash, day) AS cursor FROM members \
                 WHERE (site_id, dim, key, user_hash, day) > \
                 (?1->>0, ?1->>1, ?1->>2, ?1->>3, ?1->>4) \
                 ORDER BY site_id, dim, key, user_hash, day LIMIT 1 OFFSET ?2"
            }
        };
        let offset = MAX_LOOKED_AT.saturating_sub(1);
        Statement::new(sql, [begin(cursor).into(), offset.into()])
    }

    /// The statement that deletes what is too old after `cursor` up to `end`.
    pub fn delete(
        self,
        cursor: &str,
        end: Option<&End>,
        retention_days: u32,
        now_ms: i64,
    ) -> Statement {
        let (sql, from) = match self {
            Self::Ids => (
                "DELETE FROM event_ids WHERE (site_id, event_id) > (?1->>0, ?1->>1) \
                 AND (site_id, event_id) <= (?2->>0, ?2->>1) AND received_at < ?3",
                ids_from(retention_days, now_ms),
            ),
            Self::Sessions => (
                "DELETE FROM sessions WHERE (site_id, session_hash) > (?1->>0, ?1->>1) \
                 AND (site_id, session_hash) <= (?2->>0, ?2->>1) AND seen_at < ?3",
                ids_from(retention_days, now_ms),
            ),
            Self::Members => (
                "DELETE FROM members WHERE (site_id, dim, key, user_hash, day) > \
                 (?1->>0, ?1->>1, ?1->>2, ?1->>3, ?1->>4) \
                 AND (site_id, dim, key, user_hash, day) <= \
                 (?2->>0, ?2->>1, ?2->>2, ?2->>3, ?2->>4) AND day < ?3",
                day_of(now_ms).saturating_sub(MEMBER_DAYS),
            ),
        };
        let end = end.map_or(AFTER, |end| &end.cursor);
        Statement::new(sql, [begin(cursor).into(), end.into(), from.into()])
    }
}

fn begin(cursor: &str) -> &str {
    if cursor.is_empty() { BEGIN } else { cursor }
}

#[cfg(test)]
mod tests;
