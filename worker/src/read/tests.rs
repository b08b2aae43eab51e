//! What is answered hangs on the events alone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::breakdown::Breakdown;
use super::fresh::tests::fresh;
use super::funnel::Funnel;
use super::journeys::Journeys;
use super::metric::{Engagement, Features, Metric, Platform, Products};
use super::question::{Question, Told};
use super::recent::Recent;
use super::retention::Retention;
use super::summary::{self, Summary};
use crate::archive::Archive;
use crate::archive::scan::{Ask, Asked};
use crate::archive::spread::{only, split};
use crate::archive::testing;
use crate::base::time::DAY_MS;
use crate::base::time::date;
use crate::http::params::Params;
use crate::protocol::Message;
use crate::read::brute::{DAY, KEY, event};
use crate::testing::{TestSql, message};

mod reshard;

/// Events of a case.
const EVENTS: usize = 150;

const NOW: i64 = (DAY + 9) * DAY_MS + 5;

/// Archives of a site, and the D1 that took their folds.
struct Both {
    archives: Vec<TestSql>,
    d1: TestSql,
}

impl Both {
    fn open(&self) -> Vec<Archive<&TestSql>> {
        let number = u32::try_from(self.archives.len()).unwrap();
        let shards = (0..).zip(&self.archives);
        let open = shards.map(|(shard, sql)| testing::open_shard(sql, "demo", (shard, number)));
        open.collect()
    }
}

/// Both, having taken events, by their numbers, in messages of these sizes in turn; the second half of
/// each message is another row. With `late`, D1 lags: some folds are not taken, some events not folded.
fn taken(event: Make, numbers: &[usize], sizes: &[usize], late: bool, archives: usize) -> Both {
    let both = Both {
        archives: (0..archives).map(|_| TestSql::new()).collect(),
        d1: TestSql::new(),
    };
    both.d1.migrate();
    let archives = both.open();
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
            let events = once.into_iter().map(|n| event(*n));
            events.collect::<Vec<Value>>()
        });
        let row = 1_000 + 2 * n;
        let text = message("demo", 0, &[(row, 0, &one), (row + 1, 0, &two)]);
        let number = u32::try_from(archives.len()).unwrap();
        let parts = match number {
            1 => vec![text],
            several => split(&Message::parse(&text).unwrap(), several, KEY),
        };
        for (shard, (archive, part)) in archives.iter().zip(&parts).enumerate() {
            testing::append(archive, part, false).unwrap();
            // Some folds are of one message, some of several; each archive has its own.
            let size = size + shard;
            match size % 4 {
                0 if late => testing::fold_here(archive),
                2 if late => testing::take(archive, &both.d1, size % 3 > 0),
                0 | 2 => testing::fold(archive, &both.d1),
                _ => {}
            }
        }
    }
    if !late {
        for archive in &archives {
            testing::fold(archive, &both.d1);
        }
    }
    both
}

fn metric<M: Metric>(archives: &[Archive<&TestSql>], d1: &TestSql, query: &str) -> Vec<String> {
    let metric = M::parse(&Params::parse(query), NOW).unwrap();
    let statement = |lacking: &_| metric.statement("demo", lacking);
    let (lacking, rows) = fresh(archives, d1, &metric.wants(), &statement, &mut || ());
    let answer = metric.answer(rows, &lacking);
    vec![serde_json::to_string(&answer).unwrap(), M::csv(&answer)]
}

/// What each archive answers.
fn asked<T: DeserializeOwned>(archives: &[Archive<&TestSql>], asked: &Asked) -> Vec<T> {
    let alone = archives.len() == 1;
    let number = u32::try_from(archives.len()).unwrap();
    let only = only(asked, "demo", number, KEY).map(|shard| usize::try_from(shard).unwrap());
    let archives = only.map_or(archives, |shard| &archives[shard..=shard]);
    let ask = |archive: &Archive<&TestSql>| {
        testing::look_at_all(archive);
        let asked = asked.clone();
        let asking = archive.begin(Ask { asked, alone }).unwrap();
        testing::told::<T>(archive, asking).found
    };
    archives.iter().map(ask).collect()
}

fn question<Q: Question>(archives: &[Archive<&TestSql>], body: &Value) -> Vec<String> {
    let question = Q::parse(body.to_string().as_bytes(), NOW).unwrap();
    let found = asked(archives, &question.asked().of_archive());
    let told = found.into_iter().map(Told::plain).collect();
    let answer = question.answer(told, None);
    vec![serde_json::to_string(&answer).unwrap()]
}

/// All pages of recent events, and of a user's.
fn pages(archives: &[Archive<&TestSql>]) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for query in ["", "&userId=u1"] {
        loop {
            let recent =
                Recent::parse(&Params::parse(&format!("limit=7{query}{cursor}")), NOW).unwrap();
            let page = recent.answer(asked(archives, &recent.asked()));
            let next: Value = serde_json::from_str(&page).unwrap();
            all.push(page);
            match next["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        cursor.clear();
    }
    all
}

/// Every answer about some days, of D1's read models and of the archive.
fn answers(both: &Both, first: i64, last: i64) -> Vec<String> {
    let (sql, archive) = (&both.d1, &both.open()[..]);
    let changes = |sql: &TestSql| sql.number("SELECT total_changes()");
    let written = || -> i64 { both.archives.iter().map(changes).sum::<i64>() + changes(sql) };
    let before = written();
    let (first, last) = (date(DAY + first), date(DAY + last));
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
    all.extend(pages(archive));
    assert_eq!(written(), before, "a read wrote");
    all
}

/// What makes event n.
type Make = fn(usize) -> Value;

/// Events of sessions that are of one user each, some of them nobody's.
fn apart(n: usize) -> Value {
    let mut event = event("demo", n);
    if let Some(session) = event["sessionId"]
        .as_str()
        .filter(|id| !id.starts_with("anon"))
    {
        event["sessionId"] = json!(format!("{session}-{}", event["userId"]));
    }
    event
}

/// Events of sessions that users share.
fn shared(n: usize) -> Value {
    event("demo", n)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(18))]
    #[test]
    fn any_order_repetition_and_batching_gives_the_same_answers(
        order in Just((0..EVENTS).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..EVENTS, 0..80),
        sizes in prop::collection::vec(1_usize..60, 1..8),
        (first, last) in (0_i64..6, 0_i64..6).prop_map(|(a, b)| (a.min(b), a.max(b))),
        // The plain count has one archive; of sessions that users share, several: there a session is of one user.
        (make, plain, others) in prop::sample::select(vec![
            (shared as Make, 1, 1), (apart, 1, 2), (apart, 1, 3), (apart, 1, 5), (shared, 2, 3), (shared, 2, 5),
        ]),
    ) {
        let in_order: Vec<usize> = (0..EVENTS).collect();
        let numbers = [order, again].concat();
        let want = answers(&taken(make, &in_order, &[50], false, plain), first, last);
        for late in [false, true] {
            prop_assert_eq!(&answers(&taken(make, &numbers, &sizes, late, others), first, last), &want);
        }
    }
}
