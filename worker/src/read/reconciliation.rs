//! `GET /v1/analytics/reconciliation`: of every hour, what was taken, and where it is now.
//!
//! Every accepted event is stored and has landed, or is a dead letter, or waits somewhere. What is
//! none of these is a difference, and its stage says where to look.

use serde::{Deserialize, Serialize};

use super::hours::Hours;
use crate::archive::fold::{Sums, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::base::time::{HOUR_MS, floor_to};
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::protocol::hours::Entry;
use crate::protocol::hours::ShardHours;

/// A checked query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconciliation {
    hours: Hours,
}

/// One hour of D1: a row of [`Reconciliation::stored`] or [`Reconciliation::dead`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HourRow {
    hour: i64,
    n: i64,
    /// Of dead letters: events in parts that may have been stored before they came too late.
    #[serde(default)]
    stored: i64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Reconciliation))]
pub struct Answer {
    /// Each hour in which something was taken, oldest first.
    pub hours: Vec<Hour>,
    /// Whether there is no difference in any of them.
    pub closed: bool,
}

/// One hour, by `receivedAt`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ReconciliationHour))]
#[serde(rename_all = "camelCase")]
pub struct Hour {
    /// Its start, Unix milliseconds.
    pub hour: i64,
    /// Events that got a 202, each once.
    pub received: i64,
    /// Events that the archive has counted.
    pub stored: i64,
    /// Events in the lake.
    pub landed: i64,
    /// Events in dead letters.
    pub dead_lettered: i64,
    /// Events on their way.
    pub pending: i64,
    /// Events that are nowhere (more than 0), or somewhere twice (less).
    pub difference: i64,
    /// Where the difference arises: `stored` or `landed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
}

/// What is known of the hours, in the order in which it must be asked for: events move on meanwhile,
/// and none may look lost or doubled for that. What was received before all else was asked is stored by
/// now, or waited then; nothing that is stored or landed was received after all else was asked.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// `site_do`, asked first.
    pub before: Vec<ShardHours>,
    /// D1.
    pub stored: Vec<HourRow>,
    /// What D1 lacks.
    pub lacking: Sums,
    /// D1's dead letters.
    pub dead: Vec<HourRow>,
    /// `archive_do`.
    pub lakes: Vec<ShardHours>,
    /// `site_do`, asked last.
    pub after: Vec<ShardHours>,
}

/// What is known of an hour.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    received_before: i64,
    waited_before: i64,
    stored: i64,
    dead: i64,
    dead_late: i64,
    in_archive: i64,
    landed: i64,
    received: i64,
    waiting: i64,
}

impl Reconciliation {
    /// Of the last day.
    pub const DAY: Self = Self { hours: Hours::DAY };

    /// Reads `hours`.
    ///
    /// # Errors
    /// 400 where it is not 1 to 744.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        Ok(Self {
            hours: Hours::parse(params)?,
        })
    }

    /// The start of the first hour.
    pub fn first_hour(&self, now_ms: i64) -> i64 {
        self.hours.first(now_ms)
    }

    /// The statement that counts what D1 has stored.
    pub fn stored(&self, site: &str, now_ms: i64) -> Statement {
        Statement::new(
            "SELECT minute - minute % 3600000 AS hour, sum(n) AS n FROM minute_counts \
             WHERE site_id = ?1 AND minute >= ?2 GROUP BY 1",
            [site.into(), self.first_hour(now_ms).into()],
        )
    }

    /// What of the sums that D1 lacks is needed for [`Reconciliation::stored`].
    pub fn wants(&self, now_ms: i64) -> Vec<Want> {
        let hours = (self.first_hour(now_ms), i64::MAX);
        vec![Want::new(Table::Minutes, &[], hours)]
    }

    /// The statement that counts what ended as dead letters. What a sink refuses is stored, and
    /// pending in its archive.
    pub fn dead(&self, site: &str, now_ms: i64) -> Statement {
        Statement::new(
            "SELECT received_at - received_at % 3600000 AS hour, sum(events) AS n, \
                    sum(iif(code = 'too_old', events, 0)) AS stored FROM dead_letters \
             WHERE site_id = ?1 AND received_at >= ?2 AND code IN ('unreadable', 'not_stored', 'too_old') GROUP BY 1",
            [site.into(), self.first_hour(now_ms).into()],
        )
    }

    /// Puts the counts side by side.
    pub fn answer(&self, found: &Findings, now_ms: i64) -> Answer {
        let first = self.first_hour(now_ms);
        let mut hours: Map<i64, Counts> = Map::new();
        let mut add = |hour: i64, n: i64, field: fn(&mut Counts) -> &mut i64| {
            if hour >= first && n != 0 {
                let sum = field(hours.entry(hour).or_default());
                *sum = sum.saturating_add(n);
            }
        };
        for shard in &found.before {
            each(&shard.done, |hour, n| {
                add(hour, n, |c| &mut c.received_before)
            });
            each(&shard.waiting, |hour, n| {
                add(hour, n, |c| &mut c.waited_before)
            });
        }
        for row in &found.stored {
            add(row.hour, row.n, |c| &mut c.stored);
        }
        for (minute, _, _, n) in found.lacking.minutes() {
            add(floor_to(minute, HOUR_MS), n, |c| &mut c.stored);
        }
        for row in &found.dead {
            add(row.hour, row.n, |c| &mut c.dead);
            add(row.hour, row.stored, |c| &mut c.dead_late);
        }
        for shard in &found.lakes {
            each(&shard.done, |hour, n| add(hour, n, |c| &mut c.landed));
            each(&shard.waiting, |hour, n| {
                add(hour, n, |c| &mut c.in_archive)
            });
        }
        for shard in &found.after {
            each(&shard.done, |hour, n| add(hour, n, |c| &mut c.received));
            each(&shard.waiting, |hour, n| add(hour, n, |c| &mut c.waiting));
        }
        let hours: Vec<Hour> = hours
            .into_iter()
            .map(|(hour, counts)| counts.row(hour))
            .collect();
        Answer {
            closed: hours.iter().all(|hour| hour.difference == 0),
            hours,
        }
    }
}

fn each(entries: &[Entry], mut take: impl FnMut(i64, i64)) {
    for entry in entries {
        take(entry.bucket, entry.n);
    }
}

impl Counts {
    fn row(self, hour: i64) -> Hour {
        let in_lake = self.landed.saturating_add(self.in_archive);
        let waiting = self.waited_before.saturating_add(self.waiting);
        // A row waits in the log until the archive has it, so it may be missing here and there.
        let unstored = self
            .received_before
            .saturating_sub(self.stored.saturating_add(self.dead))
            .saturating_sub(self.waited_before);
        let unlanded = self
            .stored
            .saturating_sub(in_lake)
            // A part that an earlier version took for too old may have been stored in time.
            .saturating_sub(waiting.saturating_add(self.dead_late));
        let twice = |there: i64| self.received.saturating_sub(there).min(0);
        // Either stored or dead, but for those that may be both.
        let dead_only = self.dead.saturating_sub(self.dead_late);
        let at_store = unstored
            .max(0)
            .saturating_add(twice(self.stored.saturating_add(dead_only)));
        let at_landing = unlanded.max(0).saturating_add(twice(in_lake));
        let (difference, stage) = match (at_store, at_landing) {
            (0, 0) => (0, None),
            (0, n) => (n, Some("landed")),
            (n, _) => (n, Some("stored")),
        };
        let settled = self.landed.saturating_add(self.dead);
        Hour {
            hour,
            received: self.received,
            stored: self.stored,
            landed: self.landed,
            dead_lettered: self.dead,
            pending: self
                .received
                .saturating_sub(settled.saturating_add(difference.max(0)))
                .max(0),
            difference,
            stage,
        }
    }
}

#[cfg(test)]
mod tests;
