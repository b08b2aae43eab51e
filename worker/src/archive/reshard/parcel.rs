//! What an old archive tells a new one: rows of values, as bytes. Numbers are written as those of pages are.

use super::super::people::varint::{Reader, put, put_len, put_signed};
use crate::base::sql::{Cell, Param, SqlError};

/// A row.
pub(super) type Row = Vec<Cell>;

/// A slice of an old archive, as far as it is one new archive's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parcel {
    /// The old archive.
    pub(super) shard: u32,
    /// The slice's number: of each slice a later one.
    pub(super) step: i64,
    /// What the rows are of: a number of [`super::give`].
    pub(super) stage: i64,
    pub(super) rows: Vec<Row>,
}

const NULL: u64 = 0;
const INT: u64 = 1;
const TEXT: u64 = 2;
const BLOB: u64 = 3;

impl Parcel {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.shard.into());
        put_signed(&mut out, self.step);
        put_signed(&mut out, self.stage);
        put_len(&mut out, self.rows.len());
        for row in &self.rows {
            put_len(&mut out, row.len());
            for cell in row {
                let (tag, bytes) = match cell {
                    Cell::Null => (NULL, &[][..]),
                    Cell::Int(int) => {
                        put(&mut out, INT);
                        put_signed(&mut out, *int);
                        continue;
                    }
                    Cell::Text(text) => (TEXT, text.as_bytes()),
                    Cell::Blob(bytes) => (BLOB, bytes.as_slice()),
                };
                put(&mut out, tag);
                put_len(&mut out, bytes.len());
                out.extend_from_slice(bytes);
            }
        }
        out
    }

    /// Reads what [`Parcel::write`] wrote.
    ///
    /// # Errors
    /// Where it is something else.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, SqlError> {
        let mut reader = Reader(bytes);
        let parcel = Self::parse(&mut reader).filter(|_| reader.is_empty());
        parcel.ok_or_else(|| SqlError("a slice of an archive cannot be read".to_owned()))
    }

    fn parse(reader: &mut Reader<'_>) -> Option<Self> {
        let mut parcel = Self {
            shard: u32::try_from(reader.number()?).ok()?,
            step: reader.signed()?,
            stage: reader.signed()?,
            rows: Vec::new(),
        };
        for _ in 0..reader.len()? {
            let mut row = Vec::new();
            for _ in 0..reader.len()? {
                row.push(cell(reader)?);
            }
            parcel.rows.push(row);
        }
        Some(parcel)
    }
}

fn cell(reader: &mut Reader<'_>) -> Option<Cell> {
    let tag = reader.number()?;
    if tag == INT {
        return Some(Cell::Int(reader.signed()?));
    }
    let len = reader.len()?;
    let bytes = reader.bytes(len)?.to_vec();
    match tag {
        NULL => Some(Cell::Null),
        TEXT => String::from_utf8(bytes).ok().map(Cell::Text),
        BLOB => Some(Cell::Blob(bytes)),
        _ => None,
    }
}

/// A value as a parameter.
pub(super) fn param(cell: &Cell) -> Param {
    match cell {
        Cell::Null => Param::Null,
        Cell::Int(int) => Param::Int(*int),
        Cell::Text(text) => Param::Text(text.clone()),
        Cell::Blob(bytes) => Param::Blob(bytes.clone()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Int),
            ".{0,8}".prop_map(Cell::Text),
            prop::collection::vec(any::<u8>(), 0..8).prop_map(Cell::Blob),
        ]
    }

    proptest! {
        #[test]
        fn a_parcel_is_read_as_it_was_written(
            rows in prop::collection::vec(prop::collection::vec(cells(), 0..5), 0..5),
            (shard, step, stage) in any::<(u32, i64, i64)>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let parcel = Parcel { shard, step, stage, rows };
            let bytes = parcel.write();
            prop_assert_eq!(&Parcel::read(&bytes).unwrap(), &parcel);
            prop_assert!(Parcel::read(&bytes[..cut.index(bytes.len())]).is_err());
        }
    }
}
