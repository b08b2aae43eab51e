//! `eventData` and `metadata`: their members in order, cleaned while they are written.

use core::ops::Range;

use super::keys::Keys;
use super::tape::{Kind, Node, Scanned, at, inner};
use super::text::{push_cleaned, push_number, push_text, unescape};
use crate::limits::MAX_ARRAY_ITEMS;
use crate::privacy::{KeyKind, REDACTED, truncate_ips};
use crate::sanitize::{Style, cleaned_suspect, is_plain};

/// Members of an object that the pass sorts. Real events have a dozen; wider objects take the slow way.
const MAX_MEMBERS: usize = 64;

/// A member of an object that is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) key: &'a str,
    pub(super) value: Value,
}

/// What stands under its key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A value of the tape.
    Node(usize),
    /// A text that was made, to be cleaned like any other: a piece of [`Scratch::made`].
    Made((u32, u32)),
    /// JSON that is clean already, one of [`Content::ready`].
    Ready(usize),
}

/// What is used again for each object of a batch.
pub(super) struct Scratch<'a> {
    pub(super) keys: Keys<'a>,
    pub(super) members: Vec<Member<'a>>,
    pub(super) made: String,
    pub(super) decoded: String,
}

impl Scratch<'_> {
    pub(super) const fn new() -> Self {
        Self {
            keys: Keys::new(),
            members: Vec::new(),
            made: String::new(),
            decoded: String::new(),
        }
    }
}

/// Texts that are asked for once an object is written.
#[derive(Debug)]
pub(super) struct Watch<const N: usize> {
    keys: [&'static str; N],
    found: [Option<Found>; N],
}

/// A text as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// It stands in the output like this.
    Place(Range<usize>),
    /// It has escapes there.
    Text(String),
}

impl<const N: usize> Watch<N> {
    pub(super) fn of(keys: [&'static str; N]) -> Self {
        Self {
            keys,
            found: [const { None }; N],
        }
    }

    pub(super) fn found(self) -> [Option<Found>; N] {
        self.found
    }

    /// Notes what was written from `start` on, if it is a text that is watched for.
    fn note(&mut self, key: &str, out: &str, start: usize) {
        let Some(place) = self.keys.iter().position(|watched| *watched == key) else {
            return;
        };
        let (start, end) = (start.saturating_add(1), out.len().saturating_sub(1));
        let json = out.get(start.saturating_sub(1)..).unwrap_or_default();
        if let Some(found) = self.found.get_mut(place)
            && json.starts_with('"')
        {
            *found = if json.contains('\\') {
                serde_json::from_str(json).ok().map(Found::Text)
            } else {
                Some(Found::Place(start..end))
            };
        }
    }
}

/// Writes the content of one event.
pub(super) struct Content<'a, 's> {
    pub(super) text: &'a str,
    pub(super) nodes: &'s [Node],
    pub(super) scratch: &'s mut Scratch<'a>,
    pub(super) hash_routing: bool,
    /// What the edge adds.
    pub(super) ready: Vec<&'s str>,
}

impl<'a, 's> Content<'a, 's> {
    /// Of an event of this tape.
    pub(super) fn of(
        event: Scanned<'a, 's>,
        scratch: &'s mut Scratch<'a>,
        hash_routing: bool,
    ) -> Self {
        scratch.members.clear();
        Self {
            text: event.text,
            nodes: event.nodes,
            scratch,
            hash_routing,
            ready: Vec::new(),
        }
    }

    /// Gathers the members of an object, as they stand there; `None` where a key has escapes.
    pub(super) fn gather(&mut self, object: usize) -> Option<()> {
        let node = self.nodes.get(object)?;
        let (mut child, end) = (object.checked_add(1)?, node.next as usize);
        while child < end {
            let node = self.nodes.get(child)?;
            if node.odd_key {
                return None;
            }
            self.scratch.members.push(Member {
                key: at(self.text, node.key),
                value: Value::Node(child),
            });
            child = node.next as usize;
        }
        Some(())
    }

    /// Writes the members that were gathered behind the first `from`, sorted, and forgets them.
    pub(super) fn write<const N: usize>(
        &mut self,
        out: &mut String,
        from: usize,
        watch: &mut Watch<N>,
    ) -> Option<()> {
        let members = self.scratch.members.get_mut(from..)?;
        if members.len() > MAX_MEMBERS {
            return None;
        }
        let mut pairs = members.windows(2);
        if !pairs.all(|pair| matches!(pair, [before, after] if before.key < after.key)) {
            insertion_sort(members);
            let mut pairs = members.windows(2);
            if pairs.any(|pair| matches!(pair, [before, after] if before.key == after.key)) {
                return None;
            }
        }
        out.push('{');
        let mut place = from;
        let mut is_first = true;
        while let Some(member) = self.scratch.members.get(place).copied() {
            place = place.wrapping_add(1);
            let before = out.len();
            if !is_first {
                out.push(',');
            }
            if let Some(start) = self.member(out, member)? {
                watch.note(member.key, out, start);
                is_first = false;
            } else {
                out.truncate(before);
            }
        }
        out.push('}');
        self.scratch.members.truncate(from);
        Some(())
    }

    /// Writes a member; gives where its value begins, or nothing where it has to go.
    fn member(&mut self, out: &mut String, member: Member<'a>) -> Option<Option<usize>> {
        let kind = self.scratch.keys.kind(member.key, self.hash_routing)?;
        if kind == KeyKind::Dropped {
            return Some(None);
        }
        let node = match member.value {
            Value::Node(place) => Some((place, *self.nodes.get(place)?)),
            Value::Made(_) | Value::Ready(_) => None,
        };
        if node.is_some_and(|(_, node)| node.kind == Kind::Null) {
            return Some(None);
        }
        out.push('"');
        out.push_str(member.key);
        out.push_str("\":");
        let start = out.len();
        match (member.value, node) {
            (Value::Ready(place), _) => out.push_str(self.ready.get(place).copied()?),
            _ if kind == KeyKind::Sensitive => push_text(out, REDACTED),
            (Value::Made(place), _) => {
                let style = self.style(kind);
                text(out, at(&self.scratch.made, place), kind, style);
            }
            (_, Some((place, node))) => self.value(out, place, node, kind)?,
            (Value::Node(_), None) => return None,
        }
        Some(Some(start))
    }

    fn style(&self, kind: KeyKind) -> Style {
        Style {
            is_url: kind == KeyKind::Url,
            hash_routing: self.hash_routing,
        }
    }

    /// Writes a value that is not null.
    fn value(&mut self, out: &mut String, place: usize, node: Node, kind: KeyKind) -> Option<()> {
        match node.kind {
            Kind::Null => return None,
            Kind::Bool => out.push_str(at(self.text, node.value)),
            Kind::Number if kind == KeyKind::Ip => push_text(out, REDACTED),
            Kind::Number => push_number(out, at(self.text, node.value))?,
            Kind::Text => {
                let raw = inner(self.text, node.value)?;
                if kind != KeyKind::Ip && is_plain(raw, self.style(kind)) {
                    // As it came, quotes and all.
                    out.push_str(at(self.text, node.value));
                } else {
                    suspect_text(out, raw, kind, self.style(kind));
                }
            }
            Kind::Escaped => {
                let mut decoded = core::mem::take(&mut self.scratch.decoded);
                decoded.clear();
                unescape(inner(self.text, node.value)?, &mut decoded)?;
                text(out, &decoded, kind, self.style(kind));
                self.scratch.decoded = decoded;
            }
            Kind::Array => self.array(out, place, node, kind)?,
            Kind::Object => {
                let from = self.scratch.members.len();
                self.gather(place)?;
                self.write(out, from, &mut Watch::of([]))?;
            }
        }
        Some(())
    }

    fn array(&mut self, out: &mut String, place: usize, node: Node, kind: KeyKind) -> Option<()> {
        out.push('[');
        let (mut child, mut is_first) = (place.checked_add(1)?, true);
        for _ in 0..MAX_ARRAY_ITEMS {
            if child >= node.next as usize {
                break;
            }
            let item = *self.nodes.get(child)?;
            if item.kind != Kind::Null {
                if !is_first {
                    out.push(',');
                }
                self.value(out, child, item, kind)?;
                is_first = false;
            }
            child = item.next as usize;
        }
        out.push(']');
        Some(())
    }
}

/// Writes a text of this kind, cleaned.
fn text(out: &mut String, text: &str, kind: KeyKind, style: Style) {
    if kind == KeyKind::Ip {
        push_text(out, &truncate_ips(text));
    } else {
        push_cleaned(out, text, style);
    }
}

/// The same of one that is known not to be plain.
fn suspect_text(out: &mut String, text: &str, kind: KeyKind, style: Style) {
    if kind == KeyKind::Ip {
        push_text(out, &truncate_ips(text));
    } else {
        let better = cleaned_suspect(text, style);
        push_text(out, better.as_deref().unwrap_or(text));
    }
}

/// Sorts by key. Members are few and mostly in order, or in one of a few orders.
fn insertion_sort(members: &mut [Member<'_>]) {
    for end in 1..members.len() {
        let mut place = end;
        while let Some(before) = place.checked_sub(1) {
            match (members.get(before), members.get(place)) {
                (Some(left), Some(right)) if left.key > right.key => members.swap(before, place),
                _ => break,
            }
            place = before;
        }
    }
}
