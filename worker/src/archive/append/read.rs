//! What of a message is new.

use std::borrow::Cow;
use std::collections::HashSet;

use shoreline_shared::pass::Tape;

use super::super::erase::nameless_event;
use super::super::logs::{done_before, parts_between};
use super::super::{Event, Hasher, ids};
use super::{Appended, Draft, Packable, appended};
use crate::archive::counted::Stored;
use crate::archive::nameless::{Alias, nameless_text};
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::lake::hour_of;
use crate::protocol::Message;

/// A line of a message, read.
pub(in crate::archive) struct Line<'a> {
    row: i64,
    pub(in crate::archive) text: &'a str,
    pub(in crate::archive) stored: Stored<'a>,
}

/// Reads what of a message is new; `hasher` is that of the archive.
///
/// # Errors
/// Whatever the database says.
pub fn read(
    sql: &impl Sql,
    message: &Message<'_>,
    mut hasher: Hasher<'_>,
) -> Result<Draft, SqlError> {
    let log = format!("{}/{}", message.shard, message.epoch);
    let appended = appended(sql, &log)?;
    let mut told = Appended::default();
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut rows = Vec::new();
    let seqs = message.rows.iter().map(|row| row.seq);
    let all = (seqs.clone().min().unwrap_or(0), seqs.max().unwrap_or(0));
    let parts = parts_between(sql, &log, all)?;
    for row in &message.rows {
        if rows.contains(&row.seq) {
            continue;
        }
        if appended.contains(row.seq) {
            told.duplicates.extend(told_before(sql, &log, row.seq)?);
            continue;
        }
        match lines_of(row.seq, row.n, row.lines) {
            Ok(mut some) => {
                let is_in = |part: &&(i64, i64, _)| part.0 <= row.seq && row.seq <= part.1;
                if let Some((_, _, homes)) = parts.iter().find(is_in) {
                    // Of this row some archives had appended their events when there were others.
                    some.retain(|line| !done_before(homes, &line.stored, &mut hasher));
                    told.duplicates.extend(told_before(sql, &log, row.seq)?);
                }
                rows.push(row.seq);
                lines.extend(some);
            }
            Err(why) => told.unreadable.push((row.seq, why)),
        }
    }
    let events: Vec<Event<'_>> = lines
        .iter()
        .map(|line| Event::of(&line.stored, &mut hasher))
        .collect();
    let all: Vec<u128> = events.iter().map(|event| event.id).collect();
    let mut known: HashSet<u128> = ids::known(sql, &all)?.into_iter().collect();
    let mut found: Map<i64, Vec<String>> = Map::new();
    let mut new: Vec<(Event<'_>, &Line<'_>)> = Vec::with_capacity(lines.len());
    for (event, line) in events.into_iter().zip(&lines) {
        if known.insert(event.id) {
            new.push((event, line));
        } else {
            let ids = found.entry(line.row).or_default();
            ids.push(line.stored.event_id.clone().into_owned());
        }
    }
    let ids = new.iter().map(|(event, _)| event.id).collect();
    let found: Vec<(i64, Vec<String>)> = found.into_iter().collect();
    told.duplicates.extend(found.iter().cloned());
    let erased = erased(sql)?;
    Ok(Draft {
        log,
        rows,
        ids,
        told,
        found,
        segments: segments(&message.site, new, &erased, &mut hasher)?,
    })
}

/// What was told of a row that was appended before.
fn told_before(
    sql: &impl Sql,
    log: &str,
    row: i64,
) -> Result<Option<(i64, Vec<String>)>, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells(
        "SELECT ids FROM duplicates WHERE log = ?1 AND row = ?2",
        &[log.into(), row.into()],
    )?;
    let ids = rows.first().map(|[ids]| serde_json::from_str(ids.text()));
    let ids: Option<Vec<String>> = ids
        .transpose()
        .map_err(|error| SqlError(error.to_string()))?;
    Ok(ids.map(|ids| (row, ids)))
}

/// Users who are to be forgotten, by their hash.
fn erased(sql: &impl Sql) -> Result<Map<u64, Alias>, SqlError> {
    let rows: Vec<[Cell; 3]> = sql.cells(
        "SELECT user, alias_key, erased_at FROM erased ORDER BY user",
        &[],
    )?;
    Ok(rows
        .iter()
        .filter_map(|[user, alias_key, erased_at]| {
            let user = u64::from_be_bytes(user.bytes().try_into().ok()?);
            let alias = Alias {
                alias_key: alias_key.text().to_owned(),
                erased_at: erased_at.int(),
            };
            Some((user, alias))
        })
        .collect())
}

/// The lines of a row; the reason where one is no stored event.
pub(in crate::archive) fn lines_of(
    row: i64,
    n: usize,
    bytes: &[u8],
) -> Result<Vec<Line<'_>>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut tape = Tape::default();
    let lines: Vec<Line<'_>> = text
        .lines()
        .map(|text| {
            Ok(Line {
                row,
                text,
                stored: stored(text, &mut tape)?,
            })
        })
        .collect::<Result<_, String>>()?;
    if lines.len() == n {
        Ok(lines)
    } else {
        Err("a row with other lines than it says".to_owned())
    }
}

fn stored<'a>(line: &'a str, tape: &mut Tape) -> Result<Stored<'a>, String> {
    let stored = Stored::read(line, tape).map_err(|error| error.to_string())?;
    match shoreline_shared::id::uuid_bits(&stored.event_id) {
        Some(_) => Ok(stored),
        None => Err("an event whose id is no UUID".to_owned()),
    }
}

/// The new events by the hours of their receipt, nameless where their user is to be forgotten.
fn segments(
    site: &str,
    new: Vec<(Event<'_>, &Line<'_>)>,
    erased: &Map<u64, Alias>,
    hasher: &mut Hasher<'_>,
) -> Result<Vec<Packable>, SqlError> {
    let texts: Vec<Cow<'_, str>> = new
        .iter()
        .map(|(event, line)| match erased.get(&event.user) {
            Some(alias) if event.received <= alias.erased_at => {
                Cow::Owned(nameless_text(site, line.text, alias))
            }
            _ => Cow::Borrowed(line.text),
        })
        .collect();
    let renamed: Vec<Option<Stored<'_>>> = texts
        .iter()
        .map(|text| match text {
            Cow::Owned(text) => stored(text, &mut Tape::default())
                .map(Some)
                .map_err(SqlError),
            Cow::Borrowed(_) => Ok(None),
        })
        .collect::<Result<_, _>>()?;
    let mut hours: Map<i64, Vec<(Event<'_>, &str)>> = Map::new();
    for (((event, _), text), renamed) in new.into_iter().zip(&texts).zip(&renamed) {
        let event = match renamed {
            Some(stored) => nameless_event(event, stored, hasher),
            None => event,
        };
        let hour = hours.entry(hour_of(event.received)).or_default();
        hour.push((event, text));
    }
    Ok(hours
        .into_iter()
        .map(|(hour, entries)| Packable::of(hour, &entries))
        .collect())
}
