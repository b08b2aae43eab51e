//! A site's archives: how many it has, and which of them an event is in.
//!
//! An event is in the archive of its user, so that distinct users, funnels and cohorts of several archives add up; of
//! nobody, in that of its session; else in that of its id. The number is fixed with the site's first archive: with
//! another one, users would be in archives that do not know what they did before.

use super::Hasher;
use super::append::lines_of;
use super::home::{home, home_of};
use super::scan::{Asked, PageSpec};
use crate::archive::counted::Stored;
use crate::archive::nameless::ERASED_PREFIX;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::protocol::Message;

/// Archives of a site at most: a question asks all of them at once, of which the platform lets six answer at a
/// time, and each has its own 500 keys a day and dimension in D1. That is 160 GB of packed segments.
pub const MAX_ARCHIVES: i64 = 16;

/// How many archives the site has: one row, in the first of them.
pub(super) const SCHEMA: [&str; 1] =
    ["CREATE TABLE IF NOT EXISTS spread (archives INTEGER NOT NULL)"];

/// How many archives the site of this one has; from now on, where that was not fixed yet: `setting`.
pub(super) fn archives(sql: &impl Sql, setting: u32) -> Result<u32, SqlError> {
    // One that has appended before there were several is alone.
    sql.run(
        "INSERT INTO spread SELECT iif(EXISTS (SELECT 1 FROM logs), 1, ?1) \
         WHERE NOT EXISTS (SELECT 1 FROM spread)",
        &[i64::from(setting).into()],
    )?;
    let rows: Vec<[Cell; 1]> = sql.cells("SELECT archives FROM spread", &[])?;
    let number = rows.first().map(|[number]| number.int());
    Ok(number
        .and_then(|number| number.try_into().ok())
        .unwrap_or(1))
}

/// The only archive that can have what is asked for: of a user's events, theirs. Who was erased is where they were.
pub fn only(asked: &Asked, site: &str, archives: u32, key: &[u8]) -> Option<u32> {
    match asked {
        Asked::Page(PageSpec {
            user: Some(user), ..
        }) if !user.starts_with(ERASED_PREFIX) => {
            Some(home(Hasher::new(site, key).user(user), archives))
        }
        _ => None,
    }
}

/// What each of so many archives is told of a message: all its rows, each with the events that are in this archive, so
/// that each has all numbers of a log in few runs. A row that cannot be read is told to the first one alone, which
/// says so. A message is split alike whenever it comes.
pub fn split(message: &Message<'_>, archives: u32, key: &[u8]) -> Vec<Vec<u8>> {
    let mut hasher = Hasher::new(&message.site, key);
    // Of each row, the archives that its lines are in, and they; none where it cannot be read.
    let mut homes: Vec<Option<Vec<(u32, &str)>>> = Vec::new();
    for row in &message.rows {
        let mut its = None;
        if let Ok(lines) = lines_of(row.seq, row.n, row.lines) {
            let its = its.insert(Vec::with_capacity(lines.len()));
            for line in &lines {
                its.push((home_of(&line.stored, archives, &mut hasher), line.text));
            }
        }
        homes.push(its);
    }
    let part = |archive: u32| {
        let its = homes.iter().map(|row| Some(its(row.as_ref()?, archive)));
        let its: Vec<Option<(usize, String)>> = its.collect();
        let mut part = message.clone();
        let mut places = its.iter();
        part.rows.retain_mut(|row| match places.next() {
            Some(Some((n, lines))) => {
                (row.n, row.lines) = (*n, lines.as_bytes());
                true
            }
            _ => archive == 0,
        });
        part.write()
    };
    (0..archives).map(part).collect()
}

/// How many of a row's lines are in an archive, and they.
fn its(row: &[(u32, &str)], archive: u32) -> (usize, String) {
    let (mut n, mut lines) = (0_usize, String::new());
    for (_, line) in row.iter().filter(|(home, _)| *home == archive) {
        n = n.saturating_add(1);
        lines.push_str(line);
        lines.push('\n');
    }
    (n, lines)
}

/// Whether a message of the lake's lines is one archive's own, as far as can be told: who was erased has another id there.
/// It is not where the site had another number of archives, or another key, when they were written.
pub fn is_home(message: &Message<'_>, shard: u32, archives: u32, key: &[u8]) -> bool {
    let mut hasher = Hasher::new(&message.site, key);
    let rows = message.rows.iter();
    let mut lines = rows.flat_map(|row| lines_of(row.seq, row.n, row.lines).unwrap_or_default());
    lines.all(|line| {
        let Stored {
            user_id,
            session_id,
            ..
        } = &line.stored;
        let mut ids = [user_id, session_id].into_iter().flatten();
        ids.any(|id| id.starts_with(ERASED_PREFIX))
            || home_of(&line.stored, archives, &mut hasher) == shard
    })
}

#[cfg(test)]
mod tests;
