//! The queries of `docs/LAKE.md`, on a lake that the real code made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::docs::queries;
use super::made::{DAY, HOUR, LEAVER, SITES, START, events, land};
use super::python;
use super::template;

/// A folder with a lake in `lake/`, and its events.
pub(crate) fn lake() -> (tempfile::TempDir, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let events = events();
    let keys = land(&folder.path().join("lake"), &events);
    // Twelve hours of each site; one hour is several objects.
    assert!(keys.len() > SITES.len() * 12, "{}", keys.len());
    (folder, events)
}

/// The rows of every query of `engine`, each row by its columns' names.
pub(crate) fn answers(
    engine: &str,
    folder: &Path,
    views: &[String],
) -> BTreeMap<String, Vec<Value>> {
    let mut queries = queries(engine);
    queries.remove("open");
    let task = json!({"open": super::docs::queries("duckdb")["open"], "dialect": engine, "views": views, "queries": queries});
    let answers = python::run("queries.py", folder, &task);
    let table = |answer: &Value| {
        let columns = answer["columns"].as_array().unwrap();
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|row| {
            let cells = columns.iter().zip(row.as_array().unwrap());
            let row: Map<String, Value> = cells
                .map(|(name, value)| (name.as_str().unwrap().to_owned(), value.clone()))
                .collect();
            Value::Object(row)
        })
        .collect()
    };
    answers
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, answer)| (name.clone(), table(answer)))
        .collect()
}

fn day_of(event: &Value) -> String {
    format!(
        "2026-03-0{}",
        (event["receivedAt"].as_i64().unwrap() - START) / DAY + 1
    )
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap().to_owned()
}

/// The events by `key`, in its order.
fn grouped<K: Ord>(
    events: &[Value],
    key: impl Fn(&Value) -> Option<K>,
) -> BTreeMap<K, Vec<&Value>> {
    let mut groups: BTreeMap<K, Vec<&Value>> = BTreeMap::new();
    for event in events {
        if let Some(key) = key(event) {
            groups.entry(key).or_default().push(event);
        }
    }
    groups
}

fn distinct(events: &[&Value], field: &str) -> usize {
    let values: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event[field].as_str())
        .collect();
    values.len()
}

#[test]
fn duckdb_counts_what_was_received() {
    let (folder, events) = lake();
    let answers = answers("duckdb", folder.path(), &[]);

    assert_eq!(
        answers["total"],
        [json!({"events": events.len(), "ids": events.len()})]
    );
    assert_eq!(answers["once"].len(), events.len());

    let late = |site| json!({"siteid": site, "late": 18, "latestms": 2 * DAY + HOUR});
    assert_eq!(answers["late"], SITES.map(late));

    let per_day = grouped(&events, |e| {
        Some((day_of(e), text(e, "siteId"), text(e, "eventType")))
    });
    let per_day: Vec<Value> = per_day
        .into_iter()
        .map(|((day, site, event_type), of)| json!({"date": day, "siteid": site, "eventtype": event_type, "events": of.len()}))
        .collect();
    assert_eq!(per_day.len(), 3 * 2 * 3);
    assert_eq!(answers["per-day"], per_day);

    let actives = grouped(&events, |e| Some((day_of(e), text(e, "siteId"))));
    let actives: Vec<Value> = actives
        .into_iter()
        .map(|((day, site), of)| {
            json!({"date": day, "siteid": site, "activeusers": distinct(&of, "userId"),
                "sessions": distinct(&of, "sessionId"), "events": of.len()})
        })
        .collect();
    assert_eq!(answers["daily-actives"], actives);

    let features = grouped(&events, |e| {
        let feature = e["eventData"]["feature"].as_str()?.to_owned();
        Some((day_of(e), text(e, "siteId"), feature))
    });
    let features: Vec<Value> = features
        .into_iter()
        .map(|((day, site, feature), of)| {
            let durations: Vec<f64> = of
                .iter()
                .filter_map(|e| e["eventData"]["duration"].as_f64())
                .collect();
            #[allow(clippy::cast_precision_loss, reason = "a few dozen")]
            let average = (!durations.is_empty())
                .then(|| durations.iter().sum::<f64>() / durations.len() as f64);
            json!({"date": day, "siteid": site, "feature": feature, "uses": of.len(),
                "users": distinct(&of, "userId"), "averageduration": average})
        })
        .collect();
    assert_eq!(features.len(), 3 * 2 * 2);
    assert_eq!(answers["features"], features);

    let sessions = grouped(&events, |e| {
        Some((text(e, "siteId"), e["sessionId"].as_str()?.to_owned()))
    });
    let sessions: Vec<Value> = sessions
        .into_iter()
        .map(|((site, session), of)| {
            let times = || of.iter().map(|e| e["timestamp"].as_i64().unwrap());
            json!({"siteid": site, "sessionid": session, "date": day_of(of[0]),
                "duration": times().max().unwrap() - times().min().unwrap(), "events": of.len(),
                "pageviews": of.iter().filter(|e| e["eventType"] == "page_view").count()})
        })
        .collect();
    assert!(
        sessions
            .iter()
            .any(|session| session["events"].as_u64() > Some(1))
    );
    assert_eq!(answers["sessions"], sessions);
}

/// Athena's SQL, and that of its views in the template, and Spark's: read in their own dialects,
/// translated, and run on the same lake.
#[test]
fn the_other_engines_queries_say_the_same() {
    let (folder, _) = lake();
    let duckdb = answers("duckdb", folder.path(), &[]);
    for (engine, views) in [
        ("athena", template::views(folder.path())),
        ("spark", Vec::new()),
    ] {
        let answers = answers(engine, folder.path(), &views);
        for name in ["total", "per-day", "daily-actives", "features", "sessions"] {
            assert_eq!(answers[name], duckdb[name], "{engine} {name}");
        }
        assert_eq!(answers["once"].len(), duckdb["once"].len());
    }
}

/// The leaver of the tests of erasure is there, on both sites.
#[test]
fn the_lake_has_a_user_to_erase() {
    for site in SITES {
        assert!(
            events()
                .iter()
                .any(|e| e["siteId"] == site && e["userId"] == LEAVER)
        );
    }
}
