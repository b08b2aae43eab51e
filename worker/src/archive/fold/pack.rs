//! Sums as bytes: as they wait in the archive until D1 has taken them.

use super::sums::Sums;
use super::table::Table;
use crate::archive::people::varint::{Reader, put, put_len, put_signed};

/// Bytes of a piece of packed sums at most: a row of SQLite holds 2 MB.
const PIECE_BYTES: usize = 1_800_000;

/// The first byte of packed sums.
const VERSION: u8 = 1;

impl Sums {
    /// As bytes, in pieces that fit a row each.
    pub fn pack(&self) -> Vec<Vec<u8>> {
        let mut out = vec![VERSION];
        put_len(&mut out, self.texts.len());
        for text in &self.texts {
            put_len(&mut out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        for (table, rows) in Table::ALL.into_iter().zip(&self.tables) {
            put_len(&mut out, rows.len());
            let before = vec![0; table.width()];
            let mut before = before.as_slice();
            // Rows are in order, so the first columns differ by little.
            for row in rows.chunks_exact(table.width()) {
                for (value, before) in row.iter().zip(before) {
                    put_signed(&mut out, value.wrapping_sub(*before));
                }
                before = row;
            }
        }
        put(&mut out, u64::from(VERSION));
        out.chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect()
    }

    /// Of all the pieces, one after the other; `None` where it is something else.
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut sums = Self::default();
        if reader.bytes(1)? != [VERSION] {
            return None;
        }
        for _ in 0..reader.len()? {
            let len = reader.len()?;
            let text = std::str::from_utf8(reader.bytes(len)?).ok()?;
            sums.texts.push(text.to_owned());
        }
        for (table, rows) in Table::ALL.into_iter().zip(&mut sums.tables) {
            let len = reader.len()?;
            let mut row = vec![0_i64; table.width()];
            while rows.len() < len {
                for value in &mut row {
                    *value = value.wrapping_add(reader.signed()?);
                }
                rows.extend_from_slice(&row);
            }
        }
        let ends = reader.number()? == u64::from(VERSION);
        (ends && reader.is_empty()).then_some(sums)
    }
}
