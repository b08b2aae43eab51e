//! A piece of a part, cut into lines.

use super::{MAX_LINE_BYTES, STEP_LINES};

/// What some programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in its part a piece begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Lines that are over.
    pub(super) line: i64,
    /// It begins within a line that was refused for its length.
    pub(super) skipping: bool,
}

/// A line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its number in its part, from 1.
    pub(super) number: i64,
    /// Without the white space around it; none of a line that is too long.
    pub(super) text: Option<&'a [u8]>,
}

/// The lines of a piece, and where the next one begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut<'a> {
    pub(super) lines: Vec<Line<'a>>,
    /// Bytes that are done with.
    pub(super) bytes: usize,
    pub(super) next: Place,
}

/// Cuts a piece into its whole lines, at most [`STEP_LINES`] of them. The last line of a part needs no
/// end. A line over [`MAX_LINE_BYTES`] is told once, when so much of it has been seen, and the rest of
/// it passed over, so that a piece of more than that many bytes always gets on.
pub(super) fn cut(piece: &[u8], ends_part: bool, from: Place) -> Cut<'_> {
    let mut cut = Cut {
        lines: Vec::new(),
        bytes: 0,
        next: from,
    };
    while cut.lines.len() < STEP_LINES {
        let rest = piece.get(cut.bytes..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let end = rest.iter().position(|byte| *byte == b'\n');
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let whole = end.is_some() || ends_part;
        if !whole && !cut.next.skipping && text.len() <= MAX_LINE_BYTES {
            break;
        }
        let number = cut.next.line.saturating_add(1);
        if !cut.next.skipping {
            cut.lines.extend(line(number, text));
        }
        cut.bytes = cut
            .bytes
            .saturating_add(text.len())
            .saturating_add(usize::from(end.is_some()));
        cut.next = if whole {
            Place {
                line: number,
                skipping: false,
            }
        } else {
            Place {
                skipping: true,
                ..cut.next
            }
        };
    }
    cut
}

fn line(number: i64, text: &[u8]) -> Option<Line<'_>> {
    if text.len() > MAX_LINE_BYTES {
        return Some(Line { number, text: None });
    }
    let text = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) if number == 1 => rest,
        _ => text,
    }
    .trim_ascii();
    (!text.is_empty()).then_some(Line {
        number,
        text: Some(text),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All lines of a part that is read in pieces of these lengths.
    fn walk(part: &[u8], mut lengths: impl Iterator<Item = usize>) -> Vec<(i64, Option<Vec<u8>>)> {
        let (mut at, mut place, mut lines) = (0, Place::default(), Vec::new());
        while at < part.len() {
            let length = lengths.next().unwrap_or(MAX_LINE_BYTES) + MAX_LINE_BYTES + 1;
            let end = part.len().min(at + length);
            let cut = cut(&part[at..end], end == part.len(), place);
            assert!(cut.bytes > 0, "stuck at {at}");
            lines.extend(
                cut.lines
                    .iter()
                    .map(|l| (l.number, l.text.map(<[u8]>::to_vec))),
            );
            (at, place) = (at + cut.bytes, cut.next);
        }
        lines
    }

    #[test]
    fn lines_are_trimmed_and_numbered_and_blank_ones_are_none() {
        let part = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \r\n x \n\xef\xbb\xbfy\nlast";
        let text = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(
            walk(part, std::iter::empty()),
            [
                (1, text("{\"a\":1}")),
                (4, text("x")),
                (5, text("\u{feff}y")),
                (6, text("last"))
            ]
        );
        assert_eq!(walk(b"\n\n", std::iter::empty()), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_once_and_passed_over() {
        let fits = "x".repeat(MAX_LINE_BYTES);
        let over = "x".repeat(MAX_LINE_BYTES + 1);
        let endless = "y".repeat(10 * MAX_LINE_BYTES);
        let part = format!("{fits}\n{over}\n{endless}\na\n{endless}");
        let lines = walk(part.as_bytes(), std::iter::repeat(0));
        let lengths: Vec<_> = lines
            .iter()
            .map(|(n, text)| (*n, text.as_ref().map(Vec::len)))
            .collect();
        assert_eq!(
            lengths,
            [
                (1, Some(MAX_LINE_BYTES)),
                (2, None),
                (3, None),
                (4, Some(1)),
                (5, None)
            ]
        );
    }

    #[test]
    fn a_piece_of_many_lines_is_taken_a_part_at_a_time() {
        let part = "x\n".repeat(STEP_LINES + 1);
        let first = cut(part.as_bytes(), true, Place::default());
        assert_eq!(
            (first.lines.len(), first.bytes),
            (STEP_LINES, 2 * STEP_LINES)
        );
    }

    proptest! {
        #[test]
        fn however_a_part_is_read_its_lines_are_the_same(
            lines in prop::collection::vec(
                prop_oneof![
                    4 => "[a-z \r]{0,20}",
                    1 => (MAX_LINE_BYTES - 2..MAX_LINE_BYTES + 3).prop_map(|n| "z".repeat(n)),
                    1 => (2 * MAX_LINE_BYTES..3 * MAX_LINE_BYTES).prop_map(|n| " ".repeat(n)),
                ],
                0..12,
            ),
            ends in any::<bool>(),
            lengths in prop::collection::vec(0..2 * MAX_LINE_BYTES, 0..40),
        ) {
            let part = lines.join("\n") + if ends { "\n" } else { "" };
            let whole = walk(part.as_bytes(), std::iter::repeat(part.len()));
            prop_assert_eq!(&walk(part.as_bytes(), lengths.into_iter()), &whole);
            let naive: Vec<i64> = part
                .split('\n')
                .enumerate()
                .filter(|(_, line)| line.len() > MAX_LINE_BYTES || !line.trim_ascii().is_empty())
                .map(|(at, _)| i64::try_from(at).unwrap() + 1)
                .collect();
            prop_assert_eq!(whole.iter().map(|(n, _)| *n).collect::<Vec<_>>(), naive);
        }
    }
}
