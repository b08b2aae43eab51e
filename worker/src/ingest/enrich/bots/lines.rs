//! Finds any of some hundred short patterns in a text, without a regular expression engine.
//!
//! A pattern is plain text, with `^` before it or `$` behind it for the ends of the text, `*` for
//! whatever lies between, and `!` behind it where no letter may follow. Where case counts it begins a word:
//! `RED/` is not in `WIRED/`. It is found by its first [`KEY`] bytes: a bit set of their hashes rules out nearly every place of a text at once.

/// Bytes by which a pattern is found; none is shorter.
const KEY: usize = 3;

/// log2 of the bit set's size: 32,768 bits (4 KiB), so that under 3 % of them are set by the 800
/// patterns there are, and a place that matches nothing is nearly always told by one look.
const HASH_BITS: u32 = 15;

/// What a `u32` is shifted by to leave [`HASH_BITS`] bits.
const HASH_SHIFT: u32 = u32::BITS - HASH_BITS;

/// 64-bit words of the bit set.
const WORDS: usize = 1 << (HASH_BITS - 6);

/// A table of patterns.
pub(super) struct Lines {
    /// Which hashes of keys occur.
    seen: [u64; WORDS],
    /// The patterns, in the order of their keys, as the tables have them.
    patterns: Vec<Pattern>,
    /// Whether case counts.
    exact: bool,
}

struct Pattern {
    key: u32,
    /// The text before the first gap.
    head: &'static [u8],
    /// What has to follow somewhere, where there is a gap.
    tail: Option<&'static str>,
    starts: bool,
    ends: bool,
    closed: bool,
}

impl Lines {
    /// One pattern a line, of which each character is meant as it is.
    pub(super) fn exact(text: &'static str) -> Self {
        Self::new(text, true)
    }

    /// One pattern a line, in lowercase, found in whatever case.
    pub(super) fn folded(text: &'static str) -> Self {
        Self::new(text, false)
    }

    fn new(text: &'static str, exact: bool) -> Self {
        let patterns: Vec<_> = text.lines().filter_map(Pattern::parse).collect();
        let mut seen = [0; WORDS];
        for pattern in &patterns {
            let (word, bit) = place(pattern.key);
            if let Some(word) = seen.get_mut(word) {
                *word |= bit;
            }
        }
        Self {
            seen,
            patterns,
            exact,
        }
    }

    /// Whether any pattern occurs in the text.
    pub(super) fn find(&self, text: &[u8]) -> bool {
        text.windows(KEY).enumerate().any(|(start, window)| {
            let key = key_of(window);
            let (word, bit) = place(key);
            self.seen.get(word).is_some_and(|word| word & bit != 0)
                && self
                    .with_key(key)
                    .any(|it| it.is_at(text, start, self.exact))
        })
    }

    fn with_key(&self, key: u32) -> impl Iterator<Item = &Pattern> {
        let first = self.patterns.partition_point(|pattern| pattern.key < key);
        let rest = self.patterns.get(first..).unwrap_or_default();
        rest.iter().take_while(move |pattern| pattern.key == key)
    }
}

impl Pattern {
    /// `None` of a line that is too short; the tables have none.
    fn parse(line: &'static str) -> Option<Self> {
        let (starts, line) = cut(line, line.strip_prefix('^'));
        let (ends, line) = cut(line, line.strip_suffix('$'));
        let (closed, line) = cut(line, line.strip_suffix('!'));
        let (head, tail) = match line.split_once('*') {
            Some((head, tail)) => (head, Some(tail)),
            None => (line, None),
        };
        Some(Self {
            key: key_of(head.as_bytes().get(..KEY)?),
            head: head.as_bytes(),
            tail,
            starts,
            ends,
            closed,
        })
    }

    /// Whether no word runs into it.
    fn begins_a_word(&self, before: &[u8]) -> bool {
        let is_in_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        !(is_in_word(self.head.first()) && is_in_word(before.last()))
    }

    fn is_at(&self, text: &[u8], start: usize, exact: bool) -> bool {
        let Some((before, here)) = text.split_at_checked(start) else {
            return false;
        };
        let Some((found, after)) = here.split_at_checked(self.head.len()) else {
            return false;
        };
        let same = if exact {
            found == self.head
        } else {
            found.eq_ignore_ascii_case(self.head)
        };
        same && (!self.starts || before.is_empty())
            && (!exact || self.begins_a_word(before))
            && (!self.ends || after.is_empty())
            && (!self.closed || is_closed(before, after))
            && self
                .tail
                .is_none_or(|tail| contains(after, tail.as_bytes()))
    }
}

/// Whether a word ends here, and is not the end of `CUBOT`, a maker of telephones.
fn is_closed(before: &[u8], after: &[u8]) -> bool {
    let maker = before
        .last_chunk()
        .is_some_and(|last: &[u8; 2]| last.eq_ignore_ascii_case(b"cu"));
    !maker && !after.first().is_some_and(u8::is_ascii_alphabetic)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// A text with a mark taken off, and whether it was there.
fn cut<'a>(text: &'a str, without: Option<&'a str>) -> (bool, &'a str) {
    without.map_or((false, text), |without| (true, without))
}

/// The bytes as one number, case folded: the case is looked at when the pattern is compared.
fn key_of(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |key, byte| {
        key << 8 | u32::from(byte.to_ascii_lowercase())
    })
}

/// Where a key's bit stands. The factor is 2^32 over the golden ratio (Knuth), which spreads
/// neighbouring keys.
fn place(key: u32) -> (usize, u64) {
    let hash = key.wrapping_mul(0x9E37_79B1) >> HASH_SHIFT;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(pattern: &'static str, text: &str) -> bool {
        Lines::exact(pattern).find(text.as_bytes())
    }

    #[test]
    fn the_tables_are_in_the_order_of_their_keys() {
        for (text, n) in [
            (include_str!("crawlers.txt"), 500),
            (include_str!("words.txt"), 20),
        ] {
            let lines = Lines::exact(text);
            assert!(lines.patterns.len() > n);
            assert!(lines.patterns.is_sorted_by_key(|pattern| pattern.key));
        }
    }

    #[test]
    fn plain_text_is_found_anywhere_in_its_own_case() {
        for text in ["Wget", "a Wget", "Wget/1.0", "Wg-Wget", "Wg_Wget"] {
            assert!(finds("Wget", text), "{text}");
        }
        for text in ["", "We", "Wge", "wget", "Wg et", "WgWget", "1Wget"] {
            assert!(!finds("Wget", text), "{text}");
        }
    }

    #[test]
    fn ends_hold() {
        assert!(finds("^curl", "curl/8"));
        assert!(!finds("^curl", "libcurl/8"));
        assert!(finds("Labs$", "SSL Labs"));
        assert!(!finds("Labs$", "Labs 2"));
        assert!(finds("^all$", "all"));
        assert!(!finds("^all$", "all all"));
    }

    #[test]
    fn a_gap_takes_anything_or_nothing() {
        assert!(finds("Blog/* Feed", "Blog/1.2 Feed"));
        assert!(finds("Blog/* Feed", "Blog/ Feed"));
        assert!(!finds("Blog/* Feed", "Feed Blog/1"));
        assert!(finds("LCC *", "LCC "));
        assert!(!finds("LCC *", "LCC"));
    }

    #[test]
    fn a_closed_word_has_no_letter_behind_it() {
        let lines = Lines::folded("bot!");
        for text in ["bot", "aBot/1", "BOT;", "xbot2", "mybot-x", "cbot"] {
            assert!(lines.find(text.as_bytes()), "{text}");
        }
        for text in ["bottle", "CUBOT_X18", "cubot", "bo"] {
            assert!(!lines.find(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn patterns_with_the_same_key_are_all_tried() {
        let lines = Lines::exact("abcd\nabce\n^abcf\nABC");
        for (text, found) in [
            ("x abce", true),
            ("abcf", true),
            ("xabcf", false),
            (".ABC", true),
            ("abc", false),
        ] {
            assert_eq!(lines.find(text.as_bytes()), found, "{text}");
        }
    }

    #[test]
    fn a_line_without_a_key_is_no_pattern() {
        assert!(!finds("ab\n\n^a", "ab"));
    }
}
