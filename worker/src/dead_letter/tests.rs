use serde_json::{Value, json};

use super::*;
use crate::base::sql::Sql;
use crate::http::params::Params;
use crate::lake::RefusedObject;
use crate::sinks::SinkKind;
use crate::testing::{EPOCH, NOW, TestSql, message, row_name};

/// A message of two rows, whose lines are no stored events.
fn odd() -> Vec<u8> {
    let (one, two) = ([json!({"odd": 1})], [json!(1), json!("x\ny")]);
    message("demo", 2, &[(1, 5, &one), (2, 6, &two)])
}

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

fn run<T: serde::de::DeserializeOwned>(sql: &TestSql, statement: &Statement) -> Vec<T> {
    sql.rows(statement.sql, &statement.params).unwrap()
}

fn part(site: &str, id: &str) -> DeadPart {
    DeadPart {
        site: site.into(),
        shard: 0,
        row: None,
        id: id.into(),
        at: NOW,
        events: 3,
        message: Vec::new(),
    }
}

fn bury(sql: &TestSql, site: &str, id: &str, reason: Reason, at: i64) {
    let statement = part(site, id).statement(reason, "words", at);
    run::<serde::de::IgnoredAny>(sql, &statement);
}

#[test]
fn parts_are_told_apart_however_odd_their_events_are() {
    let body = odd();
    let parts = DeadPart::of(&Message::parse(&body).unwrap());
    assert_eq!((&parts[0].id, parts[1].events), (&row_name(1), 2));
    for (n, part) in parts.iter().enumerate() {
        let alone = Message::parse(&part.message).unwrap();
        assert_eq!(DeadPart::of(&alone), std::slice::from_ref(part));
        assert_eq!((alone.site.as_str(), alone.shard), ("demo", 2));
        let told = part.confirmation().unwrap();
        let seq = i64::try_from(n).unwrap() + 1;
        assert_eq!(
            (told.epoch.as_str(), told.ranges),
            (EPOCH, vec![(seq, seq)])
        );
    }
    assert_eq!(DeadPart::unknown(b"text", NOW).confirmation(), None);
}

#[test]
fn a_replay_is_the_message_and_says_so() {
    let kept = odd();
    for how in [Replay::Plain, Replay::Forced] {
        let replay = replay_message(&kept, how).unwrap();
        let mut read = Message::parse(&replay).unwrap();
        assert_eq!(read.replay.take(), Some(how));
        assert_eq!(read, Message::parse(&kept).unwrap());
        // What fails again is kept as the replay that it is.
        let parts = DeadPart::of(&Message::parse(&replay).unwrap());
        assert_eq!(Message::parse(&parts[0].message).unwrap().replay, Some(how));
    }
    assert_eq!(replay_message(b"garbage", Replay::Plain), None);
}

#[test]
fn a_path_is_made_of_plain_names_only() {
    assert_eq!(
        part("demo", "0198-ab").object_key(),
        "dead-letters/demo/0198-ab.ndjson"
    );
    let odd = part("../events", "a/b").object_key();
    assert!(
        !odd.contains("..") && odd.matches('/').count() == 2,
        "{odd}"
    );
    assert_ne!(odd, part("../events", "a/c").object_key());
    let unknown = DeadPart::unknown(b"text", NOW);
    assert!(unknown.object_key().starts_with("dead-letters/_shoreline/"));
}

#[test]
fn a_part_is_listed_once_with_its_first_and_last_time() {
    let sql = database();
    bury(&sql, "demo", "p1", Reason::NotStored, NOW);
    bury(&sql, "demo", "p1", Reason::Unreadable, NOW + 5);
    bury(&sql, "other", "p1", Reason::TooOld, NOW + 6);
    let list = |query: &str| -> Value {
        let query = ListQuery::parse(&Params::parse(query)).unwrap();
        serde_json::from_str(&query.answer(run(&sql, &query.statement()))).unwrap()
    };
    let all = list("");
    assert_eq!(all["deadLetters"].as_array().unwrap().len(), 2);
    let first = &all["deadLetters"][0];
    assert_eq!(
        *first,
        json!({
            "siteId": "demo", "partId": "p1", "code": "unreadable", "detail": "words",
            "receivedAt": NOW, "events": 3, "firstAt": NOW, "lastAt": NOW + 5, "tries": 2,
            "objectKey": "dead-letters/demo/p1.ndjson",
        })
    );
    assert_eq!(list("siteId=other")["deadLetters"][0]["code"], "too_old");
    assert_eq!(list("code=not_stored")["deadLetters"], json!([]));
}

#[test]
fn pages_are_walked_by_cursor() {
    let sql = database();
    for n in 0..5 {
        bury(&sql, "demo", &format!("p{n}"), Reason::NotStored, NOW);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = ListQuery::parse(&Params::parse(&format!("limit=2{cursor}"))).unwrap();
        let page: Value =
            serde_json::from_str(&query.answer(run(&sql, &query.statement()))).unwrap();
        for row in page["deadLetters"].as_array().unwrap() {
            seen.push(row["partId"].as_str().unwrap().to_owned());
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4"]);
    for bad in [
        "cursor=x",
        "cursor=1/a",
        "cursor=-1/a/b",
        "cursor=9223372036854775807/a/b",
        "limit=0",
        "limit=501",
        "code=other",
    ] {
        assert!(ListQuery::parse(&Params::parse(bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_replay_selects_and_what_it_stored_is_forgotten() {
    let sql = database();
    bury(&sql, "a", "p1", Reason::NotStored, NOW);
    bury(&sql, "a", "p2", Reason::Unreadable, NOW + 1);
    bury(&sql, "b", "p3", Reason::TooOld, NOW + 2);
    // What nobody knows has no events; Shoreline's own parts have.
    let unknown = DeadPart::unknown(b"text", NOW + 3);
    run::<serde::de::IgnoredAny>(
        &sql,
        &unknown.statement(Reason::Unreadable, "words", NOW + 3),
    );
    bury(&sql, OWN_SITE, "p4", Reason::TooOld, NOW + 4);
    let select = |body: &str| -> Vec<String> {
        let statement = Selection::parse(body.as_bytes()).unwrap().statement();
        let kept: Vec<Chosen> = run(&sql, &statement);
        kept.into_iter().map(|kept| kept.key).collect()
    };
    let key = |site: &str, id: &str| format!("dead-letters/{site}/{id}.ndjson");
    assert_eq!(select(r#"{"all":true}"#), [key("a", "p1"), key("a", "p2")]);
    assert_eq!(select(r#"{"all":true,"force":true}"#).len(), 4);
    assert_eq!(select(r#"{"code":"unreadable"}"#), [key("a", "p2")]);
    assert_eq!(select(r#"{"partIds":["p1","p9"]}"#), [key("a", "p1")]);
    assert_eq!(select(r#"{"siteId":"b","force":true}"#), [key("b", "p3")]);
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"all":false}"#,
        r#"{"all":true,"code":"too_old"}"#,
        r#"{"code":"odd"}"#,
        r#"{"al":true}"#,
        r#"{"force":true}"#,
    ] {
        assert!(Selection::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    // What was tried goes behind what was not.
    run::<serde::de::IgnoredAny>(&sql, &touch(&[&key("a", "p1")], NOW + 9));
    assert_eq!(select(r#"{"all":true}"#), [key("a", "p2"), key("a", "p1")]);
    let ids = ["p1".to_owned(), "p3".to_owned()];
    let found: Vec<Kept> = run(&sql, &find("a", &ids));
    assert_eq!(found.len(), 1);
    run::<serde::de::IgnoredAny>(&sql, &forget("a", &ids));
    assert_eq!(select(r#"{"all":true}"#), [key("a", "p2")]);
}

#[test]
fn what_a_sink_refuses_is_listed_replayed_and_forgotten_unless_it_is_refused_again() {
    let sql = database();
    let object = RefusedObject {
        sequence: 7,
        sink: SinkKind::S3,
        key: "events/date=2024-01-15/hour=16/demo-3-epoch-0000000007.ndjson.gz".into(),
        events: 5,
        code: "AccessDenied".into(),
        hour_ms: NOW - NOW % 3_600_000,
    };
    let list = |at| {
        run::<serde::de::IgnoredAny>(&sql, &list_refused("demo", 3, &object, at));
    };
    let chosen = || -> Vec<Chosen> {
        let all = Selection::parse(br#"{"code":"sink_refused"}"#).unwrap();
        run(&sql, &all.statement())
    };
    list(NOW);
    bury(&sql, "demo", "s3:part", Reason::NotStored, NOW);
    let first = chosen();
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].shard, &first[0].site_id), (3, &"demo".to_owned()));
    let retry = first[0].retry().unwrap();
    assert_eq!((retry.sink, &retry.key), (SinkKind::S3, &object.key));
    // A part is none, whatever it is named.
    let by_site = Selection::parse(br#"{"siteId":"demo","code":"not_stored"}"#).unwrap();
    let parts: Vec<Chosen> = run(&sql, &by_site.statement());
    assert_eq!((parts.len(), parts[0].retry()), (1, None));

    // Refused again before the replay has taken it off the list: it stays on it.
    list(NOW + 1);
    run::<serde::de::IgnoredAny>(&sql, &forget_refused(&first[0], NOW));
    assert_eq!(chosen(), first);
    assert_eq!(sql.number("SELECT max(tries) FROM dead_letters"), 1);
    run::<serde::de::IgnoredAny>(&sql, &forget_refused(&first[0], NOW + 1));
    assert_eq!(chosen(), []);
    assert_eq!(sql.number("SELECT count(*) FROM dead_letters"), 1);
}

#[test]
fn only_what_is_wrong_with_the_content_is_of_the_content() {
    for error in [
        "D1_ERROR: poison: SQLITE_CONSTRAINT",
        "string or blob too big: SQLITE_TOOBIG",
        "malformed JSON",
    ] {
        assert!(is_of_content(error), "{error}");
    }
    for error in [
        "D1_ERROR: database is locked: SQLITE_BUSY",
        "Network connection lost.",
        "D1 DB is overloaded. Too many requests queued.",
        "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
        "Internal error.",
    ] {
        assert!(!is_of_content(error), "{error}");
    }
}
