//! Ranges of days, as the metrics' queries take them.

use crate::base::time::{DAY_MS, day, day_of};
use crate::http::error::Fault;
use crate::http::params::Params;

/// Days of a range at most: a leap year.
pub const MAX_DAYS: i64 = 366;

/// Days of a range where nothing says so, today being the last.
const DEFAULT_DAYS: i64 = 30;

const FORM: &str = "must be a date of the form YYYY-MM-DD, in UTC.";

/// Whole days, UTC, both ends included; days count from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl Days {
    /// Reads `startDate` and `endDate`. Without an end, today; without a start, 30 days in all.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the parameter.
    pub fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        Self::of(params.get("startDate"), params.get("endDate"), now_ms)
    }

    /// As [`Days::parse`], of two texts.
    ///
    /// # Errors
    /// As there.
    pub fn of(start: Option<&str>, end: Option<&str>, now_ms: i64) -> Result<Self, Fault> {
        let wrong = |name, detail| Fault::InvalidParameter { name, detail };
        let read = |name, text: Option<&str>| match text {
            None => Ok(None),
            Some(text) => day(text).map(Some).ok_or(wrong(name, FORM)),
        };
        let (start, end) = (read("startDate", start)?, read("endDate", end)?);
        let last = end.unwrap_or_else(|| day_of(now_ms));
        let first = start.unwrap_or_else(|| last.saturating_sub(DEFAULT_DAYS.saturating_sub(1)));
        let days = Self { first, last };
        if first > last {
            return Err(wrong("startDate", "startDate must not lie after endDate."));
        }
        if days.count() > MAX_DAYS {
            return Err(wrong("startDate", "A range has at most 366 days."));
        }
        Ok(days)
    }

    /// How many there are.
    pub fn count(self) -> i64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// Each of them.
    pub fn each(self) -> std::ops::RangeInclusive<i64> {
        self.first..=self.last
    }

    /// The moment the first begins.
    pub fn from_ms(self) -> i64 {
        self.first.saturating_mul(DAY_MS)
    }

    /// The moment the last is over.
    pub fn to_ms(self) -> i64 {
        self.last.saturating_add(1).saturating_mul(DAY_MS)
    }

    /// Whether the last day is over: only late events can change the answer then.
    pub fn finished(self, now_ms: i64) -> bool {
        self.last < day_of(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn days(query: &str) -> Result<Days, Fault> {
        Days::parse(&Params::parse(query), NOW)
    }

    #[test]
    fn ranges_are_of_whole_days_with_both_ends() {
        let today = day_of(NOW);
        let range = |first, last| Ok(Days { first, last });
        assert_eq!(days(""), range(today - 29, today));
        assert_eq!(days("startDate=2024-01-15"), range(today, today));
        assert_eq!(days("endDate=2024-01-14"), range(today - 30, today - 1));
        let year = days("startDate=2024-01-01&endDate=2024-12-31").unwrap();
        assert_eq!(
            (year.count(), year.to_ms() - year.from_ms()),
            (366, 366 * DAY_MS)
        );
        assert!(!days("").unwrap().finished(NOW));
        assert!(days("endDate=2024-01-14").unwrap().finished(NOW));
    }

    #[test]
    fn bad_dates_are_named() {
        for (query, want) in [
            ("startDate=2024-1-5", "startDate"),
            ("startDate=2024-02-30", "startDate"),
            ("endDate=2024-13-01", "endDate"),
            ("endDate=15.01.2024", "endDate"),
            ("endDate=+024-01-01", "endDate"),
            ("endDate=2024-01-01T00:00:00Z", "endDate"),
            ("endDate=%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9", "endDate"),
            ("startDate=2024-01-02&endDate=2024-01-01", "startDate"),
            ("startDate=2023-01-01&endDate=2024-01-02", "startDate"),
            ("startDate=2024-01-01'--", "startDate"),
        ] {
            let fault = days(query).unwrap_err();
            assert!(
                matches!(fault, Fault::InvalidParameter { name, .. } if name == want),
                "{query}"
            );
        }
    }
}
