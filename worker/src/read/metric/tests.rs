use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::base::sql::Sql;
use crate::base::time::{DAY_MS, date, day_of};
use crate::read::brute::{DAY, ask, event, filled};
use crate::testing::TestSql;

const NOW: i64 = (DAY + 5) * DAY_MS + 1;

fn events(n: usize) -> Vec<Value> {
    (0..n).map(|n| event("demo", n)).collect()
}

fn get<M: Metric>(sql: &TestSql, site: &str, query: &str) -> (Value, String) {
    let metric = M::parse(&Params::parse(query), NOW).unwrap();
    let none = Sums::default();
    let answer = metric.answer(ask(sql, &metric.statement(site, &none)), &none);
    (serde_json::to_value(&answer).unwrap(), M::csv(&answer))
}

fn range(first: i64, last: i64) -> String {
    format!(
        "startDate={}&endDate={}",
        date(DAY + first),
        date(DAY + last)
    )
}

fn day(event: &Value) -> i64 {
    day_of(event["timestamp"].as_i64().unwrap()) - DAY
}

fn user(event: &Value) -> Option<&str> {
    event["userId"].as_str()
}

/// Distinct known users of the days from `first` to `last`.
fn users(events: &[Value], first: i64, last: i64) -> usize {
    let known = events
        .iter()
        .filter(|e| (first..=last).contains(&day(e)))
        .filter_map(user);
    known
        .filter(|id| !id.starts_with("anon-"))
        .collect::<BTreeSet<_>>()
        .len()
}

fn anonymous(events: &[Value], day_: i64) -> usize {
    let ids = events.iter().filter(|e| day(e) == day_).filter_map(user);
    ids.filter(|id| id.starts_with("anon-"))
        .collect::<BTreeSet<_>>()
        .len()
}

fn counts(
    events: &[Value],
    first: i64,
    last: i64,
    event_type: &str,
    key: &str,
) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    let some = events
        .iter()
        .filter(|e| e["eventType"] == event_type && (first..=last).contains(&day(e)));
    for event in some {
        *counts
            .entry(event["eventData"][key].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    counts
}

/// The figures of a range by reading all events.
fn figures(events: &[Value], first: i64, last: i64) -> Value {
    let mut firsts: BTreeMap<&str, (i64, Option<i64>)> = BTreeMap::new();
    let mut sessions: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for event in events {
        let at = event["timestamp"].as_i64().unwrap();
        if let Some(id) = user(event).filter(|id| !id.starts_with("anon-")) {
            let known = firsts.entry(id).or_insert((at, None));
            known.0 = known.0.min(at);
            if event["eventType"] == "iam.user-registered" {
                known.1 = known.1.into_iter().chain([at]).min();
            }
        }
        if let Some(id) = event["sessionId"]
            .as_str()
            .filter(|id| !id.starts_with("anon-"))
        {
            let known = sessions.entry(id).or_insert((at, at));
            *known = (known.0.min(at), known.1.max(at));
        }
    }
    let total = firsts
        .values()
        .filter(|(at, _)| day_of(*at) - DAY <= last)
        .count();
    let signups = firsts
        .values()
        .filter(|(at, reg)| day_of(reg.unwrap_or(*at)) - DAY == last)
        .count();
    let begun: Vec<i64> = sessions
        .values()
        .filter(|(from, _)| (first..=last).contains(&(day_of(*from) - DAY)))
        .map(|(from, to)| to - from)
        .collect();
    let n = i64::try_from(begun.len()).unwrap();
    let mean = if n == 0 {
        0
    } else {
        (begun.iter().sum::<i64>() + n / 2) / n
    };
    let content = counts(events, first, last, "content_create", "contentType");
    let requests = i64::try_from(
        events
            .iter()
            .filter(|e| e["eventType"] == "ai_request" && (first..=last).contains(&day(e)))
            .count(),
    )
    .unwrap();
    let cost: Value = serde_json::from_str(decimal_of_tenths(requests).as_str()).unwrap();
    json!({
        "activeUsers": users(events, first, last), "anonymousUsers": anonymous(events, last),
        "totalUsers": total, "newSignups24h": signups,
        "dailyActiveUsers": users(events, last, last) + anonymous(events, last),
        "weeklyActiveUsers": users(events, last - 6, last),
        "monthlyActiveUsers": users(events, last - 29, last),
        "sessions": n, "averageSessionDuration": mean,
        "featureUsage": counts(events, first, last, "feature_use", "feature"),
        "contentCreated": {"total": content.values().sum::<i64>(), "byType": content},
        "aiUsage": {"totalRequests": requests, "totalTokens": requests * 7, "totalCost": cost},
    })
}

fn decimal_of_tenths(n: i64) -> String {
    if n % 10 == 0 {
        format!("{}", n / 10)
    } else {
        format!("{}.{}", n / 10, n % 10)
    }
}

fn check_platform(sql: &TestSql, events: &[Value], first: i64, last: i64) {
    let (mut answer, csv) = get::<Platform>(sql, "demo", &range(first, last));
    let fields = answer.as_object_mut().unwrap();
    assert!(fields.remove("note").is_some());
    let days = fields.remove("days").unwrap();
    assert_eq!(answer, figures(events, first, last), "{first} {last}");
    let days = days.as_array().unwrap();
    assert_eq!(i64::try_from(days.len()).unwrap(), last - first + 1);
    for (day, n) in days.iter().zip(first..) {
        let mut want = figures(events, n, n);
        want["date"] = date(DAY + n).into();
        assert_eq!(day, &want);
    }
    assert_eq!(csv.lines().count(), days.len() + 1);
    for line in csv.lines() {
        assert_eq!(line.split(',').count(), 15, "{line}");
    }
}

#[test]
fn platform_metrics_equal_a_plain_count() {
    let events = events(300);
    let sql = filled("demo", &events);
    for (first, last) in [(0, 5), (2, 2), (-40, 5), (3, 30), (-3, -1)] {
        check_platform(&sql, &events, first, last);
    }
    let (other, _) = get::<Platform>(&sql, "other", &range(0, 5));
    assert_eq!(
        (&other["totalUsers"], &other["featureUsage"]),
        (&json!(0), &json!({}))
    );
}

#[test]
fn engagement_tells_days_weeks_and_months() {
    let events = events(120);
    let sql = filled("demo", &events);
    let (answer, csv) = get::<Engagement>(&sql, "demo", &range(0, 5));
    let days = answer["days"].as_array().unwrap();
    for (n, got) in days.iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        let (known, month) = (users(&events, n, n), users(&events, n - 29, n));
        assert_eq!(got["dau"], known + anonymous(&events, n));
        assert_eq!(got["anonymous"], anonymous(&events, n));
        assert_eq!(got["wau"], users(&events, n - 6, n));
        assert_eq!(got["mau"], month);
        let want = (known as f64 / month as f64 * 10_000.0).round() / 10_000.0;
        assert_eq!(got["stickiness"], want);
    }
    assert_eq!(answer["dau"], days[5]["dau"]);
    assert!(csv.starts_with("date,dau,anonymous,wau,mau,stickiness\r\n2024-01-15,"));
    let (nothing, _) = get::<Engagement>(&sql, "other", &range(0, 0));
    assert_eq!(nothing["stickiness"], 0.0);
}

#[test]
fn features_and_breakdowns_tell_events_users_and_shares() {
    let events = events(300);
    let sql = filled("demo", &events);
    let of = |key: &str, first: i64, last: i64| -> Vec<&Value> {
        let found = events.iter().filter(|e| e["eventData"]["feature"] == key);
        found.filter(|e| (first..=last).contains(&day(e))).collect()
    };
    for (first, last) in [(0, 5), (1, 3), (4, 4)] {
        let (answer, csv) = get::<Features>(&sql, "demo", &range(first, last));
        let rows = answer["features"].as_array().unwrap();
        let want = counts(&events, first, last, "feature_use", "feature");
        assert_eq!(rows.len(), want.len());
        assert_eq!(csv.lines().count(), want.len() + 1);
        let breakdown =
            get::<Breakdown>(&sql, "demo", &format!("by=feature&{}", range(first, last))).0;
        assert_eq!(breakdown["total"], want.values().sum::<i64>());
        for (row, share) in rows.iter().zip(breakdown["rows"].as_array().unwrap()) {
            let key = row["feature"].as_str().unwrap();
            let events: Vec<Value> = of(key, first, last).into_iter().cloned().collect();
            assert_eq!(row["uses"], want[key]);
            assert_eq!(row["users"], users(&events, first, last));
            assert_eq!(
                row["averageDuration"],
                10 + key[1..].parse::<i64>().unwrap()
            );
            assert_eq!(
                (&share["key"], &share["events"], &share["users"]),
                (&row["feature"], &row["uses"], &row["users"])
            );
        }
    }
}

#[test]
fn a_breakdown_is_paged_without_gaps_or_repeats() {
    let events = events(200);
    let sql = filled("demo", &events);
    let (whole, csv) = get::<Breakdown>(&sql, "demo", &format!("by=referrer&{}", range(0, 5)));
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = format!("by=referrer&limit=1&{}{cursor}", range(0, 5));
        let (page, _) = get::<Breakdown>(&sql, "demo", &query);
        assert_eq!(page["total"], whole["total"]);
        paged.extend(page["rows"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged.len(), 3);
    assert_eq!(&paged, whole["rows"].as_array().unwrap());
    assert!(csv.starts_with("key,events,users,share\r\nr"));
}

#[test]
fn products_count_domain_events_by_hour_type_and_status() {
    let events = events(200);
    let sql = filled("demo", &events);
    let (answer, csv) = get::<Products>(&sql, "demo", &range(1, 4));
    let some: Vec<&Value> = events
        .iter()
        .filter(|e| (1..=4).contains(&day(e)) && e["eventType"].as_str().unwrap().contains('.'))
        .collect();
    assert_eq!(answer["total"], some.len());
    let placed = some
        .iter()
        .filter(|e| e["eventType"] == "order.placed")
        .count();
    assert_eq!(answer["totals"]["order.placed"], placed);
    let shipped = some
        .iter()
        .filter(|e| e["eventData"]["status"] == "s1")
        .count();
    assert_eq!(answer["byStatus"]["order.placed"]["s1"], shipped);
    for hour in answer["hours"].as_array().unwrap() {
        let from = hour["hour"].as_i64().unwrap();
        let n = some
            .iter()
            .filter(|e| (from..from + 3_600_000).contains(&e["timestamp"].as_i64().unwrap()))
            .count();
        let counts = hour["counts"].as_object().unwrap().values();
        assert_eq!(
            counts.map(|n| n.as_i64().unwrap()).sum::<i64>(),
            i64::try_from(n).unwrap()
        );
    }
    assert!(csv.lines().count() > answer["hours"].as_array().unwrap().len());
}

#[test]
fn bad_parameters_are_named() {
    fn name<M: Metric>(query: &str) -> &'static str {
        match M::parse(&Params::parse(query), NOW).map(|_| ()) {
            Err(Fault::InvalidParameter { name, .. }) => name,
            other => panic!("{query}: {other:?}"),
        }
    }
    assert_eq!(name::<Platform>("startDate=x"), "startDate");
    assert_eq!(name::<Engagement>("endDate=2024-02-31"), "endDate");
    assert_eq!(
        name::<Products>("startDate=2024-01-01&endDate=2024-02-01"),
        "startDate"
    );
    for query in ["", "by=", "by=user", "by=type", "by=page'--"] {
        assert_eq!(name::<Breakdown>(query), "by");
    }
    assert_eq!(name::<Breakdown>("by=page&limit=501"), "limit");
    for cursor in ["x", "1", "-1.a", "9007199254740993.a"] {
        assert_eq!(
            name::<Breakdown>(&format!("by=page&cursor={cursor}")),
            "cursor"
        );
    }
    assert!(Products::parse(&Params::parse(""), NOW).is_ok());
    assert!(Format::parse(&Params::parse("format=xml")).is_err());
    assert_eq!(Format::parse(&Params::parse("format=csv")), Ok(Format::Csv));
}

#[test]
fn what_the_caller_has_is_not_sent_again() {
    let new =
        |finished, known: Option<&str>| Cached::new("{}".into(), Format::Json, finished, known);
    let first = new(true, None);
    assert_eq!(first.cache_control, "private, max-age=300");
    assert_eq!(new(false, None).cache_control, "private, no-cache");
    for known in [
        first.etag.clone(),
        format!("\"x\", W/{}", first.etag),
        "*".into(),
    ] {
        assert_eq!(new(true, Some(&known)).body, None);
    }
    assert!(new(true, Some("\"x\"")).body.is_some());
    let csv = Cached::new("{} ".into(), Format::Csv, true, None);
    assert_ne!(csv.etag, first.etag);
    assert_eq!(csv.clone().with_rows_read(None).server_timing, None);
    let timing = csv.with_rows_read(Some(7)).server_timing;
    assert_eq!(timing.as_deref(), Some("d1;desc=\"rows_read=7\""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn ranges_add_up_and_equal_a_plain_count(
        ids in prop::collection::btree_set(0_usize..400, 1..120), first in 0_i64..6, len in 0_i64..6,
    ) {
        let events: Vec<Value> = ids.iter().map(|n| event("demo", *n)).collect();
        let sql = filled("demo", &events);
        let last = (first + len).min(5);
        check_platform(&sql, &events, first, last);
        let (whole, _) = get::<Platform>(&sql, "demo", &range(first, last));
        let days = whole["days"].as_array().unwrap();
        let sum = |path: &str| days.iter().map(|day| day.pointer(path).unwrap().as_i64().unwrap()).sum::<i64>();
        for path in ["/sessions", "/contentCreated/total", "/aiUsage/totalRequests", "/aiUsage/totalTokens"] {
            prop_assert_eq!(whole.pointer(path).unwrap(), sum(path));
        }
    }
}

#[test]
fn a_breakdown_reads_d1_by_its_keys_and_adds_what_it_lacks() {
    let sql = filled("demo", &events(10));
    let metric = Breakdown::parse(&Params::parse("by=page"), NOW).unwrap();
    let statement = metric.statement("demo", &Sums::default());
    let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let plan: Vec<Value> = sql.rows(&plan, &statement.params).unwrap();
    for step in [
        "SEARCH breakdowns USING PRIMARY KEY (site_id=? AND dim=? AND day>? AND day<?)",
        "SEARCH g USING PRIMARY KEY (site_id=? AND dim=? AND day=? AND key=?)",
        "SCAN json_each VIRTUAL TABLE INDEX 1:",
    ] {
        assert!(plan.iter().any(|row| row["detail"] == step), "{plan:?}");
    }
}
