//! Forgetting: events after their site's retention, which the archives delete, and counts by minute and by
//! hour after a month. The other sums stay. Each statement is bounded, and so is the number of them and of
//! calls, so that no run of the cron takes long.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::base::sql::Statement;
use crate::base::time::{DAY_MS, day_of};
use crate::protocol::names::OWN_SITE;

mod kept;

pub use kept::{IDS_AT_LEAST_DAYS, ids_known_from};

/// Counts of minutes or hours that one statement deletes at most.
pub const MAX_DELETED: i64 = 500;

/// Sites that one run looks at, in turn: each costs two look-ups by an index.
pub const MAX_SITES: i64 = 500;

/// Turns of a run at most, of one site or of 20: each is two statements, or a call of an archive.
const MAX_TURNS: usize = 20;

/// Steps of an archive in its turn at most: 4,000 segments, some 2 GB of lines before they were packed.
pub const MAX_STEPS: usize = 20;

/// Days for which counts by minute and by hour are kept: the 31 of the longest reconciliation, and the one that
/// it begins in. A summary looks at seven.
const MINUTE_DAYS: i64 = 32;

/// The name of the job of which a run does a piece.
pub const JOB: &str = "prune";

/// The name of the job that has every archive forget what is too old, once an hour.
pub const ARCHIVES_JOB: &str = "prune_archives";

/// A row that a statement deleted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deleted {}

/// The first moment whose events are kept: the start of a day, so that a day is there or not.
pub fn events_from(retention_days: u32, now_ms: i64) -> i64 {
    day_of(now_ms)
        .saturating_sub(i64::from(retention_days))
        .saturating_mul(DAY_MS)
}

/// The first moment whose counts by minute and by hour are kept.
pub fn minutes_from(now_ms: i64) -> i64 {
    now_ms.saturating_sub(MINUTE_DAYS.saturating_mul(DAY_MS))
}

/// A site that a run looks at: a row of [`sites`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Site {
    /// The site.
    pub site_id: String,
    /// Days for which its events are kept.
    pub days: u32,
    /// 1 where something of it is to be looked at.
    pub due: i64,
}

/// The statement that lists the sites (Shoreline's own too) after `cursor` that a run looks at; `default_days` is the
/// retention of those that set none.
pub fn sites(cursor: &str, default_days: u32, now_ms: i64) -> Statement {
    Statement::new(
        "SELECT s.site_id, s.days, EXISTS (SELECT 1 FROM minute_counts AS m \
         WHERE m.site_id = s.site_id AND m.minute < ?3) \
         OR EXISTS (SELECT 1 FROM hour_counts \
         WHERE hour_counts.site_id = s.site_id AND hour < ?3) AS due \
         FROM (SELECT site_id, coalesce(retention_days, ?2) AS days FROM sites \
         WHERE site_id > ?1 UNION ALL SELECT ?5, ?2 WHERE ?5 > ?1 ORDER BY 1 LIMIT ?4) AS s \
         ORDER BY s.site_id",
        [
            cursor.into(),
            i64::from(default_days).into(),
            minutes_from(now_ms).into(),
            MAX_SITES.into(),
            OWN_SITE.into(),
        ],
    )
}

/// The statement that lists the sites after `cursor` that have an archive, all of them due.
pub fn archives(cursor: &str, default_days: u32) -> Statement {
    Statement::new(
        "SELECT a.site_id, coalesce(s.retention_days, ?2) AS days, 1 AS due \
         FROM (SELECT DISTINCT site_id FROM archives WHERE site_id > ?1 ORDER BY site_id LIMIT ?3) AS a \
         LEFT JOIN sites AS s ON s.site_id = a.site_id ORDER BY a.site_id",
        [
            cursor.into(),
            i64::from(default_days).into(),
            MAX_SITES.into(),
        ],
    )
}

/// The statements of a site's turn, each deleting some counts by minute or by hour that are too old and
/// answering [`Deleted`]s.
pub fn turn(site: &Site, now_ms: i64) -> [Statement; 2] {
    [
        "DELETE FROM minute_counts WHERE site_id = ?1 AND (minute, event_type, source) IN \
         (SELECT minute, event_type, source FROM minute_counts \
         WHERE site_id = ?1 AND minute < ?2 LIMIT ?3) RETURNING 1 AS n",
        "DELETE FROM hour_counts WHERE site_id = ?1 AND (hour, event_type, source) IN \
         (SELECT hour, event_type, source FROM hour_counts \
         WHERE site_id = ?1 AND hour < ?2 LIMIT ?3) RETURNING 1 AS n",
    ]
    .map(|sql| {
        let from = minutes_from(now_ms);
        let site = site.site_id.as_str();
        Statement::new(sql, [site.into(), from.into(), MAX_DELETED.into()])
    })
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

/// Whether a statement of [`turn`] that deleted so many rows may have left some.
pub fn has_more(deleted: usize) -> bool {
    i64::try_from(deleted).is_ok_and(|deleted| deleted >= MAX_DELETED)
}

/// Whose turn it is in a run: every site that has something due once, then those with more to
/// forget, round and round.
#[derive(Debug)]
pub struct Turns {
    queue: VecDeque<Site>,
    /// Sites of the queue that have had no turn.
    new: usize,
    left: usize,
    reached: String,
    end: String,
}

impl Turns {
    /// The turns of a run that looks at these sites.
    pub fn new(page: Vec<Site>) -> Self {
        let is_last = i64::try_from(page.len()).is_ok_and(|sites| sites < MAX_SITES);
        let last = page.last().filter(|_| !is_last);
        let end = last.map(|site| site.site_id.clone()).unwrap_or_default();
        let queue: VecDeque<Site> = page.into_iter().filter(|site| site.due != 0).collect();
        Self {
            new: queue.len(),
            queue,
            left: MAX_TURNS,
            reached: String::new(),
            end,
        }
    }

    /// The next site, while the run may go on.
    pub fn next_site(&mut self) -> Option<Site> {
        self.left = self.left.checked_sub(1)?;
        let site = self.queue.pop_front()?;
        self.new = self.new.saturating_sub(1);
        if self.new > 0 {
            self.reached.clone_from(&site.site_id);
        }
        Some(site)
    }

    /// Puts a site that has more to forget behind the others.
    pub fn again(&mut self, site: Site) {
        self.queue.push_back(site);
    }

    /// Whether no site is left that has more to forget.
    pub fn is_done(&self) -> bool {
        self.queue.is_empty()
    }

    /// Where the next run goes on: after the last site that had a turn, where not all had one.
    pub fn cursor(self) -> String {
        if self.new > 0 { self.reached } else { self.end }
    }
}

#[cfg(test)]
mod tests;
