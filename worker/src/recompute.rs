//! The hourly recount: today and yesterday counted again from the stored events, and every read
//! model that differs mended and reported. Counts by hour of receipt are held against those by minute.
//!
//! A step is one transaction about one site, day and model, so that it sees the events and what was
//! counted of them at one moment, and its work is bounded by the events of a day of a site.

use serde::Deserialize;

use crate::live::{HOUR_MS, floor_to};
use crate::privacy::{DAY_MS, day_of};
use crate::rollup::{breakdowns, counts, people};
use crate::sql::Statement;

/// Milliseconds of a run of the cron that go to steps; the next run goes on where this one ended.
pub const BUDGET_MS: i64 = 15_000;

/// What is counted again: people, domain events by hour, events by hour of receipt, then each dimension.
const CHECKS: [&str; 21] = [
    "",
    "hours",
    RECEIVED,
    "anon",
    "browser",
    "content",
    "country",
    "device",
    "error",
    "feature",
    "model",
    "os",
    "page",
    "platform",
    "referrer",
    "source",
    "type",
    "user",
    "utm_campaign",
    "utm_medium",
    "utm_source",
];

/// The check of events by hour of receipt: these are added up again from those by minute.
const RECEIVED: &str = "hour_counts";

/// What a step has mended, read from the end of the report.
const REPORT: &str = "SELECT model, count(*) AS n FROM repairs \
    WHERE id > (SELECT max(id) - 10000 FROM repairs) AND repaired_at = ?1 AND site_id = ?2 \
    AND day = ?3 AND model IN (SELECT value FROM json_each(?4)) GROUP BY model";

/// A site that has events of a day: a row of [`sites`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SiteDay {
    /// The site.
    pub site_id: String,
    /// The day.
    pub day: i64,
}

/// One bounded piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    site: String,
    day: i64,
    check: usize,
}

/// What a check found: its only row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Differs {
    /// Rows of read models that differ from the events.
    pub n: i64,
}

/// What was mended: a row of a step's last statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repair {
    /// The read model, or the dimension of one.
    pub model: String,
    /// How many of its rows differed.
    pub n: i64,
}

/// The hour that a recount belongs to.
pub fn hour_of(now_ms: i64) -> i64 {
    floor_to(now_ms, HOUR_MS)
}

/// The sites that have events, or counts, of yesterday or today. What was received then may have
/// happened before.
pub fn sites(now_ms: i64) -> Statement {
    Statement::new(
        "SELECT s.site_id, d.value AS day FROM sites AS s CROSS JOIN json_each(?1) AS d \
         WHERE EXISTS (SELECT 1 FROM events AS e WHERE e.site_id = s.site_id \
         AND e.at >= d.value * 86400000 AND e.at < (d.value + 1) * 86400000) \
         OR EXISTS (SELECT 1 FROM breakdowns AS b WHERE b.site_id = s.site_id \
         AND b.dim = 'type' AND b.day = d.value) \
         OR EXISTS (SELECT 1 FROM minute_counts AS m WHERE m.site_id = s.site_id \
         AND m.minute >= d.value * 86400000 AND m.minute < (d.value + 1) * 86400000) \
         ORDER BY 1, 2",
        [format!("[{},{}]", day_of(now_ms).saturating_sub(1), day_of(now_ms)).into()],
    )
}

/// The steps that are left after `cursor`, the [`Step::cursor`] of the last that was done.
pub fn steps(sites: &[SiteDay], cursor: &str) -> Vec<Step> {
    let done = Step::parse(cursor);
    let after = |step: &Step| {
        done.as_ref().is_none_or(|done| {
            (&step.site, step.day, step.check) > (&done.site, done.day, done.check)
        })
    };
    sites
        .iter()
        .flat_map(|SiteDay { site_id, day }| {
            (0..CHECKS.len()).map(|check| Step {
                site: site_id.clone(),
                day: *day,
                check,
            })
        })
        .filter(after)
        .collect()
}

impl Step {
    /// Where it stands among the steps.
    pub fn cursor(&self) -> String {
        format!("{}/{}/{}", self.site, self.day, self.check)
    }

    fn parse(cursor: &str) -> Option<Self> {
        let mut parts = cursor.split('/');
        Some(Self {
            site: parts.next()?.to_owned(),
            day: parts.next()?.parse().ok()?,
            check: parts.next()?.parse().ok()?,
        })
    }

    /// The statement that tells whether there is anything to mend, where that costs less than mending;
    /// it answers [`Differs`].
    pub fn check(&self, now_ms: i64) -> Option<Statement> {
        let from = self.day.saturating_mul(DAY_MS);
        let of_day = [
            self.site.as_str().into(),
            from.into(),
            from.saturating_add(DAY_MS).into(),
        ];
        match *CHECKS.get(self.check)? {
            "" | "hours" => None,
            RECEIVED => Some(Statement::new(counts::CHECK_RECEIVED, of_day)),
            dim => Some(Statement::new(
                breakdowns::mend::CHECK,
                of_day.into_iter().chain([dim.into(), now_ms.into()]),
            )),
        }
    }

    /// Its transaction; the last statement answers [`Repair`]s.
    pub fn statements(&self, now_ms: i64) -> Vec<Statement> {
        let from = self.day.saturating_mul(DAY_MS);
        let base = [
            self.site.as_str().into(),
            from.into(),
            from.saturating_add(DAY_MS).into(),
        ];
        let name = CHECKS.get(self.check).copied().unwrap_or_default();
        let of_day = |sql: &'static str| {
            let now = highest_param(sql, 4).then(|| now_ms.into());
            Statement::new(sql, base.clone().into_iter().chain(now))
        };
        let of_dim = |sql: &'static str| {
            let now = highest_param(sql, 5).then(|| now_ms.into());
            Statement::new(
                sql,
                base.clone().into_iter().chain([name.into()]).chain(now),
            )
        };
        let mut statements: Vec<Statement> = match name {
            "" => people::STORED.into_iter().map(of_day).collect(),
            "hours" => counts::STORED.into_iter().map(of_day).collect(),
            RECEIVED => counts::RECEIVED.into_iter().map(of_day).collect(),
            _ => breakdowns::mend::STORED.into_iter().map(of_dim).collect(),
        };
        let models = match name {
            "" => "[\"users\",\"sessions\"]".to_owned(),
            "hours" => "[\"domain_hours\"]".to_owned(),
            RECEIVED => "[\"hour_counts\"]".to_owned(),
            dim => format!("[\"{dim}\",\"{dim} members\",\"{dim} gaps\"]"),
        };
        statements.push(Statement::new(
            REPORT,
            [
                now_ms.into(),
                self.site.as_str().into(),
                self.day.into(),
                models.into(),
            ],
        ));
        statements
    }
}

/// Whether a statement names the parameter `?n`: a statement must be given what it names, and no more.
fn highest_param(sql: &str, n: u8) -> bool {
    sql.contains(&format!("?{n}"))
}

#[cfg(test)]
mod tests;
