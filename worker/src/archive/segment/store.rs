//! Writes the properties of a segment: for each name a small column of values.

use shoreline_shared::bits::pack;

use super::bytes::put_count;
use super::codes::put_codes;
use super::dict::Dict;
use super::property::{
    ALIAS, BOOL, IN_LINE, KIND_BITS, LONG, MAX_NAME_BYTES, MAX_PROPERTIES, MAX_TEXT_BYTES, MIXED,
    MORE, NUMBER, TEXT, most_bytes, source_of,
};
use super::{Scalars, Value};
use crate::archive::{Column, Event};
use crate::base::sort;

/// A scalar of an event.
#[derive(Clone, Copy, Default)]
struct Scalar {
    event: usize,
    name: u32,
    value: u32,
}

/// All scalars of a segment, in the order of its events.
struct All {
    /// Of each a scalar has a code.
    names: Dict,
    /// Likewise; the last byte is the kind.
    values: Dict,
    scalars: Vec<Scalar>,
    /// How many scalars a name has; the first is of code 1.
    counts: Vec<usize>,
    /// Whether a name was too long.
    long: bool,
}

impl All {
    /// Those of all lines; `None` where a line cannot be read.
    fn of(entries: &[(Event<'_>, &str)], seed: u64) -> Option<Self> {
        let mut all = Self {
            names: Dict::new(seed),
            values: Dict::new(seed),
            scalars: Vec::new(),
            counts: Vec::new(),
            long: false,
        };
        let mut scalars = Scalars::default();
        let mut entry = Vec::new();
        for (event, (_, line)) in entries.iter().enumerate() {
            let is_read = scalars.each(line, &mut |name, value| {
                if name.len() > MAX_NAME_BYTES {
                    all.long = true;
                    return;
                }
                entry.clear();
                let kind = match value {
                    Value::Text(text) | Value::Number(text) if text.len() > MAX_TEXT_BYTES => {
                        IN_LINE
                    }
                    Value::Text(text) => {
                        entry.extend_from_slice(text.as_bytes());
                        TEXT
                    }
                    Value::Number(text) => {
                        entry.extend_from_slice(text.as_bytes());
                        NUMBER
                    }
                    Value::Bool(is) => {
                        entry.extend_from_slice(if is { b"1" } else { b"" });
                        BOOL
                    }
                    Value::InLine => IN_LINE,
                };
                entry.push(kind);
                let (name, value) = (all.names.code(name.as_bytes()), all.values.code(&entry));
                all.counts.resize(all.names.len(), 0);
                if let Some(count) = all.counts.get_mut(name.wrapping_sub(1) as usize) {
                    *count = count.saturating_add(1);
                }
                all.scalars.push(Scalar { event, name, value });
            });
            if !is_read {
                return None;
            }
        }
        Some(all)
    }

    /// The names that are stored: those that most events have, first used first among equals.
    fn ranked(&self) -> Vec<u32> {
        let mut names: Vec<u32> = (1..=self.names.len() as u32).collect();
        let count = |name: &u32| self.counts.get(name.wrapping_sub(1) as usize).copied();
        sort::sort_by(&mut names, |a, b| count(b).cmp(&count(a)));
        names.truncate(MAX_PROPERTIES);
        names
    }

    /// The scalars of each of these names, in the order of the events.
    fn by_name(&self, names: &[u32]) -> Vec<Vec<Scalar>> {
        let mut ranks = vec![None; self.names.len().saturating_add(1)];
        for (rank, name) in names.iter().enumerate() {
            if let Some(place) = ranks.get_mut(*name as usize) {
                *place = Some(rank);
            }
        }
        let mut grouped = vec![Vec::new(); names.len()];
        for scalar in &self.scalars {
            let rank = ranks.get(scalar.name as usize).copied().flatten();
            if let Some(group) = rank.and_then(|rank| grouped.get_mut(rank)) {
                group.push(*scalar);
            }
        }
        grouped
    }

    /// The text and the kind of a value.
    fn value(&self, code: u32) -> (&[u8], u8) {
        match self.values.get(code).split_last() {
            Some((kind, text)) => (text, *kind),
            None => (&[], IN_LINE),
        }
    }
}

/// Writes the properties of the lines. Where one line cannot be read, it writes nothing: all is left to the lines.
pub(super) fn put_properties(out: &mut Vec<u8>, entries: &[(Event<'_>, &str)], seed: u64) {
    let Some(all) = All::of(entries, seed) else {
        return;
    };
    let ranked = all.ranked();
    let more = if all.names.len() > ranked.len() {
        MORE
    } else {
        0
    };
    out.push(more | if all.long { LONG } else { 0 });
    // Names are distinct: they are pushed, not looked up.
    let mut names = Dict::new(seed);
    let mut lengths = Vec::new();
    let mut bytes = Vec::new();
    // Local codes of values, by their code in the segment: cleared behind each property.
    let mut local = vec![0; all.values.len().saturating_add(1)];
    for (name, scalars) in ranked.iter().zip(all.by_name(&ranked)) {
        let name = all.names.get(*name);
        names.push(name);
        let before = bytes.len();
        match source_of(name).find(|column| is_alias(&all, &scalars, entries, *column)) {
            Some(column) => bytes.extend([ALIAS, column as u8]),
            None => put_values(&mut bytes, &all, &scalars, entries.len(), &mut local),
        }
        // A property of long texts that hardly come again is the lines once more.
        if bytes.len().saturating_sub(before) > most_bytes(scalars.len()) {
            bytes.truncate(before);
        }
        lengths.push(bytes.len().saturating_sub(before));
    }
    names.put(out);
    lengths
        .into_iter()
        .for_each(|length| put_count(out, length));
    out.extend_from_slice(&bytes);
}

/// Whether a column has exactly what these scalars are.
fn is_alias(all: &All, scalars: &[Scalar], entries: &[(Event<'_>, &str)], column: Column) -> bool {
    let mut scalars = scalars.iter().peekable();
    entries.iter().enumerate().all(|(place, (event, _))| {
        let mut of_event = None;
        while let Some(scalar) = scalars.next_if(|scalar| scalar.event == place) {
            of_event = Some(all.value(scalar.value));
        }
        event.text(column).map(|text| (text.as_bytes(), TEXT)) == of_event
    })
}

/// Writes the values of one property.
fn put_values(out: &mut Vec<u8>, all: &All, scalars: &[Scalar], n: usize, local: &mut [u32]) {
    let mut codes = vec![0; n];
    let mut dict = Dict::new(0);
    let mut kinds = Vec::new();
    for scalar in scalars {
        let Some(code) = local.get_mut(scalar.value as usize) else {
            continue;
        };
        if *code == 0 {
            let (text, kind) = all.value(scalar.value);
            kinds.push(kind);
            *code = dict.push(text);
        }
        if let Some(place) = codes.get_mut(scalar.event) {
            *place = *code;
        }
    }
    for scalar in scalars {
        if let Some(code) = local.get_mut(scalar.value as usize) {
            *code = 0;
        }
    }
    let first = kinds.first().copied().unwrap_or(IN_LINE);
    if kinds.iter().all(|kind| *kind == first) {
        out.push(first);
        dict.put(out);
    } else {
        out.push(MIXED);
        dict.put(out);
        pack(out, kinds.iter().map(|kind| u32::from(*kind)), KIND_BITS);
    }
    put_codes(out, &codes, dict.len());
}
