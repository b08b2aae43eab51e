//! The walks of a fold through the pages of people: each record is changed, and the sums by what it differs.

mod users;

use std::collections::HashMap;

use super::counts::Counts;
use super::keys::Counted;
use super::members::Members;
use crate::archive::people::Mode;
use crate::archive::people::pages::{Change, Pages};
use crate::archive::people::person::Person;
use crate::archive::people::visit::{self, Session, is_kept};
use crate::base::sort;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::day_of;

/// Two moments by hash.
type Moments = HashMap<u64, (i64, Option<i64>)>;

/// Sums of differences.
#[derive(Debug)]
pub(super) struct Walk {
    /// The keys of the fold by number and day, in order, each once.
    keys: Vec<Counted>,
    /// Of each place of the fold, the place in `keys`.
    places: Vec<u32>,
    today: i64,
    /// Dimension, day, key, gap to users.
    pub(super) gaps: Counts,
    /// Number of a key, day, gap to users, of those who are joined or were: by what they differ.
    regrouped: Counts,
    /// Day to users first seen and signups.
    pub(super) user_days: Counts,
    /// Day to sessions and milliseconds.
    pub(super) session_days: Counts,
}

impl Walk {
    /// Of a fold's keys, by their places.
    pub(super) fn new(counted: &[Counted], today: i64) -> Self {
        let order = |key: &Counted| (key.id, key.day, key.dim);
        let mut keys = counted.to_vec();
        sort::sort_by(&mut keys, |a, b| order(a).cmp(&order(b)));
        keys.dedup_by_key(|key| order(key));
        let place = |key: &Counted| {
            let place = keys.binary_search_by_key(&order(key), order);
            place
                .ok()
                .and_then(|place| u32::try_from(place).ok())
                .unwrap_or(u32::MAX)
        };
        let places = counted.iter().map(place).collect();
        Self {
            keys,
            places,
            today,
            gaps: Counts::default(),
            regrouped: Counts::default(),
            user_days: Counts::default(),
            session_days: Counts::default(),
        }
    }

    /// By hash, in order, what each had: places in `keys`, in order, each once.
    fn members(&self, members: &Members) -> Vec<(u64, u32)> {
        let place = |place: u32| {
            usize::try_from(place)
                .ok()
                .and_then(|at| self.places.get(at))
        };
        members.sorted(|at| place(at).copied().unwrap_or(u32::MAX))
    }

    fn keys_of(&self, some: &[(u64, u32)]) -> Vec<Counted> {
        let key = |(_, place): &(u64, u32)| self.keys.get(usize::try_from(*place).ok()?).copied();
        some.iter().filter_map(key).collect()
    }

    /// Changes sessions.
    pub(super) fn sessions(
        &mut self,
        sql: &impl Sql,
        pages: Pages,
        mode: Mode,
        moments: &Moments,
    ) -> Result<(), SqlError> {
        let mut hashes: Vec<u64> = moments.keys().copied().collect();
        sort::sort(&mut hashes);
        let mut sessions = Sessions {
            walk: self,
            moments,
            hashes: &hashes,
        };
        pages.update(sql, &hashes, mode, &mut sessions)
    }

    /// Changes day-scoped ids.
    pub(super) fn visitors(
        &mut self,
        sql: &impl Sql,
        pages: Pages,
        mode: Mode,
        members: &Members,
    ) -> Result<(), SqlError> {
        let members = self.members(members);
        let groups: Vec<&[(u64, u32)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        let hashes = hashes(&groups);
        let mut visitors = Visitors { walk: self, groups };
        pages.update(sql, &hashes, mode, &mut visitors)
    }
}

fn hashes(groups: &[&[(u64, u32)]]) -> Vec<u64> {
    groups
        .iter()
        .filter_map(|some| some.first())
        .map(|(hash, _)| *hash)
        .collect()
}

impl Walk {
    fn add_user(&mut self, person: &Person, n: i64) {
        let signed_up = person.registered.unwrap_or(person.first_at);
        self.user_days
            .add([day_of(person.first_at), 0, 0, 0], [n, 0, 0]);
        self.user_days.add([day_of(signed_up), 0, 0, 0], [0, n, 0]);
    }

    fn add_session(&mut self, session: Session, n: i64) {
        let lasted = session.last_at.saturating_sub(session.first_at);
        let amounts = [n, lasted.saturating_mul(n), 0];
        self.session_days
            .add([day_of(session.first_at), 0, 0, 0], amounts);
    }
}

struct Sessions<'w, 'a> {
    walk: &'w mut Walk,
    moments: &'a Moments,
    hashes: &'a [u64],
}

impl Change for Sessions<'_, '_> {
    fn change(&mut self, place: usize, old: &[u8]) -> Result<Vec<u8>, SqlError> {
        let hash = self.hashes.get(place).copied().unwrap_or_default();
        let (first_at, last_at) = self.moments.get(&hash).copied().unwrap_or_default();
        let mut session = Session {
            first_at,
            last_at: last_at.unwrap_or(first_at),
        };
        if let Some(known) = Session::read(old)? {
            self.walk.add_session(known, -1);
            session.first_at = session.first_at.min(known.first_at);
            session.last_at = session.last_at.max(known.last_at);
        }
        self.walk.add_session(session, 1);
        Ok(session.record(old, self.walk.today))
    }

    fn keeps(&self, record: &[u8]) -> bool {
        is_kept(record, self.walk.today)
    }
}

struct Visitors<'w, 'a> {
    walk: &'w mut Walk,
    groups: Vec<&'a [(u64, u32)]>,
}

impl Change for Visitors<'_, '_> {
    fn change(&mut self, place: usize, old: &[u8]) -> Result<Vec<u8>, SqlError> {
        let some = self.groups.get(place).copied().unwrap_or_default();
        let keys = self.walk.keys_of(some);
        let Some(of) = keys.first().copied() else {
            return Ok(old.to_vec());
        };
        let gaps = &mut self.walk.gaps;
        let days = keys.iter().map(|key| key.day);
        visit::visitor(old, days, self.walk.today, &mut |day, gap, n| {
            gaps.add([of.dim, day, of.text, gap], [n, 0, 0]);
        })
    }

    fn keeps(&self, record: &[u8]) -> bool {
        is_kept(record, self.walk.today)
    }
}
