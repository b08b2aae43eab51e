//! Amounts in exact decimal: whole numbers of millionths.

use serde_json::value::RawValue;

/// Millionths of one.
pub const MICRO: i64 = 1_000_000;

/// The largest amount of one event, of tokens or of money: a million. A sum of nine thousand of them
/// still fits the 2^53 millionths that a JavaScript number holds exactly; a larger amount is a mistake
/// of its sender's, and counts as nothing.
pub const MAX_AMOUNT: i64 = 1_000_000;

/// The longest use of a feature, in milliseconds: a day. A hundred million of them still fit 2^53.
pub const MAX_DURATION_MS: i64 = 86_400_000;

/// Digits that are read of an amount; those beyond could not change a millionth.
const MAX_DIGITS: usize = 30;

/// A JSON number, or text that is one, as millionths, rounded half up. `None` for what is no
/// amount: not a number, negative, or over `most`.
pub fn micro(json: &str, most: i64) -> Option<i64> {
    let text = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(json)
        .trim();
    let most = i128::from(most).checked_mul(i128::from(MICRO))?;
    i64::try_from(millionths(text, most)?).ok()
}

/// A number without a sign as millionths, rounded half up. `None` for what is none, or over `most` millionths.
pub(crate) fn millionths(text: &str, most: i128) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits before the point of the amount in millionths.
    let point = i32::try_from(whole.len())
        .ok()?
        .checked_add(exponent)?
        .checked_add(6)?;
    let mut sum: i128 = 0;
    let mut place = point;
    for digit in digits().take(MAX_DIGITS) {
        let digit = i128::from(digit.saturating_sub(b'0'));
        match place {
            1.. => sum = sum.checked_mul(10)?.checked_add(digit)?,
            // The first digit behind the point rounds.
            0 => sum = sum.checked_add(i128::from(digit >= 5))?,
            _ => break,
        }
        place = place.checked_sub(1)?;
    }
    if sum == 0 {
        return Some(0);
    }
    for _ in 0..place.max(0) {
        sum = sum.checked_mul(10).filter(|sum| *sum <= most)?;
    }
    Some(sum).filter(|sum| *sum <= most)
}

/// Millionths as a JSON number, exact: `2500000` is `2.5`.
pub fn decimal(micro: i64) -> Box<RawValue> {
    let sign = if micro < 0 { "-" } else { "" };
    let amount = micro.unsigned_abs();
    let (whole, rest) = (amount / 1_000_000, amount % 1_000_000);
    let mut text = format!("{sign}{whole}.{rest:06}");
    let kept = text.trim_end_matches('0').trim_end_matches('.').len();
    text.truncate(kept);
    // Digits and a point are always JSON.
    RawValue::from_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Option<i64> {
        micro(json, MAX_AMOUNT)
    }

    #[test]
    fn amounts_are_exact_to_a_millionth() {
        for (json, want) in [
            ("0", 0),
            ("2.5", 2_500_000),
            ("0.1", 100_000),
            ("0.000001", 1),
            ("0.0000005", 1),
            ("0.0000004", 0),
            ("1e-6", 1),
            ("1.5E3", 1_500_000_000),
            ("\"2.50\"", 2_500_000),
            ("1000000", 1_000_000_000_000),
            ("0e99", 0),
            ("1e-400", 0),
            ("0.00249999999999999999999999999999999999999", 2_500),
        ] {
            assert_eq!(read(json), Some(want), "{json}");
        }
        for json in [
            "-1",
            "1000000.1",
            "1e400",
            "\"\"",
            "\"x\"",
            "\".5\"",
            "true",
            "null",
            "[]",
            "\"1e\"",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn an_amount_is_held_to_its_own_bound() {
        let read = |json: &str| micro(json, MAX_DURATION_MS);
        assert_eq!(read("86400000"), Some(MAX_DURATION_MS * MICRO));
        assert_eq!(read("8.64e7"), Some(MAX_DURATION_MS * MICRO));
        for json in ["86400000.000001", "8.7e7", "1e30"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(micro in 0_i64..=1_000_000_000_000) {
            prop_assert_eq!(read(decimal(micro).get()), Some(micro));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9eE. ]{0,40}") {
            let _ = read(&serde_json::to_string(&text).unwrap());
        }
    }
}
