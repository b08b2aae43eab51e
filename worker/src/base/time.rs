//! Minutes, hours and days, all UTC: a moment is Unix milliseconds, a day counts from 1970-01-01.

use chrono::{Datelike, NaiveDate};

/// A minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Days from 0000-12-31, which [`Datelike`] counts from, to 1970-01-01.
const EPOCH: i64 = 719_163;

/// The start of the bucket of `step_ms` that `at_ms` lies in.
pub fn floor_to(at_ms: i64, step_ms: i64) -> i64 {
    at_ms.saturating_sub(at_ms.checked_rem_euclid(step_ms).unwrap_or(0))
}

/// The day that a moment lies in.
pub fn day_of(at_ms: i64) -> i64 {
    at_ms.checked_div_euclid(DAY_MS).unwrap_or(0)
}

/// When the day of a moment is over.
pub fn midnight_after(at_ms: i64) -> i64 {
    day_of(at_ms).saturating_add(1).saturating_mul(DAY_MS)
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_date_is_its_day(n in -719_000_i64..2_900_000) {
            prop_assert_eq!(day(&date(n)), Some(n));
        }
    }

    #[test]
    fn buckets_begin_at_multiples_of_their_step() {
        assert_eq!(floor_to(119_999, MINUTE_MS), 60_000);
        assert_eq!(floor_to(120_000, MINUTE_MS), 120_000);
        assert_eq!(floor_to(-1, MINUTE_MS), -60_000);
        assert_eq!(floor_to(5, 0), 5);
    }
}
