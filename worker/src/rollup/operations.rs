//! Shoreline's own calls, from its operation events. An event stands for `calls` calls that took
//! `totalDuration` in all. Where they are several, `durations` tells how many took how long; else
//! the call took as long as the event itself says.

use serde_json::Value;

use super::json;
use crate::live::{MINUTE_MS, floor_to};
use crate::operations::Histogram;
use crate::sql::Statement;

/// The columns of a histogram.
macro_rules! columns {
    () => {
        "n, duration_ms, le_1, le_2, le_5, le_10, le_20, le_50, le_100, le_200, le_500, le_1000, \
         le_2000, le_5000, le_10000"
    };
}

/// Their sums over rows that begin with them, as [`row`] makes these.
macro_rules! sums {
    () => {
        "sum(value->>0), sum(value->>1), sum(value->>2), sum(value->>3), sum(value->>4), \
         sum(value->>5), sum(value->>6), sum(value->>7), sum(value->>8), sum(value->>9), \
         sum(value->>10), sum(value->>11), sum(value->>12), sum(value->>13), sum(value->>14)"
    };
}

/// What is added to the columns of a histogram that is there.
macro_rules! added {
    () => {
        "n = n + excluded.n, duration_ms = duration_ms + excluded.duration_ms, \
         le_1 = le_1 + excluded.le_1, le_2 = le_2 + excluded.le_2, le_5 = le_5 + excluded.le_5, \
         le_10 = le_10 + excluded.le_10, le_20 = le_20 + excluded.le_20, \
         le_50 = le_50 + excluded.le_50, le_100 = le_100 + excluded.le_100, \
         le_200 = le_200 + excluded.le_200, le_500 = le_500 + excluded.le_500, \
         le_1000 = le_1000 + excluded.le_1000, le_2000 = le_2000 + excluded.le_2000, \
         le_5000 = le_5000 + excluded.le_5000, le_10000 = le_10000 + excluded.le_10000"
    };
}

const MINUTES: &str = concat!(
    "INSERT INTO operation_minutes (action, status, minute, site_id, ",
    columns!(),
    ") SELECT value->>15, value->>16, value->>17, value->>18, ",
    sums!(),
    " FROM json_each(?1) GROUP BY 1, 2, 3, 4 \
     ON CONFLICT (site_id, minute, action, status) DO UPDATE SET ",
    added!()
);

const TOTALS: &str = concat!(
    "INSERT INTO operation_totals (action, status, ",
    columns!(),
    ") SELECT value->>15, value->>16, ",
    sums!(),
    " FROM json_each(?1) GROUP BY 1, 2 ON CONFLICT (action, status) DO UPDATE SET ",
    added!()
);

const OUTCOMES: &str = "INSERT INTO operation_outcomes (outcome, n) \
     SELECT o.key, sum(o.value) FROM json_each(?1) AS e CROSS JOIN json_each(e.value, '$[19]') AS o \
     GROUP BY 1 ON CONFLICT (outcome) DO UPDATE SET n = n + excluded.n";

/// The statements that count new events of Shoreline's own site.
pub(super) fn statements<'a>(bodies: impl Iterator<Item = &'a str>) -> Vec<Statement> {
    let rows: Vec<Vec<Value>> = bodies
        .filter_map(|body| serde_json::from_str(body).ok())
        .filter_map(|event| row(&event))
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let rows = json(&rows);
    let statement = |sql| Statement::new(sql, [rows.as_str().into()]);
    [MINUTES, TOTALS, OUTCOMES].map(statement).into()
}

/// What is counted of an event: the histogram's columns, action, status, minute, site and outcomes.
/// An event that tells no calls, having been erased, counts nothing.
fn row(event: &Value) -> Option<Vec<Value>> {
    let data = event.get("eventData")?;
    let number = |name| data.get(name)?.as_i64();
    let calls = number("calls")?;
    let mut durations = Histogram::of(calls, number("totalDuration")?, &[]);
    match data.get("durations").and_then(Value::as_object) {
        Some(buckets) => {
            for (bound, n) in buckets {
                durations.count(bound.parse().ok()?, n.as_i64()?);
            }
        }
        None => durations.count(event.get("metadata")?.get("duration")?.as_i64()?, calls),
    }
    let of = |name| data.get(name).cloned();
    let mut row: Vec<Value> = [durations.n, durations.sum_ms]
        .into_iter()
        .chain(durations.within)
        .map(Value::from)
        .collect();
    row.extend([
        of("action")?,
        of("httpStatus")?,
        floor_to(event.get("timestamp")?.as_i64()?, MINUTE_MS).into(),
        of("site").unwrap_or_else(|| "".into()),
        of("outcomes").unwrap_or_else(|| Value::Array(Vec::new())),
    ]);
    Some(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use crate::operations::{
        BOUNDS_MS, Batch, CallId, Histogram, Operation, Outcomes, Route, SiteName,
    };
    use crate::sql::Sql;
    use crate::testing::{NOW, TestSql, consume, uuid};
    use crate::trace::Trace;

    /// As many calls as there are durations, folded into one event.
    fn operation(path: &str, site: Option<&str>, status: u16, durations: &[i64]) -> Operation {
        let mut all = Histogram::default();
        durations
            .iter()
            .for_each(|ms| all.add(&Histogram::one(*ms)));
        let mut outcomes = Outcomes::default();
        outcomes.add("accepted", durations.len() as u64 * 2);
        Operation {
            at: NOW,
            route: Route::of("POST", path),
            method: "POST",
            site: site.and_then(SiteName::new),
            status,
            code: None,
            trace: Trace::begin(None, &[1; 24]),
            id: CallId::new(NOW, [1; 10]),
            duration_ms: durations[0],
            durations: all,
            outcomes,
        }
    }

    fn lines(operations: &[Operation], first_id: usize) -> Vec<String> {
        let batch_id = uuid(9);
        let batch = Batch {
            id: &batch_id,
            received_at: NOW,
        };
        let of = |(n, operation): (usize, &Operation)| {
            let event = operation.stamped(&uuid(first_id + n), batch).unwrap();
            event.json().to_owned()
        };
        operations.iter().enumerate().map(of).collect()
    }

    fn message(site: &str, events: &[String], first_id: usize) -> Vec<u8> {
        let events: Vec<serde_json::Value> = events
            .iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect();
        crate::testing::message(site, 0, &[(first_id, NOW, &events)])
    }

    fn take(sql: &TestSql, text: &[u8]) {
        consume(sql, &[text], b"key").unwrap();
    }

    #[test]
    fn calls_are_counted_once_by_site_action_and_status() {
        let sql = TestSql::new();
        sql.migrate();
        let calls = [
            operation("/v1/events", Some("a"), 202, &[3; 10]),
            operation("/v1/events", Some("a"), 202, &[700]),
            operation("/v1/events", Some("b"), 503, &[20_000; 2]),
            operation("/v1/events", None, 401, &[0; 4]),
        ];
        let text = message("_shoreline", &lines(&calls, 10), 10);
        for _ in 0..2 {
            take(&sql, &text);
        }
        let n = |what: &str, site: &str| {
            sql.number(&format!(
                "SELECT {what} FROM operation_minutes WHERE site_id = '{site}'"
            ))
        };
        assert_eq!((n("n", "a"), n("duration_ms", "a")), (11, 730));
        assert_eq!(
            (n("le_2", "a"), n("le_5", "a"), n("le_500", "a")),
            (0, 10, 10)
        );
        assert_eq!((n("le_1000", "a"), n("le_10000", "b")), (11, 0));
        assert_eq!((n("n", ""), n("le_1", "")), (4, 4));
        assert_eq!(n("minute", "a"), NOW - NOW % 60_000);
        assert_eq!(sql.number("SELECT sum(n) FROM operation_totals"), 17);
        assert_eq!(
            sql.number("SELECT n FROM operation_totals WHERE status = 503"),
            2
        );
        assert_eq!(sql.number("SELECT n FROM operation_outcomes"), 34);
        // They are Shoreline's own site's events, and no other's.
        assert_eq!(
            sql.number("SELECT count(*) FROM events WHERE site_id <> '_shoreline'"),
            0
        );
        assert_eq!(sql.number("SELECT count(*) FROM events"), 4);
    }

    #[test]
    fn what_a_site_sends_counts_no_calls_whatever_it_says() {
        let sql = TestSql::new();
        sql.migrate();
        let calls = [operation("/v1/events", Some("a"), 202, &[3; 10])];
        take(&sql, &message("evil", &lines(&calls, 10), 10));
        for table in [
            "operation_minutes",
            "operation_totals",
            "operation_outcomes",
        ] {
            assert_eq!(sql.number(&format!("SELECT count(*) FROM {table}")), 0);
        }
    }

    #[test]
    fn an_event_that_was_erased_or_is_none_of_ours_counts_nothing() {
        let sql = TestSql::new();
        sql.migrate();
        let good = lines(&[operation("/v1/events", None, 202, &[3])], 10).remove(0);
        let mut events = vec![good.clone()];
        for (n, member) in ["eventData", "metadata"].into_iter().enumerate() {
            let mut event: Value = serde_json::from_str(&good).unwrap();
            event["eventId"] = uuid(20 + n).into();
            event[member] = json!({});
            events.push(event.to_string());
        }
        take(&sql, &message("_shoreline", &events, 10));
        assert_eq!(sql.number("SELECT count(*) FROM events"), 3);
        assert_eq!(sql.number("SELECT sum(n) FROM operation_totals"), 1);
    }

    #[derive(Deserialize)]
    struct Name {
        name: String,
    }

    #[test]
    fn the_columns_are_the_bounds() {
        let sql = TestSql::new();
        sql.migrate();
        for table in ["operation_minutes", "operation_totals"] {
            let columns: Vec<Name> = sql
                .rows(
                    "SELECT name FROM pragma_table_info(?1) WHERE name LIKE 'le\\_%' ESCAPE '\\'",
                    &[table.into()],
                )
                .unwrap();
            let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
            assert_eq!(names, BOUNDS_MS.map(|bound| format!("le_{bound}")));
        }
    }

    proptest! {
        #[test]
        fn each_column_holds_what_is_within_its_bound(
            events in prop::collection::vec(prop::collection::vec(0_i64..12_000, 1..40), 1..20),
        ) {
            let sql = TestSql::new();
            sql.migrate();
            let folded: Vec<Operation> = events
                .iter()
                .map(|durations| operation("/v1/ingest", Some("a"), 202, durations))
                .collect();
            // In two messages, so that rows are made and added to.
            let (one, two) = folded.split_at(folded.len() / 2);
            take(&sql, &message("_shoreline", &lines(one, 100), 100));
            take(&sql, &message("_shoreline", &lines(two, 200), 200));
            let calls: Vec<i64> = events.concat();
            for table in ["operation_minutes", "operation_totals"] {
                let found = |column: &str| sql.number(&format!("SELECT {column} FROM {table}"));
                prop_assert_eq!(found("n"), calls.len() as i64);
                prop_assert_eq!(found("duration_ms"), calls.iter().sum::<i64>());
                for bound in BOUNDS_MS {
                    let want = calls.iter().filter(|ms| **ms <= bound).count() as i64;
                    prop_assert_eq!(found(&format!("le_{bound}")), want);
                }
            }
            prop_assert_eq!(
                sql.number("SELECT n FROM operation_outcomes"),
                calls.len() as i64 * 2
            );
        }
    }
}
