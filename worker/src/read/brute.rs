//! What the read models must hold, counted in the plainest way over the unique events.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::archive::counted::Stored;
use crate::archive::fold::Gathered;
use crate::archive::people::Mode;
use crate::archive::{Column, Cursor, Event, Hasher, Who};
use crate::base::sql::Sql;
use crate::base::time::{DAY_MS, HOUR_MS, day_of};
use crate::testing::{TestSql, uuid};

pub(crate) const KEY: &[u8] = b"a key of the test";

/// The first day of the tests' events.
pub(crate) const DAY: i64 = 19_737;

/// Event `n`, always the same one: of eight types, six users, a day-scoped id or nobody, eight
/// sessions, six days that begin with [`DAY`].
pub(crate) fn event(site: &str, n: usize) -> Value {
    // A few bits of a hash for each choice, so that choices do not go together.
    let hash = crate::base::hash::sha256_hex(n.to_string().as_bytes());
    let pick = |at: usize, of: usize| usize::from_str_radix(&hash[at..at + 4], 16).unwrap() % of;
    let day = DAY + i64::try_from(pick(0, 6)).unwrap();
    let at = day * DAY_MS + i64::try_from(pick(4, 24)).unwrap() * HOUR_MS + 7;
    let key = pick(8, 3);
    let (event_type, data) = match pick(12, 8) {
        0 | 1 => (
            "page_view",
            json!({"path": format!("/{key}"), "utm_source": "n",
            "referrerHost": format!("r{key}.example")}),
        ),
        2 => (
            "feature_use",
            json!({"feature": format!("f{key}"), "duration": 10 + key}),
        ),
        3 => ("content_create", json!({"contentType": format!("c{key}")})),
        4 => (
            "ai_request",
            json!({"model": "m", "tokens": 7, "cost": 0.1}),
        ),
        5 => ("error", json!({"message": "oops"})),
        6 => ("order.placed", json!({"status": format!("s{key}")})),
        _ => ("iam.user-registered", json!({})),
    };
    let anonymous = format!("anon-{}", "a".repeat(32));
    let user = match pick(16, 8) {
        6 => json!(anonymous),
        7 => Value::Null,
        user => json!(format!("u{user}")),
    };
    let session = match pick(20, 10) {
        8 => json!(anonymous),
        9 => Value::Null,
        session => json!(format!("s{session}")),
    };
    json!({
        "eventId": uuid(n), "eventType": event_type, "siteId": site, "source": "tracker",
        "userId": user, "sessionId": session, "timestamp": at, "receivedAt": DAY * DAY_MS + 9 * DAY_MS,
        "country": (if pick(24, 2) == 0 { "DE" } else { "FR" }), "eventData": data, "metadata": {"platform": "web"},
    })
}

type Rows<K, V> = BTreeMap<K, V>;

/// The read models of one site.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Models {
    pub(crate) breakdowns: Rows<(String, i64, String), (i64, i64, i64)>,
    pub(crate) members: BTreeSet<(String, String, String, i64)>,
    pub(crate) users: Rows<String, (i64, Option<i64>)>,
    pub(crate) user_days: Rows<i64, (i64, i64)>,
    pub(crate) sessions: Rows<String, (i64, i64, i64)>,
    pub(crate) session_days: Rows<i64, (i64, i64)>,
    pub(crate) domain_hours: Rows<(i64, String, String), i64>,
}

/// Counts unique events.
pub(crate) fn count(site: &str, events: &[Value]) -> Models {
    let mut models = Models::default();
    for event in events {
        let text = event.to_string();
        let stored: Stored<'_> = serde_json::from_str(&text).unwrap();
        let event = Event::of(&stored, &mut Hasher::new(site, KEY));
        let (at, day, event_type) = (event.at, event.day(), event.event_type().to_owned());
        let user = (event.who != Who::Nobody).then(|| event.user.to_string());
        let mut dims: Vec<(&str, String)> = Column::SUMMED
            .iter()
            .filter_map(|(column, dim)| Some((*dim, event.text(*column)?.to_owned())))
            .collect();
        match event.who {
            Who::Known => dims.push(("user", String::new())),
            Who::Anonymous => dims.push(("anon", String::new())),
            _ => {}
        }
        for (dim, key) in dims {
            let sums = models
                .breakdowns
                .entry((dim.into(), day, key.clone()))
                .or_default();
            let measured = dim == "feature" || dim == "model";
            sums.0 += 1;
            sums.1 += if measured { event.a } else { 0 };
            sums.2 += if measured { event.b } else { 0 };
            let counted = event.who == Who::Known || dim == "anon";
            if counted && !["type", "content", "model"].contains(&dim) {
                let user = user.clone().unwrap();
                models.members.insert((dim.into(), key, user, day));
            }
        }
        if let (Some(user), Who::Known) = (user, event.who) {
            let known = models.users.entry(user).or_insert((at, None));
            known.0 = known.0.min(at);
            known.1 = known.1.into_iter().chain(event.registered()).min();
        }
        if let Some(session) = event.session {
            let known = models
                .sessions
                .entry(session.to_string())
                .or_insert((at, at, 0));
            *known = (known.0.min(at), known.1.max(at), known.2 + 1);
        }
        let hour = event.domain_hour();
        let status = event.text(Column::Status).unwrap_or_default().to_owned();
        if let Some(hour) = hour {
            let key = (hour, event_type, status);
            *models.domain_hours.entry(key).or_default() += 1;
        }
    }
    for (first, registered) in models.users.values() {
        models.user_days.entry(day_of(*first)).or_default().0 += 1;
        models
            .user_days
            .entry(day_of(registered.unwrap_or(*first)))
            .or_default()
            .1 += 1;
    }
    for (first, last, _) in models.sessions.values() {
        let sums = models.session_days.entry(day_of(*first)).or_default();
        *sums = (sums.0 + 1, sums.1 + last - first);
    }
    models
}

impl Models {
    /// What of them D1 has: the sums.
    pub(crate) fn sums(mut self) -> Self {
        self.members.clear();
        self.users.clear();
        self.sessions.clear();
        self
    }

    /// Distinct users of a key over days.
    pub(crate) fn distinct(
        &self,
        dim: &str,
        key: &str,
        days: std::ops::RangeInclusive<i64>,
    ) -> i64 {
        let users: BTreeSet<&str> = self
            .members
            .iter()
            .filter(|(d, k, _, day)| d == dim && k == key && days.contains(day))
            .map(|(_, _, user, _)| user.as_str())
            .collect();
        i64::try_from(users.len()).unwrap()
    }
}

fn rows(sql: &TestSql, query: &str, site: &str) -> Vec<Value> {
    sql.rows::<Value>(query, &[site.into()]).unwrap()
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap().to_owned()
}

fn int(row: &Value, name: &str) -> i64 {
    row[name].as_i64().unwrap()
}

/// Reads the sums as D1 has them; rows of nothing are none.
pub(crate) fn read(sql: &TestSql, site: &str) -> Models {
    let all = |table: &str| {
        rows(
            sql,
            &format!("SELECT * FROM {table} WHERE site_id = ?1"),
            site,
        )
    };
    Models {
        breakdowns: all("breakdowns")
            .iter()
            .map(|r| {
                (
                    (text(r, "dim"), int(r, "day"), text(r, "key")),
                    (int(r, "events"), int(r, "a"), int(r, "b")),
                )
            })
            .filter(|(_, sums)| *sums != (0, 0, 0))
            .collect(),
        members: BTreeSet::new(),
        users: Rows::new(),
        user_days: all("user_days")
            .iter()
            .map(|r| (int(r, "day"), (int(r, "first_seen"), int(r, "signups"))))
            .filter(|(_, sums)| *sums != (0, 0))
            .collect(),
        sessions: Rows::new(),
        session_days: all("session_days")
            .iter()
            .map(|r| (int(r, "day"), (int(r, "sessions"), int(r, "duration_ms"))))
            .filter(|(_, sums)| *sums != (0, 0))
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
    }
}

/// Distinct users by the gaps, as the queries count them.
pub(crate) fn distinct(
    sql: &TestSql,
    site: &str,
    dim: &str,
    key: &str,
    days: std::ops::RangeInclusive<i64>,
) -> i64 {
    let query = "SELECT coalesce(sum(n), 0) AS n FROM member_gaps WHERE site_id = ?1 AND dim = ?2 \
        AND key = ?3 AND day BETWEEN ?4 AND ?5 AND (gap = 0 OR gap > day - ?4)";
    let params = [
        site.into(),
        dim.into(),
        key.into(),
        (*days.start()).into(),
        (*days.end()).into(),
    ];
    int(&sql.rows::<Value>(query, &params).unwrap()[0], "n")
}

/// A D1 that took these events of a site, in folds of 50.
pub(crate) fn filled(site: &str, events: &[Value]) -> TestSql {
    let d1 = TestSql::new();
    d1.migrate();
    let people = TestSql::new();
    crate::archive::fold::create(&people).unwrap();
    for (n, some) in events.chunks(50).enumerate() {
        let fold = i64::try_from(n).unwrap() + 1;
        fold_into(&d1, &people, site, fold, some);
    }
    d1
}

/// Has D1 take events as a fold.
pub(crate) fn fold_into(d1: &TestSql, people: &TestSql, site: &str, fold: i64, events: &[Value]) {
    let mut gathered = Gathered::default();
    for event in events {
        let text = event.to_string();
        let stored: Stored<'_> = serde_json::from_str(&text).unwrap();
        gathered.add(&Event::of(&stored, &mut Hasher::new(site, KEY)));
    }
    let sums = gathered.fold(people, DAY + 9, Mode::Write).unwrap();
    let cursor = Cursor { epoch: 1, fold };
    let at: Vec<Cursor> = d1.batch(&sums.statements(site, 0, cursor)).unwrap();
    assert_eq!(at, [cursor]);
}

/// Runs a query's statement.
pub(crate) fn ask<T: serde::de::DeserializeOwned>(
    sql: &TestSql,
    statement: &crate::base::sql::Statement,
) -> Vec<T> {
    sql.rows(statement.sql, &statement.params).unwrap()
}
