//! `eventData` and `metadata`: their members in order, cleaned while they are written.

use core::ops::Range;

use super::keys::{Key, Keys};
use super::tape::{Kind, Node, Scanned, at, inner};
use super::text::{prints_as_it_stands, push_number, push_text, unescape};
use crate::limits::MAX_ARRAY_ITEMS;
use crate::privacy::{KeyKind, REDACTED, Style, truncate_ips};
use crate::text::{Look, cleaned_as, look};

/// Members of an object that the pass sorts. Real events have a dozen; wider objects take the slow way.
const MAX_MEMBERS: usize = 64;

/// Room for the members of an object and for a text, to begin with: that of nearly all.
const MEMBERS: usize = 32;
const TEXT_BYTES: usize = 256;

/// A member of an object that is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    key: Key<'a>,
    value: Value,
}

impl<'a> Member<'a> {
    pub(super) fn new(name: &'a str, value: Value) -> Self {
        let key = Key::of(name);
        Self { key, value }
    }

    pub(super) fn name(&self) -> &'a str {
        self.key.name
    }

    pub(super) fn value(&self) -> Value {
        self.value
    }
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
    pub(super) fn new() -> Self {
        Self {
            keys: Keys::new(),
            members: Vec::with_capacity(MEMBERS),
            made: String::with_capacity(TEXT_BYTES),
            decoded: String::with_capacity(TEXT_BYTES),
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
                key: Key::at(self.text, node.key),
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
        if !pairs.all(|pair| matches!(pair, [before, after] if before.key.is_below(after.key))) {
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
                watch.note(member.name(), out, start);
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
        if let Some((_, node)) = node
            && node.is_joined()
            && self.stays(&node, kind)
        {
            // As it came, from the key's quote to the value's end.
            out.push_str(at(self.text, (node.key.0.checked_sub(1)?, node.value.1)));
            let value = node.value.1.checked_sub(node.value.0)?;
            return Some(out.len().checked_sub(value as usize));
        }
        out.push('"');
        out.push_str(member.name());
        out.push_str("\":");
        let start = out.len();
        match (member.value, node) {
            (Value::Ready(place), _) => out.push_str(self.ready.get(place).copied()?),
            _ if kind == KeyKind::Sensitive => push_text(out, REDACTED),
            (Value::Made(place), _) => {
                let made = at(&self.scratch.made, place);
                let style = self.style(kind);
                text(out, made, kind, style, look(made, style));
            }
            (_, Some((place, node))) => self.value(out, place, node, kind)?,
            (Value::Node(_), None) => return None,
        }
        Some(Some(start))
    }

    /// Whether a value is written as it stands.
    #[inline]
    fn stays(&self, node: &Node, kind: KeyKind) -> bool {
        if !matches!(
            kind,
            KeyKind::Plain | KeyKind::Url | KeyKind::Path | KeyKind::Lines
        ) {
            return false;
        }
        match node.kind {
            Kind::Text => inner(self.text, node.value)
                .is_some_and(|text| look(text, self.style(kind)) == Look::Plain),
            Kind::Number => prints_as_it_stands(at(self.text, node.value)),
            Kind::Bool => true,
            Kind::Null | Kind::Escaped | Kind::Array | Kind::Object => false,
        }
    }

    fn style(&self, kind: KeyKind) -> Style {
        Style::of(kind, self.hash_routing)
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
                let style = self.style(kind);
                let look = look(raw, style);
                if look == Look::Plain && kind != KeyKind::Ip {
                    out.push_str(at(self.text, node.value));
                } else {
                    text(out, raw, kind, style, look);
                }
            }
            Kind::Escaped => {
                let mut decoded = core::mem::take(&mut self.scratch.decoded);
                decoded.clear();
                let style = self.style(kind);
                unescape(inner(self.text, node.value)?, style.has_lines, &mut decoded)?;
                text(out, &decoded, kind, style, look(&decoded, style));
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
fn text(out: &mut String, text: &str, kind: KeyKind, style: Style, look: Look) {
    if kind == KeyKind::Ip {
        push_text(out, &truncate_ips(text));
        return;
    }
    match cleaned_as(text, style, look) {
        Some(better) => push_text(out, &better),
        None => push_text(out, text),
    }
}

/// Sorts by key. Members are few and mostly in order, or in one of a few orders.
fn insertion_sort(members: &mut [Member<'_>]) {
    for end in 1..members.len() {
        let mut place = end;
        while let Some(before) = place.checked_sub(1) {
            match (members.get(before), members.get(place)) {
                (Some(left), Some(right)) if right.key.is_below(left.key) => {
                    members.swap(before, place)
                }
                _ => break,
            }
            place = before;
        }
    }
}
