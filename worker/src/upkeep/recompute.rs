//! The hourly recount: today and the two days before counted again by the archive, and every sum in D1 that differs
//! mended and reported. Counts by hour and by day of receipt are held against those by minute.
//!
//! A step is about one site, day and part. The archive tells up to which fold it has counted; what is read
//! of D1, and what is written, is of a D1 that stands at the same fold, or nothing is done until the next
//! hour.

use serde::Deserialize;

use crate::archive::recount::{Counted, Day, Model, Part, Row};
use crate::base::sort;
use crate::base::sql::Statement;
use crate::base::time::{HOUR_MS, day_of, floor_to};

mod mend;
mod receipt;
mod stored;

pub use stored::Stored;

/// Milliseconds of a run of the cron that go to steps; the next run goes on where this one ended.
pub const BUDGET_MS: i64 = 15_000;

/// What is counted again of a day, in this order: what the archive counts, then hours and days of receipt.
const CHECKS: [Option<Part>; 4] = [
    Some(Part::Keys),
    Some(Part::Received),
    Some(Part::People),
    None,
];

/// What a step has mended, read from the end of the report.
const REPORT: &str = "SELECT model, count(*) AS n FROM repairs \
    WHERE id > (SELECT max(id) - 10000 FROM repairs) AND repaired_at = ?1 AND site_id = ?2 \
    AND day = ?3 AND model IN (SELECT value FROM json_each(?4)) GROUP BY model";

/// A site that has sums of a day: a row of [`sites`].
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
    /// The site.
    pub site: String,
    day: i64,
    check: usize,
}

/// What a check found: its only row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Differs {
    /// Rows that differ.
    pub n: i64,
}

/// What was mended: a row of a step's last statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repair {
    /// The table of sums, or the dimension of one.
    pub model: String,
    /// How many of its rows differed.
    pub n: i64,
}

/// A row of D1 that is not what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it must be.
    pub row: Row,
    /// Its first amount as it is.
    pub was: i64,
}

/// The hour that a recount belongs to.
pub fn hour_of(now_ms: i64) -> i64 {
    floor_to(now_ms, HOUR_MS)
}

/// The sites with an archive that have sums of today or the two days before, by when events happened or were
/// received: what comes late for a day may be folded two days after it.
pub fn sites(now_ms: i64) -> Statement {
    Statement::new(
        "SELECT s.site_id, d.value AS day FROM (SELECT DISTINCT site_id FROM archives) AS s \
         CROSS JOIN json_each(?1) AS d \
         WHERE EXISTS (SELECT 1 FROM breakdowns AS b WHERE b.site_id = s.site_id \
         AND b.dim = 'type' AND b.day = d.value) \
         OR EXISTS (SELECT 1 FROM minute_counts AS m WHERE m.site_id = s.site_id \
         AND m.minute >= d.value * 86400000 AND m.minute < (d.value + 1) * 86400000) \
         OR EXISTS (SELECT 1 FROM hour_counts AS h WHERE h.site_id = s.site_id \
         AND h.hour >= d.value * 86400000 AND h.hour < (d.value + 1) * 86400000) \
         OR EXISTS (SELECT 1 FROM daily_counts AS c WHERE c.site_id = s.site_id \
         AND c.date = date(d.value * 86400, 'unixepoch')) \
         OR EXISTS (SELECT 1 FROM user_days AS u WHERE u.site_id = s.site_id AND u.day = d.value) \
         ORDER BY 1, 2",
        [format!(
            "[{},{},{}]",
            day_of(now_ms).saturating_sub(2),
            day_of(now_ms).saturating_sub(1),
            day_of(now_ms)
        )
        .into()],
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

    /// What the archive is asked; nothing where D1 is held against itself.
    pub fn asks(&self) -> Option<Day> {
        let part = (*CHECKS.get(self.check)?)?;
        let day = self.day;
        Some(Day { part, day })
    }

    /// The statement that reads D1's rows of what was counted, as [`Stored`].
    pub fn stored(&self, part: Part, counted: &Counted) -> Statement {
        stored::statement(&self.site, self.day, part, counted)
    }

    /// Which of D1's rows are to be mended; none where D1 stands elsewhere.
    pub fn differences(&self, counted: &Counted, stored: Vec<Stored>) -> Vec<Difference> {
        stored::differences(self.day, counted, stored)
    }

    /// The transaction that mends them; its last statement answers [`Repair`]s. It changes nothing where D1
    /// took a fold meanwhile.
    pub fn mend(&self, counted: &Counted, found: &[Difference], now_ms: i64) -> Vec<Statement> {
        let mut statements = mend::statements(&self.site, self.day, counted, found, now_ms);
        let mut models: Vec<String> = found.iter().map(Difference::model).collect();
        sort::sort(&mut models);
        models.dedup();
        let models = serde_json::to_string(&models).unwrap_or_default();
        statements.push(self.report(models, now_ms));
        statements
    }

    /// The statement that tells whether hours and days of receipt are what the minutes add up to; it
    /// answers [`Differs`].
    pub fn check_receipt(&self) -> Statement {
        receipt::check(&self.site, self.day)
    }

    /// The transaction that mends them; its last statement answers [`Repair`]s.
    pub fn mend_receipt(&self, now_ms: i64) -> Vec<Statement> {
        let mut statements = receipt::mend(&self.site, self.day, now_ms);
        let models = "[\"hour_counts\",\"daily_counts\"]".to_owned();
        statements.push(self.report(models, now_ms));
        statements
    }

    fn report(&self, models: String, now_ms: i64) -> Statement {
        let site = self.site.as_str();
        Statement::new(
            REPORT,
            [now_ms.into(), site.into(), self.day.into(), models.into()],
        )
    }
}

impl Difference {
    /// What the report calls it.
    fn model(&self) -> String {
        match self.row.0 {
            Model::Breakdowns => self.row.1.clone(),
            Model::MemberGaps => format!("{} gaps", self.row.1),
            model => model.table().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
