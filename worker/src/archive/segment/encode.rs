//! Events into the columns of a segment.

use shoreline_shared::bits::pack;

use super::bytes::put_count;
use super::codes::put_codes;
use super::dict::Dict;
use super::ids::put_ids;
use super::numbers::{put_float, put_int, put_runs, put_some, put_steps};
use super::store::put_properties;
use super::{HEAD_BYTES, MAGIC, WHO_BITS, check_of, kind};
use crate::archive::{Column, Event, Who};

/// The columns of events, each with its line (without line break), both parts. The events come back in this order.
pub fn encode(entries: &[(Event<'_>, &str)]) -> Vec<u8> {
    let events = || entries.iter().map(|(event, _)| event);
    let seed = seed_of(entries);
    let (mut first, mut second) = (Columns::default(), Columns::default());
    first.put(kind::AT, |out| {
        put_steps(out, events().map(|event| event.at))
    });
    second.put(kind::RECEIVED, |out| {
        put_runs(out, events().map(|event| event.received))
    });
    second.put(kind::IDS, |out| {
        put_ids(out, events().map(|event| (event.id, event.at)))
    });
    first.put(kind::USERS, |out| put_users(out, entries, seed));
    second.put(kind::SESSIONS, |out| put_sessions(out, entries, seed));
    first.put(kind::A, |out| {
        put_measures(out, events().map(|event| event.a))
    });
    first.put(kind::B, |out| {
        put_measures(out, events().map(|event| event.b))
    });
    first.put(kind::VALUES, |out| {
        let values: Vec<Option<f64>> = events().map(|event| event.value).collect();
        if values.iter().any(Option::is_some) {
            put_some(out, &values, put_float);
        }
    });
    second.put(kind::LINES, |out| {
        entries
            .iter()
            .for_each(|(_, line)| put_count(out, line.len()))
    });
    first.put(kind::PROPERTIES, |out| put_properties(out, entries, seed));
    for column in Column::ALL {
        first.put(kind::of(column), |out| {
            put_texts(out, entries, column, seed)
        });
    }
    let mut bytes = first.into_bytes(entries.len());
    if !entries.is_empty() {
        bytes.append(&mut second.into_bytes(entries.len()));
    }
    bytes
}

/// A seed for dictionaries: hashes of users and sessions take the deployment's key to know.
fn seed_of(entries: &[(Event<'_>, &str)]) -> u64 {
    entries.iter().fold(0, |seed, (event, _)| {
        let next = event.user ^ event.session.unwrap_or(event.id as u64);
        seed.rotate_left(1) ^ next
    })
}

/// Columns, in the order of their kinds.
#[derive(Default)]
pub(super) struct Columns {
    directory: Vec<(u8, usize)>,
    bytes: Vec<u8>,
}

impl Columns {
    /// Adds what this writes; nothing is no column.
    pub(super) fn put(&mut self, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.bytes.len();
        write(&mut self.bytes);
        let length = self.bytes.len().saturating_sub(before);
        if length > 0 {
            self.directory.push((kind, length));
        }
    }

    pub(super) fn into_bytes(self, n: usize) -> Vec<u8> {
        let mut head = Vec::new();
        put_count(&mut head, n);
        put_count(&mut head, self.directory.len());
        for (kind, length) in &self.directory {
            head.push(*kind);
            put_count(&mut head, *length);
        }
        let length = HEAD_BYTES
            .saturating_add(head.len())
            .saturating_add(self.bytes.len());
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&check_of(&head).to_le_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&self.bytes);
        bytes
    }
}

fn put_users(out: &mut Vec<u8>, entries: &[(Event<'_>, &str)], seed: u64) {
    let mut dict = Dict::new(seed);
    let mut who = Vec::new();
    let codes = entries.iter().map(|(event, _)| {
        if (event.user, event.who) == (0, Who::Nobody) {
            return 0;
        }
        let [a, b, c, d, e, f, g, h] = event.user.to_le_bytes();
        let code = dict.code(&[a, b, c, d, e, f, g, h, event.who as u8]);
        if code as usize > who.len() {
            who.push(event.who as u32);
        }
        code
    });
    let codes: Vec<u32> = codes.collect();
    if dict.len() == 0 {
        return;
    }
    put_count(out, dict.len());
    for code in 1..=dict.len() as u32 {
        out.extend(dict.get(code).iter().take(8));
    }
    pack(out, who.into_iter(), WHO_BITS);
    put_codes(out, &codes, dict.len());
}

fn put_sessions(out: &mut Vec<u8>, entries: &[(Event<'_>, &str)], seed: u64) {
    let mut dict = Dict::new(seed);
    let codes = entries.iter().map(|(event, _)| {
        let session = event.session;
        session.map_or(0, |session| dict.code(&session.to_le_bytes()))
    });
    let codes: Vec<u32> = codes.collect();
    if dict.len() > 0 {
        dict.put_fixed(out);
        put_codes(out, &codes, dict.len());
    }
}

fn put_measures(out: &mut Vec<u8>, measures: impl Iterator<Item = i64>) {
    let measures: Vec<_> = measures
        .map(|measure| Some(measure).filter(|measure| *measure != 0))
        .collect();
    if measures.iter().any(Option::is_some) {
        put_some(out, &measures, put_int);
    }
}

fn put_texts(out: &mut Vec<u8>, entries: &[(Event<'_>, &str)], column: Column, seed: u64) {
    let mut dict = Dict::new(seed);
    let codes = entries.iter().map(|(event, _)| {
        let text = event.text(column);
        text.map_or(0, |text| dict.code(text.as_bytes()))
    });
    let codes: Vec<u32> = codes.collect();
    if dict.len() > 0 {
        dict.put(out);
        put_codes(out, &codes, dict.len());
    }
}
