//! What is answered hangs on the events alone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::breakdown::Breakdown;
use super::funnel::Funnel;
use super::journeys::Journeys;
use super::metric::{Engagement, Features, Metric, Platform, Products};
use super::question::Question;
use super::retention::Retention;
use super::summary::{self, Summary};
use super::{Params, days};
use crate::privacy::DAY_MS;
use crate::rollup::brute::{self, DAY, KEY, ask, event, filled};
use crate::testing::{TestSql, consume, message};

/// Events of a case.
const EVENTS: usize = 150;

const NOW: i64 = (DAY + 9) * DAY_MS + 5;

/// A database that took events, by their numbers, in messages of these sizes in turn; the second half
/// of each message is another row.
fn taken(numbers: &[usize], sizes: &[usize]) -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    let (mut rest, mut sizes) = (numbers, sizes.iter().cycle());
    for n in 0.. {
        let (some, left) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        if some.is_empty() {
            break;
        }
        rest = left;
        let [one, two] = [&some[..some.len() / 2], &some[some.len() / 2..]].map(|some| {
            let once: BTreeSet<&usize> = some.iter().collect();
            let events = once.into_iter().map(|n| event("demo", *n));
            events.collect::<Vec<Value>>()
        });
        let row = 1_000 + 2 * n;
        let text = message("demo", 0, &[(row, 0, &one), (row + 1, 0, &two)]);
        consume(&sql, &[&text], KEY).unwrap();
    }
    sql
}

fn metric<M: Metric>(sql: &TestSql, query: &str) -> Vec<String> {
    let metric = M::parse(&Params::parse(query), NOW).unwrap();
    let answer = metric.answer(ask(sql, &metric.statement("demo")));
    vec![serde_json::to_string(&answer).unwrap(), M::csv(&answer)]
}

fn question<Q: Question>(sql: &TestSql, body: &Value) -> Vec<String> {
    let question = Q::parse(body.to_string().as_bytes(), NOW).unwrap();
    let answer = question
        .answer(brute::ask(sql, &question.statement("demo")))
        .unwrap();
    vec![serde_json::to_string(&answer).unwrap()]
}

/// Every answer about some days.
fn answers(sql: &TestSql, first: i64, last: i64) -> Vec<String> {
    let (first, last) = (days::date(DAY + first), days::date(DAY + last));
    let range = format!("startDate={first}&endDate={last}");
    let mut all = [
        metric::<Platform>(sql, &range),
        metric::<Engagement>(sql, &range),
        metric::<Features>(sql, &range),
        metric::<Products>(sql, &range),
    ]
    .concat();
    for by in ["page", "referrer", "country", "source", "feature", "error"] {
        all.extend(metric::<Breakdown>(sql, &format!("by={by}&{range}")));
    }
    let body = |more: Value| {
        let mut body = json!({"startDate": first, "endDate": last});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let steps = json!([{"eventType": "page_view", "page": "/1"}, {"eventType": "feature_use"}]);
    all.extend(question::<Funnel>(sql, &body(json!({"steps": steps}))));
    all.extend(question::<Retention>(sql, &body(json!({"periods": 5}))));
    all.extend(question::<Journeys>(sql, &body(json!({"depth": 3}))));
    let window = Summary::parse(&Params::parse("windowMinutes=10080&groupBy=source")).unwrap();
    let rows: Vec<summary::Row> = ask(sql, &window.statement("demo", NOW));
    all.push(serde_json::to_string(&window.answer(rows, NOW)).unwrap());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_order_repetition_and_batching_gives_the_same_answers(
        order in Just((0..EVENTS).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..EVENTS, 0..80),
        sizes in prop::collection::vec(1_usize..60, 1..8),
        (first, last) in (0_i64..6, 0_i64..6).prop_map(|(a, b)| (a.min(b), a.max(b))),
    ) {
        let events: Vec<Value> = (0..EVENTS).map(|n| event("demo", n)).collect();
        let sql = taken(&[order, again].concat(), &sizes);
        prop_assert_eq!(answers(&sql, first, last), answers(&filled("demo", &events), first, last));
    }
}
