//! Erasure in the archive: the segments that hold a user's events are found, rewritten and put back.
//!
//! The lines of a segment are packed by the platform, so a step has three parts: [`find`] reads, the caller
//! unpacks the lines, [`rewrite`]s them and packs them again, and [`write()`] is one transaction. What comes
//! later and was received before meets [`suppress`]'s row when it is appended.

use serde::{Deserialize, Serialize};

use super::segment::{Segment, WHOLE};
use crate::archive::nameless::Alias;
use crate::base::sql::{Cell, Param, Sql, SqlError};
use crate::lake::hour_of;

mod rewrite;

pub(super) use rewrite::nameless_event;
pub use rewrite::{Rewritten, rewrite};

/// `erasing`: how far the segments were looked at for a user, and the first one that had to wait.
/// `erased_days`: days with events of erased users; these tell less than was counted, so nothing is
/// mended by them.
pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS erasing (user BLOB PRIMARY KEY, after INTEGER NOT NULL, \
     waiting INTEGER) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS erased_days (day INTEGER PRIMARY KEY)",
];

/// Segments that a step looks at: a bound on the columns that it has in memory at once.
const MAX_LOOKED_AT: usize = 1_000;

/// Segments that are read at once: what memory they take is that of their columns, 1 MB each at most.
const PAGE: i64 = 16;

/// Segments that a step rewrites: of a user who was there all the time each is one.
const MAX_HITS: usize = 8;

/// Bytes of lines that a step rewrites, unless a segment has more: they are held unpacked, twice.
const MAX_BYTES: i64 = 4_000_000;

/// What the archive is told: whom to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    /// The user's hash, in hex.
    pub user: String,
    /// What the ids that stand for theirs are made with.
    pub alias_key: String,
    /// When the erasure was asked for, Unix milliseconds.
    pub erased_at: i64,
}

impl Forget {
    /// The first 64 bits of the hash, by which the archive knows the user.
    pub fn user(&self) -> u64 {
        super::event::first_bits(&self.user)
    }

    /// The secret of the ids that stand for theirs.
    pub fn alias(&self) -> Alias {
        Alias {
            alias_key: self.alias_key.clone(),
            erased_at: self.erased_at,
        }
    }
}

/// What the archive answers after a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Events that were made nameless.
    pub events: i64,
    /// Whether the next step has something to do now.
    pub more: bool,
    /// Whether all that was received before the erasure is nameless.
    pub complete: bool,
}

/// Which segments may be rewritten.
pub struct Settled<'a> {
    /// The last one that is folded: what a fold counts of a user must be counted before.
    pub folded: i64,
    /// Whether the lake is done with one: it is in no open hour, and no sink still has to get it.
    pub is_free: &'a dyn Fn(i64) -> Result<bool, SqlError>,
}

/// A segment that holds events of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its number.
    pub seq: i64,
    /// Its columns.
    pub columns: Vec<u8>,
    /// Its lines, packed.
    pub lines: Vec<u8>,
}

/// What a look at some segments found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The segments that are to be rewritten.
    pub hits: Vec<Hit>,
    /// Segments that cannot be read, and why: they are passed by, and the erasure is not complete.
    pub broken: Vec<(i64, String)>,
    /// The last segment that was looked at.
    through: i64,
    /// The first one that must wait.
    waiting: Option<i64>,
    /// Whether there are no more.
    is_last: bool,
}

fn key(user: u64) -> Param {
    Param::Blob(user.to_be_bytes().to_vec())
}

/// Notes that a user is to be forgotten, with all ids of theirs; a second erasure takes what was received, or joined,
/// since, too.
///
/// # Errors
/// Whatever the database says.
pub fn suppress(sql: &impl Sql, user: u64, ids: &[u64], alias: &Alias) -> Result<(), SqlError> {
    let user = key(user);
    sql.transaction(&mut || {
        let mut since: Option<i64> = None;
        for id in ids {
            let id = key(*id);
            let rows: Vec<[Cell; 1]> = sql.cells(
                "SELECT erased_at FROM erased WHERE user = ?1",
                std::slice::from_ref(&id),
            )?;
            let before = rows.first().map(|[at]| at.int());
            if before.is_some_and(|before| before >= alias.erased_at) {
                continue;
            }
            let before = before.unwrap_or(0);
            since = Some(since.map_or(before, |since| since.min(before)));
            sql.run(
                "INSERT INTO erased (user, alias_key, erased_at) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (user) DO UPDATE SET alias_key = excluded.alias_key, \
                 erased_at = excluded.erased_at",
                &[id, alias.alias_key.as_str().into(), alias.erased_at.into()],
            )?;
        }
        let Some(before) = since else {
            return sql.run(
                "INSERT INTO erasing (user, after) VALUES (?1, 0) ON CONFLICT DO NOTHING",
                std::slice::from_ref(&user),
            );
        };
        // Segments of the hours before the first erasure hold nothing that was received after it.
        sql.run(
            "INSERT INTO erasing (user, after) VALUES (?1, 0) ON CONFLICT (user) DO UPDATE \
             SET after = min(after, coalesce((SELECT min(seq) - 1 FROM segments \
             WHERE hour >= ?2), after))",
            &[user.clone(), hour_of(before).into()],
        )
    })
}

/// Where the next look begins, and the first segment that had to wait.
fn position(sql: &impl Sql, user: u64) -> Result<(i64, Option<i64>), SqlError> {
    let rows: Vec<[Cell; 2]> = sql.cells(
        "SELECT after, waiting FROM erasing WHERE user = ?1",
        &[key(user)],
    )?;
    Ok(rows.first().map_or((0, None), |[after, waiting]| {
        let waiting = match waiting {
            Cell::Int(seq) => Some(*seq),
            _ => None,
        };
        (after.int(), waiting)
    }))
}

/// Looks at the next segments for events of the user, by all ids of theirs, that were received before the erasure.
///
/// # Errors
/// Whatever the database says.
pub fn find(
    sql: &impl Sql,
    user: u64,
    ids: &[u64],
    alias: &Alias,
    settled: &Settled<'_>,
) -> Result<Found, SqlError> {
    let (through, waiting) = position(sql, user)?;
    let mut found = Found {
        through,
        waiting,
        ..Found::default()
    };
    let (mut looked, mut bytes) = (0_usize, 0_i64);
    while looked < MAX_LOOKED_AT {
        let page: Vec<[Cell; 3]> = sql.cells(
            &format!(
                "SELECT seq, bytes, {WHOLE} FROM segments WHERE seq > ?1 AND +hour <= ?2 \
                 ORDER BY seq LIMIT ?3"
            ),
            &[
                found.through.into(),
                hour_of(alias.erased_at).into(),
                PAGE.into(),
            ],
        )?;
        for [seq, size, columns] in &page {
            let seq = seq.int();
            let holds = holds(columns.bytes(), ids, alias.erased_at);
            if holds == Ok(true) && seq <= settled.folded && (settled.is_free)(seq)? {
                bytes = bytes.saturating_add(size.int());
                let is_full = found.hits.len() >= MAX_HITS || bytes > MAX_BYTES;
                if is_full && !found.hits.is_empty() {
                    return Ok(found);
                }
                found.hits.extend(hit(sql, seq, columns.bytes())?);
            } else if holds != Ok(false) {
                found.waiting.get_or_insert(seq);
            }
            if let Err(why) = holds {
                found.broken.push((seq, why));
            }
            found.through = seq;
        }
        if i64::try_from(page.len()).is_ok_and(|len| len < PAGE) {
            found.is_last = true;
            break;
        }
        looked = looked.saturating_add(page.len());
    }
    Ok(found)
}

/// Whether a segment holds events of the user that were received up to a moment.
fn holds(columns: &[u8], ids: &[u64], erased_at: i64) -> Result<bool, String> {
    let look = || {
        let segment = Segment::parse(columns)?;
        let users = segment.users()?;
        let theirs = users.dict.iter().map(|(hash, _)| ids.contains(hash));
        let theirs: Vec<bool> = std::iter::once(false).chain(theirs).collect();
        if !theirs.contains(&true) {
            return Ok(false);
        }
        let is_theirs = |code: &u32| theirs.get(*code as usize) == Some(&true);
        let received = segment.received()?;
        let mut events = users.codes.iter().zip(&received);
        Ok(events.any(|(code, received)| is_theirs(code) && *received <= erased_at))
    };
    look().map_err(|broken: super::segment::Broken| broken.to_string())
}

fn hit(sql: &impl Sql, seq: i64, columns: &[u8]) -> Result<Option<Hit>, SqlError> {
    let rows: Vec<[Cell; 1]> =
        sql.cells("SELECT lines FROM segments WHERE seq = ?1", &[seq.into()])?;
    Ok(rows.first().map(|[lines]| Hit {
        seq,
        columns: columns.to_vec(),
        lines: lines.bytes().to_vec(),
    }))
}

/// Puts the rewritten segments in the place of what they were, each with its packed lines, and notes how
/// far the search has come: one transaction. Where one was changed by somebody else since it was read,
/// the next step looks at it again.
///
/// # Errors
/// Whatever the database says; nothing was written then.
pub fn write(
    sql: &impl Sql,
    user: u64,
    found: &Found,
    rewritten: &[(Rewritten, Vec<u8>)],
) -> Result<Step, SqlError> {
    sql.transaction(&mut || {
        let (mut events, mut through, mut is_last) = (0_i64, found.through, found.is_last);
        for (segment, packed) in rewritten {
            if !segment.put(sql, packed)? {
                through = segment.seq.saturating_sub(1);
                is_last = false;
                break;
            }
            events = events.saturating_add(segment.events);
        }
        let complete = is_last && found.waiting.is_none();
        // At the end, the next look begins with what has to wait.
        let (after, waiting) = match found.waiting {
            Some(first) if is_last => (first.saturating_sub(1), None),
            waiting => (through, waiting),
        };
        sql.run(
            "UPDATE erasing SET after = ?2, waiting = ?3 WHERE user = ?1",
            &[key(user), after.into(), waiting.into()],
        )?;
        let more = !is_last;
        Ok(Step {
            events,
            more,
            complete,
        })
    })
}

#[cfg(test)]
mod tests;
