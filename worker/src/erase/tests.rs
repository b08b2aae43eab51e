use serde_json::json;

use super::*;
use crate::consume::{Batch, Handover, Message, store};
use crate::privacy::{DAY_MS, day_of};
use crate::recompute;
use crate::rollup::brute::{DAY, KEY, ask, count, event, filled, read};
use crate::sql::Sql;
use crate::testing::{TestSql, block_on, message, row_name, uuid};

const NOW: i64 = (DAY + 20) * DAY_MS;
const SECRET: &str = "00112233445566778899aabbccddeeff";

fn alias(sql: &TestSql, random: &str) -> Alias {
    let hash = user_hash(KEY, "demo", "u1");
    ask(sql, &suppress("demo", &hash, NOW, random))
        .pop()
        .unwrap()
}

fn erase(sql: &TestSql, alias: &Alias) -> i64 {
    let mut erased = 0;
    loop {
        let found: Vec<Found> = ask(sql, &find("demo", "u1", alias));
        if found.is_empty() {
            return erased;
        }
        erased += i64::try_from(found.len()).unwrap();
        sql.batch::<Value>(&forget("demo", &found, alias)).unwrap();
    }
}

fn bodies(sql: &TestSql) -> Vec<Value> {
    #[derive(Deserialize)]
    struct Row {
        body: String,
    }
    let rows: Vec<Row> = sql
        .rows("SELECT body FROM events ORDER BY event_id", &[])
        .unwrap();
    rows.iter()
        .map(|row| serde_json::from_str(&row.body).unwrap())
        .collect()
}

#[test]
fn an_erased_user_is_nowhere_and_no_count_changes() {
    let events: Vec<Value> = (0..600).map(|n| event("demo", n)).collect();
    let sql = filled("demo", &events);
    sql.execute_batch("INSERT INTO sites (site_id, name, origins, hash_routing, created_at) VALUES ('demo', 'Demo', '[]', 0, 0)");
    let mine: Vec<&Value> = events.iter().filter(|e| e["userId"] == "u1").collect();
    let secret = alias(&sql, SECRET);
    assert_eq!(erase(&sql, &secret), i64::try_from(mine.len()).unwrap());
    let after = bodies(&sql);
    let (mut users, mut sessions) = (
        std::collections::BTreeSet::new(),
        std::collections::BTreeMap::new(),
    );
    for (was, is) in events.iter().zip(&after) {
        if was["userId"] != "u1" {
            assert_eq!(was, is);
            continue;
        }
        assert_eq!(
            (&is["eventData"], &is["metadata"]),
            (&json!({}), &json!({}))
        );
        assert_eq!(
            (&was["eventId"], &was["timestamp"]),
            (&is["eventId"], &is["timestamp"])
        );
        users.insert(is["userId"].as_str().unwrap().to_owned());
        // Sessions stay as many as they were.
        let session = sessions
            .entry(was["sessionId"].to_string())
            .or_insert(&is["sessionId"]);
        assert_eq!(*session, &is["sessionId"]);
    }
    assert_eq!(users.len(), 1);
    assert!(users.first().unwrap().starts_with("erased-"));
    let facts = "SELECT count(*) FROM events WHERE facts->>4 = ";
    assert_eq!(
        sql.number(&format!("{facts}'{}'", user_hash(KEY, "demo", "u1"))),
        0
    );
    assert_eq!(
        sql.number(&format!("{facts}'{}'", users.first().unwrap())),
        i64::try_from(mine.len()).unwrap()
    );
    assert_eq!(read(&sql, "demo"), count("demo", &events));
    // The recount leaves days alone whose events tell less than was counted.
    let now = (DAY + 5) * DAY_MS;
    let sites: Vec<recompute::SiteDay> = ask(&sql, &recompute::sites(now));
    assert_eq!(sites.len(), 2);
    for step in recompute::steps(&sites, "") {
        assert_eq!(
            sql.batch::<recompute::Repair>(&step.statements(now))
                .unwrap(),
            []
        );
    }
    assert_eq!(read(&sql, "demo"), count("demo", &events));
}

#[test]
fn erasing_again_changes_nothing_and_a_failure_leaves_a_step_whole() {
    let events: Vec<Value> = (0..300).map(|n| event("demo", n)).collect();
    let sql = filled("demo", &events);
    let secret = alias(&sql, SECRET);
    let found: Vec<Found> = ask(&sql, &find("demo", "u1", &secret));
    let before = bodies(&sql);
    for nth in 1..=2 {
        sql.fail_in(nth);
        assert!(
            sql.batch::<Value>(&forget("demo", &found, &secret))
                .is_err()
        );
        assert_eq!(bodies(&sql), before);
        assert_eq!(sql.number("SELECT count(*) FROM erased_days"), 0);
    }
    erase(&sql, &secret);
    let erased = bodies(&sql);
    // Another erasure, with other random bytes, keeps the ids of the first.
    assert_eq!(alias(&sql, "ffff"), secret);
    assert_eq!(erase(&sql, &secret), 0);
    assert_eq!(bodies(&sql), erased);
    assert_eq!(sql.number("SELECT count(*) FROM erasures"), 1);
}

#[test]
fn what_comes_late_is_named_to_the_consumer() {
    let sql = TestSql::new();
    sql.migrate();
    let secret = alias(&sql, SECRET);
    let late = |n: usize, user: &str, received: i64| {
        let mut event = event("demo", n);
        event["userId"] = user.into();
        event["receivedAt"] = received.into();
        event
    };
    let events = [
        late(1, "u1", NOW),
        late(2, "u2", NOW),
        late(3, "u1", NOW + 1),
        late(4, "u1", NOW - 9),
    ];
    let text = message("demo", 0, &[(99, 0, &events)]);
    let message = Message::parse(&text).unwrap();
    let batch = Batch::of("demo", &[&message], KEY);
    let findings = block_on(store(&sql, &batch)).unwrap();
    for n in 1..=4 {
        let alias = findings.alias(&row_name(99), &uuid(n));
        assert_eq!(alias, [1, 4].contains(&n).then_some(&secret), "{n}");
    }
    assert_eq!(
        batch.erasures(&findings),
        [("u1".to_owned(), secret.clone())]
    );
    // However often it comes.
    assert_eq!(block_on(store(&sql, &batch)).unwrap(), findings);
    // The lake gets them nameless, and they are nobody's duplicates.
    let handover = Handover::of(&[&message], &findings);
    assert!(handover.confirmations[0].duplicates.is_empty());
    let append: Value = serde_json::from_str(&handover.append).unwrap();
    let landed = append["parts"][0]["events"].as_array().unwrap();
    assert_eq!(landed.len(), 4);
    for (n, event) in events.iter().enumerate() {
        let want = if n % 3 == 0 {
            nameless_text("demo", &event.to_string(), &secret)
        } else {
            event.to_string()
        };
        assert_eq!(landed[n], serde_json::from_str::<Value>(&want).unwrap());
    }
    // As they are in D1 after the same erasure.
    assert_eq!(erase(&sql, &secret), 2);
    assert_eq!(bodies(&sql)[0], landed[0]);
    // What came after the erasure is a user's who came back.
    assert_eq!(bodies(&sql)[2]["userId"], "u1");
}

#[test]
fn a_profile_tells_what_is_kept() {
    let events: Vec<Value> = (0..300).map(|n| event("demo", n)).collect();
    let sql = filled("demo", &events);
    let hash = user_hash(KEY, "demo", "u1");
    let get = |hash: &str| Profile::of(ask(&sql, &profile("demo", hash)));
    let at = |e: &Value| e["timestamp"].as_i64().unwrap();
    let mine: Vec<&Value> = events.iter().filter(|e| e["userId"] == "u1").collect();
    let days: std::collections::BTreeSet<i64> = mine.iter().map(|e| day_of(at(e))).collect();
    let got = get(&hash);
    assert_eq!(got.first_seen_at, mine.iter().map(|e| at(e)).min());
    let registered = mine
        .iter()
        .filter(|e| e["eventType"] == "iam.user-registered");
    assert_eq!(got.registered_at, registered.map(|e| at(e)).min());
    assert_eq!(
        got.active_days,
        days.into_iter().map(date).collect::<Vec<_>>()
    );
    assert_eq!((got.erased_at, get("nobody")), (None, Profile::default()));
    alias(&sql, SECRET);
    assert_eq!(get(&hash).erased_at, Some(NOW));
}
