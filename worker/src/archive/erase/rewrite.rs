//! A segment without a user.

use std::borrow::Cow;

use super::super::segment::{self, Segment, WHOLE};
use super::super::{Column, Event, Hasher};
use super::Hit;
use crate::archive::counted::Stored;
use crate::archive::nameless::{Alias, nameless_text};
use crate::base::sql::{Cell, Param, Sql, SqlError};

/// A segment whose events of a user are nameless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Its number.
    pub seq: i64,
    /// The columns that it had when it was read.
    was: Vec<u8>,
    /// Its columns.
    columns: Vec<u8>,
    /// Its lines, to be packed.
    pub lines: String,
    /// How many events were made nameless.
    pub events: i64,
    /// The days on which they happened.
    days: Vec<i64>,
}

/// Makes the events of a user, by all ids of theirs, nameless that were received before the erasure; `text` is the segment's lines.
/// `hasher` is the site's; nothing where there is nothing to do.
///
/// # Errors
/// Where the lines are not those of the columns, or cannot be read.
pub fn rewrite(
    hit: &Hit,
    text: &str,
    site: &str,
    ids: &[u64],
    alias: &Alias,
    hasher: &mut Hasher<'_>,
) -> Result<Option<Rewritten>, SqlError> {
    let broken = |why: &dyn std::fmt::Display| SqlError(format!("segment {}: {why}", hit.seq));
    let segment = Segment::parse(&hit.columns).map_err(|why| broken(&why))?;
    let events = segment.events().map_err(|why| broken(&why))?;
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() != events.len() {
        return Err(broken(&"its lines are not those of its columns"));
    }
    let is_theirs =
        |event: &Event<'_>| ids.contains(&event.user) && event.received <= alias.erased_at;
    let mut days: Vec<i64> = Vec::new();
    let mut count = 0_i64;
    let texts: Vec<Cow<'_, str>> = events
        .iter()
        .zip(lines)
        .map(|(event, line)| {
            if !is_theirs(event) {
                return Cow::Borrowed(line);
            }
            count = count.saturating_add(1);
            if !days.contains(&event.day()) {
                days.push(event.day());
            }
            Cow::Owned(nameless_text(site, line, alias))
        })
        .collect();
    if count == 0 {
        return Ok(None);
    }
    let renamed: Vec<Option<Stored<'_>>> = texts
        .iter()
        .map(|text| match text {
            Cow::Owned(text) => serde_json::from_str(text).map(Some),
            Cow::Borrowed(_) => Ok(None),
        })
        .collect::<Result<_, _>>()
        .map_err(|why| broken(&why))?;
    let mut bytes = 0_usize;
    let entries: Vec<(Event<'_>, &str)> = events
        .into_iter()
        .zip(&renamed)
        .zip(&texts)
        .map(|((event, renamed), text)| {
            bytes = bytes.saturating_add(text.len()).saturating_add(1);
            let event = match renamed {
                Some(stored) => nameless_event(event, stored, hasher),
                None => event,
            };
            (event, text.as_ref())
        })
        .collect();
    let mut lines = String::with_capacity(bytes);
    for (_, line) in &entries {
        lines.push_str(line);
        lines.push('\n');
    }
    Ok(Some(Rewritten {
        seq: hit.seq,
        was: hit.columns.clone(),
        columns: segment::encode(&entries),
        lines,
        events: count,
        days,
    }))
}

/// What is known of an event that was made nameless: what its line says, and how fast a page was. That is
/// no person's; which page it was may be.
pub(crate) fn nameless_event<'a>(
    was: Event<'a>,
    stored: &'a Stored<'a>,
    hasher: &mut Hasher<'_>,
) -> Event<'a> {
    let mut event = Event::of(stored, hasher);
    event.value = was.value;
    let name = was.texts.into_iter().nth(Column::Vital as usize).flatten();
    if let Some(slot) = event.texts.get_mut(Column::Vital as usize) {
        *slot = name;
    }
    event
}

impl Rewritten {
    /// Writes it inside the caller's transaction, unless the segment is not what it was.
    pub(super) fn put(&self, sql: &impl Sql, packed: &[u8]) -> Result<bool, SqlError> {
        let bytes = i64::try_from(self.lines.len()).unwrap_or(i64::MAX);
        let written: Vec<[Cell; 1]> = sql.cells(
            &format!(
                "UPDATE segments SET columns = substr(?2, 1, ?6), more = substr(?2, ?6 + 1), lines = ?3, bytes = ?4 \
                 WHERE seq = ?1 AND {WHOLE} = ?5 RETURNING seq"
            ),
            &[
                self.seq.into(),
                Param::Blob(self.columns.clone()),
                packed.into(),
                bytes.into(),
                Param::Blob(self.was.clone()),
                segment::first_part(&self.columns).into(),
            ],
        )?;
        if written.is_empty() {
            return Ok(false);
        }
        let days = serde_json::to_string(&self.days).unwrap_or_default();
        sql.run(
            "INSERT INTO erased_days (day) SELECT value FROM json_each(?1) WHERE true \
             ON CONFLICT DO NOTHING",
            &[days.into()],
        )?;
        Ok(true)
    }
}
