//! What a key or a domain may do: looked up in the isolate's memory, then in KV, then in D1.
//!
//! D1 holds the truth. KV holds a copy ([`entry`]), so that an isolate which has just begun needs no
//! D1 to take a page's events.
//!
//! # A revoked key works for 60 seconds at most
//! Memory keeps with each grant the moment *as of* which it is known to be in force, and serves it only
//! while that moment is less than [`FRESH_MS`] past:
//!
//! - What D1 says is true as of the moment at which D1 was asked: the binding reads the primary.
//! - What KV says may be as old as its location's cache, [`KV_CACHE_S`]. It is taken to be that old: it is
//!   true as of [`KV_AGE_MS`] before now, and is served half as long as D1's word.
//!
//! So a grant that is served at a moment was in force less than 60 seconds before it, and the two ages are
//! never added up. This holds by KV alone where D1 is down. KV promises no bound ("60 seconds or more"),
//! so whoever serves KV's word asks D1 behind the answer, and is corrected by it within a round trip.
//! A key that ends at a known moment (`?after=`) carries that moment, and is refused from then on.
//!
//! Where neither KV nor D1 answers, a grant in memory is served for [`STALE_MS`]: events are worth more
//! than the hour for which a revoked key may go on.
//!
//! # Writes: D1 first, then KV
//! Each change of a row sets `grant_due` of it to [`SETTLE_MS`] from then, in the same statement; the admin call
//! then writes the entry. The cron writes every entry that is due, from the row as it is then, and clears
//! the mark unless the row was changed meanwhile. So
//!
//! - an entry that the admin call could not write is written within two minutes of KV's return;
//! - an entry that somebody wrote late, from a row read before the change, is written over. Who misses an
//!   entry in KV, reads the row and writes the entry is done with it long before [`SETTLE_MS`] is over, and
//!   until then D1 corrects who reads it, as above. A deleted key does not come back;
//! - rows that were written by hand, or before there was KV, get their entry with the next cron.
//!
//! # Made-up keys
//! A key of no known form costs nothing. Any other costs at most two reads of KV and one of D1, then
//! memory refuses it for a minute ([`cache::MAX_BAD`] of them). A network that goes on making up
//! keys is refused before the look-up (`ingest/gate.rs`).

pub mod cache;
pub mod entry;
mod look_up;
pub mod publish;
pub mod rows;

use serde::de::DeserializeOwned;

use crate::access::auth::is_key;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use entry::Entry;

pub use look_up::{Behind, follow, look_up};

/// How long after it was known to be in force a grant is served, milliseconds.
pub const FRESH_MS: i64 = 60_000;

/// From this age on D1 is asked behind the answer, milliseconds: a site that is busy never waits for it.
pub const REFRESH_MS: i64 = 45_000;

/// How long a grant is served while neither KV nor D1 answers, milliseconds.
pub const STALE_MS: i64 = 60 * FRESH_MS;

/// How long a store that failed is left alone, milliseconds, where there is something to serve without.
pub const PAUSE_MS: i64 = 5_000;

/// How long a location may answer from its cache of KV, seconds: the least that KV takes.
pub const KV_CACHE_S: u32 = 30;

/// How old an entry of KV may be: [`KV_CACHE_S`] in milliseconds.
pub const KV_AGE_MS: i64 = 30_000;

/// How long a request waits for a read of KV, milliseconds. Cached ones take a few, others some hundred.
pub const KV_READ_MS: u32 = 1_000;

/// How long a write to KV is waited for, milliseconds.
pub const KV_WRITE_MS: u32 = 5_000;

/// How long a request waits for D1, milliseconds: it answers in some ten, or not for a long time.
pub const D1_MS: u32 = 2_000;

/// How long D1 is waited for where no request waits, milliseconds: it may have a long write before it.
pub const D1_BEHIND_MS: u32 = 10_000;

/// How long after a change of a row its entry is written once more, milliseconds. Longer than any write
/// may take that began before the change: a read of D1 and a write to KV by their deadlines, and the
/// platform ends what goes on 30 seconds after an answer.
pub const SETTLE_MS: i64 = 60_000;

/// Who is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The holder of this key.
    Key(&'a str),
    /// A page that calls its site by this domain, as Plausible's script does. It may do what a browser key may
    /// do: the list of origins decides.
    Domain(&'a str),
}

impl<'a> Asked<'a> {
    /// The holder of a key.
    ///
    /// # Errors
    /// [`Fault::UnknownKey`] for what has the form of no key.
    pub fn key(key: &'a str) -> Result<Self, Fault> {
        if is_key(key) {
            Ok(Self::Key(key))
        } else {
            Err(Fault::UnknownKey)
        }
    }

    /// The key or the domain.
    pub fn text(self) -> &'a str {
        match self {
            Self::Key(text) | Self::Domain(text) => text,
        }
    }
}

/// A store that did not answer, or not in time. The shell has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable;

/// The stores and the clock. The shell gives the platform's; tests give faults.
#[allow(async_fn_in_trait)] // One thread, one implementation each: no `Send` bound to promise.
pub trait Stores {
    /// Unix milliseconds.
    fn now_ms(&self) -> i64;
    /// What KV has under this name, at most [`KV_CACHE_S`] old.
    async fn kept(&self, name: &str) -> Result<Option<String>, Unreachable>;
    /// Writes an entry to KV.
    async fn keep(&self, entry: &Entry) -> Result<(), Unreachable>;
    /// The rows of a statement on D1's primary.
    async fn rows<T: DeserializeOwned>(&self, sql: &Statement) -> Result<Vec<T>, Unreachable>;
    /// The result of `work`, unless it takes longer than so many milliseconds.
    async fn within<T>(&self, limit_ms: u32, work: impl Future<Output = T>) -> Option<T>;
    /// Waits so many milliseconds.
    async fn wait(&self, ms: u32);
}

#[cfg(test)]
mod tests;
