//! Local time: a zone is a list of offsets from UTC, which the platform tells, for the core has no table of zones.

use crate::base::time::{DAY_MS, HOUR_MS, date, day};

const MINUTE_MS: i64 = 60_000;

/// A time zone within some range of time: from when on (Unix milliseconds) which offset (milliseconds) is added to
/// UTC, in order. The first holds before its moment, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(Vec<(i64, i64)>);

/// What time is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A local day, of 23 or 25 hours where clocks change.
    Day,
    /// Seven local days from a Monday on.
    Week,
    /// A local month.
    Month,
}

impl Unit {
    /// By its name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            _ => return None,
        })
    }
}

impl Zone {
    /// Of offsets from when on; none: UTC.
    pub fn new(offsets: Vec<(i64, i64)>) -> Self {
        Self(offsets)
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(Vec::new())
    }

    /// From when on, until when, and which offset there is.
    fn periods(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        let one = self.0.is_empty().then_some((i64::MIN, i64::MAX, 0));
        let many = self.0.iter().enumerate().map(|(at, (from, offset))| {
            let from = if at == 0 { i64::MIN } else { *from };
            let next = self.0.get(at.saturating_add(1));
            (from, next.map_or(i64::MAX, |(next, _)| *next), *offset)
        });
        one.into_iter().chain(many)
    }

    /// The period of a moment.
    fn period(&self, at: i64) -> (i64, i64, i64) {
        let mut periods = self.periods();
        let found = periods.find(|(_, until, _)| at < *until);
        found.unwrap_or((i64::MIN, i64::MAX, 0))
    }

    /// Whether its clocks are those of UTC from one moment to before another.
    pub(super) fn is_utc(&self, first: i64, end: i64) -> bool {
        let mut all = self.periods();
        all.all(|(from, until, offset)| offset == 0 || end <= from || until <= first)
    }

    /// The local time of a moment, as milliseconds since 1970 as if it were UTC.
    pub fn local(&self, at: i64) -> i64 {
        at.saturating_add(self.period(at).2)
    }

    /// The moment of a local time: the first where clocks were set back, and the one at which they were set
    /// forward where they passed it by.
    pub fn moment(&self, local: i64) -> i64 {
        let mut found = local;
        for (from, until, offset) in self.periods() {
            found = local.saturating_sub(offset).max(from);
            if found < until {
                break;
            }
        }
        found
    }

    /// From when to when the unit lasts that a moment lies in.
    pub fn bounds(&self, unit: Unit, at: i64) -> (i64, i64) {
        let (from, until, offset) = self.period(at);
        let local = at.saturating_add(offset);
        let step = match unit {
            Unit::Minute => MINUTE_MS,
            Unit::Hour => HOUR_MS,
            _ => {
                let number = number(unit, local);
                let starts = |number| self.moment(first_day(unit, number).saturating_mul(DAY_MS));
                return (starts(number), starts(number.saturating_add(1)));
            }
        };
        let start = at.saturating_sub(local.rem_euclid(step));
        (start.max(from), start.saturating_add(step).min(until))
    }

    /// How a unit is called that begins at a moment: days and weeks by their first date, months as `2026-11`,
    /// hours and minutes by RFC 3339 with the offset, so that an hour that comes twice has two names.
    pub fn label(&self, unit: Unit, start: i64) -> String {
        let local = self.local(start);
        let mut text = date(local.div_euclid(DAY_MS));
        match unit {
            Unit::Month => text.truncate(7),
            Unit::Day | Unit::Week => {}
            Unit::Minute | Unit::Hour => {
                text.push('T');
                push_clock(&mut text, local.rem_euclid(DAY_MS));
                text.push_str(":00");
                let offset = local.saturating_sub(start);
                text.push(if offset < 0 { '-' } else { '+' });
                push_clock(&mut text, offset.saturating_abs());
            }
        }
        text
    }
}

/// `hh:mm` of a time of day, in milliseconds.
fn push_clock(out: &mut String, ms: i64) {
    let (hours, minutes) = (ms / HOUR_MS, ms / MINUTE_MS % 60);
    out.push_str(&format!("{hours:02}:{minutes:02}"));
}

/// Which unit since 1970 a local time lies in.
pub(super) fn number(unit: Unit, local: i64) -> i64 {
    let day = local.div_euclid(DAY_MS);
    match unit {
        Unit::Minute => local.div_euclid(MINUTE_MS),
        Unit::Hour => local.div_euclid(HOUR_MS),
        Unit::Day => day,
        // 1970 began on a Thursday.
        Unit::Week => day.saturating_add(3).div_euclid(7),
        Unit::Month => month_of(day),
    }
}

/// The first day, since 1970, of a local day, week or month.
fn first_day(unit: Unit, number: i64) -> i64 {
    match unit {
        Unit::Week => number.saturating_mul(7).saturating_sub(3),
        Unit::Month => first_of(number),
        _ => number,
    }
}

/// Months since the year 0 of a day.
pub(super) fn month_of(of_day: i64) -> i64 {
    let text = date(of_day);
    let part = |range| {
        text.get(range)
            .and_then(|part: &str| part.parse::<i64>().ok())
    };
    let (year, month) = part(0..4).zip(part(5..7)).unwrap_or((1970, 1));
    year.saturating_mul(12)
        .saturating_add(month)
        .saturating_sub(1)
}

/// The first day of a month.
pub(super) fn first_of(month: i64) -> i64 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
    day(&format!("{year:04}-{:02}-01", month.saturating_add(1))).unwrap_or(0)
}

/// The same date a year before; of February 29th the 28th.
pub(super) fn year_before(of_day: i64) -> i64 {
    let month = month_of(of_day);
    let since = of_day.saturating_sub(first_of(month));
    let before = month.saturating_sub(12);
    let last = first_of(before.saturating_add(1)).saturating_sub(1);
    first_of(before).saturating_add(since).min(last)
}
