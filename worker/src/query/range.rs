//! Ranges of time: presets, dates, and what they are compared with.

use serde_json::Value;

use super::wrong;
use super::zone::{Zone, first_of, month_of, year_before};
use crate::base::time::{DAY_MS, HOUR_MS, day};
use crate::http::days::MAX_DAYS;
use crate::http::error::Fault;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// So many hours up to now.
    Hours(i64),
    /// So many days, of which the last is so many days before today.
    Days(i64, i64),
    /// From the first day of so many months before this one to today.
    Months(i64),
    /// The whole month before this one.
    LastMonth,
    /// From the first of January to today.
    Year,
    /// From one date to another, both included, as days since 1970.
    Dates(i64, i64),
}

/// What it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// As many days right before.
    PreviousPeriod,
    /// The same dates a year before.
    PreviousYear,
    /// As many whole weeks before as the range touches.
    MatchingWeekdays,
}

/// From a moment (Unix milliseconds) to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: i64,
    /// The first that is not in it any more.
    pub to: i64,
}

impl Span {
    /// From when on it has events, which are kept from a moment on.
    pub(super) fn covered_from(self, kept_from: i64) -> i64 {
        self.from.max(kept_from.min(self.to))
    }
}

const FORM: &str = "range is 1h, 24h, today, yesterday, 7d, 28d, 30d, 90d, month, last_month, year, 12mo, or two \
    dates of the form YYYY-MM-DD.";

impl Range {
    /// Reads `range`; without one it is the last 30 days.
    ///
    /// # Errors
    /// With the field.
    pub fn parse(value: Option<&Value>) -> Result<Self, Fault> {
        let known = match value {
            None | Some(Value::Null) => Some(Self::Days(30, 0)),
            Some(Value::String(text)) => Self::preset(text),
            Some(Value::Array(dates)) => match dates.as_slice() {
                [first, last] => return Self::dates(first, last),
                _ => None,
            },
            Some(_) => None,
        };
        known.ok_or_else(|| wrong("range", FORM))
    }

    fn preset(text: &str) -> Option<Self> {
        Some(match text {
            "today" => Self::Days(1, 0),
            "yesterday" => Self::Days(1, 1),
            "1h" => Self::Hours(1),
            "24h" => Self::Hours(24),
            "7d" => Self::Days(7, 0),
            "28d" => Self::Days(28, 0),
            "30d" => Self::Days(30, 0),
            "90d" => Self::Days(90, 0),
            "month" => Self::Months(0),
            "last_month" => Self::LastMonth,
            "year" => Self::Year,
            "12mo" => Self::Months(11),
            _ => return None,
        })
    }

    fn dates(first: &Value, last: &Value) -> Result<Self, Fault> {
        let read = |value: &Value, path| {
            let day = value.as_str().and_then(day);
            day.ok_or_else(|| wrong(path, FORM))
        };
        let (first, last) = (read(first, "range[0]")?, read(last, "range[1]")?);
        if first > last {
            return Err(wrong(
                "range[0]",
                "The first date must not lie after the last.",
            ));
        }
        if last.saturating_sub(first) >= MAX_DAYS {
            return Err(wrong("range", "A range has at most 366 days."));
        }
        Ok(Self::Dates(first, last))
    }

    /// Within which moments the zone's offsets must be known, whatever the zone: the months of the range, for a unit
    /// of time may begin before it and end after it, with two days on either side, for no zone is further from UTC, and what it can be
    /// compared with.
    pub fn window(self, now_ms: i64, is_compared: bool) -> Span {
        let around = self.span(&Zone::utc(), now_ms);
        let years = if is_compared {
            MAX_DAYS.saturating_mul(2)
        } else {
            0
        };
        let days = years.saturating_add(33);
        Span {
            from: around.from.saturating_sub(days.saturating_mul(DAY_MS)),
            to: around.to.saturating_add(DAY_MS.saturating_mul(33)),
        }
    }

    /// From when to when it is, in a zone.
    pub fn span(self, zone: &Zone, now_ms: i64) -> Span {
        let today = zone.local(now_ms).div_euclid(DAY_MS);
        let month = month_of(today);
        let (first, last) = match self {
            Self::Hours(hours) => {
                let from = now_ms.saturating_sub(hours.saturating_mul(HOUR_MS));
                return Span { from, to: now_ms };
            }
            Self::Days(count, ago) => {
                let last = today.saturating_sub(ago);
                (last.saturating_sub(count).saturating_add(1), last)
            }
            Self::Months(ago) => (first_of(month.saturating_sub(ago)), today),
            Self::LastMonth => {
                let first = first_of(month.saturating_sub(1));
                (first, first_of(month).saturating_sub(1))
            }
            Self::Year => (first_of(month.div_euclid(12).saturating_mul(12)), today),
            Self::Dates(first, last) => (first, last),
        };
        let starts = |day: i64| zone.moment(day.saturating_mul(DAY_MS));
        Span {
            from: starts(first),
            to: starts(last.saturating_add(1)),
        }
    }
}

impl Compare {
    /// Reads `compare`.
    ///
    /// # Errors
    /// With the field.
    pub fn parse(value: Option<&Value>) -> Result<Option<Self>, Fault> {
        Ok(match value {
            None | Some(Value::Null) => None,
            Some(value) => Some(match value.as_str() {
                Some("previous_period") => Self::PreviousPeriod,
                Some("previous_year") => Self::PreviousYear,
                Some("matching_weekdays") => Self::MatchingWeekdays,
                _ => {
                    let detail = "compare is previous_period, previous_year or matching_weekdays.";
                    return Err(wrong("compare", detail));
                }
            }),
        })
    }

    /// What a span is compared with. A span that is not over yet is compared with the same part of another.
    pub fn span(self, span: Span, zone: &Zone, now_ms: i64) -> Span {
        let over = span.to.min(now_ms.max(span.from));
        let (first, end) = (day_of(zone, span.from), day_of(zone, span.to));
        let is_of_days = start_of(zone, first) == span.from && start_of(zone, end) == span.to;
        if !is_of_days && self == Self::PreviousPeriod {
            let length = span.to.saturating_sub(span.from);
            return Span {
                from: span.from.saturating_sub(length),
                to: over.saturating_sub(length),
            };
        }
        let days = end.saturating_sub(first).max(1);
        // A day is gone back from by its date: one whose midnight was skipped begins later.
        let back = |day: i64| match self {
            Self::PreviousPeriod => day.saturating_sub(days),
            Self::MatchingWeekdays => {
                let weeks = days.saturating_add(6).div_euclid(7);
                day.saturating_sub(weeks.saturating_mul(7))
            }
            Self::PreviousYear => year_before(day),
        };
        let moment = |at: i64| {
            let local = zone.local(at);
            let of_day = local.rem_euclid(DAY_MS);
            let day = back(local.div_euclid(DAY_MS)).saturating_mul(DAY_MS);
            zone.moment(day.saturating_add(of_day))
        };
        Span {
            from: if is_of_days {
                start_of(zone, back(first))
            } else {
                moment(span.from)
            },
            to: if is_of_days && over == span.to {
                // The day after the last one's: a February may have one day less.
                start_of(zone, back(end.saturating_sub(1)).saturating_add(1))
            } else {
                moment(over)
            },
        }
    }
}

/// The date of a moment, in days since 1970.
fn day_of(zone: &Zone, at: i64) -> i64 {
    zone.local(at).div_euclid(DAY_MS)
}

/// The first moment of a date.
fn start_of(zone: &Zone, day: i64) -> i64 {
    zone.moment(day.saturating_mul(DAY_MS))
}
