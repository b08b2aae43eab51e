//! What the read models answer is what a scan does, wherever D1 stands.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::archive::fold::{MAX_KEYS_PER_DAY, Sums};
use crate::archive::testing;
use crate::read::activity::Row;
use crate::read::fresh::tests::fresh;
use crate::testing::message;

/// When it is asked: no whole day ends then.
const AT: i64 = NOW + 1;

/// Archives that took events in messages of a size, and D1 that took what is folded: as many messages of each as `folded`
/// says are, and of these D1 lacks the last fold where `late`.
fn taken(events: &[Value], size: usize, folded: usize, late: bool, number: u32) -> Taken {
    let d1 = TestSql::new();
    d1.migrate();
    let shards = (0..number).map(|shard| {
        let sql = TestSql::new();
        let archive = testing::open_shard(&sql, "demo", (shard, number));
        let here = |event: &&Value| shard_of(event, number as usize) == shard as usize;
        let mine: Vec<Value> = events.iter().filter(here).cloned().collect();
        for (n, some) in mine.chunks(size.max(1)).enumerate() {
            let body = message("demo", 0, &[(n + 1, NOW, some)]);
            testing::append(&archive, &body, false).unwrap();
            if n + 1 < folded {
                testing::fold(&archive, &d1);
            } else if n + 1 == folded {
                testing::fold_here(&archive);
                if !late {
                    testing::fold(&archive, &d1);
                }
            }
        }
        drop(archive);
        sql
    });
    let archives = shards.collect();
    Taken { archives, d1 }
}

struct Taken {
    archives: Vec<TestSql>,
    d1: TestSql,
}

/// What sums answer; none where they do not.
fn of_sums(
    Taken { archives, d1 }: &Taken,
    body: &Value,
    zone: Vec<(i64, i64)>,
) -> Option<Vec<Value>> {
    let text = body.to_string();
    let asked = if body["panels"].is_null() {
        Asked::new(Question::parse(text.as_bytes()).unwrap(), Some(zone), AT).unwrap()
    } else {
        let question = Question::parse_panels(text.as_bytes()).unwrap();
        Asked::new(question, Some(zone), AT).unwrap().of_panels()
    };
    let sums = asked.of_sums()?;
    let number = u32::try_from(archives.len()).unwrap();
    let open = |(shard, sql)| testing::open_shard(sql, "demo", (shard, number));
    let archives: Vec<_> = (0..).zip(archives).map(open).collect();
    let mut lacking = Sums::default();
    let rows: Vec<Vec<Row>> = (0..sums.ranges())
        .map(|range| {
            let statement = |_: &Sums| sums.statements("demo").remove(range);
            let rows;
            (lacking, rows) = fresh(&archives, d1, &sums.wants(), &statement, &mut || ());
            rows
        })
        .collect();
    let found = sums.found(&rows, &lacking)?;
    let answers = asked.answers(found, Source::ReadModels).unwrap();
    let value = |answer| serde_json::to_value(answer).unwrap();
    Some(answers.into_iter().map(value).collect())
}

/// What a scan answers, as sums tell it.
fn by_scan(taken: &Taken, body: &Value, zone: Vec<(i64, i64)>) -> Vec<Value> {
    let (_, answers) = answers_at(&taken.archives, body, zone, 0, AT).unwrap();
    let value = |answer| {
        let mut value = serde_json::to_value(answer).unwrap();
        value["meta"]["source"] = json!("read_models");
        value["meta"]["scannedEvents"] = json!(0);
        value
    };
    answers.into_iter().map(value).collect()
}

/// Metrics and dimensions that sums answer.
fn panel() -> impl Strategy<Value = Value> {
    let metrics = || subsequence(vec!["users", "events", "views"], 1..=3).prop_shuffle();
    let units = || select(vec!["time:day", "time:week", "time:month"]);
    let columns = vec![
        "country",
        "source",
        "feature",
        "referrer",
        "utm_source",
        "error",
        "platform",
    ];
    prop_oneof![
        metrics().prop_map(|metrics| json!({"metrics": metrics})),
        (metrics(), units()).prop_map(|(metrics, unit)| {
            json!({"metrics": metrics, "dimensions": [unit]})
        }),
        (units(), any::<bool>()).prop_map(|(unit, is_first)| {
            let dimensions = if is_first { [unit, "eventType"] } else { ["eventType", unit] };
            json!({"metrics": ["views", "events"], "dimensions": dimensions, "orderBy": [["events", "desc"]]})
        }),
        (units(), select(columns.clone())).prop_map(|(unit, column)| {
            json!({"metrics": ["events"], "dimensions": [column, unit], "limit": 7})
        }),
        select(columns).prop_map(|column| json!({"metrics": ["count"], "dimensions": [column]})),
        Just(json!({"metrics": ["events", "views"], "dimensions": ["eventType"], "limit": 3, "cursor": "2"})),
    ]
}

fn range() -> impl Strategy<Value = Value> {
    (15_i64..19, 0_i64..6).prop_map(|(first, days)| {
        json!([
            format!("2024-01-{first}"),
            format!("2024-01-{}", first + days)
        ])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn they_answer_what_a_scan_does(
        panels in prop::collection::vec(panel(), 1..4), range in range(), count in 0_usize..200,
        size in 1_usize..60, folded in 0_usize..12, late in any::<bool>(),
        compare in select(vec![Value::Null, json!("previous_period"), json!("matching_weekdays")]),
        alone in any::<bool>(), archives in 1_u32..4,
    ) {
        let taken = taken(&some_events(count), size, folded, late, archives);
        let mut body = if alone { panels[0].clone() } else { json!({"panels": panels}) };
        body["range"] = range;
        body["compare"] = compare;
        let found = of_sums(&taken, &body, Vec::new());
        prop_assert_eq!(found, Some(by_scan(&taken, &body, Vec::new())), "{}", body);
    }
}

#[test]
fn what_they_do_not_say_is_left_to_a_scan() {
    let taken = taken(&some_events(60), 20, 2, false, 1);
    let is_told = |body: &Value, zone| of_sums(&taken, body, zone).is_some();
    let plain = json!({"metrics": ["users", "events"], "range": all_days()});
    assert!(is_told(&plain, Vec::new()));
    for more in [
        json!({"filters": ["is", "country", "DE"]}),
        json!({"metrics": ["users", "sessions"]}),
        json!({"metrics": ["events", "sum(data.amount)"]}),
        json!({"metrics": ["conversions"], "goal": ["is", "eventType", "custom"]}),
        json!({"metrics": ["users"], "dimensions": ["country"]}),
        json!({"metrics": ["views"], "dimensions": ["country"]}),
        json!({"metrics": ["users"], "dimensions": ["eventType"]}),
        json!({"metrics": ["events"], "dimensions": ["page"]}),
        json!({"metrics": ["events"], "dimensions": ["region"]}),
        json!({"metrics": ["events"], "dimensions": ["country", "source"]}),
        json!({"metrics": ["events"], "dimensions": ["time:hour"]}),
        json!({"metrics": ["events"], "dimensions": ["time:day", "time:month"]}),
        json!({"metrics": ["events"], "dimensions": ["data.amount"]}),
        json!({"metrics": ["events"], "dimensions": ["hour_of_day"]}),
        json!({"range": "24h"}),
    ] {
        let mut body = plain.clone();
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        assert!(!is_told(&body, Vec::new()), "{body}");
    }
    // What is compared up to now is no whole days.
    let compared = json!({"metrics": ["users"], "range": "7d", "compare": "previous_period"});
    assert!(!is_told(&compared, Vec::new()));
    // Days of other clocks are others; those of clocks that are UTC's in the range are not.
    assert!(!is_told(&plain, vec![(0, 3_600_000)]));
    let first = super::DAY * DAY_MS;
    let changes = |at| vec![(0, 0), (at, 3_600_000)];
    assert!(!is_told(&plain, changes(first + 3 * DAY_MS)));
    assert!(is_told(&plain, changes(first + 60 * DAY_MS)));
    let before = vec![(0, 3_600_000), (first - 9 * DAY_MS, 0)];
    assert!(is_told(&plain, before.clone()));
    // A week or month may begin before the range, by other clocks.
    for unit in ["time:week", "time:month"] {
        let body = json!({"metrics": ["users"], "dimensions": [unit], "range": all_days()});
        let found = of_sums(&taken, &body, before.clone());
        assert_eq!(found, Some(by_scan(&taken, &body, before.clone())));
    }
}

#[test]
fn keys_that_stand_under_one_are_left_to_a_scan() {
    let most = usize::try_from(MAX_KEYS_PER_DAY).unwrap();
    let events: Vec<Value> = (0..=most)
        .map(|n| {
            let mut event = some_event(n);
            event["eventType"] = json!(format!("type.{n}"));
            event["country"] = json!("DE");
            event["timestamp"] = json!(super::DAY * DAY_MS);
            event
        })
        .collect();
    let taken = taken(&events, 1_000, 1, false, 1);
    let ask = |metric: &str, dimension: &str| {
        let body = json!({"metrics": [metric], "dimensions": [dimension], "range": all_days()});
        of_sums(&taken, &body, Vec::new())
            .inspect(|found| assert_eq!(*found, by_scan(&taken, &body, Vec::new())))
    };
    assert_eq!(ask("events", "eventType"), None);
    assert_eq!(ask("views", "time:day"), None);
    assert!(ask("events", "time:day").is_some());
    assert!(ask("events", "country").is_some());
}

#[test]
fn joined_ids_are_one_user_in_both() {
    let mut events = some_events(60);
    let mut told = events[0].clone();
    told["eventId"] = json!(crate::testing::uuid(9_999));
    told["eventType"] = json!("identify");
    told["userId"] = json!("u1");
    told["eventData"] = json!({"anonymousId": "u2"});
    events.push(told);
    let body =
        json!({"metrics": ["users", "events"], "dimensions": ["time:day"], "range": all_days()});
    let users = |taken: &Taken| of_sums(taken, &body, Vec::new()).unwrap()[0]["totals"][0].clone();
    let apart = users(&taken(&events[..60], 20, 9, false, 1));
    // Whether the event is folded or not.
    for folded in [0, 3, 4] {
        let taken = taken(&events, 20, folded, false, 1);
        let found = of_sums(&taken, &body, Vec::new());
        assert_eq!(found, Some(by_scan(&taken, &body, Vec::new())));
        assert_eq!(json!(users(&taken).as_i64().unwrap() + 1), apart);
    }
}

#[test]
fn more_keys_than_are_read_are_left_to_a_scan() {
    let taken = taken(&some_events(60), 20, 3, false, 1);
    let body = json!({"metrics": ["events"], "dimensions": ["country"], "range": "12mo"});
    assert!(of_sums(&taken, &body, Vec::new()).is_some());
    let many = "WITH RECURSIVE n AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 20000) \
        INSERT INTO breakdowns (site_id, dim, day, key, events, a, b) \
        SELECT 'demo', 'country', (SELECT max(day) FROM breakdowns) - n / 400, 'key ' || n, 1, 0, 0 FROM n";
    taken.d1.execute_batch(many);
    assert_eq!(of_sums(&taken, &body, Vec::new()), None);
    let elsewhere = json!({"metrics": ["events"], "dimensions": ["source"], "range": "12mo"});
    assert!(of_sums(&taken, &elsewhere, Vec::new()).is_some());
}
