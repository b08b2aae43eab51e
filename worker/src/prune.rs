//! Forgetting: stored events after their retention, ids of events and sessions some time later.
//! Rollups stay. Each statement is bounded, so that no run of the cron takes long.

use serde::Deserialize;

use crate::privacy::{DAY_MS, day_of};
use crate::sql::Statement;

/// Events that one statement deletes at most: with four indexes, 2,500 rows.
pub const MAX_EVENTS: i64 = 500;

/// Statements of a run at most: 10,000 events a minute.
pub const MAX_STATEMENTS: usize = 20;

/// Ids and sessions that one run looks at. They have no index by time, which would cost a row
/// written an event: the run goes on where the last one ended, and begins again at the end.
pub const MAX_LOOKED_AT: i64 = 2_000;

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

/// The statement that lists sites with events from before `from`, some of them.
pub fn sites(from: i64) -> Statement {
    Statement::new(
        "SELECT s.site_id FROM sites AS s WHERE EXISTS (SELECT 1 FROM events AS e \
         WHERE e.site_id = s.site_id AND e.at < ?1) OR EXISTS (SELECT 1 FROM events AS e \
         WHERE e.site_id = s.site_id AND e.received_at < ?1 - 86400000) LIMIT 20",
        [from.into()],
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

/// A table whose rows are swept by a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Ids of events.
    Ids,
    /// Sessions.
    Sessions,
}

/// Where a run of a sweep ends: a row of [`Sweep::end`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// The site.
    pub site_id: String,
    /// The id within it.
    pub id: String,
}

impl Sweep {
    /// The name of its job.
    pub fn job(self) -> &'static str {
        match self {
            Self::Ids => "sweep_ids",
            Self::Sessions => "sweep_sessions",
        }
    }

    /// The statement that finds where the run that begins after `cursor` ends; none: at the end.
    pub fn end(self, cursor: &str) -> Statement {
        let (site, id) = split(cursor);
        let sql = match self {
            Self::Ids => {
                "SELECT site_id, event_id AS id FROM event_ids WHERE (site_id, event_id) > (?1, ?2) \
                 ORDER BY site_id, event_id LIMIT 1 OFFSET ?3"
            }
            Self::Sessions => {
                "SELECT site_id, session_hash AS id FROM sessions \
                 WHERE (site_id, session_hash) > (?1, ?2) \
                 ORDER BY site_id, session_hash LIMIT 1 OFFSET ?3"
            }
        };
        let offset = MAX_LOOKED_AT.saturating_sub(1);
        Statement::new(sql, [site.into(), id.into(), offset.into()])
    }

    /// The statement that deletes what is from before `from` after `cursor` up to `end`.
    pub fn delete(self, cursor: &str, end: Option<&End>, from: i64) -> Statement {
        let (site, id) = split(cursor);
        // After every site's id, which is of a-z, 0-9 and -, or begins with _.
        let (to_site, to_id) = end.map_or(("~", ""), |end| (&end.site_id, &end.id));
        let sql = match self {
            Self::Ids => {
                "DELETE FROM event_ids WHERE (site_id, event_id) > (?1, ?2) \
                 AND (site_id, event_id) <= (?3, ?4) AND received_at < ?5"
            }
            Self::Sessions => {
                "DELETE FROM sessions WHERE (site_id, session_hash) > (?1, ?2) \
                 AND (site_id, session_hash) <= (?3, ?4) AND seen_at < ?5"
            }
        };
        let params = [
            site.into(),
            id.into(),
            to_site.into(),
            to_id.into(),
            from.into(),
        ];
        Statement::new(sql, params)
    }
}

impl End {
    /// The cursor that the next run begins after.
    pub fn cursor(end: Option<&Self>) -> String {
        end.map_or_else(String::new, |end| format!("{}/{}", end.site_id, end.id))
    }
}

fn split(cursor: &str) -> (&str, &str) {
    cursor.split_once('/').unwrap_or(("", ""))
}

#[cfg(test)]
mod tests;
