//! What the events of a segment have of a field: distinct values, and a code for each event.

use std::borrow::Cow;
use std::collections::HashMap;

use shoreline_shared::event_type::TrackerType;
use shoreline_shared::privacy::path_part;

use super::field::{Field, STATUS};
use super::loaded::{Entry, Kind, Loaded, by_code};
use super::visits::Visits;
use super::zone::{Unit, Zone, number};
use crate::archive::Column;
use crate::archive::scan::Places;
use crate::archive::segment::{Broken, Found, Scalars, Segment};
use crate::protocol::counters::live_key;

/// A segment, and what else it takes to know what its events have.
pub(super) struct Source<'s, 'a> {
    pub(super) segment: &'s Segment<'a>,
    /// Its lines, where they were asked for.
    pub(super) lines: Option<&'s str>,
    pub(super) zone: &'s Zone,
    pub(super) visits: &'s Visits,
}

/// The first status of HTTP that is a failure.
const FAILURE_FROM: f64 = 400.0;

/// Of each status whether it is a failure's: `FAILURE`, `FAILED` or `ERROR` in any case, or a status of HTTP from 400 on.
fn failed(mut statuses: Loaded<'_>) -> Loaded<'_> {
    for entry in &mut statuses.dict {
        let says = |word: &&str| entry.text.trim().eq_ignore_ascii_case(word);
        let is_failure = match entry.number() {
            Some(number) => number >= FAILURE_FROM,
            None => ["FAILURE", "FAILED", "ERROR"].iter().any(says),
        };
        entry.text = Cow::Borrowed(if is_failure { "1" } else { "0" });
        entry.kind = Kind::Number;
    }
    statuses
}

impl<'a> Source<'_, 'a> {
    /// What the events have of a field; nothing where that takes the lines, which are not there.
    ///
    /// # Errors
    /// Where the segment is broken.
    pub(super) fn load(&self, field: &Field) -> Result<Option<Loaded<'a>>, Broken> {
        match field {
            Field::Column(column) => Ok(Some(self.segment.column(*column)?.into())),
            Field::Page => self.pages(),
            Field::EntryPage => self.of_visits(0, 0).map(Some),
            Field::ExitPage => self.of_visits(1, 0).map(Some),
            Field::Source => self.of_visits(0, 1).map(Some),
            Field::Channel => self.of_visits(0, 2).map(Some),
            Field::ViewChannel => self.channels(),
            Field::Currency => self.currencies(),
            Field::Money => self.money(),
            Field::HourOfDay => {
                self.numbers(0, 24, &|local| number(Unit::Hour, local).rem_euclid(24))
            }
            Field::DayOfWeek => self.numbers(1, 7, &|local| {
                number(Unit::Day, local).saturating_add(3).rem_euclid(7)
            }),
            Field::Time(unit) => self.times(*unit),
            Field::Property(name, None) => self.property(name),
            Field::Failed => Ok(self.property(STATUS)?.map(failed)),
            Field::Property(name, Some(of)) => self.property_of(name, of),
        }
    }

    /// A property; from the lines where the columns do not say.
    pub(super) fn property(&self, name: &str) -> Result<Option<Loaded<'a>>, Broken> {
        match self.segment.property(name)? {
            Found::Absent => Ok(Some(Loaded {
                dict: Vec::new(),
                codes: vec![0; self.segment.len()],
            })),
            Found::Stored(property) => {
                let dict: Option<Vec<Entry<'a>>> =
                    property.dict.into_iter().map(Entry::of).collect();
                match dict {
                    Some(dict) => Ok(Some(Loaded {
                        dict,
                        codes: property.codes,
                    })),
                    None => self.in_lines(name),
                }
            }
            Found::InLines => self.in_lines(name),
        }
    }

    fn in_lines(&self, name: &str) -> Result<Option<Loaded<'a>>, Broken> {
        let Some(lines) = self.lines else {
            return Ok(None);
        };
        let mut scalars = Scalars::default();
        let (mut dict, mut codes) = (Vec::<Entry<'a>>::new(), Vec::new());
        let mut known: HashMap<String, u64> = HashMap::new();
        for range in self.segment.lines()? {
            let line = lines.get(range).ok_or(Broken("its lines are others"))?;
            let mut code = 0_u32;
            scalars.each(line, &mut |each, value| {
                if each != name {
                    return;
                }
                let Some((kind, text)) = Entry::parts(value) else {
                    return;
                };
                let key = format!("{}{text}", kind as u8);
                let next = (dict.len() as u64).wrapping_add(1);
                code = *known.entry(key).or_insert(next) as u32;
                if u64::from(code) == next {
                    dict.push(Entry {
                        text: Cow::Owned(text.to_owned()),
                        kind,
                    });
                }
            });
            codes.push(code);
        }
        Ok(Some(Loaded { dict, codes }))
    }

    /// A property of one type of event.
    pub(super) fn property_of(&self, name: &str, of: &str) -> Result<Option<Loaded<'a>>, Broken> {
        let n = self.segment.len();
        let Some(wanted) = self.segment.column_code(Column::Type, of)? else {
            return Ok(Some(Loaded {
                dict: Vec::new(),
                codes: vec![0; n],
            }));
        };
        let Some(mut loaded) = self.property(name)? else {
            return Ok(None);
        };
        let types = self.segment.column(Column::Type)?.codes;
        for (code, each) in loaded.codes.iter_mut().zip(types) {
            if each != wanted {
                *code = 0;
            }
        }
        Ok(Some(loaded))
    }

    /// The pages that were viewed, or left.
    fn pages(&self) -> Result<Option<Loaded<'a>>, Broken> {
        let mut pages = Loaded::from(self.segment.column(Column::Page)?);
        let left = TrackerType::PageLeave.as_str();
        if self.segment.column_code(Column::Type, left)?.is_none() {
            return Ok(Some(pages));
        }
        for key in ["path", "url", "page"] {
            let Some(loaded) = self.property_of(key, left)? else {
                return Ok(None);
            };
            let before = pages.dict.len() as u32;
            let page = |entry: Entry<'a>| {
                // As of a view: what is no text names no page.
                let path = path_part(key, &entry.text).filter(|_| entry.is_text());
                let page = path.unwrap_or_default();
                Entry::text(live_key(&page).into_owned())
            };
            pages.dict.extend(loaded.dict.into_iter().map(page));
            for (code, more) in pages.codes.iter_mut().zip(loaded.codes) {
                let named = before.saturating_add(more);
                let is_some = more != 0
                    && pages
                        .dict
                        .get(named.wrapping_sub(1) as usize)
                        .is_some_and(|page| !page.text.is_empty());
                if *code == 0 && is_some {
                    *code = named;
                }
            }
        }
        Ok(Some(pages))
    }

    /// What the view at an end of each event's session has: its page, source or channel.
    fn of_visits(&self, end: usize, what: usize) -> Result<Loaded<'a>, Broken> {
        let sessions = self.segment.sessions()?;
        let (mut pages, mut dict) = (Places::default(), Vec::new());
        let mut code_of = |hash: &u64| {
            let Some((number, text)) = self.visits.kept(*hash, end, what) else {
                return 0;
            };
            let code = pages.place(number.into()).saturating_add(1);
            if code as usize > dict.len() {
                dict.push(Entry::text(text.to_owned()));
            }
            code
        };
        let mut table = vec![0];
        for hash in &sessions.dict {
            table.push(code_of(hash));
        }
        Ok(Loaded {
            codes: by_code(&sessions.codes, &table, 0),
            dict,
        })
    }

    /// A number of each event's local time, of `count` that begin with `first`.
    fn numbers(
        &self,
        first: i64,
        count: i64,
        of: &dyn Fn(i64) -> i64,
    ) -> Result<Option<Loaded<'a>>, Broken> {
        let at = self.segment.at()?;
        let entry = |more: i64| Entry {
            text: first.saturating_add(more).to_string().into(),
            kind: Kind::Number,
        };
        Ok(Some(Loaded {
            dict: (0..count).map(entry).collect(),
            codes: at
                .iter()
                .map(|at| (of(self.zone.local(*at)) as u32).saturating_add(1))
                .collect(),
        }))
    }

    /// The unit of local time that each event happened in, by its first moment.
    fn times(&self, unit: Unit) -> Result<Option<Loaded<'a>>, Broken> {
        let at = self.segment.at()?;
        let mut starts = Places::default();
        let (mut bounds, mut code) = ((0, 0), 0);
        let codes = at.iter().map(|at| {
            if !(bounds.0..bounds.1).contains(at) {
                bounds = self.zone.bounds(unit, *at);
                code = starts.place(bounds.0 as u64).saturating_add(1);
            }
            code
        });
        let codes = codes.collect();
        let entry = |start: &u64| Entry::text((*start as i64).to_string());
        Ok(Some(Loaded {
            dict: starts.keys().iter().map(entry).collect(),
            codes,
        }))
    }
}
