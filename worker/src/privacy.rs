//! The key of day-scoped visitor ids: one a day (UTC), made at random, deleted when the day is over.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use crate::live::HOUR_MS;

/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The answer of the object that keeps the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayKey {
    /// Days since 1970.
    pub day: i64,
    /// 32 bytes in hex.
    pub key: String,
}

thread_local! {
    static CACHED: Cell<Option<(i64, [u8; 32])>> = const { Cell::new(None) };
}

/// The day that a moment lies in.
pub fn day_of(at_ms: i64) -> i64 {
    at_ms.checked_div_euclid(DAY_MS).unwrap_or(0)
}

/// Today's key, where this isolate has asked for it before.
pub fn cached_day_key(now_ms: i64) -> Option<[u8; 32]> {
    CACHED
        .get()
        .filter(|(day, _)| *day == day_of(now_ms))
        .map(|(_, key)| key)
}

/// Keeps a key until its day is over; `None` for what is no key.
pub fn remember_day_key(answer: &DayKey) -> Option<[u8; 32]> {
    let key = parse_key(&answer.key)?;
    CACHED.set(Some((answer.day, key)));
    Some(key)
}

fn parse_key(hex: &str) -> Option<[u8; 32]> {
    let bytes: Vec<u8> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_for_its_day_alone() {
        let day = 20_000;
        let noon = day * DAY_MS + DAY_MS / 2;
        assert_eq!(cached_day_key(noon), None);
        let answer = DayKey {
            day,
            key: "ab".repeat(32),
        };
        assert_eq!(remember_day_key(&answer), Some([0xab; 32]));
        assert_eq!(cached_day_key(noon), Some([0xab; 32]));
        assert_eq!(cached_day_key(noon + DAY_MS), None);
        for bad in ["", "ab", "zz", &"é".repeat(32)] {
            let bad = DayKey {
                day,
                key: bad.into(),
            };
            assert_eq!(remember_day_key(&bad), None);
        }
    }
}
