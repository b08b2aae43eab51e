//! One segment of many.

use super::super::segment::{Broken, Segment};
use super::super::{Event, Packable};
use super::{Part, Run};

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The segment that was made, its lines to be packed; none where fewer than two could be read.
    pub made: Option<Packable>,
    /// Those that could not be read, and why: they stay what they are.
    pub broken: Vec<(i64, String)>,
    /// Those that it was made of.
    pub(in crate::archive) seqs: Vec<i64>,
    /// When the last of them was appended, Unix milliseconds.
    pub(super) at: i64,
}

/// Makes one segment of a run; `texts` are the lines of each, where they could be unpacked.
pub fn merge(run: &Run, texts: &[Option<String>]) -> Merged {
    let mut merged = Merged {
        made: None,
        broken: Vec::new(),
        seqs: Vec::new(),
        at: 0,
    };
    let mut entries: Vec<(Event<'_>, &str)> = Vec::new();
    for (part, text) in run.parts.iter().zip(texts) {
        match read(part, text.as_deref()) {
            Ok(mut some) => {
                entries.append(&mut some);
                merged.seqs.push(part.seq);
                merged.at = merged.at.max(part.at);
            }
            Err(why) => merged.broken.push((part.seq, why.to_string())),
        }
    }
    if merged.seqs.len() > 1 {
        merged.made = Some(Packable::of(run.hour, &entries));
    }
    merged
}

/// The events of a segment, each with its line.
pub(in super::super) fn read<'a>(
    part: &'a Part,
    text: Option<&'a str>,
) -> Result<Vec<(Event<'a>, &'a str)>, Broken> {
    let text = text.ok_or(Broken("its lines cannot be unpacked"))?;
    let segment = Segment::parse(&part.columns)?;
    let (events, lines) = (segment.events()?, segment.lines()?);
    let end = lines.last().map_or(0, |line| line.end.saturating_add(1));
    if end != text.len() || usize::try_from(part.n) != Ok(events.len()) {
        return Err(Broken("its lines are not those of its columns"));
    }
    let line = |range| text.get(range).filter(|line: &&str| !line.contains('\n'));
    let lines = lines.into_iter().map(line).collect::<Option<Vec<&str>>>();
    let lines = lines.ok_or(Broken("its lines are not those of its columns"))?;
    Ok(events.into_iter().zip(lines).collect())
}
