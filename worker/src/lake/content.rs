//! The content of a sealed object: whole, for object stores; some lines, for sinks that take events in
//! batches.

use std::ops::Range;

use serde::Deserialize;

use super::store::LakeStore;
use crate::base::sql::{Cell, Sql, SqlError};

/// A segment of a sealed object.
#[derive(Deserialize)]
struct Piece {
    seq: i64,
    /// Its events.
    n: i64,
    /// Bytes of its gzip member.
    size: i64,
    /// The object's events.
    whole: i64,
}

/// A segment that holds events of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub seq: i64,
    /// Which of its lines, counted from 0, ascending.
    pub lines: Vec<u32>,
}

impl Member {
    /// The lines that are wanted of the segment's text, in order.
    pub fn pick<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = text.lines().zip(0_u32..);
        lines
            .filter(|(_, index)| self.lines.binary_search(index).is_ok())
            .map(|(line, _)| line)
    }
}

impl<S: Sql> LakeStore<S> {
    /// The segments of a sealed object, in order.
    fn pieces(&self, sequence: i64) -> Result<Vec<Piece>, SqlError> {
        let pieces: Vec<Piece> = self.sql.rows(
            "SELECT seq, segments.n, length(lines) AS size, objects.n AS whole \
             FROM objects JOIN segments \
                ON segments.hour = objects.hour AND seq BETWEEN first_seq AND last_seq \
             WHERE sequence = ?1 AND landed = 0 ORDER BY seq",
            &[sequence.into()],
        )?;
        let n = pieces.iter().map(|piece| piece.n);
        let n = n.fold(0, i64::saturating_add);
        match pieces.first() {
            Some(piece) if piece.whole == n => Ok(pieces),
            // Somebody took what is held: half an object under the hash of the whole would be believed.
            _ => Err(SqlError(format!("object {sequence} lacks segments"))),
        }
    }

    /// The bytes of a sealed object: its segments' gzip members, one after the other.
    ///
    /// # Errors
    /// Whatever the database says, or that the object is not there whole.
    pub fn packed(&self, sequence: i64) -> Result<Vec<u8>, SqlError> {
        let pieces = self.pieces(sequence)?;
        let size = pieces.iter().map(|piece| piece.size);
        let size = size.fold(0, i64::saturating_add);
        let mut packed = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        for piece in pieces {
            packed.append(&mut self.member(piece.seq)?);
        }
        Ok(packed)
    }

    /// Which segments of a sealed object hold the events of a window (ascending, counted from 0 in the
    /// order of the object's lines), in order. An event that the object does not have is in none.
    ///
    /// # Errors
    /// Whatever the database says, or that the object is not there whole.
    pub fn members(&self, sequence: i64, window: &[u32]) -> Result<Vec<Member>, SqlError> {
        let mut start = 0_u32;
        let mut members = Vec::new();
        for piece in self.pieces(sequence)? {
            let end = start.saturating_add(u32::try_from(piece.n).unwrap_or(u32::MAX));
            let lines = within(window, start..end);
            if !lines.is_empty() {
                members.push(Member {
                    seq: piece.seq,
                    lines,
                });
            }
            start = end;
        }
        Ok(members)
    }

    /// The lines of a segment as they are stored: one gzip member.
    ///
    /// # Errors
    /// Whatever the database says, or that there is no such segment.
    pub fn member(&self, seq: i64) -> Result<Vec<u8>, SqlError> {
        let rows: Vec<[Cell; 1]> = self
            .sql
            .cells("SELECT lines FROM segments WHERE seq = ?1", &[seq.into()])?;
        match rows.into_iter().next() {
            Some([Cell::Blob(lines)]) => Ok(lines),
            _ => Err(SqlError(format!("segment {seq} is gone"))),
        }
    }
}

/// Those of a window that are in a range, counted from its start.
fn within(window: &[u32], range: Range<u32>) -> Vec<u32> {
    let inside = window.iter().filter(|index| range.contains(index));
    inside
        .map(|index| index.saturating_sub(range.start))
        .collect()
}
