//! What is answered hangs on the events alone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::breakdown::Breakdown;
use super::fresh::tests::fresh;
use super::funnel::Funnel;
use super::journeys::Journeys;
use super::metric::{Engagement, Features, Metric, Platform, Products};
use super::question::Question;
use super::retention::Retention;
use super::summary::{self, Summary};
use super::{Params, days};
use crate::archive::Archive;
use crate::archive::scan::{Ask, Part};
use crate::archive::testing;
use crate::privacy::DAY_MS;
use crate::read::brute::{DAY, event};
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
/// each message is another row. With `late`, D1 lags: some folds are not taken, some events not folded.
fn taken(numbers: &[usize], sizes: &[usize], late: bool) -> Both {
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
        match size % 4 {
            0 if late => testing::fold_here(&archive),
            2 if late => testing::take(&archive, &both.d1, size % 3 > 0),
            0 | 2 => testing::fold(&archive, &both.d1),
            _ => {}
        }
    }
    if !late {
        testing::fold(&archive, &both.d1);
    }
    both
}

fn metric<M: Metric>(archive: &Archive<&TestSql>, d1: &TestSql, query: &str) -> Vec<String> {
    let metric = M::parse(&Params::parse(query), NOW).unwrap();
    let statement = |lacking: &_| metric.statement("demo", lacking);
    let (lacking, rows) = fresh(archive, d1, &metric.wants(), &statement, &mut || ());
    let answer = metric.answer(rows, &lacking);
    vec![serde_json::to_string(&answer).unwrap(), M::csv(&answer)]
}

fn question<Q: Question>(archive: &Archive<&TestSql>, body: &Value) -> Vec<String> {
    let question = Q::parse(body.to_string().as_bytes(), NOW).unwrap();
    testing::look_at_all(archive);
    let asked = question.asked();
    let mut asking = archive.begin(Ask { asked, alone: true }).unwrap();
    while asking.slice(archive.sql(), 0).unwrap() {}
    let part: Part<Q::Found> = serde_json::from_str(&asking.part().unwrap()).unwrap();
    let answer = question.answer(vec![part.found]);
    vec![serde_json::to_string(&answer).unwrap()]
}

/// Every answer about some days, of D1's read models and of the archive.
fn answers(both: &Both, first: i64, last: i64) -> Vec<String> {
    let (sql, archive) = (&both.d1, &testing::open(&both.archive, "demo"));
    let written = |sql: &TestSql| sql.number("SELECT total_changes()");
    let before = (written(&both.archive), written(sql));
    let (first, last) = (days::date(DAY + first), days::date(DAY + last));
    let range = format!("startDate={first}&endDate={last}");
    let mut all = [
        metric::<Platform>(archive, sql, &range),
        metric::<Engagement>(archive, sql, &range),
        metric::<Features>(archive, sql, &range),
        metric::<Products>(archive, sql, &range),
    ]
    .concat();
    for by in ["page", "referrer", "country", "source", "feature", "error"] {
        all.extend(metric::<Breakdown>(
            archive,
            sql,
            &format!("by={by}&{range}"),
        ));
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
    let statement = |_: &_| window.statement("demo", NOW);
    let wants = window.wants(NOW);
    let (lacking, rows) = fresh::<summary::Row>(archive, sql, &wants, &statement, &mut || ());
    all.push(serde_json::to_string(&window.answer(rows, &lacking, NOW)).unwrap());
    assert_eq!(
        (written(&both.archive), written(sql)),
        before,
        "a read wrote"
    );
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
        let in_order: Vec<usize> = (0..EVENTS).collect();
        let want = answers(&taken(&in_order, &[50], false), first, last);
        let numbers = [order, again].concat();
        for late in [false, true] {
            prop_assert_eq!(&answers(&taken(&numbers, &sizes, late), first, last), &want);
        }
    }
}
