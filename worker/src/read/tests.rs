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
use crate::archive::scan::tests as scan;
use crate::archive::testing;
use crate::privacy::DAY_MS;
use crate::read::brute::{DAY, ask, event};
use crate::testing::{TestSql, message};

/// Events of a case.
const EVENTS: usize = 150;

const NOW: i64 = (DAY + 9) * DAY_MS + 5;

/// An archive, and the D1 that took its folds.
struct Both {
    archive: TestSql,
    d1: TestSql,
}

/// Both, having taken events, by their numbers, in messages of these sizes in turn; the second half of
/// each message is another row.
fn taken(numbers: &[usize], sizes: &[usize]) -> Both {
    let both = Both {
        archive: TestSql::new(),
        d1: TestSql::new(),
    };
    both.d1.migrate();
    let archive = testing::open(&both.archive, "demo");
    let (mut rest, mut sizes) = (numbers, sizes.iter().cycle());
    for n in 0.. {
        let size = *sizes.next().unwrap();
        let (some, left) = rest.split_at(rest.len().min(size));
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
        testing::append(&archive, &text, false).unwrap();
        // Some folds are of one message, some of several.
        if size % 2 == 0 {
            testing::fold(&archive, &both.d1);
        }
    }
    testing::fold(&archive, &both.d1);
    both
}

fn metric<M: Metric>(sql: &TestSql, query: &str) -> Vec<String> {
    let metric = M::parse(&Params::parse(query), NOW).unwrap();
    let answer = metric.answer(ask(sql, &metric.statement("demo")));
    vec![serde_json::to_string(&answer).unwrap(), M::csv(&answer)]
}

fn question<Q: Question>(sql: &TestSql, body: &Value) -> Vec<String> {
    let question = Q::parse(body.to_string().as_bytes(), NOW).unwrap();
    let answer = question.answer(vec![scan::ask(sql, question.asked(), 0).found]);
    vec![serde_json::to_string(&answer).unwrap()]
}

/// Every answer about some days, of D1's read models and of the archive.
fn answers(both: &Both, first: i64, last: i64) -> Vec<String> {
    let (sql, archive) = (&both.d1, &both.archive);
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
    all.extend(question::<Funnel>(archive, &body(json!({"steps": steps}))));
    all.extend(question::<Retention>(archive, &body(json!({"periods": 5}))));
    all.extend(question::<Journeys>(archive, &body(json!({"depth": 3}))));
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
        let both = taken(&[order, again].concat(), &sizes);
        let in_order: Vec<usize> = (0..EVENTS).collect();
        prop_assert_eq!(answers(&both, first, last), answers(&taken(&in_order, &[50]), first, last));
    }
}
