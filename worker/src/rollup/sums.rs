//! What new events add to the read models, summed up before D1 is told: a message of hundreds of
//! events is some dozens of rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::breakdowns::{self, MEASURED, WITHOUT_USERS};
use super::{counts, people};
use crate::counted::Facts;
use crate::live::{HOUR_MS, MINUTE_MS, floor_to};
use crate::sql::Statement;

/// Rows of each kind, by their keys: in order, so that D1 goes along its trees.
#[derive(Debug, Default)]
pub(super) struct Sums<'a> {
    /// Minute, type and source to events.
    minutes: BTreeMap<(i64, &'a str, &'a str), i64>,
    /// Hour, type and status to domain events.
    hours: BTreeMap<(i64, &'a str, &'a str), i64>,
    /// Users to their first event and registration.
    users: BTreeMap<&'a str, (i64, Option<i64>)>,
    /// Sessions to their first and last event, how many they are, and when the last was taken.
    sessions: BTreeMap<&'a str, (i64, i64, i64, i64)>,
    /// Dimension, day and key to events and measures, and who had the key.
    keys: BTreeMap<(&'a str, i64, &'a str), Key<'a>>,
}

#[derive(Debug, Default)]
struct Key<'a> {
    events: i64,
    a: i64,
    b: i64,
    users: BTreeSet<&'a str>,
}

impl<'a> Sums<'a> {
    /// Adds an event that was received, and taken by the collector, at these times.
    pub(super) fn add(&mut self, facts: &'a Facts<'a>, received: i64, taken_at: i64) {
        let Facts(
            at,
            day,
            event_type,
            hour,
            user,
            tracked,
            session,
            dims,
            a,
            b,
            registered,
            status,
            ..,
        ) = facts;
        let (at, user, tracked) = (*at, user.as_deref(), *tracked == 1);
        let one = |n: &mut i64| *n = n.saturating_add(1);
        let source = dims.get("source").map_or("", |source| source);
        let minute = floor_to(received, MINUTE_MS);
        one(self
            .minutes
            .entry((minute, event_type, source))
            .or_default());
        if let Some(hour) = hour {
            one(self.hours.entry((*hour, event_type, status)).or_default());
        }
        if let Some(user) = user.filter(|_| tracked) {
            let (first, known) = self.users.entry(user).or_insert((at, None));
            *first = at.min(*first);
            *known = known.iter().chain(registered).min().copied();
        }
        if let Some(session) = session {
            let (first, last, n, seen) = self
                .sessions
                .entry(session)
                .or_insert((at, at, 0, taken_at));
            (*first, *last, *seen) = (at.min(*first), at.max(*last), taken_at.max(*seen));
            one(n);
        }
        for (dim, key) in dims {
            let sums = self.keys.entry((dim, *day, key)).or_default();
            one(&mut sums.events);
            if MEASURED.contains(dim) {
                sums.a = sums.a.saturating_add(*a);
                sums.b = sums.b.saturating_add(*b);
            }
            if (tracked || *dim == "anon") && !WITHOUT_USERS.contains(dim) {
                sums.users.extend(user);
            }
        }
    }

    /// The statements that add all of it to the read models of a site, in order.
    pub(super) fn statements(&self, site: &str) -> Vec<Statement> {
        let mut of_hours = BTreeMap::new();
        for ((minute, event_type, source), n) in &self.minutes {
            let hour = floor_to(*minute, HOUR_MS);
            let sum: &mut i64 = of_hours.entry((hour, event_type, source)).or_default();
            *sum = sum.saturating_add(*n);
        }
        let minutes = json(self.minutes.iter().map(|((a, b, c), n)| (a, b, c, n)));
        let hours = json(of_hours.iter().map(|((a, b, c), n)| (a, b, c, n)));
        let domain_hours = json(self.hours.iter().map(|((a, b, c), n)| (a, b, c, n)));
        let users = json(self.users.iter().map(|(user, (a, b))| (user, a, b)));
        let sessions = json(
            self.sessions
                .iter()
                .map(|(s, (a, b, n, at))| (s, a, b, n, at)),
        );
        let keys = json(
            self.keys
                .iter()
                .map(|((dim, day, key), sums)| (dim, day, key, sums.events, sums.a, sums.b)),
        );
        let with_users = self.keys.iter().filter(|(_, sums)| !sums.users.is_empty());
        let members = json(with_users.map(|((dim, day, key), sums)| (dim, day, key, &sums.users)));
        let [first_seen, keep_users] = people::USERS;
        let [begun, keep_sessions] = people::SESSIONS;
        let [count_gaps, write_gaps] = breakdowns::MEMBERS;
        let tasks = [
            (counts::MINUTES, &minutes),
            (counts::HOURS, &hours),
            (counts::DAYS, &minutes),
            (counts::DOMAIN_HOURS, &domain_hours),
            (first_seen, &users),
            (keep_users, &users),
            (begun, &sessions),
            (keep_sessions, &sessions),
            (breakdowns::COUNT, &keys),
            (count_gaps, &members),
            (write_gaps, &members),
        ];
        tasks
            .into_iter()
            .filter_map(|(sql, rows)| {
                let rows = rows.as_deref()?;
                Some(Statement::new(sql, [site.into(), rows.into()]))
            })
            .collect()
    }
}

/// Rows as a JSON array; no text for no rows.
fn json<T: Serialize>(rows: impl Iterator<Item = T>) -> Option<String> {
    let rows: Vec<T> = rows.collect();
    // Numbers and strings always serialize.
    let text = serde_json::to_string(&rows).unwrap_or_default();
    (!rows.is_empty()).then_some(text)
}
