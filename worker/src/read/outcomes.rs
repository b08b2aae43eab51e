//! `GET /v1/analytics/outcomes`: how every event ended at the collector, by hour.

use serde::Serialize;

use super::hours::Hours;
use crate::base::sorted::Map;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::observe::tally::APPROXIMATE;
use crate::protocol::counters::TRACKER_DROPPED;
use crate::protocol::hours::Entry;

/// A checked query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcomes {
    hours: Hours,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Outcomes))]
pub struct Answer {
    /// Each hour in which something was counted, oldest first.
    pub hours: Vec<Hour>,
    /// Over all of them.
    pub totals: Map<String, i64>,
    /// Events received over all of them: the sum of the codes that are exact. `accepted`,
    /// `duplicate`, `bot` and each validation code count events, and every event has one of them.
    pub received: i64,
    /// The codes that count requests refused whole, approximately.
    pub approximate: Vec<&'static str>,
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = OutcomesHour))]
pub struct Hour {
    /// Its start, Unix milliseconds.
    pub hour: i64,
    /// By code.
    pub counts: Map<String, i64>,
}

impl Outcomes {
    /// Reads `hours`.
    ///
    /// # Errors
    /// 400 where it is not 1 to 744.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        Ok(Self {
            hours: Hours::parse(params)?,
        })
    }

    /// The start of the first hour.
    pub fn first_hour(&self, now_ms: i64) -> i64 {
        self.hours.first(now_ms)
    }

    /// Sums the shards' counts.
    pub fn answer(&self, shards: Vec<Vec<Entry>>, now_ms: i64) -> Answer {
        let first = self.first_hour(now_ms);
        let mut hours: Map<i64, Map<String, i64>> = Map::new();
        let mut totals: Map<String, i64> = Map::new();
        let mut received: i64 = 0;
        for entry in shards.into_iter().flatten() {
            if entry.bucket < first {
                continue;
            }
            if is_exact(&entry.key) {
                received = received.saturating_add(entry.n);
            }
            add(&mut totals, entry.key.clone(), entry.n);
            add(hours.entry(entry.bucket).or_default(), entry.key, entry.n);
        }
        Answer {
            hours: hours
                .into_iter()
                .map(|(hour, counts)| Hour { hour, counts })
                .collect(),
            totals,
            received,
            approximate: APPROXIMATE.to_vec(),
        }
    }
}

/// Whether a code counts events that were received, each of them.
fn is_exact(code: &str) -> bool {
    code != TRACKER_DROPPED && !APPROXIMATE.contains(&code)
}

fn add(sums: &mut Map<String, i64>, key: String, n: i64) {
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::HOUR_MS;
    use crate::testing::NOW;

    fn entry(hour: i64, key: &str, n: i64) -> Entry {
        Entry {
            bucket: NOW - NOW % HOUR_MS - hour * HOUR_MS,
            key: key.into(),
            n,
        }
    }

    #[test]
    fn shards_are_summed_and_the_sums_close() {
        let query = Outcomes::parse(&Params::parse("hours=2")).unwrap();
        let answer = query.answer(
            vec![
                vec![
                    entry(0, "accepted", 3),
                    entry(1, "bot", 2),
                    entry(2, "accepted", 9),
                ],
                vec![
                    entry(0, "accepted", 1),
                    entry(0, "rate_limited", 7),
                    entry(0, "tracker_dropped", 5),
                ],
            ],
            NOW,
        );
        assert_eq!(answer.received, 6);
        assert_eq!(answer.totals["accepted"], 4);
        assert_eq!(answer.totals["rate_limited"], 7);
        assert_eq!(answer.hours.len(), 2);
        assert!(answer.hours[0].hour < answer.hours[1].hour);
    }

    #[test]
    fn every_code_that_is_tallied_is_marked() {
        assert!(APPROXIMATE.is_sorted());
        assert!(!is_exact("unknown_key") && is_exact("invalid_timestamp"));
    }
}
