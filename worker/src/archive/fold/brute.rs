//! What D1 must hold, counted in the plainest way over all events.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::archive::{Column, Event, Who};
use crate::base::sql::Sql;
use crate::base::time::{DAY_MS, HOUR_MS, MINUTE_MS, date, day_of};
use crate::testing::TestSql;

pub(crate) const SITE: &str = "demo";

/// The first day of the tests' events.
pub(crate) const DAY: i64 = 19_737;

/// Days after the first on which things happen: neighbors, a month, and both sides of a year.
const DAYS: [i64; 10] = [0, 1, 2, 3, 5, 30, 365, 366, 368, 900];

/// The first 64 bits of the hash of a number.
pub(crate) fn hash(n: usize) -> u64 {
    let hex = crate::base::hash::sha256_hex(format!("u{n}").as_bytes());
    u64::from_str_radix(&hex[..16], 16).unwrap()
}

/// Event `n`, always the same one: of eight types, eleven users, day-scoped ids, an erased one or nobody,
/// four sessions of each, ten days.
pub(crate) fn event(n: usize) -> Event<'static> {
    let hex = crate::base::hash::sha256_hex(n.to_string().as_bytes());
    let pick = |at: usize, of: usize| usize::from_str_radix(&hex[at..at + 4], 16).unwrap() % of;
    let day = DAY + DAYS[pick(0, 10)];
    let at = day * DAY_MS + i64::try_from(pick(4, 24)).unwrap() * HOUR_MS + 7;
    let (who, user) = match pick(8, 16) {
        0 => (Who::Nobody, 0),
        1 => (Who::Erased, hash(100)),
        2 | 3 => (Who::Anonymous, hash(200 + pick(12, 4))),
        user => (Who::Known, hash(user)),
    };
    let mut texts = [const { None }; Column::COUNT];
    let mut put = |column: Column, text: String| texts[column as usize] = Some(Cow::Owned(text));
    let key = pick(16, 3);
    let (mut a, mut b) = (0, 0);
    let event_type = match pick(20, 8) {
        0..=2 => {
            put(Column::Page, format!("/{key}"));
            put(Column::Referrer, format!("r{}.example", pick(24, 2)));
            "page_view"
        }
        3 => {
            put(Column::Feature, format!("f{key}"));
            (a, b) = (10, 1);
            "feature_use"
        }
        4 => {
            put(Column::Model, "m".into());
            (a, b) = (7, 100_000);
            "ai_request"
        }
        5 => {
            put(Column::Error, "oops \"\u{1f600}\" \\".into());
            "error"
        }
        6 => {
            put(Column::Status, format!("s{key}"));
            "order.placed"
        }
        _ => "iam.user-registered",
    };
    put(Column::Type, event_type.into());
    if who != Who::Erased {
        put(Column::Source, ["tracker", "server"][pick(28, 2)].into());
        put(Column::Platform, "web".into());
    }
    let session = pick(32, 5);
    Event {
        id: n as u128,
        at,
        received: DAY * DAY_MS
            + 1_000 * DAY_MS
            + i64::try_from(pick(36, 90)).unwrap() * MINUTE_MS
            + 3,
        who,
        user,
        // A session is one user's: those of several shards would not add up else.
        session: (session < 4).then(|| user ^ hash(300 + session)),
        texts,
        a,
        b,
        value: None,
    }
}

type Rows<K, V> = BTreeMap<K, V>;
type Key = (String, i64, String);

/// D1's sums of a site, but those of 0.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Models {
    pub(crate) minutes: Rows<(i64, String, String), i64>,
    pub(crate) hours: Rows<(i64, String, String), i64>,
    pub(crate) days: Rows<(String, String), i64>,
    pub(crate) domain_hours: Rows<(i64, String, String), i64>,
    pub(crate) breakdowns: Rows<Key, (i64, i64, i64)>,
    pub(crate) gaps: Rows<(Key, i64), i64>,
    pub(crate) user_days: Rows<i64, (i64, i64)>,
    pub(crate) session_days: Rows<i64, (i64, i64)>,
}

/// Who had what when: dimension, key, user, day.
pub(crate) fn members(events: &[Event<'_>]) -> BTreeSet<(String, String, u64, i64)> {
    let mut members = BTreeSet::new();
    for event in events {
        for (dim, key) in dims(event) {
            let counted = match event.who {
                Who::Known => !["type", "content", "model"].contains(&dim),
                Who::Anonymous => dim == "anon",
                _ => false,
            };
            if counted {
                members.insert((dim.to_owned(), key, event.user, event.day()));
            }
        }
    }
    members
}

fn dims(event: &Event<'_>) -> Vec<(&'static str, String)> {
    let mut dims: Vec<(&str, String)> = Column::SUMMED
        .iter()
        .filter_map(|(column, dim)| Some((*dim, event.text(*column)?.to_owned())))
        .collect();
    match event.who {
        Who::Known => dims.push(("user", String::new())),
        Who::Anonymous => dims.push(("anon", String::new())),
        _ => {}
    }
    dims
}

/// Users with their first event, registration and days.
pub(crate) fn users(events: &[Event<'_>]) -> Rows<u64, (i64, Option<i64>, BTreeSet<i64>)> {
    let mut users: Rows<u64, (i64, Option<i64>, BTreeSet<i64>)> = Rows::new();
    for event in events.iter().filter(|event| event.who == Who::Known) {
        let user = users
            .entry(event.user)
            .or_insert((i64::MAX, None, BTreeSet::new()));
        user.0 = user.0.min(event.at);
        if event.event_type().ends_with("user-registered") {
            user.1 = Some(user.1.map_or(event.at, |at| at.min(event.at)));
        }
        user.2.insert(event.day());
    }
    users
}

/// Counts unique events.
pub(crate) fn count(events: &[Event<'_>]) -> Models {
    let mut models = Models::default();
    let mut sessions: Rows<u64, (i64, i64)> = Rows::new();
    for event in events {
        let (event_type, received) = (event.event_type().to_owned(), event.received);
        let source = event.text(Column::Source).unwrap_or_default().to_owned();
        let minute = received - received % MINUTE_MS;
        let hour = received - received % HOUR_MS;
        let of = |at| (at, event_type.clone(), source.clone());
        *models.minutes.entry(of(minute)).or_default() += 1;
        *models.hours.entry(of(hour)).or_default() += 1;
        let day = (date(day_of(received)), event_type.clone());
        *models.days.entry(day).or_default() += 1;
        if event_type.contains('.') {
            let status = event.text(Column::Status).unwrap_or_default().to_owned();
            let key = (event.at - event.at % HOUR_MS, event_type.clone(), status);
            *models.domain_hours.entry(key).or_default() += 1;
        }
        for (dim, key) in dims(event) {
            let key = (dim.to_owned(), event.day(), key);
            let sums = models.breakdowns.entry(key).or_default();
            sums.0 += 1;
            if dim == "feature" || dim == "model" {
                (sums.1, sums.2) = (sums.1 + event.a, sums.2 + event.b);
            }
        }
        if let Some(session) = event.session {
            let known = sessions.entry(session).or_insert((event.at, event.at));
            *known = (known.0.min(event.at), known.1.max(event.at));
        }
    }
    let members = members(events);
    for (dim, key, user, day) in &members {
        let first = (dim.clone(), key.clone(), *user, i64::MIN);
        let before = members
            .range(first..(dim.clone(), key.clone(), *user, *day))
            .next_back();
        let gap = before.map_or(0, |(.., before)| (day - before).min(367));
        let key = ((dim.clone(), *day, key.clone()), gap);
        *models.gaps.entry(key).or_default() += 1;
    }
    for (first, registered, _) in users(events).into_values() {
        models.user_days.entry(day_of(first)).or_default().0 += 1;
        let signed_up = day_of(registered.unwrap_or(first));
        models.user_days.entry(signed_up).or_default().1 += 1;
    }
    for (first, last) in sessions.into_values() {
        let sums = models.session_days.entry(day_of(first)).or_default();
        *sums = (sums.0 + 1, sums.1 + last - first);
    }
    models
}

/// D1 with the tables of a new deployment.
pub(crate) fn d1() -> TestSql {
    let sql = TestSql::new();
    sql.migrate_from("migrations");
    sql
}

/// Reads D1's sums.
pub(crate) fn read(sql: &TestSql) -> Models {
    let all = |table: &str| {
        let query = format!("SELECT * FROM {table} WHERE site_id = ?1");
        sql.rows::<Value>(&query, &[SITE.into()]).unwrap()
    };
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let int = |row: &Value, name: &str| row[name].as_i64().unwrap();
    let received = |table: &str, at: &str| -> Rows<(i64, String, String), i64> {
        let rows = all(table);
        let row = |r: &Value| {
            (
                (int(r, at), text(r, "event_type"), text(r, "source")),
                int(r, "n"),
            )
        };
        rows.iter().map(row).collect()
    };
    let key = |r: &Value| (text(r, "dim"), int(r, "day"), text(r, "key"));
    let two = |table: &str, one: &str, other: &str| -> Rows<i64, (i64, i64)> {
        let rows = all(table);
        let row = |r: &Value| (int(r, "day"), (int(r, one), int(r, other)));
        rows.iter()
            .map(row)
            .filter(|(_, sums)| *sums != (0, 0))
            .collect()
    };
    Models {
        minutes: received("minute_counts", "minute"),
        hours: received("hour_counts", "hour"),
        days: all("daily_counts")
            .iter()
            .map(|r| ((text(r, "date"), text(r, "event_type")), int(r, "n")))
            .collect(),
        domain_hours: all("domain_hours")
            .iter()
            .map(|r| {
                (
                    (int(r, "hour"), text(r, "event_type"), text(r, "status")),
                    int(r, "n"),
                )
            })
            .collect(),
        breakdowns: all("breakdowns")
            .iter()
            .map(|r| (key(r), (int(r, "events"), int(r, "a"), int(r, "b"))))
            .collect(),
        gaps: all("member_gaps")
            .iter()
            .map(|r| ((key(r), int(r, "gap")), int(r, "n")))
            .filter(|(_, n)| *n != 0)
            .collect(),
        user_days: two("user_days", "first_seen", "signups"),
        session_days: two("session_days", "sessions", "duration_ms"),
    }
}
