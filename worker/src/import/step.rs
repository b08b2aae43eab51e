//! Lines made into drafts with ids, so that each line is the same event whenever and however often
//! it comes.

use shoreline_shared::event::Rejection;

use super::lines::Line;
use crate::base::hash::sha256_hex;
use crate::base::sorted::Map;
use crate::base::sql::SqlError;
use crate::ingest::adapters;
use crate::ingest::draft::{Draft, Made};
use crate::ingest::history::History;

/// Characters of a line's hash by which equal lines are counted: 128 bits.
const KEY_CHARS: usize = 32;

/// A step's drafts, in the order of its lines.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) drafts: Vec<Draft<'a>>,
    /// How often each line without an id of its own has come, this step's included.
    pub(super) counts: Map<String, i64>,
}

/// Makes the drafts. A line without an id of its own gets one of its hash and its ordinal among equal
/// lines: the first `{"a":1}` of an import is always the same event, and the second another.
///
/// `known` tells how often lines came in the steps before.
///
/// # Errors
/// Those of `known`.
pub(super) fn drafts<'a>(
    lines: &[Line<'a>],
    known: impl FnOnce(&[&str]) -> Result<Map<String, i64>, SqlError>,
) -> Result<Step<'a>, SqlError> {
    let mut drafts = Vec::with_capacity(lines.len());
    let mut hashes: Vec<Option<String>> = Vec::with_capacity(lines.len());
    for line in lines {
        let mut draft = match line.text {
            Some(text) => adapters::line(text),
            None => Draft::Refused(Rejection::too_large()),
        };
        let mut hash = None;
        if let Draft::Made(made) = &mut draft {
            made.history = Some(History::of(&made.fields));
            if !has_id(made) {
                hash = line.text.map(sha256_hex);
            }
        }
        drafts.push(draft);
        hashes.push(hash);
    }
    let asked: Vec<&str> = hashes.iter().flatten().map(|hash| key(hash)).collect();
    let mut counts = known(&asked)?;
    for (draft, hash) in drafts.iter_mut().zip(hashes) {
        let (Draft::Made(made), Some(hash)) = (draft, hash) else {
            continue;
        };
        let ordinal = counts.entry(key(&hash).to_owned()).or_default();
        made.foreign_id = Some(format!("line:{hash}:{ordinal}"));
        *ordinal = ordinal.saturating_add(1);
    }
    Ok(Step { drafts, counts })
}

fn key(hash: &str) -> &str {
    hash.get(..KEY_CHARS).unwrap_or(hash)
}

fn has_id(made: &Made) -> bool {
    let own = made.fields.get("eventId");
    made.foreign_id.is_some() || own.is_some_and(|id| !id.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: i64, text: &str) -> Line<'_> {
        Line {
            number,
            text: Some(text.as_bytes()),
        }
    }

    fn ids(step: &Step<'_>) -> Vec<Option<String>> {
        step.drafts
            .iter()
            .map(|draft| match draft {
                Draft::Made(made) => made.foreign_id.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    const A: &str = r#"{"eventType":"a.b","source":"s"}"#;
    const B: &str = r#"{"eventType":"a.c","source":"s"}"#;

    #[test]
    fn equal_lines_are_told_apart_by_their_ordinal_over_all_steps() {
        let hash = sha256_hex(A.as_bytes());
        let mut known = Map::new();
        let first = drafts(&[line(1, A), line(2, B), line(3, A)], |_| Ok(known.clone())).unwrap();
        assert_eq!(ids(&first)[0], Some(format!("line:{hash}:0")));
        assert_eq!(ids(&first)[2], Some(format!("line:{hash}:1")));
        assert_eq!(first.counts.values().sum::<i64>(), 3);
        known = first.counts;
        let second = drafts(&[line(4, A)], |asked| {
            assert_eq!(asked, [&hash[..KEY_CHARS]]);
            Ok(known)
        });
        assert_eq!(ids(&second.unwrap()), [Some(format!("line:{hash}:2"))]);
    }

    #[test]
    fn a_line_with_an_id_of_its_own_is_not_counted() {
        let own =
            r#"{"eventId":"0198c1d2-0000-7000-8000-000000000001","eventType":"a.b","source":"s"}"#;
        let cloud = r#"{"specversion":"1.0","type":"a.b","source":"s","id":"7"}"#;
        let step = drafts(&[line(1, own), line(2, cloud)], |asked| {
            assert!(asked.is_empty());
            Ok(Map::new())
        })
        .unwrap();
        assert_eq!(ids(&step), [None, Some("cloudevents:s\n7".to_owned())]);
        assert!(step.counts.is_empty());
        // Null counts as absent.
        let null = r#"{"eventId":null,"eventType":"a.b","source":"s"}"#;
        let step = drafts(&[line(1, null)], |_| Ok(Map::new())).unwrap();
        assert!(ids(&step)[0].is_some());
    }

    #[test]
    fn what_is_no_event_is_refused_by_itself() {
        let lines = [
            Line {
                number: 1,
                text: None,
            },
            Line {
                number: 2,
                text: Some(b"\xff"),
            },
            line(3, "nonsense"),
            line(4, "{\"x\":1}"),
        ];
        let step = drafts(&lines, |_| Ok(Map::new())).unwrap();
        let [too_long, bytes, text, unknown] = step.drafts.as_slice() else {
            panic!("four lines, four drafts")
        };
        for (draft, code) in [
            (too_long, "event_too_large"),
            (bytes, "wrong_type"),
            (text, "wrong_type"),
        ] {
            let Draft::Refused(rejection) = draft else {
                panic!("{draft:?}")
            };
            assert_eq!(rejection.code.as_str(), code);
        }
        assert!(matches!(unknown, Draft::Unknown { .. }));
    }
}
