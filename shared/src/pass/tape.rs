//! A JSON text as a flat list of where its values stand.

use core::ops::Range;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, of whatever size.
    Number,
    /// A string in which nothing is escaped.
    Text,
    /// A string with escapes, well-formed but for lone surrogates.
    Escaped,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value. Offsets are bytes of the text; it is never over 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Between the quotes of the key; empty for what has none.
    pub(super) key: (u32, u32),
    /// The whole value, a string's quotes included.
    pub(super) value: (u32, u32),
    /// The node behind this one and all within it.
    pub(super) next: u32,
    pub(super) kind: Kind,
    /// The key has escapes, so its name is not what stands there.
    pub(super) odd_key: bool,
}

/// A value of a scanned text.
#[derive(Debug, Clone, Copy)]
pub struct Scanned<'t, 'n> {
    pub(super) text: &'t str,
    pub(super) nodes: &'n [Node],
    pub(super) at: usize,
}

impl<'t, 'n> Scanned<'t, 'n> {
    pub(super) fn node(&self) -> Option<&'n Node> {
        self.nodes.get(self.at)
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// Its JSON text, without white space around it.
    pub fn raw(&self) -> &'t str {
        self.node().map_or("", |node| at(self.text, node.value))
    }

    /// What stands between the quotes of a string without escapes.
    pub fn plain(&self) -> Option<&'t str> {
        let node = self.node().filter(|node| node.kind == Kind::Text)?;
        inner(self.text, node.value)
    }

    /// The name it stands under in an object; `None` where that has escapes.
    pub fn key(&self) -> Option<&'t str> {
        let node = self.node().filter(|node| !node.odd_key)?;
        Some(at(self.text, node.key))
    }

    /// The values in it, in order.
    pub fn children(&self) -> impl Iterator<Item = Scanned<'t, 'n>> + use<'t, 'n> {
        let Range { start, end } = self
            .node()
            .map_or(0..0, |node| self.at.saturating_add(1)..node.next as usize);
        let (text, nodes, mut at) = (self.text, self.nodes, start);
        core::iter::from_fn(move || {
            let node = nodes.get(at).filter(|_| at < end)?;
            let child = Scanned { text, nodes, at };
            at = node.next as usize;
            Some(child)
        })
    }
}

/// Two members of an object that stand one behind the other, without white space, and whose values
/// are texts without escapes.
#[derive(Debug, Clone)]
pub(super) struct Pair<'t> {
    /// Both, from the quote of the first key to that of the second value.
    pub(super) text: &'t str,
    /// The inside of the first value, in bytes of [`Pair::text`].
    pub(super) first: Range<usize>,
    /// The inside of the second.
    pub(super) second: Range<usize>,
}

impl<'t> Pair<'t> {
    pub(super) fn of(first: Scanned<'t, '_>, second: Scanned<'t, '_>) -> Option<Self> {
        let (one, other) = (first.node()?, second.node()?);
        let is_text = |node: &Node| node.kind == Kind::Text && node.is_joined();
        // A comma and a quote lie between.
        let is_next = one.value.1.wrapping_add(2) == other.key.0;
        if !is_text(one) || !is_text(other) || !is_next {
            return None;
        }
        let start = one.key.0.checked_sub(1)?;
        let inside = |(from, to): (u32, u32)| {
            let from = from.wrapping_sub(start).wrapping_add(1) as usize;
            from..to.wrapping_sub(start).wrapping_sub(1) as usize
        };
        Some(Self {
            text: at(first.text, (start, other.value.1)),
            first: inside(one.value),
            second: inside(other.value),
        })
    }
}

impl Node {
    /// Whether nothing but the quote and the colon stands between key and value.
    #[inline]
    pub(super) fn is_joined(&self) -> bool {
        self.key.1.wrapping_add(2) == self.value.0
    }
}

/// A piece of the text.
#[inline]
pub(super) fn at(text: &str, (start, end): (u32, u32)) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

/// What stands between a string's quotes.
#[inline]
pub(super) fn inner(text: &str, (start, end): (u32, u32)) -> Option<&str> {
    text.get((start as usize).checked_add(1)?..(end as usize).checked_sub(1)?)
}
