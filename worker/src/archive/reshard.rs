//! A reshard: a site that has events gets another number of archives, and nothing is lost or counted twice.
//!
//! The new archives are objects of another *generation*, with other names. While events are copied, the old ones
//! append nothing (the log keeps its rows, and pages get their 202 as ever) and answer every question. Each step can be
//! done again, after a kill at any moment:
//!
//! 1. The old archives pause; what they hold is folded and lands.
//! 2. Each gives what it holds, slice by slice (`give`), to the new ones, which take each slice once (`take`).
//! 3. The first archive of the first generation, which keeps how many there are, says the new number from now on.
//! 4. The old ones refuse every call, the new ones append, and what the old ones hold is deleted.
//!
//! [`Job`] tells which step is next, and the shell (`archive_do/reshard.rs`) takes it.

mod empty;
mod gate;
mod give;
mod job;
pub mod pace;
mod parcel;
mod share;
mod take;

pub use gate::{Gate, MOVED, PAUSED};
pub use give::Slice;
pub use job::{Job, Order, Phase, Plan, Round, Spread, State, Told, note, noted};

pub(super) use empty::{empty, forget_giving};
pub(super) use gate::Place;
pub(super) use give::{given, next};
pub(super) use job::generation_of;
pub(super) use share::{Raw, Shared};
pub(super) use take::take;

/// - `place`: of an archive that was part of a reshard: how it is (`gate`), how many archives there are, whether
///   sessions are of one user, and the latest order (`seen`), before which none is obeyed.
/// - `giving`: how far the giving is: of which table, after which key, how many slices.
/// - `session_homes`: of sessions whose events were given, their new hash and archive.
/// - `taken`: of each old archive, the last slice.
/// - `reshard`: in the first archive of the first generation alone: [`State`].
pub(super) const SCHEMA: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY CHECK (id = 1), gate INTEGER NOT NULL, \
     archives INTEGER NOT NULL, is_spread INTEGER NOT NULL, seen INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS giving (id INTEGER PRIMARY KEY CHECK (id = 1), stage INTEGER NOT NULL, \
     after, step INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS session_homes (hash BLOB PRIMARY KEY, new BLOB NOT NULL, \
     home INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS taken (shard INTEGER PRIMARY KEY, step INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reshard (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)",
];

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
