//! What is kept of a user: the first event, the registration, and on which days they had which key.

mod told;

use super::pages::unreadable;
use super::varint::{Reader, put, put_len, put_signed};
use crate::base::sort;
use crate::base::sql::SqlError;
use crate::base::time::day_of;

/// Gaps from here on are one: a range of 366 days reaches back 365 at most.
pub(crate) const MAX_GAP: i64 = 367;

/// Bytes of a user at most. One page view a minute of ever other pages, for months, is less; what sends
/// more is no person, and loses the keys it had longest ago: these count as never had before when they
/// come again. A row of SQLite holds 2 MB.
const MAX_BYTES: usize = 512 * 1024;

/// The id of the key that every user has on each day they were there (dimension `user`).
pub(crate) const USER: u32 = 0;

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// The first event, Unix milliseconds.
    pub(crate) first_at: i64,
    /// The first registration event.
    pub(crate) registered: Option<i64>,
    /// The days on which they were there, in order.
    pub(crate) days: Vec<i64>,
    /// By the id of each other key, those of `days` on which they had it.
    keys: Vec<(u32, Vec<i64>)>,
}

/// How the days of a key are told: the lowest two bits before them.
const ALL: u64 = 0;
const BITS: u64 = 1;
const PLACES: u64 = 2;

impl Person {
    /// A user of whom nothing is known but the first event.
    pub(crate) fn new(first_at: i64) -> Self {
        Self {
            first_at,
            ..Self::default()
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn read(record: &[u8]) -> Result<Self, SqlError> {
        let mut reader = Reader(record);
        let mut read = || {
            let mut person = Self::head(&mut reader)?;
            let mut id = 0_u32;
            while !reader.is_empty() {
                let head = reader.number()?;
                id = id.checked_add(u32::try_from(head >> 2).ok()?)?;
                let days = some_days(&mut reader, head & 3, &person.days)?;
                person.keys.push((id, days));
            }
            Some(person)
        };
        read().ok_or_else(unreadable)
    }

    /// Reads all of a record but the keys.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn read_head(record: &[u8]) -> Result<Self, SqlError> {
        Self::head(&mut Reader(record)).ok_or_else(unreadable)
    }

    fn head(reader: &mut Reader<'_>) -> Option<Self> {
        let first_at = reader.signed()?;
        let registered = match reader.number()? {
            0 => None,
            _ => Some(first_at.wrapping_add(reader.signed()?)),
        };
        let mut day = day_of(first_at);
        let n = reader.len()?;
        let mut days = Vec::new();
        for _ in 0..n {
            day = day.wrapping_add(reader.signed()?);
            days.push(day);
        }
        Some(Self {
            first_at,
            registered,
            days,
            keys: Vec::new(),
        })
    }

    /// The record: all of the user, or as much as there is room for.
    pub(crate) fn record(mut self) -> Vec<u8> {
        loop {
            let record = self.whole_record();
            if record.len() <= MAX_BYTES {
                return record;
            }
            self.halve();
        }
    }

    fn whole_record(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_signed(&mut out, self.first_at);
        match self.registered {
            None => put(&mut out, 0),
            Some(at) => {
                put(&mut out, 1);
                put_signed(&mut out, at.wrapping_sub(self.first_at));
            }
        }
        put_len(&mut out, self.days.len());
        let mut before = day_of(self.first_at);
        for day in &self.days {
            put_signed(&mut out, day.wrapping_sub(before));
            before = *day;
        }
        let mut before = 0;
        for (id, days) in &self.keys {
            let delta = u64::from(id.saturating_sub(before)) << 2;
            put_some_days(&mut out, delta, &self.days, days);
            before = *id;
        }
        out
    }

    /// Drops the half of the keys that were had longest ago; without keys, the earlier half of the days.
    fn halve(&mut self) {
        if self.keys.is_empty() {
            self.days = self.days.split_off(self.days.len().div_ceil(2));
            return;
        }
        sort::sort_by(&mut self.keys, |(_, a), (_, b)| a.last().cmp(&b.last()));
        self.keys = self.keys.split_off(self.keys.len().div_ceil(2));
        sort::sort_by(&mut self.keys, |(a, _), (b, _)| a.cmp(b));
    }

    /// The ids of the keys that they had, in order.
    pub(crate) fn key_ids(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().map(|(id, _)| *id)
    }

    /// The same with other ids of keys; what has none is forgotten.
    #[must_use]
    pub(crate) fn renumbered(mut self, number: &dyn Fn(u32) -> Option<u32>) -> Self {
        let keys = std::mem::take(&mut self.keys);
        let renumbered = keys
            .into_iter()
            .filter_map(|(id, days)| Some((number(id)?, days)));
        self.keys = renumbered.collect();
        sort::sort_by(&mut self.keys, |(a, _), (b, _)| a.cmp(b));
        self
    }

    /// Takes what else is known of the user: all but the keys.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.registered = earlier(self.registered, other.registered);
        self.days = joined(&self.days, other.days.iter().copied(), &mut |_, _, _| ());
    }

    /// Adds keys by id and day, in order, each once. `tell` hears how the count of the key's users by day
    /// and gap changes: id, day, gap, and more or fewer of it.
    pub(crate) fn join(&mut self, keys: &[(u32, i64)], tell: &mut dyn FnMut(u32, i64, i64, i64)) {
        for some in keys.chunk_by(|a, b| a.0 == b.0) {
            let Some((id, _)) = some.first() else {
                continue;
            };
            let days = if *id == USER {
                &mut self.days
            } else {
                let place = self.keys.binary_search_by_key(id, |(id, _)| *id);
                let place = place.unwrap_or_else(|place| {
                    self.keys.insert(place, (*id, Vec::new()));
                    place
                });
                match self.keys.get_mut(place) {
                    Some((_, days)) => days,
                    None => continue,
                }
            };
            let new = some.iter().map(|(_, day)| *day);
            *days = joined(days, new, &mut |day, gap, n| tell(*id, day, gap, n));
        }
    }
}

/// If a day is among days in order, how many days after the one before it, [`MAX_GAP`] at most; 0 for the
/// first.
pub(crate) fn gap_on(days: &[i64], day: i64) -> Option<i64> {
    let place = days.binary_search(&day).ok()?;
    let before = place.checked_sub(1).and_then(|place| days.get(place));
    Some(before.map_or(0, |before| day.saturating_sub(*before).min(MAX_GAP)))
}

/// The earlier of two moments, where there is one.
pub(crate) fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Old and new days in order. `tell` hears the gaps (day, gap, how many more): of each day that is new,
/// and of an old one what it was and what it is, where a new day came between it and the one before.
pub(crate) fn joined(
    old: &[i64],
    new: impl Iterator<Item = i64>,
    tell: &mut dyn FnMut(i64, i64, i64),
) -> Vec<i64> {
    let gap = |before: Option<i64>, day: i64| {
        before.map_or(0, |before| day.saturating_sub(before).min(MAX_GAP))
    };
    let mut all = Vec::with_capacity(old.len().saturating_add(1));
    let (mut old, mut new) = (old.iter().copied().peekable(), new.peekable());
    // The day before, of all and of the old ones.
    let (mut before, mut was_before) = (None, None);
    loop {
        let (was, comes) = (old.peek().copied(), new.peek().copied());
        let Some(day) = was.into_iter().chain(comes).min() else {
            return all;
        };
        if comes == Some(day) {
            new.next();
        }
        if was == Some(day) {
            old.next();
            if before != was_before {
                tell(day, gap(was_before, day), -1);
                tell(day, gap(before, day), 1);
            }
            was_before = Some(day);
        } else {
            tell(day, gap(before, day), 1);
        }
        before = Some(day);
        all.push(day);
    }
}

fn put_some_days(out: &mut Vec<u8>, head: u64, all: &[i64], days: &[i64]) {
    if days.len() == all.len() {
        put(out, head | ALL);
        return;
    }
    let (mut places, mut before) = (Vec::new(), 0_usize);
    put_len(&mut places, days.len());
    let place_of = |day: &i64| all.binary_search(day).unwrap_or_default();
    for day in days {
        let place = place_of(day);
        put_len(&mut places, place.saturating_sub(before));
        before = place;
    }
    if all.len().div_ceil(8) > places.len() {
        put(out, head | PLACES);
        out.extend_from_slice(&places);
        return;
    }
    let mut bits = vec![0_u8; all.len().div_ceil(8)];
    for place in days.iter().map(place_of) {
        if let Some(byte) = bits.get_mut(place / 8) {
            *byte |= 1 << (place % 8);
        }
    }
    put(out, head | BITS);
    out.extend_from_slice(&bits);
}

fn some_days(reader: &mut Reader<'_>, form: u64, all: &[i64]) -> Option<Vec<i64>> {
    match form {
        ALL => Some(all.to_vec()),
        BITS => {
            let bits = reader.bytes(all.len().div_ceil(8))?;
            let has = |place: usize| {
                let byte = bits.get(place / 8).copied().unwrap_or(0);
                byte & (1 << (place % 8)) != 0
            };
            let days = all.iter().enumerate().filter(|(place, _)| has(*place));
            Some(days.map(|(_, day)| *day).collect())
        }
        PLACES => {
            let n = reader.len()?;
            let (mut days, mut place) = (Vec::new(), 0_usize);
            for _ in 0..n {
                place = place.checked_add(reader.len()?)?;
                days.push(*all.get(place)?);
            }
            Some(days)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
