//! What columns are known by in the directory: a number is never given to another one.

use crate::archive::Column;

/// When events happened.
pub(super) const AT: u8 = 1;
/// When they were received.
pub(super) const RECEIVED: u8 = 2;
/// Their ids.
pub(super) const IDS: u8 = 3;
/// Whose they are.
pub(super) const USERS: u8 = 4;
/// Their sessions.
pub(super) const SESSIONS: u8 = 5;
/// The measure `a`.
pub(super) const A: u8 = 6;
/// The measure `b`.
pub(super) const B: u8 = 7;
/// What they measured.
pub(super) const VALUES: u8 = 8;
/// The lengths of their lines.
pub(super) const LINES: u8 = 9;
/// Scalars of their `eventData`.
pub(super) const PROPERTIES: u8 = 10;

/// Those of the second part: long, and asked for by few questions.
pub(super) const SECOND: [u8; 4] = [RECEIVED, IDS, SESSIONS, LINES];

/// The kind of the first [`Column`].
const TEXTS: u8 = 64;

/// A column of texts.
pub(super) const fn of(column: Column) -> u8 {
    TEXTS.saturating_add(column as u8)
}
