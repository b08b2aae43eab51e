//! When an event happened, by its sender's clock.

use chrono::DateTime;
use serde_json::{Map, Number, Value};

use super::Rules;
use crate::event::{Code, Rejection};
use crate::limits::{MAX_FUTURE_MS, MIN_TIMESTAMP_MS};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Reads `timestamp`, else `occurredAt`, else takes the moment of receipt.
pub(super) fn read(fields: &mut Map<String, Value>, rules: &Rules) -> Result<i64, Rejection> {
    let present = |name| fields.get(name).filter(|value| !value.is_null());
    let (field, value) = match (present("timestamp"), present("occurredAt")) {
        (Some(value), _) => ("timestamp", value),
        (None, Some(value)) => ("occurredAt", value),
        (None, None) => return Ok(rules.now_ms),
    };
    let at = instant_ms(value).ok_or_else(|| {
        let message = format!("{field} must be Unix milliseconds or an RFC 3339 string.");
        Rejection::new(Code::InvalidTimestamp, field, message)
    })?;
    check_range(at, field, rules)
}

/// A moment as the wire has it, Unix milliseconds or an RFC 3339 string, in Unix milliseconds;
/// `None` for what is neither.
pub fn instant_ms(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Some(instant_of_number(number)),
        Value::String(text) => instant_of_text(text),
        _ => None,
    }
}

/// The same of an RFC 3339 string.
pub(crate) fn instant_of_text(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text.trim())
        .ok()
        .map(|at| at.timestamp_millis())
}

/// Whole milliseconds, rounded down; what no `i64` holds becomes the nearest that it does.
pub(crate) fn instant_of_number(number: &Number) -> i64 {
    if let Some(whole) = number.as_i64() {
        return whole;
    }
    // Saturates, which is out of any range.
    number.as_f64().unwrap_or(f64::MAX).floor() as i64
}

/// Whether a moment lies within what the rules allow.
pub(crate) fn is_within(at: i64, rules: &Rules) -> bool {
    (earliest(rules)..=latest(rules)).contains(&at)
}

fn earliest(rules: &Rules) -> i64 {
    if rules.any_past {
        return MIN_TIMESTAMP_MS;
    }
    let retention_ms = i64::from(rules.retention_days).saturating_mul(DAY_MS);
    let kept_since = rules.now_ms.saturating_sub(retention_ms);
    kept_since.max(MIN_TIMESTAMP_MS)
}

fn latest(rules: &Rules) -> i64 {
    rules.now_ms.saturating_add(MAX_FUTURE_MS)
}

fn check_range(at: i64, field: &'static str, rules: &Rules) -> Result<i64, Rejection> {
    let problem = if at > latest(rules) {
        format!("{field} lies more than 24 hours ahead.")
    } else if at < earliest(rules) {
        format!("{field} lies further back than events are kept.")
    } else {
        return Ok(at);
    };
    Err(Rejection::new(Code::TimestampOutOfRange, field, problem))
}
