//! Dead letters: parts that cannot be stored though everything else can, and objects of the lake that
//! a sink refuses until somebody mends it.
//!
//! A part is a row of a log. A failure that may pass never ends here: the log keeps the part and sends it
//! again. What ends here is kept whole in the bucket and listed in D1, is confirmed to the log, and waits
//! for somebody to look at it and replay it, under the same id.

use serde::{Deserialize, Serialize};

use crate::base::hash::sha256_hex;
use crate::base::sql::{Param, Statement};
use crate::http::outcome::UNKNOWN_SHAPE;
use crate::protocol::message::Replay;
use crate::protocol::names::OWN_SITE;
use crate::protocol::{Confirmation, Message, RowId};

mod again;
mod refused;
mod rejected;
mod replay;
pub use again::{Again, site_of};
pub use refused::{forget_refused, list_refused};
pub use rejected::too_old;
pub use replay::{Chosen, FIELDS, ListQuery, MAX_REPLAYS, Replayed, Row, Selection};

/// Characters of a reason that are kept: a database's sentence.
const MAX_DETAIL_CHARS: usize = 300;

/// Parts of a message in a row that fail for no fault of their own, after which no more are looked at: the archive, D1
/// or the bucket is away. Not the first alone, so that one part which fails in a way of its own does not keep those
/// behind it from their turn.
pub const AWAY_AFTER: u32 = 2;

/// Why a part is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = DeadLetterCode))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The message is not what a log of this version writes.
    Unreadable,
    /// The archive refuses the part for its content.
    NotStored,
    /// It came later than was remembered what had landed. No longer arises: the archive knows all rows that
    /// it appended.
    TooOld,
    /// A sink refused the object as often as is tried; `archive_do` keeps it.
    SinkRefused,
    /// A service sent it, and it is not valid; the sender was told.
    Rejected,
    /// A service sent it, and no adapter knows its shape.
    UnknownShape,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Unreadable,
        Self::NotStored,
        Self::TooOld,
        Self::SinkRefused,
        Self::Rejected,
        Self::UnknownShape,
    ];

    /// The reason of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotStored => "not_stored",
            Self::TooOld => "too_old",
            Self::SinkRefused => "sink_refused",
            Self::Rejected => "rejected",
            Self::UnknownShape => UNKNOWN_SHAPE,
        }
    }
}

/// One row of a message, to be kept: what is wrong may be anywhere in it, so its events are not
/// looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadPart {
    /// The site.
    pub site: String,
    /// The shard.
    pub shard: u32,
    /// The row, of a message that is one.
    pub row: Option<RowId>,
    /// What it is listed under: the row's name.
    pub id: String,
    /// `receivedAt` of its events.
    pub at: i64,
    /// How many events.
    pub events: i64,
    /// A message of this row alone, as the log wrote it, a replay or not as it came.
    pub message: Vec<u8>,
}

impl DeadPart {
    /// Each row of a message by itself.
    pub fn of(message: &Message<'_>) -> Vec<Self> {
        let rows = message.rows.iter();
        rows.map(|row| {
            let id = message.row_id(row.seq);
            Self {
                site: message.site.clone(),
                shard: message.shard,
                id: id.to_string(),
                row: Some(id),
                at: row.at,
                events: i64::try_from(row.n).unwrap_or(i64::MAX),
                message: message.alone(*row).write(),
            }
        })
        .collect()
    }

    /// What came out of the queue and is no message: kept under the hash of its bytes.
    pub fn unknown(body: &[u8], now_ms: i64) -> Self {
        Self {
            site: OWN_SITE.to_owned(),
            shard: 0,
            row: None,
            id: sha256_hex(body),
            at: now_ms,
            events: 0,
            message: body.to_owned(),
        }
    }

    /// What lets the log drop the row; of what nobody knows no log has one.
    pub fn confirmation(&self) -> Option<Confirmation> {
        let row = self.row.as_ref()?;
        Some(Confirmation::of(&row.epoch, [(row.seq, Vec::new())]))
    }

    /// Where its message is kept in the bucket. The id of a part that was made elsewhere may be
    /// anything; a path is made of its hash then.
    pub fn object_key(&self) -> String {
        let plain = |text: &str| {
            !text.is_empty()
                && text.len() <= 64
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let name = |text: &str| {
            if plain(text) {
                text.to_owned()
            } else {
                sha256_hex(text.as_bytes())
            }
        };
        format!(
            "dead-letters/{}/{}.ndjson",
            name(&self.site),
            name(&self.id)
        )
    }

    /// The statement that lists it; once more, where it is listed already.
    pub fn statement(&self, reason: Reason, detail: &str, now_ms: i64) -> Statement {
        let detail: String = detail.chars().take(MAX_DETAIL_CHARS).collect();
        list([
            self.site.as_str().into(),
            self.id.as_str().into(),
            i64::from(self.shard).into(),
            reason.code().into(),
            detail.into(),
            self.at.into(),
            self.events.into(),
            now_ms.into(),
            self.object_key().into(),
        ])
    }
}

fn list(row: [Param; 9]) -> Statement {
    Statement::new(
        "INSERT INTO dead_letters (site_id, part_id, shard, code, detail, received_at, events, \
                                   first_at, last_at, tries, object_key) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1, ?9) \
         ON CONFLICT (site_id, part_id) DO UPDATE SET code = excluded.code, \
             detail = excluded.detail, last_at = excluded.last_at, \
             tries = tries + iif(excluded.code = 'sink_refused', 0, 1)",
        row,
    )
}

/// What the archive says of content that it will never take, in SQLite's words.
const OF_CONTENT: [&str; 6] = [
    "constraint",
    "toobig",
    "too big",
    "mismatch",
    "malformed json",
    "datatype",
];

/// Whether an error of the archive is about what it was to store, and not about the moment.
pub fn is_of_content(error: &str) -> bool {
    let error = error.to_lowercase();
    OF_CONTENT.iter().any(|words| error.contains(words))
}

/// The statement that finds the objects of listed parts.
pub fn find(site: &str, part_ids: &[String]) -> Statement {
    Statement::new(
        "SELECT object_key AS key FROM dead_letters WHERE site_id = ?1 \
           AND part_id IN (SELECT value FROM json_each(?2))",
        [site.into(), ids_json(part_ids).into()],
    )
}

/// The key of a kept message: a row of [`find`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Kept {
    /// In the bucket.
    pub key: String,
}

/// The statement that takes parts off the list.
pub fn forget(site: &str, part_ids: &[String]) -> Statement {
    Statement::new(
        "DELETE FROM dead_letters WHERE site_id = ?1 \
           AND part_id IN (SELECT value FROM json_each(?2))",
        [site.into(), ids_json(part_ids).into()],
    )
}

/// The statement that puts dead letters behind the others of the next replay: those with these
/// objects.
pub fn touch(keys: &[&str], now_ms: i64) -> Statement {
    Statement::new(
        "UPDATE dead_letters SET last_at = ?2 \
         WHERE object_key IN (SELECT value FROM json_each(?1))",
        [
            serde_json::to_string(keys).unwrap_or_default().into(),
            now_ms.into(),
        ],
    )
}

fn ids_json(ids: &[String]) -> String {
    serde_json::to_string(ids).unwrap_or_default()
}

/// The message that replays a kept one: `None` where it is no message.
pub fn replay_message(kept: &[u8], how: Replay) -> Option<Vec<u8>> {
    let mut message = Message::parse(kept).ok()?;
    message.replay = Some(how);
    Some(message.write())
}

#[cfg(test)]
mod tests;
