//! The walk through users. Who is joined to others, or was, is a person with all their ids.

use super::{Moments, Walk, hashes};
use crate::archive::fold::keys::{USERS, key_names};
use crate::archive::fold::members::Members;
use crate::archive::joined::Joining;
use crate::archive::people::Mode;
use crate::archive::people::pages::{Change, Pages};
use crate::archive::people::person::{Person, USER, earlier};
use crate::archive::people::united::United;
use crate::base::sort;
use crate::base::sql::{Sql, SqlError};

/// No place: of who has nothing new.
const NOTHING: u32 = u32::MAX;

impl Walk {
    /// Changes users: their first events and registrations, and what they had.
    pub(in crate::archive::fold) fn users(
        &mut self,
        sql: &impl Sql,
        pages: Pages,
        mode: Mode,
        moments: &Moments,
        members: &Members,
        joining: &Joining,
    ) -> Result<(), SqlError> {
        let mut members = self.members(members);
        if !joining.is_empty() {
            // Who is joined is looked at with all their ids, of which some have nothing new.
            members.extend(joining.ids().map(|id| (id, NOTHING)));
            sort::sort_pairs(&mut members);
        }
        let groups: Vec<&[(u64, u32)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        let hashes = hashes(&groups);
        let mut users = Users {
            walk: self,
            moments,
            groups,
            joining,
            before: United::default(),
            after: United::default(),
        };
        pages.update(sql, &hashes, mode, &mut users)?;
        let (before, after) = (users.before, users.after);
        for (mut people, n) in [(before, -1), (after, 1)] {
            for person in people.take() {
                self.add_user(&person, n);
                person.gaps(&mut |id, day, gap| {
                    self.regrouped.add([id.into(), day, gap, 0], [n, 0, 0]);
                });
            }
        }
        Ok(())
    }

    /// Tells by what those who are joined or were differ, with the names of their keys; `number` is that of a text.
    pub(in crate::archive::fold) fn tell_regrouped(
        &mut self,
        sql: &impl Sql,
        number: &mut dyn FnMut(&str) -> i64,
    ) -> Result<(), SqlError> {
        let regrouped = std::mem::take(&mut self.regrouped);
        let differ = || regrouped.rows().iter().filter(|(_, [n, ..])| *n != 0);
        let of_fold = |id: u32| {
            let place = self.keys.partition_point(|key| key.id < id);
            let key = self.keys.get(place);
            key.filter(|key| key.id == id && id != USER)
        };
        let ids = differ().filter_map(|([id, ..], _)| u32::try_from(*id).ok());
        let unnamed = ids.filter(|id| *id != USER && of_fold(*id).is_none());
        let named = key_names(sql, unnamed.collect())?;
        // In the order of their numbers, of which that of `user` is the lowest.
        let mut names = vec![(USER, USERS, number(""))];
        for (id, dim, text) in named {
            names.push((id, dim, number(&text)));
        }
        for ([id, day, gap, _], [n, ..]) in differ() {
            let Ok(id) = u32::try_from(*id) else { continue };
            let named = || {
                let place = names.binary_search_by(|(of, ..)| of.cmp(&id)).ok()?;
                names.get(place).map(|(_, dim, text)| (*dim, *text))
            };
            let key = of_fold(id).map(|key| (key.dim, key.text)).or_else(named);
            if let Some((dim, text)) = key {
                self.gaps.add([dim, *day, text, *gap], [*n, 0, 0]);
            }
        }
        Ok(())
    }
}

struct Users<'w, 'a> {
    walk: &'w mut Walk,
    moments: &'a Moments,
    groups: Vec<&'a [(u64, u32)]>,
    joining: &'a Joining,
    /// Those who are joined or were, by what stands for them.
    before: United,
    after: United,
}

impl Change for Users<'_, '_> {
    fn change(&mut self, place: usize, old: &[u8]) -> Result<Vec<u8>, SqlError> {
        let some = self.groups.get(place).copied().unwrap_or_default();
        let hash = some.first().map(|(hash, _)| *hash).unwrap_or_default();
        if self.joining.has(hash) {
            return self.change_joined(hash, some, old);
        }
        let (first_at, registered) = self.moments.get(&hash).copied().unwrap_or_default();
        let mut person = if old.is_empty() {
            Person::new(first_at)
        } else {
            let person = Person::read(old)?;
            self.walk.add_user(&person, -1);
            person
        };
        person.first_at = person.first_at.min(first_at);
        person.registered = earlier(person.registered, registered);
        self.walk.add_user(&person, 1);
        let keys = self.walk.keys_of(some);
        let days: Vec<(u32, i64)> = keys.iter().map(|key| (key.id, key.day)).collect();
        let gaps = &mut self.walk.gaps;
        person.join(&days, &mut |id, day, gap, n| {
            // Gaps change of keys that the fold has, on its days and the next ones of the same key.
            let place = keys.partition_point(|key| key.id < id);
            if let Some(key) = keys.get(place) {
                gaps.add([key.dim, day, key.text, gap], [n, 0, 0]);
            }
        });
        Ok(person.record())
    }

    fn keeps(&self, _: &[u8]) -> bool {
        true
    }
}

impl Users<'_, '_> {
    /// The same of one id of several that are a person, or were.
    fn change_joined(
        &mut self,
        hash: u64,
        some: &[(u64, u32)],
        old: &[u8],
    ) -> Result<Vec<u8>, SqlError> {
        let known = match old {
            [] => None,
            old => Some(Person::read(old)?),
        };
        if let Some(person) = &known {
            let of = self.joining.before.person(hash);
            self.before.add(of, person.clone());
        }
        let new = self.moments.get(&hash).copied();
        let person = match (known, new) {
            (None, None) => return Ok(Vec::new()),
            (Some(known), None) => known,
            (known, Some((first_at, registered))) => {
                let mut person = known.unwrap_or_else(|| Person::new(first_at));
                person.first_at = person.first_at.min(first_at);
                person.registered = earlier(person.registered, registered);
                let keys = self.walk.keys_of(some);
                let days: Vec<(u32, i64)> = keys.iter().map(|key| (key.id, key.day)).collect();
                person.join(&days, &mut |_, _, _, _| ());
                person
            }
        };
        let of = self.joining.after.person(hash);
        self.after.add(of, person.clone());
        Ok(match new {
            None => old.to_vec(),
            Some(_) => person.record(),
        })
    }
}
