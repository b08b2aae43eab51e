//! Ranges of days, as the metrics' queries take them.

use chrono::{Datelike, NaiveDate};

use super::Params;
use crate::access::privacy::{DAY_MS, day_of};
use crate::http::error::Fault;

/// Days of a range at most: a leap year.
pub const MAX_DAYS: i64 = 366;

/// Days of a range where nothing says so, today being the last.
const DEFAULT_DAYS: i64 = 30;

/// Days from 0000-12-31, which [`Datelike`] counts from, to 1970-01-01.
const EPOCH: i64 = 719_163;

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

/// The day of `YYYY-MM-DD`.
pub fn day(text: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse::<u32>().ok())?
    };
    let dashes = text.get(4..5)? == "-" && text.get(7..8)? == "-";
    let (year, month, date) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    if text.len() != 10 || !dashes {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, date)?;
    Some(i64::from(date.num_days_from_ce()).saturating_sub(EPOCH))
}

/// `YYYY-MM-DD` of a day.
pub fn date(day: i64) -> String {
    i32::try_from(day.saturating_add(EPOCH))
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .map(|date| format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn a_date_is_its_day(n in -719_000_i64..2_900_000) {
            prop_assert_eq!(day(&date(n)), Some(n));
        }
    }
}
