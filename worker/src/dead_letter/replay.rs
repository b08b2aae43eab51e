//! Which dead letters are listed, and which are replayed.

use serde::{Deserialize, Serialize};

use super::Reason;
use crate::base::json;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::http::known;
use crate::http::params::Params;
use crate::protocol::message::Replay;

/// Dead letters of a page where `limit` does not say.
const DEFAULT_LIMIT: i64 = 50;

/// Dead letters of a page at most.
const MAX_LIMIT: i64 = 500;

/// Dead letters replayed by one call: each is an object read and a message sent, and a request may
/// make a thousand such calls.
pub const MAX_REPLAYS: i64 = 100;

/// A checked `GET /v1/dead-letters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    site: Option<String>,
    code: Option<Reason>,
    after: (i64, String, String),
    limit: i64,
}

/// A dead letter as it is listed. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = DeadLetter))]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The site.
    pub site_id: String,
    /// What it is replayed by: a part, or `<sink>:<key>` of an object that a sink refuses.
    pub part_id: String,
    /// Why.
    pub code: String,
    /// In the database's words, or the sink's error code.
    pub detail: String,
    /// When its events were received; of an object, the start of their hour.
    pub received_at: i64,
    /// How many.
    pub events: i64,
    /// When it first ended here.
    pub first_at: i64,
    /// When it last did.
    pub last_at: i64,
    /// How often.
    pub tries: i64,
    /// Where its message is in the bucket; of an object, where it is to land in the sink.
    pub object_key: String,
}

impl ListQuery {
    /// Reads `siteId`, `code`, `limit` and `cursor`.
    ///
    /// # Errors
    /// 400 with the parameter that is wrong.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let cursor = Fault::InvalidParameter {
            name: "cursor",
            detail: "cursor must be the nextCursor of the page before.",
        };
        let after = match params.get("cursor") {
            None => (0, String::new(), String::new()),
            Some(text) => {
                let mut fields = text.splitn(3, '/');
                let mut next = || fields.next().ok_or(cursor.clone());
                let (at, site, part) = (next()?, next()?, next()?);
                // Integers travel as doubles: what one holds exactly.
                let at = at.parse().ok().filter(|at| (0..1 << 53).contains(at));
                let at = at.ok_or(cursor)?;
                (at, site.to_owned(), part.to_owned())
            }
        };
        let detail = "limit must be 1 to 500.";
        let code = |text| {
            Reason::parse(text).ok_or(Fault::InvalidParameter {
                name: "code",
                detail: "code must be unreadable, not_stored, too_old, sink_refused, rejected or unknown_shape.",
            })
        };
        Ok(Self {
            site: params.get("siteId").map(str::to_owned),
            code: params.get("code").map(code).transpose()?,
            after,
            limit: params.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT, detail)?,
        })
    }

    /// The statement of the page and the first row after it.
    pub fn statement(&self) -> Statement {
        let (at, site, part) = &self.after;
        Statement::new(
            LIST,
            [
                self.site.as_deref().into(),
                self.code.map(Reason::code).into(),
                (*at).into(),
                site.as_str().into(),
                part.as_str().into(),
                self.limit.saturating_add(1).into(),
            ],
        )
    }

    /// The answer: `{deadLetters, nextCursor}`.
    pub fn answer(&self, mut rows: Vec<Row>) -> String {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("{}/{}/{}", row.first_at, row.site_id, row.part_id));
        serde_json::json!({ "deadLetters": rows, "nextCursor": next }).to_string()
    }
}

const LIST: &str = "SELECT site_id AS \"siteId\", part_id AS \"partId\", code, detail, \
        received_at AS \"receivedAt\", events, first_at AS \"firstAt\", last_at AS \"lastAt\", \
        tries, object_key AS \"objectKey\" FROM dead_letters \
     WHERE (?1 IS NULL OR site_id = ?1) AND (?2 IS NULL OR code = ?2) \
       AND (first_at, site_id, part_id) > (?3, ?4, ?5) \
     ORDER BY first_at, site_id, part_id LIMIT ?6";

/// Fields of a selection.
pub const FIELDS: &[&str] = &["all", "siteId", "code", "partIds", "force"];

/// The body of `POST /v1/dead-letters/replay`: which of them. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = DeadLetterSelection))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selection {
    /// All of them.
    pub all: bool,
    /// Those of a site.
    pub site_id: Option<String>,
    /// Those with this code.
    pub code: Option<Reason>,
    /// These.
    pub part_ids: Option<Vec<String>>,
    /// Lands even those of which the lake has forgotten whether they landed before.
    pub force: bool,
}

impl Selection {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 where it is none, or selects nothing.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let wrong = Fault::malformed(
            "The body must be {all: true} or one or more of {siteId, code, partIds}, and perhaps \
             force.",
        );
        known::fields_of(body, FIELDS)?;
        let selection: Self = json::read(body).map_err(|_| wrong.clone())?;
        let selects =
            selection.site_id.is_some() || selection.code.is_some() || selection.part_ids.is_some();
        if selection.all == selects {
            return Err(wrong);
        }
        Ok(selection)
    }

    /// How the messages are marked.
    pub fn how(&self) -> Replay {
        if self.force {
            Replay::Forced
        } else {
            Replay::Plain
        }
    }

    /// The statement that finds up to [`MAX_REPLAYS`] of them, those tried longest ago first, and
    /// one more where there are more. What is no message cannot be replayed, and what is too old
    /// only by force.
    pub fn statement(&self) -> Statement {
        let ids = self
            .part_ids
            .as_ref()
            .and_then(|ids| serde_json::to_string(ids).ok());
        Statement::new(
            "SELECT site_id, part_id, shard, code, object_key AS key FROM dead_letters \
             WHERE (?1 IS NULL OR site_id = ?1) AND (?2 IS NULL OR code = ?2) \
               AND (?3 IS NULL OR part_id IN (SELECT value FROM json_each(?3))) \
               AND (?4 OR code <> 'too_old') AND events > 0 \
             ORDER BY last_at, site_id, part_id LIMIT ?5",
            [
                self.site_id.as_deref().into(),
                self.code.map(Reason::code).into(),
                ids.into(),
                i64::from(self.force).into(),
                MAX_REPLAYS.saturating_add(1).into(),
            ],
        )
    }
}

/// The answer of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Replayed {
    /// Sent to the queue again, or, of objects that a sink refused, to the sink.
    pub replayed: usize,
    /// Gone: a replay took care of them a moment ago.
    pub missing: usize,
    /// Refused once more, all or some of their items: of what services sent.
    pub refused: usize,
    /// Whether there are more to replay; call again.
    pub more: bool,
}

/// A row of [`Selection::statement`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Chosen {
    /// The site.
    pub site_id: String,
    /// The part.
    pub part_id: String,
    /// The shard.
    pub shard: u32,
    /// Why it is a dead letter.
    pub code: String,
    /// Where its message is in the bucket, or where the object is to land.
    pub key: String,
}

impl Chosen {
    /// Whether it is what a service sent, which is judged once more.
    pub fn is_of_service(&self) -> bool {
        let reason = Reason::parse(&self.code);
        matches!(reason, Some(Reason::Rejected | Reason::UnknownShape))
    }
}
