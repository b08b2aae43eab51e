//! Properties: scalars of `eventData`, by their names.

use super::bytes::Reader;
use super::codes::unpack;
use super::dict::Texts;
use super::{Broken, Segment, kind};
use crate::archive::Column;

/// Properties of a segment at most, those that most events have: what some twenty types of events with a few
/// fields each come to. One that hardly any event has costs its name and an eighth of a byte an event.
pub const MAX_PROPERTIES: usize = 64;

/// Bytes of a property's name at most: some levels of names of twenty letters.
pub const MAX_NAME_BYTES: usize = 100;

/// Bytes of a value's text at most: names, states and paths are shorter; stacks and prose are not grouped by.
pub const MAX_TEXT_BYTES: usize = 200;

/// Bytes that a property may take: 4 KiB, so that in a small segment all are stored, and for each event that has
/// it 16, half of an id in hex: names and numbers stay below, ids that never come again are left to the lines.
pub(super) const fn most_bytes(has: usize) -> usize {
    has.saturating_mul(16).saturating_add(4_096)
}

/// There are more names than are stored.
pub(super) const MORE: u8 = 1;
/// There are names over [`MAX_NAME_BYTES`].
pub(super) const LONG: u8 = 2;

/// Kinds of values.
pub(super) const TEXT: u8 = 0;
pub(super) const NUMBER: u8 = 1;
pub(super) const BOOL: u8 = 2;
pub(super) const IN_LINE: u8 = 3;
/// Bits of a kind.
pub(super) const KIND_BITS: u32 = 2;
/// Instead of a kind: each value has its own.
pub(super) const MIXED: u8 = 4;
/// Instead of a kind: the values are those of a column.
pub(super) const ALIAS: u8 = 5;

/// Columns that may have the very texts of a property.
pub(super) fn source_of(name: &[u8]) -> impl Iterator<Item = Column> {
    const SOURCES: [(&[u8], Column); 13] = [
        (b"path", Column::Page),
        (b"url", Column::Page),
        (b"page", Column::Page),
        (b"referrerHost", Column::Referrer),
        (b"utm_source", Column::UtmSource),
        (b"utm_medium", Column::UtmMedium),
        (b"utm_campaign", Column::UtmCampaign),
        (b"feature", Column::Feature),
        (b"contentType", Column::Content),
        (b"model", Column::Model),
        (b"message", Column::Error),
        (b"status", Column::Status),
        (b"name", Column::Vital),
    ];
    let sources = SOURCES.into_iter().filter(move |(each, _)| *each == name);
    sources.map(|(_, column)| column)
}

/// A scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string, without escapes.
    Text(&'a str),
    /// A number, as its JSON text.
    Number(&'a str),
    /// A boolean.
    Bool(bool),
    /// One that is too long for the columns: only the line has it.
    InLine,
}

impl Value<'_> {
    /// The number, as near as a `f64` comes to it.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// What events have of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property<'a> {
    /// The distinct values.
    pub dict: Vec<Value<'a>>,
    /// Of each event 0 for none, or k for `dict[k - 1]`.
    pub codes: Vec<u32>,
}

/// What a segment knows of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// No event has a scalar of that name.
    Absent,
    /// The columns do not say: it takes the lines, by [`super::Scalars`].
    InLines,
    /// This is what all events have of it.
    Stored(Property<'a>),
}

/// The properties of a segment, by their names.
struct Store<'a> {
    flags: u8,
    names: Texts<'a>,
    /// Length of each property's bytes.
    lengths: Vec<usize>,
    bytes: Reader<'a>,
}

impl<'a> Store<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut bytes = Reader(bytes);
        let flags = bytes.byte()?;
        let names = Texts::read(&mut bytes)?;
        let mut lengths = Vec::new();
        for _ in 0..names.count {
            lengths.push(bytes.count()?);
        }
        Ok(Self {
            flags,
            names,
            lengths,
            bytes,
        })
    }
}

impl<'a> Segment<'a> {
    /// The names of properties, those that most events have first; at most [`MAX_PROPERTIES`]. There may be
    /// others in the lines.
    ///
    /// # Errors
    /// Where the column is broken.
    pub fn property_names(&self) -> Result<Vec<&'a str>, Broken> {
        match self.bytes(kind::PROPERTIES)? {
            [] => Ok(Vec::new()),
            bytes => Store::read(bytes)?.names.iter().collect(),
        }
    }

    /// What each event has of a name; names of nested objects are joined by dots.
    ///
    /// # Errors
    /// Where the column is broken.
    pub fn property(&self, name: &str) -> Result<Found<'a>, Broken> {
        let mut store = match self.bytes(kind::PROPERTIES)? {
            [] => return Ok(Found::InLines),
            bytes => Store::read(bytes)?,
        };
        for (each, length) in store.names.iter().zip(&store.lengths) {
            let bytes = store.bytes.take(*length)?;
            if each? == name {
                return self.values_of(bytes);
            }
        }
        let missed = if name.len() > MAX_NAME_BYTES {
            LONG
        } else {
            MORE
        };
        Ok(match store.flags & missed {
            0 => Found::Absent,
            _ => Found::InLines,
        })
    }

    fn values_of(&self, bytes: &'a [u8]) -> Result<Found<'a>, Broken> {
        let mut reader = Reader(bytes);
        if bytes.is_empty() {
            return Ok(Found::InLines);
        }
        let form = reader.byte()?;
        if form == ALIAS {
            let column = reader.byte()?;
            reader.end()?;
            return self.alias(column);
        }
        let texts = Texts::read(&mut reader)?;
        let kinds = match form {
            MIXED => unpack(&mut reader, texts.count, KIND_BITS)?,
            kind @ TEXT..=IN_LINE => vec![u32::from(kind); texts.count],
            _ => return Err(Broken("a property has an unknown form")),
        };
        let mut dict = Vec::with_capacity(kinds.len());
        for (text, kind) in texts.iter().zip(kinds) {
            let text = text?;
            dict.push(match kind as u8 {
                TEXT => Value::Text(text),
                NUMBER => Value::Number(text),
                BOOL => Value::Bool(!text.is_empty()),
                _ => Value::InLine,
            });
        }
        let codes = self.codes(reader, dict.len())?;
        Ok(Found::Stored(Property { dict, codes }))
    }

    fn alias(&self, number: u8) -> Result<Found<'a>, Broken> {
        let mut columns = Column::ALL.into_iter();
        let column = columns.find(|column| *column as u8 == number);
        let coded = self.column(column.ok_or(Broken("a property is of an unknown column"))?)?;
        let dict = coded.dict.into_iter().map(Value::Text).collect();
        let codes = coded.codes;
        Ok(Found::Stored(Property { dict, codes }))
    }
}
