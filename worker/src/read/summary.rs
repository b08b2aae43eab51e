//! `GET /v1/analytics/metrics/summary`: events by type over a window, in buckets.

use serde::{Deserialize, Serialize};

use super::Params;
use crate::error::Fault;
use crate::live::{HOUR_MS, MINUTE_MS, floor_to};
use crate::sorted::Map;
use crate::sql::Statement;

/// Steps of the buckets, in minutes; all divide a day.
const STEPS: [i64; 9] = [1, 2, 5, 10, 15, 30, 60, 120, 180];

/// Buckets at most: what a chart shows well.
const MAX_BUCKETS: i64 = 60;

/// A checked query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    window: i64,
    by_source: bool,
}

/// One row of the query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    bucket: i64,
    event_type: String,
    source: String,
    n: i64,
}

/// The answer. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Summary))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The start of the window's first minute.
    pub from: i64,
    /// Now.
    pub to: i64,
    /// The step of the buckets.
    pub bucket_minutes: i64,
    /// All events of the window.
    pub total: i64,
    /// By type.
    pub by_type: Map<String, i64>,
    /// By source, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_source: Option<Map<String, i64>>,
    /// Every bucket of the window, empty ones too; the first may begin before the window.
    pub buckets: Vec<Bucket>,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// Its start.
    pub start: i64,
    /// Its events by type.
    pub by_type: Map<String, i64>,
}

impl Summary {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for `windowMinutes` or `groupBy`.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let window = params.window_minutes()?;
        let by_source = match params.get("groupBy") {
            None => false,
            Some("source") => true,
            Some(_) => {
                return Err(Fault::InvalidParameter {
                    name: "groupBy",
                    detail: "groupBy must be source.",
                });
            }
        };
        Ok(Self { window, by_source })
    }

    fn from(&self, now_ms: i64) -> i64 {
        let earlier = self.window.saturating_sub(1).saturating_mul(MINUTE_MS);
        floor_to(now_ms, MINUTE_MS).saturating_sub(earlier)
    }

    /// The smallest step whose buckets are not too many; 180 minutes for the longest window.
    fn step(&self) -> i64 {
        STEPS
            .into_iter()
            .find(|step| self.window <= step.saturating_mul(MAX_BUCKETS))
            .unwrap_or(180)
    }

    /// The statement. Where no bucket ends within an hour, whole hours are read as one row each, and
    /// minutes only of the hour that the window begins in.
    pub fn statement(&self, site: &str, now_ms: i64) -> Statement {
        let step_ms = self.step().saturating_mul(MINUTE_MS);
        if step_ms < HOUR_MS {
            return self.of_minutes(site, now_ms);
        }
        let from = self.from(now_ms);
        let begun = floor_to(from, HOUR_MS);
        let whole_hours = if begun == from {
            from
        } else {
            begun.saturating_add(HOUR_MS)
        };
        Statement::new(
            "SELECT at - at % ?3 AS bucket, event_type, source, sum(n) AS n FROM \
             (SELECT minute AS at, event_type, source, n FROM minute_counts \
             WHERE site_id = ?1 AND minute >= ?2 AND minute < ?4 \
             UNION ALL SELECT hour, event_type, source, n FROM hour_counts \
             WHERE site_id = ?1 AND hour >= ?4) GROUP BY 1, 2, 3",
            [site.into(), from.into(), step_ms.into(), whole_hours.into()],
        )
    }

    /// The statement that reads every minute.
    fn of_minutes(&self, site: &str, now_ms: i64) -> Statement {
        Statement::new(
            "SELECT minute - minute % ?3 AS bucket, event_type, source, sum(n) AS n \
             FROM minute_counts WHERE site_id = ?1 AND minute >= ?2 GROUP BY 1, 2, 3",
            [
                site.into(),
                self.from(now_ms).into(),
                self.step().saturating_mul(MINUTE_MS).into(),
            ],
        )
    }

    /// The answer from the statement's rows.
    pub fn answer(&self, rows: Vec<Row>, now_ms: i64) -> Answer {
        let step_ms = self.step().saturating_mul(MINUTE_MS);
        let from = self.from(now_ms);
        let mut buckets: Map<i64, Map<String, i64>> = Map::new();
        let mut start = floor_to(from, step_ms);
        while start <= now_ms {
            buckets.insert(start, Map::new());
            start = start.saturating_add(step_ms);
        }
        let (mut by_type, mut by_source) = (Map::new(), Map::new());
        let mut total = 0_i64;
        for row in rows {
            total = total.saturating_add(row.n);
            add(&mut by_type, &row.event_type, row.n);
            add(&mut by_source, &row.source, row.n);
            add(
                buckets.entry(row.bucket).or_default(),
                &row.event_type,
                row.n,
            );
        }
        Answer {
            from,
            to: now_ms,
            bucket_minutes: self.step(),
            total,
            by_type,
            by_source: self.by_source.then_some(by_source),
            buckets: buckets
                .into_iter()
                .map(|(start, by_type)| Bucket { start, by_type })
                .collect(),
        }
    }
}

fn add(counts: &mut Map<String, i64>, key: &str, n: i64) {
    let sum = counts.entry(key.to_owned()).or_default();
    *sum = sum.saturating_add(n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::brute::{ask, fold_into};
    use crate::sql::Sql;
    use crate::testing::{NOW, TestSql, uuid};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn parse(query: &str) -> Result<Summary, Fault> {
        Summary::parse(&Params::parse(query))
    }

    #[test]
    fn bad_parameters_are_named() {
        for (query, name) in [
            ("windowMinutes=0", "windowMinutes"),
            ("windowMinutes=10081", "windowMinutes"),
            ("groupBy=user", "groupBy"),
        ] {
            let fault = parse(query).unwrap_err();
            assert!(matches!(fault, Fault::InvalidParameter { name: n, .. } if n == name));
        }
    }

    #[test]
    fn an_hour_has_sixty_buckets_that_add_up() {
        let now = 1_705_334_430_000;
        let row = |bucket, event_type: &str, source: &str, n| Row {
            bucket,
            event_type: event_type.into(),
            source: source.into(),
            n,
        };
        let minute = 1_705_334_400_000;
        let answer = parse("groupBy=source").unwrap().answer(
            vec![
                row(minute, "page_view", "tracker", 3),
                row(minute - 60_000, "page_view", "tracker", 1),
                row(minute, "order", "shop", 2),
            ],
            now,
        );
        assert_eq!((answer.total, answer.bucket_minutes), (6, 1));
        assert_eq!(answer.from, minute - 59 * 60_000);
        assert_eq!(answer.by_type["page_view"], 4);
        assert_eq!(answer.by_source.unwrap()["shop"], 2);
        assert_eq!(answer.buckets.len(), 60);
        assert_eq!(answer.buckets[59].by_type["page_view"], 3);
    }

    proptest! {
        #[test]
        fn every_window_has_aligned_buckets_a_chart_can_show(
            window in 1_i64..=10_080, now in 1_700_000_000_000_i64..1_800_000_000_000,
        ) {
            let summary = parse(&format!("windowMinutes={window}")).unwrap();
            let answer = summary.answer(Vec::new(), now);
            let step = answer.bucket_minutes * MINUTE_MS;
            prop_assert!(answer.buckets.len() <= 61);
            prop_assert!(answer.buckets.iter().all(|b| b.start % step == 0));
            prop_assert!(answer.buckets[0].start <= answer.from);
            prop_assert!(answer.buckets.last().unwrap().start + step > now);
        }

        /// Events around the window's first hours, its last ones, and anywhere, several to a message.
        #[test]
        fn hours_tell_what_their_minutes_tell(
            window in prop_oneof![1 => 1_i64..=1_800, 3 => 1_801_i64..=10_080],
            by_source in any::<bool>(),
            now in NOW..NOW + 3 * HOUR_MS,
            messages in prop::collection::vec(prop::collection::vec(
                (0_i64..3, -180_i64..180, 0_i64..11_000, 0_usize..3, 0_usize..3), 1..12), 1..5),
        ) {
            let query = format!("windowMinutes={window}{}", if by_source { "&groupBy=source" } else { "" });
            let summary = parse(&query).unwrap();
            let sql = TestSql::new();
            sql.migrate();
            let people = TestSql::new();
            crate::archive::fold::create(&people).unwrap();
            for (part, events) in messages.iter().enumerate() {
                let events: Vec<Value> = events.iter().enumerate().map(|(n, event)| {
                    let (place, near, ago, event_type, source) = *event;
                    let received = match place {
                        0 => summary.from(now) + near * MINUTE_MS - 1,
                        1 => now + near * MINUTE_MS,
                        _ => now - ago * MINUTE_MS,
                    };
                    let event_type = ["page_view", "error", "order.placed"][event_type];
                    let source = ["tracker", "shop", ""][source];
                    json!({
                        "eventId": uuid(part * 100 + n), "siteId": "demo", "receivedAt": received,
                        "eventType": event_type, "source": source,
                    })
                }).collect();
                let fold = i64::try_from(part).unwrap() + 1;
                fold_into(&sql, &people, "demo", fold, &events);
            }
            let statement = summary.statement("demo", now);
            let (rows, want): (Vec<Row>, Vec<Row>) =
                (ask(&sql, &statement), ask(&sql, &summary.of_minutes("demo", now)));
            prop_assert_eq!(&rows, &want);
            let answer = summary.answer(rows, now);
            prop_assert_eq!(statement.sql.contains("hour_counts"), answer.bucket_minutes >= 60);
            prop_assert_eq!(answer, summary.answer(want, now));
        }
    }

    #[test]
    fn each_table_is_searched_from_where_its_part_of_the_window_begins() {
        let sql = TestSql::new();
        sql.migrate();
        let statement = parse("windowMinutes=10080").unwrap().statement("demo", NOW);
        let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let plan = sql.rows::<Value>(&plan, &statement.params).unwrap();
        for step in [
            "SEARCH minute_counts USING PRIMARY KEY (site_id=? AND minute>? AND minute<?)",
            "SEARCH hour_counts USING PRIMARY KEY (site_id=? AND hour>?)",
        ] {
            assert!(plan.iter().any(|row| row["detail"] == step), "{plan:?}");
        }
    }
}
