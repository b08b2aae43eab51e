//! Every event ends in exactly one counted outcome, and the sender is told all but `accepted`.

use std::borrow::Cow;

use serde::Serialize;
use shoreline_shared::event::Rejection;

use crate::base::sorted::sorted_by;

/// How an event ended at the collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Outcome))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Seen before: in this batch, or the whole batch was.
    Duplicate,
    /// Not valid; the code says why.
    Rejected,
    /// Left out on purpose: a bot's, spam, or of a shape that nothing knows.
    Skipped,
}

/// The outcome of a bot's event.
pub const BOT: &str = "bot";
/// The outcome of a view that a spammer of referrers made up.
pub const SPAM_REFERRER: &str = "spam_referrer";
/// The outcome of an event that says who a visitor is who asked not to be followed.
pub const PRIVATE_VISIT: &str = "private_visit";
/// The outcome of an item of a shape that no adapter knows.
pub const UNKNOWN_SHAPE: &str = "unknown_shape";

/// One event of a batch that was not accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventResult {
    /// Its place in the sender's `events`, from 0.
    pub index: usize,
    /// Its id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The outcome.
    pub status: Status,
    /// The stable code: `duplicate`, a validation code, or the outcome of what is skipped.
    pub code: &'static str,
    /// The field that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    /// One sentence.
    pub message: Cow<'static, str>,
}

impl EventResult {
    /// An event that validation refused.
    pub fn rejected(index: usize, rejection: Rejection) -> Self {
        Self {
            index,
            event_id: None,
            status: Status::Rejected,
            code: rejection.code.as_str(),
            field: Some(rejection.field),
            message: rejection.message.into(),
        }
    }

    /// An item that is left out on purpose.
    pub fn skipped(index: usize, code: &'static str, message: &'static str) -> Self {
        Self {
            index,
            event_id: None,
            status: Status::Skipped,
            code,
            field: None,
            message: message.into(),
        }
    }

    /// An event that is here for the second time.
    pub fn duplicate(index: usize, event_id: &str, message: &'static str) -> Self {
        Self {
            index,
            event_id: Some(event_id.to_owned()),
            status: Status::Duplicate,
            code: "duplicate",
            field: None,
            message: message.into(),
        }
    }
}

/// The body of a 202. The four counts add up to the events sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Taken))]
pub struct Answer {
    /// Durable, and counted.
    pub accepted: usize,
    /// Seen before; counted then.
    pub duplicate: usize,
    /// Not valid.
    pub rejected: usize,
    /// Recognized and left out on purpose.
    pub skipped: usize,
    /// What was not accepted, by index.
    pub results: Vec<EventResult>,
}

/// The body of a 200 to Segment's libraries.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = SegmentTaken))]
pub(crate) struct SegmentAnswer<'a> {
    /// What the libraries look for: always true.
    success: bool,
    #[serde(flatten)]
    answer: &'a Answer,
}

impl Answer {
    /// The body of a 200 to Segment's libraries: what they look for, and the truth beside it.
    pub fn to_segment_json(&self) -> String {
        let body = SegmentAnswer {
            success: true,
            answer: self,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The answer for `accepted` events taken and the rest as `results` says.
    pub fn new(accepted: usize, results: Vec<EventResult>) -> Self {
        let results = sorted_by(results, |a, b| a.index < b.index);
        let count = |status| results.iter().filter(|r| r.status == status).count();
        Self {
            accepted,
            duplicate: count(Status::Duplicate),
            rejected: count(Status::Rejected),
            skipped: count(Status::Skipped),
            results,
        }
    }
}
