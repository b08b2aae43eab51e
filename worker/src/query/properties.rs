//! Which properties events have: names and types of values, by the name of the event.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::loaded::{Entry, Kind};
use super::part::TooMuch;
use super::picking::Walked;
use super::rows::name as name_of;
use super::spec::{Limits, Spec};
use crate::archive::Column;
use crate::archive::scan::{Scan, Walk};
use crate::archive::segment::{Broken, Found, Property, Scalars, Segment, Value};

/// The type of event whose name is a property.
const CUSTOM: &str = "custom";
const NAME: &str = "name";

/// What a shard found of a property of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The type of the event.
    pub event_type: String,
    /// The name of a custom event.
    pub event: Option<String>,
    /// The name of the property; empty for the event itself.
    pub name: String,
    /// How many events have a text, a number, a boolean; of the event itself, how many there are and nothing more.
    pub counts: [i64; 3],
}

/// Discovery under way.
pub(super) struct Discovery {
    range: Range<i64>,
    kept_from: i64,
    event_type: Option<String>,
    limits: Limits,
    needs_lines: bool,
    too_much: Option<TooMuch>,
    work: usize,
    /// Places in the list, by what stands before the counts.
    places: HashMap<String, u64>,
    seen: Vec<Seen>,
}

/// An event by its number, a property of it, and how many have a text, a number, a boolean.
type Counts = (usize, String, [i64; 3]);

/// The events of a segment that are looked at: the type and the name of each, by numbers; none of others.
struct Events<'a> {
    names: Vec<(&'a str, Option<String>)>,
    of: Vec<Option<usize>>,
}

impl Discovery {
    /// Of what is asked; none of another question.
    pub(super) fn of(spec: &Spec, kept_from: i64) -> Option<Self> {
        let Some(Walk::Properties { event_type }) = &spec.walk else {
            return None;
        };
        Some(Self {
            range: spec.at.0.max(kept_from)..spec.at.1,
            event_type: event_type.clone(),
            limits: Limits::of_one(spec.archives),
            needs_lines: false,
            too_much: None,
            work: 0,
            places: HashMap::new(),
            seen: Vec::new(),
            kept_from,
        })
    }

    /// Looks at a segment; nothing is counted where its lines are needed and not there.
    fn look(&mut self, segment: &Segment<'_>, lines: Option<&str>) -> Result<(), Broken> {
        self.needs_lines = false;
        let Some(events) = self.events(segment, lines)? else {
            self.needs_lines = true;
            return Ok(());
        };
        if events.of.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut counts: Vec<Counts> = Vec::new();
        if let Some(lines) = lines {
            self.work = self.work.saturating_add(lines.len() / 2);
            let mut scalars = Scalars::default();
            let mut known: HashMap<String, u64> = HashMap::new();
            for (range, event) in segment.lines()?.into_iter().zip(&events.of) {
                let Some(event) = *event else { continue };
                let line = lines.get(range).ok_or(Broken("its lines are others"))?;
                // Of a name that comes twice the last value counts.
                let mut kinds: HashMap<String, u64> = HashMap::new();
                scalars.each(line, &mut |name, value| {
                    kinds.insert(name.to_owned(), kind_of(value) as u64);
                });
                for (name, kind) in kinds {
                    let next = counts.len() as u64;
                    let place = *known.entry(format!("{event} {name}")).or_insert(next);
                    if place == next {
                        counts.push((event, name, [0; 3]));
                    }
                    if let Some((.., counts)) = counts.get_mut(place as usize) {
                        bump(counts.get_mut(kind as usize));
                    }
                }
            }
        } else {
            let mut stored = Vec::new();
            for name in segment.property_names()? {
                match segment.property(name)? {
                    Found::Stored(property) => stored.push((name, property)),
                    Found::Absent => {}
                    Found::InLines => self.needs_lines = true,
                }
            }
            // No property is called so: the columns have all there are, or not.
            self.needs_lines |= segment.property("")? == Found::InLines;
            if self.needs_lines {
                return Ok(());
            }
            for (name, property) in stored {
                self.work = self.work.saturating_add(segment.len());
                count_stored(name, &property, &events, &mut counts);
            }
        }
        let mut totals = vec![0_i64; events.names.len()];
        for event in events.of.iter().flatten() {
            bump(totals.get_mut(*event));
        }
        for (event, total) in totals.iter().enumerate() {
            counts.push((event, String::new(), [*total, 0, 0]));
        }
        for (event, name, counts) in counts {
            if let Some((event_type, of)) = events.names.get(event) {
                self.add((*event_type).to_owned(), of.clone(), name, counts);
            }
        }
        if self.seen.len() > self.limits.rows {
            self.too_much = Some(TooMuch::Rows);
        } else if self.work > self.limits.work {
            self.too_much = Some(TooMuch::Work);
        }
        Ok(())
    }

    fn add(&mut self, event_type: String, event: Option<String>, name: String, counts: [i64; 3]) {
        let next = self.seen.len() as u64;
        let key = name_of(&[Some(event_type.clone()), event.clone(), Some(name.clone())]);
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.seen.push(Seen {
                event_type,
                event,
                name,
                counts: [0; 3],
            });
        }
        if let Some(seen) = self.seen.get_mut(place as usize) {
            for (sum, more) in seen.counts.iter_mut().zip(counts) {
                *sum = sum.saturating_add(more);
            }
        }
    }

    /// Which events are looked at, and how they are called; none where that takes lines.
    fn events<'a>(
        &self,
        segment: &Segment<'a>,
        lines: Option<&str>,
    ) -> Result<Option<Events<'a>>, Broken> {
        let (at, types) = (segment.at()?, segment.column(Column::Type)?);
        let wanted = |code: &u32, at: &i64| {
            let name = types.dict.get((*code as usize).wrapping_sub(1))?;
            let is_wanted = self.event_type.as_deref().is_none_or(|kind| kind == *name);
            (self.range.contains(at) && is_wanted).then_some(*name)
        };
        let named = segment.column_code(Column::Type, CUSTOM)?.is_some();
        let customs = match (named, lines) {
            (false, _) => vec![None; segment.len()],
            (true, None) => match segment.property(NAME)? {
                Found::Absent => vec![None; segment.len()],
                Found::InLines => return Ok(None),
                Found::Stored(property) => {
                    let Some(customs) = texts(&property) else {
                        return Ok(None);
                    };
                    customs
                }
            },
            (true, Some(lines)) => {
                let mut scalars = Scalars::default();
                let mut customs = Vec::new();
                for range in segment.lines()? {
                    let line = lines.get(range).ok_or(Broken("its lines are others"))?;
                    let mut custom = None;
                    scalars.each(line, &mut |name, value| {
                        if let (NAME, Value::Text(text)) = (name, value) {
                            custom = Some(text.to_owned());
                        }
                    });
                    customs.push(custom);
                }
                customs
            }
        };
        let mut places: HashMap<String, u64> = HashMap::new();
        let mut names = Vec::new();
        let mut of = Vec::new();
        for ((code, at), custom) in types.codes.iter().zip(&at).zip(customs) {
            of.push(wanted(code, at).map(|name| {
                let custom = custom.filter(|_| name == CUSTOM);
                let next = names.len() as u64;
                let key = name_of(&[Some(name.to_owned()), custom.clone()]);
                let place = *places.entry(key).or_insert(next);
                if place == next {
                    names.push((name, custom));
                }
                place as usize
            }));
        }
        Ok(Some(Events { names, of }))
    }
}

fn bump(count: Option<&mut i64>) {
    if let Some(count) = count {
        *count = count.saturating_add(1);
    }
}

/// The text that each event has of a property; none where some is too long for the columns.
fn texts(property: &Property<'_>) -> Option<Vec<Option<String>>> {
    let mut table = vec![None];
    for value in &property.dict {
        table.push(match value {
            Value::Text(text) => Some((*text).to_owned()),
            Value::InLine => return None,
            _ => None,
        });
    }
    let text = |code: &u32| table.get(*code as usize).cloned().flatten();
    Some(property.codes.iter().map(text).collect())
}

/// The place of a value's kind. What is too long for the columns is a text.
fn kind_of(value: Value<'_>) -> usize {
    match Entry::parts(value).map_or(Kind::Text, |(kind, _)| kind) {
        Kind::Text => 0,
        Kind::Number => 1,
        Kind::Bool => 2,
    }
}

fn count_stored(
    name: &str,
    property: &Property<'_>,
    events: &Events<'_>,
    counts: &mut Vec<Counts>,
) {
    let kinds: Vec<usize> = property.dict.iter().copied().map(kind_of).collect();
    let mut sums = vec![[0_i64; 3]; events.names.len()];
    for (code, event) in property.codes.iter().zip(&events.of) {
        let kind = kinds.get((*code as usize).wrapping_sub(1));
        if let (Some(kind), Some(event)) = (kind, event)
            && let Some(sums) = sums.get_mut(*event)
        {
            bump(sums.get_mut(*kind));
        }
    }
    for (event, sums) in sums.into_iter().enumerate() {
        if sums != [0; 3] {
            counts.push((event, name.to_owned(), sums));
        }
    }
}

impl Scan for Discovery {
    fn range(&self) -> Range<i64> {
        self.range.clone()
    }

    fn reset(&mut self) {
        self.places.clear();
        self.seen.clear();
        self.work = 0;
    }

    fn needs_second(&self) -> bool {
        false
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        self.look(segment, None)
    }

    fn needs_lines(&self) -> bool {
        self.needs_lines
    }

    fn take_lines(&mut self, segment: &Segment<'_>, lines: &str) -> Result<(), Broken> {
        self.look(segment, Some(lines))
    }

    fn is_over(&self) -> bool {
        self.too_much.is_some()
    }

    fn part(&self, _: bool) -> serde_json::Result<String> {
        let found = serde_json::to_string(&self.seen)?;
        serde_json::to_string(&Walked {
            too_much: self.too_much.map_or(0, |why| why as u8),
            kept_from: self.kept_from,
            values: Vec::new(),
            names: Vec::new(),
            found: Some(RawValue::from_string(found)?),
        })
    }
}
