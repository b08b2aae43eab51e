//! What a segment's columns hold.

use std::borrow::Cow;
use std::ops::Range;

use super::bytes::Reader;
use super::codes::{read_codes, unpack};
use super::dict::Texts;
use super::{Broken, Segment, WHO_BITS, ids, kind, numbers};
use crate::archive::{Column, Event, Who};

/// Users of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users {
    /// Hash of each, and who it is, in the order of their first event.
    pub dict: Vec<(u64, Who)>,
    /// Of each event 0 for nobody, or k for `dict[k - 1]`.
    pub codes: Vec<u32>,
}

/// Sessions of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// The hash of each, in the order of their first event.
    pub dict: Vec<u64>,
    /// Of each event 0 for none, or k for `dict[k - 1]`.
    pub codes: Vec<u32>,
}

/// The texts of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded<'a> {
    /// The distinct texts, in the order of their first event.
    pub dict: Vec<&'a str>,
    /// Of each event 0 for none, or k for `dict[k - 1]`.
    pub codes: Vec<u32>,
}

impl<'a> Coded<'a> {
    /// The text of a code.
    pub fn text(&self, code: u32) -> Option<&'a str> {
        entry(&self.dict, code)
    }
}

/// What a code stands for.
fn entry<T: Copy>(dict: &[T], code: u32) -> Option<T> {
    dict.get((code as usize).checked_sub(1)?).copied()
}

/// Each decodes its column anew.
///
/// # Errors
/// Where the column is broken.
impl<'a> Segment<'a> {
    /// When each event happened, Unix milliseconds.
    pub fn at(&self) -> Result<Vec<i64>, Broken> {
        numbers::read_steps(self.bytes(kind::AT)?, self.n)
    }

    /// When each was received, Unix milliseconds.
    pub fn received(&self) -> Result<Vec<i64>, Broken> {
        numbers::read_runs(self.bytes(kind::RECEIVED)?, self.n)
    }

    /// The id of each.
    pub fn ids(&self) -> Result<Vec<u128>, Broken> {
        ids::read_ids(self.bytes(kind::IDS)?, &self.at()?)
    }

    /// Whose each is.
    pub fn users(&self) -> Result<Users, Broken> {
        let mut reader = Reader(self.bytes(kind::USERS)?);
        let hashes = self.hashes(&mut reader)?;
        let who = unpack(&mut reader, hashes.len(), WHO_BITS)?;
        let who = who.into_iter().map(|who| match who {
            0 => Who::Nobody,
            1 => Who::Known,
            2 => Who::Anonymous,
            _ => Who::Erased,
        });
        let person = |hash| self.joined.map_or(hash, |joined| joined.person(hash));
        let hashes = hashes.into_iter().map(person);
        let dict: Vec<(u64, Who)> = hashes.zip(who).collect();
        let codes = self.codes(reader, dict.len())?;
        Ok(Users { dict, codes })
    }

    /// Of each entry of [`Users::dict`] whether it is an anonymous id that an `identify` joined to another.
    pub(crate) fn were_anonymous(&self) -> Result<Vec<bool>, Broken> {
        let hashes = self.hashes(&mut Reader(self.bytes(kind::USERS)?))?;
        let was = |id: &u64| self.joined.is_some_and(|joined| joined.was_anonymous(*id));
        Ok(hashes.iter().map(was).collect())
    }

    /// The session of each.
    pub fn sessions(&self) -> Result<Sessions, Broken> {
        let mut reader = Reader(self.bytes(kind::SESSIONS)?);
        let dict = self.hashes(&mut reader)?;
        let codes = self.codes(reader, dict.len())?;
        Ok(Sessions { dict, codes })
    }

    /// Hashes of eight bytes each; none of a column that is not there.
    fn hashes(&self, reader: &mut Reader<'a>) -> Result<Vec<u64>, Broken> {
        if reader.left() == 0 {
            return Ok(Vec::new());
        }
        let bytes = reader.count()?.checked_mul(8);
        let bytes = reader.take(bytes.ok_or(Broken("a dictionary is too large"))?)?;
        let (hashes, _) = bytes.as_chunks::<8>();
        Ok(hashes
            .iter()
            .map(|hash| u64::from_le_bytes(*hash))
            .collect())
    }

    /// The codes at the end of a column; of one that is not there all are 0.
    pub(super) fn codes(&self, mut reader: Reader<'_>, size: usize) -> Result<Vec<u32>, Broken> {
        if size == 0 && reader.left() == 0 {
            return Ok(vec![0; self.n]);
        }
        let codes = read_codes(&mut reader, self.n, size)?;
        reader.end()?;
        Ok(codes)
    }

    /// What each has in a column of texts.
    pub fn column(&self, column: Column) -> Result<Coded<'a>, Broken> {
        let (texts, rest) = self.texts(column)?;
        let dict = texts.iter().collect::<Result<Vec<&str>, Broken>>()?;
        let codes = self.codes(rest, dict.len())?;
        Ok(Coded { dict, codes })
    }

    /// The distinct texts of a column, without their events.
    pub fn column_dict(&self, column: Column) -> Result<Vec<&'a str>, Broken> {
        self.texts(column)?.0.iter().collect()
    }

    /// The code of a text in a column, if any event has it: makes no list of the texts.
    pub fn column_code(&self, column: Column, text: &str) -> Result<Option<u32>, Broken> {
        for (each, code) in self.texts(column)?.0.iter().zip(1..) {
            if each? == text {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    fn texts(&self, column: Column) -> Result<(Texts<'a>, Reader<'a>), Broken> {
        let mut reader = Reader(self.bytes(kind::of(column))?);
        if reader.left() == 0 {
            return Ok((Texts::default(), reader));
        }
        Ok((Texts::read(&mut reader)?, reader))
    }

    /// The measure [`Event::a`] of each.
    pub fn a(&self) -> Result<Vec<i64>, Broken> {
        self.measures(kind::A)
    }

    /// The measure [`Event::b`] of each.
    pub fn b(&self) -> Result<Vec<i64>, Broken> {
        self.measures(kind::B)
    }

    fn measures(&self, kind: u8) -> Result<Vec<i64>, Broken> {
        match self.bytes(kind)? {
            [] => Ok(vec![0; self.n]),
            bytes => {
                let measures = numbers::read_some(bytes, self.n, numbers::read_int)?;
                Ok(measures
                    .into_iter()
                    .map(Option::unwrap_or_default)
                    .collect())
            }
        }
    }

    /// What each measured.
    pub fn values(&self) -> Result<Vec<Option<f64>>, Broken> {
        match self.bytes(kind::VALUES)? {
            [] => Ok(vec![None; self.n]),
            bytes => numbers::read_some(bytes, self.n, numbers::read_float),
        }
    }

    /// Where the line of each stands in the unpacked lines, without its line break.
    pub fn lines(&self) -> Result<Vec<Range<usize>>, Broken> {
        let mut reader = Reader(self.bytes(kind::LINES)?);
        let mut start = 0_usize;
        let mut lines = Vec::with_capacity(self.n);
        for _ in 0..self.n {
            let end = start.checked_add(reader.count()?);
            let next = end.and_then(|end| end.checked_add(1));
            let (end, next) = end.zip(next).ok_or(Broken("a line is too long"))?;
            lines.push(start..end);
            start = next;
        }
        reader.end()?;
        Ok(lines)
    }

    /// All of it: the events that were encoded, in their order.
    pub fn events(&self) -> Result<Vec<Event<'a>>, Broken> {
        let (at, received) = (self.at()?, self.received()?);
        let ids = ids::read_ids(self.bytes(kind::IDS)?, &at)?;
        let (users, sessions) = (self.users()?, self.sessions()?);
        let (a, b, values) = (self.a()?, self.b()?, self.values()?);
        let mut texts = vec![[const { None }; Column::COUNT]; self.n];
        for column in Column::ALL {
            let coded = self.column(column)?;
            for (texts, code) in texts.iter_mut().zip(&coded.codes) {
                if let Some(text) = texts.get_mut(column as usize) {
                    *text = coded.text(*code).map(Cow::Borrowed);
                }
            }
        }
        let times = at.into_iter().zip(received).zip(ids);
        let users = users.codes.iter().map(|code| entry(&users.dict, *code));
        let sessions = sessions
            .codes
            .iter()
            .map(|code| entry(&sessions.dict, *code));
        let whose = users.zip(sessions);
        let measures = a.into_iter().zip(b).zip(values);
        let all = times.zip(whose).zip(measures).zip(texts);
        let events = all.map(|(((times, whose), measures), texts)| {
            let ((at, received), id) = times;
            let (user, session) = whose;
            let ((a, b), value) = measures;
            let (user, who) = user.unwrap_or_default();
            Event {
                id,
                at,
                received,
                who,
                user,
                session,
                texts,
                a,
                b,
                value,
            }
        });
        Ok(events.collect())
    }
}
