//! When something happened, in the forms that services write it: parts, epoch, text.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use serde_json::{Number, Value};
use shoreline_shared::event::{Code, Rejection};

use super::fields::refuse;

/// From here on a number counts milliseconds, not seconds: the year 5138 in the one, 1973 in the
/// other. In microseconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000_000_000;

/// Digits of microseconds at most that are looked at: any date has 18.
const MAX_DIGITS: usize = 30;

/// A moment, Unix microseconds; finer parts of a second are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Moment {
    /// Reads a moment in any of the forms.
    ///
    /// # Errors
    /// [`Code::InvalidTimestamp`] with this field.
    pub(super) fn read(value: &Value, field: &'static str) -> Result<Self, Rejection> {
        let moment = match value {
            Value::Array(parts) => Self::from_parts(parts),
            Value::Number(number) => Self::from_number(number),
            Value::String(text) => Self::from_text(text),
            _ => None,
        };
        moment.ok_or_else(|| {
            let must = "must be a date: [year, month, day, hour, minute, second, nanosecond], Unix seconds or RFC 3339";
            refuse(Code::InvalidTimestamp, field, must)
        })
    }

    /// `[year, month, day]` with hour and minute, second and nanosecond: how Java writes a date of
    /// no zone. It is taken as UTC. Java leaves out trailing zeros, but never a minute alone.
    fn from_parts(parts: &[Value]) -> Option<Self> {
        if !matches!(parts.len(), 3 | 5..=7) {
            return None;
        }
        let part = |at: usize| match parts.get(at) {
            Some(value) => value.as_u64().and_then(|part| u32::try_from(part).ok()),
            None => Some(0),
        };
        let year = i32::try_from(parts.first()?.as_i64()?).ok()?;
        // Chrono writes leap seconds as nanoseconds beyond a second; nobody else does.
        let nano = part(6).filter(|nano| *nano < 1_000_000_000)?;
        let at = NaiveDate::from_ymd_opt(year, part(1)?, part(2)?)?.and_hms_nano_opt(
            part(3)?,
            part(4)?,
            part(5)?,
            nano,
        )?;
        Self::of(at)
    }

    /// Unix seconds, or milliseconds where the number is too large for seconds.
    pub(super) fn from_number(number: &Number) -> Option<Self> {
        // The shortest text that is this double again: every decimal of up to 15 digits, and every
        // microsecond of our days, comes back as it was written.
        Self::from_epoch(&number.to_string())
    }

    /// The same, exactly, of the number's own text.
    pub(super) fn from_epoch(text: &str) -> Option<Self> {
        let micros = scaled(text, 6)?;
        let in_seconds = micros.unsigned_abs() < u128::from(MILLISECONDS_FROM.unsigned_abs());
        let micros = if in_seconds { micros } else { scaled(text, 3)? };
        Self::of(DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)?.naive_utc())
    }

    /// RFC 3339; without an offset it is UTC.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")));
        Self::of(at.ok()?.naive_utc())
    }

    /// Only years that RFC 3339 can write.
    fn of(at: NaiveDateTime) -> Option<Self> {
        (0..=9999)
            .contains(&at.year())
            .then(|| Self(at.and_utc().timestamp_micros()))
    }

    /// Unix milliseconds, cut.
    pub(super) fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// RFC 3339 in UTC, with microseconds where there are any: `2025-11-16T18:14:00.123456Z`.
    pub(super) fn iso(self) -> String {
        // Every moment that can be made is in chrono's range.
        let at = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        let micros = at.timestamp_subsec_micros();
        let fraction = if micros == 0 {
            String::new()
        } else {
            format!(".{micros:06}")
        };
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}Z",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
        )
    }
}

/// A JSON number's text times ten to this power, rounded down, without going through a double.
fn scaled(text: &str, power: i64) -> Option<i128> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shift = exponent
        .parse::<i64>()
        .ok()?
        .checked_add(power)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let (kept, cut, zeros) = match usize::try_from(shift) {
        Ok(zeros) => (digits, "", zeros),
        Err(_) => {
            let drop = usize::try_from(shift.unsigned_abs()).ok()?;
            let at = digits.len().saturating_sub(drop);
            let (kept, cut) = digits.split_at_checked(at)?;
            (kept, cut, 0)
        }
    };
    if kept.is_empty() {
        let below_zero = negative && cut.bytes().any(|digit| digit != b'0');
        return Some(if below_zero { -1 } else { 0 });
    }
    if kept.len().saturating_add(zeros) > MAX_DIGITS {
        return None;
    }
    let ten = 10_i128.checked_pow(u32::try_from(zeros).ok()?)?;
    let size = kept.parse::<i128>().ok()?.checked_mul(ten)?;
    if !negative {
        return Some(size);
    }
    let inexact = cut.bytes().any(|digit| digit != b'0');
    size.checked_neg()?.checked_sub(i128::from(inexact))
}

/// A moment as it may stand in an event: RFC 3339, Unix milliseconds or (in `PutEvents`) seconds,
/// also as text, which is how Timestream takes them.
pub(super) fn when(value: &Value) -> Option<Value> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let moment = match value {
        Value::Number(number) => Moment::from_number(number),
        Value::String(text) if digits(text.trim()) => Moment::from_epoch(text.trim()),
        Value::String(text) => Moment::from_text(text),
        _ => None,
    };
    moment.map(|moment| moment.iso().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn iso(value: Value) -> String {
        Moment::read(&value, "registeredAt")
            .map_or_else(|r| r.code.as_str().to_owned(), Moment::iso)
    }

    #[test]
    fn parts_are_a_date() {
        for (parts, expected) in [
            (
                json!([2025, 11, 16, 18, 14, 0, 123_456_789]),
                "2025-11-16T18:14:00.123456Z",
            ),
            (json!([2025, 11, 16, 18, 14, 5]), "2025-11-16T18:14:05Z"),
            (json!([2025, 11, 16, 18, 14]), "2025-11-16T18:14:00Z"),
            (json!([2025, 11, 16]), "2025-11-16T00:00:00Z"),
            (
                json!([2024, 2, 29, 23, 59, 59, 999_999_999]),
                "2024-02-29T23:59:59.999999Z",
            ),
            (json!([1, 1, 1]), "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(iso(parts), expected);
        }
        for bad in [
            json!([]),
            json!([2025]),
            json!([2025, 11, 16, 18]),
            json!([2025, 13, 1]),
            json!([2025, 0, 1]),
            json!([2025, 2, 29]),
            json!([2025, 11, 16, 24, 0]),
            json!([2025, 11, 16, 18, 60]),
            json!([2025, 11, 16, 18, 14, 60]),
            json!([2025, 11, 16, 18, 14, 0, 1_000_000_000]),
            json!([2025, 11, 16, 18, 14, 59, 1_500_000_000]),
            json!([2025, 11, 16, 18, 14, 0, -1]),
            json!([2025, 11, 16, 18, 14, 0, 0, 0]),
            json!(["2025", 11, 16]),
            json!([2025.5, 11, 16]),
            json!([10_000, 1, 1]),
            json!([-1, 1, 1]),
            json!([u64::MAX, 1, 1]),
            json!({}),
            json!(true),
            json!("16.11.2025"),
            json!("2025-11-16"),
            json!("2025-1-6T8:4:5"),
            json!("2025-13-16T18:14:00"),
            json!("2025-13-16T18:14:00Z"),
            json!(1e300),
            json!(-1e300),
            json!(u64::MAX),
        ] {
            assert_eq!(iso(bad.clone()), "invalid_timestamp", "{bad}");
        }
    }

    #[test]
    fn an_epoch_is_exact_to_the_microsecond() {
        for (text, expected) in [
            ("1731780840.123456", "2024-11-16T18:14:00.123456Z"),
            ("1731780840.123456789", "2024-11-16T18:14:00.123456Z"),
            // As a double this is 1731780840.124, the wrong microsecond.
            ("1731780840.1239999999", "2024-11-16T18:14:00.123999Z"),
            ("1731780840.000001", "2024-11-16T18:14:00.000001Z"),
            ("1731780840", "2024-11-16T18:14:00Z"),
            ("1.731780840123456E9", "2024-11-16T18:14:00.123456Z"),
            ("173178084012.3456e-2", "2024-11-16T18:14:00.123456Z"),
            ("17317808.4e+2", "2024-11-16T18:14:00Z"),
            ("1731780840123", "2024-11-16T18:14:00.123000Z"),
            ("1731780840123.456789", "2024-11-16T18:14:00.123456Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("0.0000000", "1970-01-01T00:00:00Z"),
            ("1e-999999999", "1970-01-01T00:00:00Z"),
            ("-0.5", "1969-12-31T23:59:59.500000Z"),
            ("-0.0000001", "1969-12-31T23:59:59.999999Z"),
            ("-1.0000001", "1969-12-31T23:59:58.999999Z"),
        ] {
            assert_eq!(
                Moment::from_epoch(text).map(Moment::iso).as_deref(),
                Some(expected)
            );
        }
        for bad in [
            "",
            "x",
            "1e",
            "--1",
            "1e99999999999999999999",
            "1e30",
            "9e17",
            "1e9223372036854775807",
        ] {
            assert_eq!(Moment::from_epoch(bad), None, "{bad}");
        }
        assert_eq!(
            iso(json!(1_731_780_840.123_456)),
            "2024-11-16T18:14:00.123456Z"
        );
    }

    #[test]
    fn text_is_rfc_3339() {
        for (text, expected) in [
            (
                "2025-11-16T18:14:00.123456789Z",
                "2025-11-16T18:14:00.123456Z",
            ),
            (
                "2025-11-16T20:14:00.123456789+02:00",
                "2025-11-16T18:14:00.123456Z",
            ),
            (" 2025-11-16T18:14:00Z ", "2025-11-16T18:14:00Z"),
            (
                "2025-11-16T18:14:00.999999999",
                "2025-11-16T18:14:00.999999Z",
            ),
            ("2025-11-16T18:14:00", "2025-11-16T18:14:00Z"),
            ("2025-11-16T18:14:00.5", "2025-11-16T18:14:00.500000Z"),
        ] {
            assert_eq!(iso(json!(text)), expected);
        }
    }

    proptest! {
        #[test]
        fn every_microsecond_of_our_days_survives_a_double(micros in 0_i64..4_102_444_800_000_000) {
            let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let number: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Moment::read(&number, "x"), Ok(Moment(micros)));
            prop_assert_eq!(Moment::from_epoch(&text), Some(Moment(micros)));
            prop_assert_eq!(Moment::from_text(&Moment(micros).iso()), Some(Moment(micros)));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,40}", any in ".{0,40}") {
            for text in [text, any] {
                let _ = Moment::from_epoch(&text).map(Moment::iso);
                let _ = Moment::from_text(&text).map(Moment::iso);
            }
        }
    }
}
