//! The archive from the lake, and D1 from the archive: the objects of some days, one at a time, each told to
//! the archive as the consumer would.
//!
//! The caller drives it: a step takes some lines of one object, and answers a cursor. Objects go in
//! the order of their names, which is that of their hours; within an hour by site, shard and
//! sequence. The read models come out the same in any order, but for which keys are among a day's
//! first 500.

use serde::{Deserialize, Serialize};

use crate::base::json;
use crate::base::sql::Statement;
use crate::base::time::{DAY_MS, date};
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::known;
use crate::lake::ObjectName;
use crate::protocol::Message;
use crate::protocol::hours::ShardHours;
use crate::protocol::message::MessageRow;
use crate::protocol::names::OWN_SITE;
use crate::upkeep::jobs::{self, Job};
use crate::upkeep::prune::ids_known_from;

/// Bytes of lines in one transaction: about what a message of the queue has.
const MESSAGE_BYTES: usize = 100_000;

/// Messages of a step: a call of the archive each, which takes some 10 ms.
const MESSAGES: usize = 10;

/// What the names begin with under which rebuilds note that they run, each with its days.
const JOB: &str = "rebuild";

/// How long after its latest step a rebuild that has not ended is taken to run still: its caller may
/// have given up.
const RUNS_MS: i64 = 10 * 60_000;

/// Fields of a call.
pub const FIELDS: &[&str] = &[
    "startDate",
    "endDate",
    "cursor",
    "cursor.key",
    "cursor.lines",
];

/// The body of a call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    start_date: &'a str,
    end_date: &'a str,
    #[serde(default)]
    cursor: Option<Cursor>,
}

/// Where the next step goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = RebuildCursor))]
pub struct Cursor {
    /// An object.
    #[cfg_attr(test, schema(pattern = "^events/"))]
    pub key: String,
    /// How many of its lines are done; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
}

/// A checked call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    days: Days,
    /// Where it goes on; absent: at the beginning.
    pub cursor: Option<Cursor>,
}

/// The answer of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = RebuildStep))]
pub struct Step {
    /// Events that are still on their way to the lake; nothing was read then.
    pub waiting: i64,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// How many of its events were told to the archive.
    pub events: usize,
    /// Where the next step goes on; null: all is done.
    #[cfg_attr(test, schema(required))]
    pub cursor: Option<Cursor>,
}

impl Rebuild {
    /// Reads the body `{startDate, endDate, cursor?}`.
    ///
    /// # Errors
    /// 400 with what is wrong.
    pub fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        known::fields_of(body, FIELDS)?;
        let body: Body<'_> = json::read(body)
            .map_err(|_| Fault::malformed("The body must be {startDate, endDate, cursor?}."))?;
        // Somebody else's object may be where the step before ended.
        let in_lake = |cursor: &Cursor| cursor.key.starts_with("events/");
        if !body.cursor.as_ref().is_none_or(in_lake) {
            return Err(Fault::Malformed {
                field: Some("cursor"),
                detail: "cursor must be one that a step answered.",
            });
        }
        Ok(Self {
            days: Days::of(Some(body.start_date), Some(body.end_date), now_ms)?,
            cursor: body.cursor,
        })
    }

    /// The statement that notes that this rebuild runs.
    pub fn note(&self, now_ms: i64) -> Statement {
        let now = Job {
            done_for: now_ms,
            cursor: String::new(),
        };
        jobs::save(&self.name(), &now)
    }

    /// The statement that notes that this rebuild has ended; one of other days may run on.
    pub fn end(&self) -> Statement {
        jobs::end(&self.name())
    }

    fn name(&self) -> String {
        format!("{JOB}/{}/{}", date(self.days.first), date(self.days.last))
    }

    /// The first moment of the days.
    pub fn from_ms(&self) -> i64 {
        self.days.from_ms()
    }

    /// Of what waits in a shard by hour, the events of the days.
    pub fn waiting(&self, shard: &ShardHours) -> i64 {
        let end = self.days.to_ms();
        let of_days = shard.waiting.iter().filter(|entry| entry.bucket < end);
        of_days.fold(0, |sum, entry| sum.saturating_add(entry.n))
    }

    /// The object that was begun, and how many of its lines are done.
    pub fn begun(&self) -> Option<(&str, usize)> {
        let cursor = self.cursor.as_ref()?;
        Some((&cursor.key, cursor.lines?))
    }

    /// The text after which the names of the objects to come sort.
    pub fn after(&self) -> String {
        let first = format!("events/date={}/", date(self.days.first));
        let done = self.cursor.as_ref().map(|cursor| cursor.key.clone());
        done.map_or(first.clone(), |done| done.max(first))
    }

    /// Whether an object of `day` is one of the days.
    pub fn has(&self, day: i64) -> bool {
        day <= self.days.last
    }

    /// The statement that finds counts of `day` that the object, the first of that day, would be
    /// counted beside twice: D1 may have forgotten the ids of so old a day, or will soon, also of a site
    /// whose retention was raised since. Of younger days it knows what it has, so nothing need be asked.
    pub fn counted(&self, day: i64, now_ms: i64) -> Option<Statement> {
        let before = self.cursor.as_ref().map(|cursor| &cursor.key);
        let before = before.and_then(|key| ObjectName::parse(key));
        let is_first = before.is_none_or(|before| before.day < day);
        let begin = day.saturating_mul(DAY_MS);
        (is_first && begin < ids_known_from(now_ms)).then(|| {
            Statement::new(
                "SELECT s.site_id FROM (SELECT site_id FROM sites UNION ALL SELECT ?2) AS s \
                 WHERE EXISTS (SELECT 1 FROM daily_counts AS c \
                 WHERE c.site_id = s.site_id AND c.date = ?1) LIMIT 1",
                [date(day).into(), OWN_SITE.into()],
            )
        })
    }
}

/// Rows of the message of an object's lines are numbered by its sequence and, below this, by their first
/// line: an object has fewer lines than this, for it has fewer bytes.
const LINES_OF_OBJECT: i64 = 1_000_000;

/// Some lines of an object as messages to the archive, how many events they have, and how many lines are
/// done with them; none: all. The object's own log and numbers make a message known that comes twice.
pub fn messages(
    name: &ObjectName<'_>,
    text: &str,
    done: usize,
    now_ms: i64,
) -> (Vec<Vec<u8>>, usize, Option<usize>) {
    let mut lines = text.split_inclusive('\n').skip(done).peekable();
    let mut end = done;
    let mut messages = Vec::new();
    while lines.peek().is_some() && messages.len() < MESSAGES {
        let first = end;
        let mut some = String::new();
        while let Some(line) = lines.next_if(|line| {
            some.is_empty() || some.len().saturating_add(line.len()) <= MESSAGE_BYTES
        }) {
            some.push_str(line);
            end = end.saturating_add(1);
        }
        let sequence: i64 = name.sequence.parse().unwrap_or(0);
        let row = MessageRow {
            seq: sequence
                .saturating_mul(LINES_OF_OBJECT)
                .saturating_add(i64::try_from(first).unwrap_or(0)),
            at: now_ms,
            n: end.saturating_sub(first),
            lines: some.as_bytes(),
        };
        let message = Message {
            site: name.site.to_owned(),
            shard: 0,
            epoch: format!("lake-{}", name.epoch),
            replay: None,
            rows: vec![row],
        };
        messages.push(message.write());
    }
    let events = end.saturating_sub(done);
    (messages, events, lines.peek().is_some().then_some(end))
}

/// The statement that loads what [`Rebuild::note`] wrote last.
pub fn noted() -> Statement {
    jobs::latest(JOB)
}

/// Whether a rebuild runs. Meanwhile nothing old is forgotten: by the ids a step that comes twice is
/// known, and a session may go on in the next object.
pub fn runs(noted: Option<&Job>, now_ms: i64) -> bool {
    noted.is_some_and(|job| now_ms.saturating_sub(job.done_for) < RUNS_MS)
}

#[cfg(test)]
mod tests;
