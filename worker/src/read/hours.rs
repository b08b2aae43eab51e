//! A range of hours that ends with the running one.

use crate::base::time::{HOUR_MS, floor_to};
use crate::http::error::Fault;
use crate::http::params::Params;

/// Hours where `hours` does not say: a day.
const DEFAULT: i64 = 24;

/// Hours at most: the 31 days for which a shard keeps its counts.
const MAX: i64 = 744;

/// A checked `hours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours(i64);

impl Hours {
    /// Where nothing says so.
    pub const DAY: Self = Self(DEFAULT);

    /// Reads `hours`.
    ///
    /// # Errors
    /// 400 where it is not 1 to 744.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let detail = "hours must be 1 to 744.";
        params.number("hours", 1..=MAX, DEFAULT, detail).map(Self)
    }

    /// The start of the first hour, Unix milliseconds.
    pub fn first(self, now_ms: i64) -> i64 {
        floor_to(now_ms, HOUR_MS).saturating_sub(self.0.saturating_sub(1).saturating_mul(HOUR_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    #[test]
    fn the_running_hour_is_the_last() {
        let first = |query: &str| Hours::parse(&Params::parse(query)).unwrap().first(NOW);
        let hour = NOW - NOW % HOUR_MS;
        assert_eq!(first("hours=1"), hour);
        assert_eq!(first(""), hour - 23 * HOUR_MS);
        for bad in ["hours=0", "hours=745", "hours=x"] {
            assert!(Hours::parse(&Params::parse(bad)).is_err(), "{bad}");
        }
    }
}
