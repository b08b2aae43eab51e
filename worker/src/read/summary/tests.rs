use super::*;
use crate::base::sql::Sql;
use crate::read::brute::{ask, fold_into};
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
        &Sums::default(),
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
        let answer = summary.answer(Vec::new(), &Sums::default(), now);
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
        let answer = summary.answer(rows, &Sums::default(), now);
        prop_assert_eq!(statement.sql.contains("hour_counts"), answer.bucket_minutes >= 60);
        prop_assert_eq!(answer, summary.answer(want, &Sums::default(), now));
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
