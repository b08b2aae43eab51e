//! What is kept for some weeks: sessions, and the day-scoped ids of visitors who asked not to be followed.

use super::pages::unreadable;
use super::person::joined;
use super::varint::{Reader, put_len, put_signed};
use crate::base::sql::SqlError;

/// Days for which a session or a day-scoped id is remembered after it was last seen. An event is stored
/// again within 45 days at most ([`crate::archive`] forgets its id then), and comes within a week.
pub const KEPT_DAYS: i64 = 60;

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    /// Its first and its last event, Unix milliseconds.
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
}

/// Whether a record stays today: it begins with the day on which it was last seen. One that cannot be read
/// stays, and the fold that needs it fails.
pub(crate) fn is_kept(record: &[u8], today: i64) -> bool {
    let seen = Reader(record).signed();
    seen.is_none_or(|seen| seen >= today.saturating_sub(KEPT_DAYS))
}

/// The day on which it was last seen: never before what an earlier fold says, whatever the clock did.
fn put_seen(out: &mut Vec<u8>, old: &[u8], today: i64) {
    let seen = Reader(old).signed();
    put_signed(out, seen.map_or(today, |seen| seen.max(today)));
}

impl Session {
    /// Reads a record; `None` of nothing.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn read(record: &[u8]) -> Result<Option<Self>, SqlError> {
        let mut reader = Reader(record);
        let mut read = || {
            reader.signed()?;
            let first_at = reader.signed()?;
            let last_at = first_at.wrapping_add(reader.signed()?);
            Some(Self { first_at, last_at })
        };
        if record.is_empty() {
            return Ok(None);
        }
        read().map(Some).ok_or_else(unreadable)
    }

    /// The record, in place of an old one.
    pub(crate) fn record(self, old: &[u8], today: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put_seen(&mut out, old, today);
        put_signed(&mut out, self.first_at);
        put_signed(&mut out, self.last_at.wrapping_sub(self.first_at));
        out
    }
}

/// The record of a day-scoped id that has events of these days, in order. `tell` hears of gaps as
/// [`joined`] tells them.
///
/// # Errors
/// Where the old record is none.
pub(crate) fn visitor(
    old: &[u8],
    days: impl Iterator<Item = i64>,
    today: i64,
    tell: &mut dyn FnMut(i64, i64, i64),
) -> Result<Vec<u8>, SqlError> {
    let known = days_of(old)?;
    let all = joined(&known, days, tell);
    let mut out = Vec::new();
    put_seen(&mut out, old, today);
    put_len(&mut out, all.len());
    let mut before = 0_i64;
    for day in all {
        put_signed(&mut out, day.wrapping_sub(before));
        before = day;
    }
    Ok(out)
}

/// The days of such a record, in order; none of nothing.
///
/// # Errors
/// Where it is none.
pub(crate) fn days_of(record: &[u8]) -> Result<Vec<i64>, SqlError> {
    let mut known = Vec::new();
    if !record.is_empty() {
        let mut reader = Reader(record);
        let mut read = || {
            reader.signed()?;
            let mut day = 0_i64;
            for _ in 0..reader.len()? {
                day = day.wrapping_add(reader.signed()?);
                known.push(day);
            }
            Some(())
        };
        read().ok_or_else(unreadable)?;
    }
    Ok(known)
}
