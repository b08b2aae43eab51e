//! Reads a JSON text once, byte by byte, and notes where its values stand.

use super::tape::{Kind, Node, Scanned};
use crate::limits::MAX_KEYS;
use crate::swar::{below, equal};

/// log2 of the bytes of text that a value takes, with its key, in what trackers send: 32.
const NODE_BYTES_LOG2: u32 = 5;

/// Where the values of one text stand. To be used again and again, so that its memory is.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    /// Scans a whole text, replacing what was scanned before.
    ///
    /// `None` for what is no well-formed JSON, and for what is nested over `levels` deep or has an
    /// object of over [`MAX_KEYS`] keys: those are left to [`crate::event::RawEvent`], which says
    /// what is wrong.
    pub fn scan(&mut self, text: &str, levels: usize) -> Option<()> {
        self.nodes.clear();
        u32::try_from(text.len()).ok()?;
        self.nodes.reserve(text.len() >> NODE_BYTES_LOG2);
        let scan = Scan {
            bytes: text.as_bytes(),
            at: 0,
            nodes: &mut self.nodes,
        };
        scan.document(levels)
    }

    /// The outermost value of the text that was scanned last.
    pub fn root<'t>(&self, text: &'t str) -> Scanned<'t, '_> {
        self.value(text, 0)
    }

    /// A value of it, by [`Scanned::place`].
    pub fn value<'t>(&self, text: &'t str, place: usize) -> Scanned<'t, '_> {
        Scanned {
            text,
            nodes: &self.nodes,
            at: place,
        }
    }
}

impl Scanned<'_, '_> {
    /// Where it is found again on its tape.
    pub fn place(&self) -> usize {
        self.at
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: &'a mut Vec<Node>,
}

/// What a value stands under.
#[derive(Clone, Copy, Default)]
struct Key {
    place: (u32, u32),
    odd: bool,
}

impl Scan<'_> {
    fn document(mut self, levels: usize) -> Option<()> {
        self.spaces();
        self.value(Key::default(), levels)?;
        self.spaces();
        (self.at == self.bytes.len()).then_some(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn step(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    #[inline]
    fn spaces(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.step();
        }
    }

    /// The next byte that is no white space. There is hardly ever any.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        if self.peek()? <= b' ' {
            self.spaces();
        }
        self.peek()
    }

    fn value(&mut self, key: Key, levels: usize) -> Option<()> {
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => self.string()?,
            b'{' => return self.container(key, levels, Kind::Object),
            b'[' => return self.container(key, levels, Kind::Array),
            b't' => self.literal(b"true", Kind::Bool)?,
            b'f' => self.literal(b"false", Kind::Bool)?,
            b'n' => self.literal(b"null", Kind::Null)?,
            _ => self.number()?,
        };
        let next = self.nodes.len().wrapping_add(1) as u32;
        self.nodes.push(Node {
            key: key.place,
            value: (start as u32, self.at as u32),
            next,
            kind,
            odd_key: key.odd,
        });
        Some(())
    }

    fn container(&mut self, key: Key, levels: usize, kind: Kind) -> Option<()> {
        let levels = levels.checked_sub(1)?;
        let (start, place) = (self.at, self.nodes.len());
        self.nodes.push(Node {
            key: key.place,
            value: (0, 0),
            next: 0,
            kind,
            odd_key: key.odd,
        });
        self.step();
        if kind == Kind::Object {
            self.members(levels)?;
        } else {
            self.items(levels)?;
        }
        let next = self.nodes.len() as u32;
        let node = self.nodes.get_mut(place)?;
        node.value = (start as u32, self.at as u32);
        node.next = next;
        Some(())
    }

    fn members(&mut self, levels: usize) -> Option<()> {
        let mut next = self.next()?;
        if next == b'}' {
            self.step();
            return Some(());
        }
        for _ in 0..MAX_KEYS {
            if next != b'"' {
                return None;
            }
            let start = self.at.wrapping_add(1) as u32;
            let odd = self.string()? == Kind::Escaped;
            let place = (start, self.at.wrapping_sub(1) as u32);
            if self.next()? != b':' {
                return None;
            }
            self.step();
            self.next()?;
            self.value(Key { place, odd }, levels)?;
            let end = self.next()?;
            self.step();
            match end {
                b',' => next = self.next()?,
                b'}' => return Some(()),
                _ => return None,
            }
        }
        None
    }

    fn items(&mut self, levels: usize) -> Option<()> {
        if self.next()? == b']' {
            self.step();
            return Some(());
        }
        loop {
            self.value(Key::default(), levels)?;
            let end = self.next()?;
            self.step();
            match end {
                b',' => _ = self.next()?,
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Option<Kind> {
        let end = self.at.wrapping_add(word.len());
        (self.bytes.get(self.at..end)? == word).then_some(())?;
        self.at = end;
        Some(kind)
    }

    /// A string, from one quote to the other.
    #[inline]
    fn string(&mut self) -> Option<Kind> {
        self.step();
        let mut kind = Kind::Text;
        loop {
            self.skip_to_stop();
            match self.peek()? {
                b'"' => {
                    self.step();
                    return Some(kind);
                }
                b'\\' => {
                    self.escape()?;
                    kind = Kind::Escaped;
                }
                _ => return None,
            }
        }
    }

    /// Skips to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn skip_to_stop(&mut self) {
        while let Some(chunk) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let found = stops(u64::from_le_bytes(*chunk));
            if found != 0 {
                self.at = self.at.wrapping_add((found.trailing_zeros() >> 3) as usize);
                return;
            }
            self.at = self.at.wrapping_add(8);
        }
        while self
            .peek()
            .is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
        {
            self.step();
        }
    }

    fn escape(&mut self) -> Option<()> {
        self.step();
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.step(),
            b'u' => {
                self.step();
                for _ in 0..4 {
                    self.peek().filter(u8::is_ascii_hexdigit)?;
                    self.step();
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self) -> Option<Kind> {
        if self.peek()? == b'-' {
            self.step();
        }
        if self.peek()? == b'0' {
            self.step();
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.step();
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step();
            if let Some(b'+' | b'-') = self.peek() {
                self.step();
            }
            self.digits()?;
        }
        Some(Kind::Number)
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        self.peek().filter(u8::is_ascii_digit)?;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        Some(())
    }
}

/// Marks where a string may end: quotes, backslashes and what is below a space.
#[inline]
pub(super) fn stops(word: u64) -> u64 {
    equal(word, b'"') | equal(word, b'\\') | below(word, b' ')
}
