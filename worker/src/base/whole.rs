//! Whole numbers of JSON bodies: `3` and `3.0` are the same number, as JSON Schema has it too.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Number;

/// The largest whole number that a double, which is what JavaScript sends, holds exactly with all
/// smaller ones.
const MAX: f64 = 9_007_199_254_740_991.0;

/// The whole number that a number is.
pub fn of(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let double = number
            .as_f64()
            .filter(|double| double.fract() == 0.0 && double.abs() <= MAX)?;
        Some(double as i64)
    })
}

/// Reads an optional whole number, for `#[serde(deserialize_with = "…")]`.
///
/// # Errors
/// For another number, or one that the type cannot hold.
pub fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    of(&number)
        .and_then(|number| T::try_from(number).ok())
        .map(Some)
        .ok_or_else(|| D::Error::custom("a whole number is wanted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::Policy;

    #[test]
    fn a_number_is_whole_however_it_is_written() {
        let number = |text: &str| of(&serde_json::from_str::<Number>(text).unwrap());
        for (text, want) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("-3e0", Some(-3)),
            ("0.5", None),
            ("1e300", None),
            ("18446744073709551615", None),
            ("9223372036854775807", Some(i64::MAX)),
        ] {
            assert_eq!(number(text), want, "{text}");
        }
        let quota = |text: &str| {
            let body = format!("{{\"hourlyQuota\":{text}}}");
            serde_json::from_str::<Policy>(&body).map(|policy| policy.hourly_quota)
        };
        assert_eq!(quota("7.0").unwrap(), Some(7));
        assert_eq!(quota("null").unwrap(), None);
        for text in ["7.5", "-1", "4294967296", "\"7\"", "[7]"] {
            assert!(quota(text).is_err(), "{text}");
        }
    }
}
