//! Shoreline's own calls, from its operation events. An event stands for `calls` calls that took
//! about as long, `totalDuration` in all.

use crate::sql::Statement;

/// The counts of a histogram, from rows of duration `d` that stand for `w` calls.
macro_rules! counted {
    () => {
        "sum(w), sum(ms), sum(iif(d <= 1, w, 0)), sum(iif(d <= 2, w, 0)), sum(iif(d <= 5, w, 0)), \
         sum(iif(d <= 10, w, 0)), sum(iif(d <= 20, w, 0)), sum(iif(d <= 50, w, 0)), \
         sum(iif(d <= 100, w, 0)), sum(iif(d <= 200, w, 0)), sum(iif(d <= 500, w, 0)), \
         sum(iif(d <= 1000, w, 0)), sum(iif(d <= 2000, w, 0)), sum(iif(d <= 5000, w, 0)), \
         sum(iif(d <= 10000, w, 0))"
    };
}

/// The columns of a histogram.
macro_rules! columns {
    () => {
        "n, duration_ms, le_1, le_2, le_5, le_10, le_20, le_50, le_100, le_200, le_500, le_1000, \
         le_2000, le_5000, le_10000"
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

/// `f`: new operation events, of their bodies. An event that tells no calls counts none.
macro_rules! calls {
    () => {
        concat!(
            "WITH b AS (SELECT value AS x FROM json_each(?2)), f AS (SELECT x->>'$.timestamp' AS at, coalesce(x->>'$.eventData.site', '') AS site, \
             x->>'$.eventData.action' AS action, x->>'$.eventData.httpStatus' AS status, \
             x->>'$.eventData.calls' AS w, x->>'$.eventData.totalDuration' AS ms, \
             x->>'$.metadata.duration' AS d, x->'$.eventData.outcomes' AS outcomes FROM b \
             WHERE x->>'$.eventData.calls' IS NOT NULL) "
        )
    };
}

const MINUTES: &str = concat!(
    calls!(),
    "INSERT INTO operation_minutes (site_id, minute, action, status, ",
    columns!(),
    ") SELECT site, at - at % 60000, action, status, ",
    counted!(),
    " FROM f GROUP BY 1, 2, 3, 4 ON CONFLICT (site_id, minute, action, status) DO UPDATE SET ",
    added!()
);

const TOTALS: &str = concat!(
    calls!(),
    "INSERT INTO operation_totals (action, status, ",
    columns!(),
    ") SELECT action, status, ",
    counted!(),
    " FROM f GROUP BY 1, 2 ON CONFLICT (action, status) DO UPDATE SET ",
    added!()
);

const OUTCOMES: &str = concat!(
    calls!(),
    "INSERT INTO operation_outcomes (outcome, n) \
     SELECT o.key, sum(o.value) FROM f CROSS JOIN json_each(f.outcomes) AS o GROUP BY 1 \
     ON CONFLICT (outcome) DO UPDATE SET n = n + excluded.n"
);

/// The statements that count new events of Shoreline's own site, a JSON array.
pub(super) fn statements(site: &str, bodies: &str) -> [Statement; 3] {
    [MINUTES, TOTALS, OUTCOMES].map(|sql| Statement::new(sql, [site.into(), bodies.into()]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use crate::operations::{BOUNDS_MS, Batch, Operation, Route};
    use crate::sql::Sql;
    use crate::testing::{NOW, TestSql, consume, uuid};

    fn operation(path: &str, site: Option<&str>, status: u16, ms: i64, calls: u64) -> Operation {
        Operation {
            at: NOW,
            route: Route::of("POST", path),
            method: "POST",
            site: site.map(str::to_owned),
            status,
            code: None,
            trace_id: "ab".repeat(16),
            request_id: uuid(1),
            duration_ms: ms,
            calls,
            total_ms: ms * i64::try_from(calls).unwrap(),
            outcomes: [("accepted", calls * 2)].into(),
        }
    }

    fn message(site: &str, operations: &[Operation], first_id: usize) -> Vec<u8> {
        let batch_id = uuid(9);
        let batch = Batch {
            id: &batch_id,
            received_at: NOW,
        };
        let events: Vec<serde_json::Value> = operations
            .iter()
            .enumerate()
            .map(|(n, operation)| {
                let event = operation.stamped(&uuid(first_id + n), batch).unwrap();
                serde_json::from_str(event.json()).unwrap()
            })
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
            operation("/v1/events", Some("a"), 202, 3, 10),
            operation("/v1/events", Some("a"), 202, 700, 1),
            operation("/v1/events", Some("b"), 503, 20_000, 2),
            operation("/v1/events", None, 401, 0, 4),
        ];
        let text = message("_shoreline", &calls, 10);
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
        let calls = [operation("/v1/events", Some("a"), 202, 3, 10)];
        take(&sql, &message("evil", &calls, 10));
        for table in [
            "operation_minutes",
            "operation_totals",
            "operation_outcomes",
        ] {
            assert_eq!(sql.number(&format!("SELECT count(*) FROM {table}")), 0);
        }
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
            calls in prop::collection::vec((0_i64..12_000, 1_u64..9), 1..30),
        ) {
            let sql = TestSql::new();
            sql.migrate();
            let events: Vec<Operation> = calls
                .iter()
                .map(|(ms, calls)| operation("/v1/ingest", Some("a"), 202, *ms, *calls))
                .collect();
            // In two messages, so that rows are made and added to.
            let (one, two) = events.split_at(events.len() / 2);
            take(&sql, &message("_shoreline", one, 100));
            take(&sql, &message("_shoreline", two, 200));
            for bound in BOUNDS_MS {
                let want: u64 = calls.iter().filter(|(ms, _)| *ms <= bound).map(|(_, n)| n).sum();
                for table in ["operation_minutes", "operation_totals"] {
                    let found = sql.number(&format!("SELECT le_{bound} FROM {table}"));
                    prop_assert_eq!(found, want as i64);
                }
            }
        }
    }
}
