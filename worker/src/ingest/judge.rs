//! The stages that look at one event: validate ▸ normalize ▸ sanitize ▸ stamp. Each draft is judged
//! by itself, and ends as a stamped event or with one result.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;
use shoreline_shared::event::{Code, Rejection};
use shoreline_shared::event_type::{IDENTIFY, PAGE_VIEW};
use shoreline_shared::id;
use shoreline_shared::lines::Lines;
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, StampedEvent, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};

use crate::http::outcome::{BOT, EventResult, PRIVATE_VISIT, SPAM_REFERRER, UNKNOWN_SHAPE};
use crate::ingest::draft::{Body, Draft, Made, RawDraft};
use crate::ingest::enrich::agent::{Agent, read_agent};
use crate::ingest::enrich::bots::is_spam_referrer;
use crate::ingest::enrich::campaign;
use crate::ingest::enrich::campaign::REFERRER_HOST;
use crate::ingest::enrich::skew;
use crate::ingest::history::History;

mod fast;

/// What holds for all events of a request.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The site.
    pub site: &'a str,
    /// Who sends.
    pub sender: Sender<'a>,
    /// The source of an event that names none.
    pub source: &'a str,
    /// How private the visit is.
    pub privacy: Privacy,
    /// The moment, and how old an event may be.
    pub rules: Rules,
    /// The sender's own id of the batch: a retry makes the same event ids.
    pub batch_id: Option<&'a str>,
    /// The batch's id as it is stored: the sender's, or one of ours.
    pub stored_batch_id: &'a str,
    /// When it was sent, by the sender's clock.
    pub sent_at: Option<i64>,
    /// By how many milliseconds that clock is to be moved.
    pub clock_offset: i64,
    /// Of a page that wants users' ids hashed: the key.
    pub hash_ids: Option<&'a [u8]>,
    /// By the edge's own data.
    pub country: Option<&'a str>,
    /// Likewise.
    pub region: Option<&'a str>,
    /// A bot sends this, and its events are not wanted.
    pub is_bot: bool,
    /// What the user agent of a page tells; `None` where a service sends.
    pub agent: Option<Agent>,
}

/// The events that may be published, and the outcomes of the others.
#[derive(Debug, Default)]
pub struct Judged {
    /// The events, in the request's order.
    pub lines: Lines,
    /// Each event's place in the request.
    pub places: Vec<usize>,
    /// How many events took the pass.
    pub passed: usize,
    /// How the others ended.
    pub results: Vec<EventResult>,
    /// The keys of items of unknown shape, for the log: the first few of them.
    pub unknown: Vec<Vec<String>>,
}

/// Items of unknown shape that are logged of one request: enough to see what a sender sends.
const MAX_UNKNOWN_LOGGED: usize = 3;

/// Judges the drafts of a request, in order.
///
/// Nearly all events that stand in a scanned body take the pass, which builds nothing; what it leaves
/// alone, and what adapters made, goes through a tree. Both ways store the same line. `fresh_id` is no type parameter: the
/// pass would be compiled once for each caller.
pub fn judge(
    drafts: Vec<Draft<'_>>,
    body: &Body<'_>,
    context: &Context<'_>,
    fresh_id: &dyn Fn() -> String,
) -> Judged {
    let mut judged = Judged::default();
    let mut seen = HashSet::with_capacity(drafts.len());
    let page = context.agent;
    let mut pass = fast::pass(body, context, page, &fresh_id);
    judged
        .lines
        .reserve(drafts.len(), fast::room(body, drafts.len()));
    for (index, draft) in drafts.into_iter().enumerate() {
        if let Draft::Unknown { keys } = &draft
            && judged.unknown.len() < MAX_UNKNOWN_LOGGED
        {
            judged.unknown.push(keys.clone());
        }
        let passed = match (&draft, &mut pass) {
            (Draft::Scanned { place, .. }, Some(pass)) => {
                let event = body.tape.value(body.text, *place);
                pass.event(event, index, &mut judged.lines)
            }
            _ => None,
        };
        let id = match passed {
            Some(id) => {
                judged.passed = judged.passed.saturating_add(1);
                Ok(Some(id))
            }
            None => one(index, draft, context, page, &fresh_id).map(|event| {
                judged.lines.push(&event);
                id::uuid_bits(event.event_id())
            }),
        };
        let id = id.map_err(Refused::Draft);
        match id.and_then(|id| accept(id, index, &judged.lines, &mut seen)) {
            Ok(()) => judged.places.push(index),
            Err(Refused::Line(result)) => {
                judged.lines.pop();
                judged.results.push(result);
            }
            Err(Refused::Draft(result)) => judged.results.push(result),
        }
    }
    judged
}

/// How an event ended that is not published, and whether a line was written of it.
enum Refused {
    Draft(EventResult),
    Line(EventResult),
}

/// Whether the line that was written last may stay.
fn accept(
    id: Option<u128>,
    index: usize,
    lines: &Lines,
    seen: &mut HashSet<u128>,
) -> Result<(), Refused> {
    let Some(line) = lines.last() else {
        return Ok(());
    };
    if line.json.len() > crate::protocol::commit::MAX_EVENT_BYTES {
        // It can grow while it is cleaned (`[redacted]` is longer than a short secret); it must
        // still fit a part.
        return Err(Refused::Line(EventResult::rejected(
            index,
            Rejection::too_large(),
        )));
    }
    if id.is_some_and(|id| !seen.insert(id)) {
        let message = "An earlier event of this batch has the same eventId.";
        return Err(Refused::Line(EventResult::duplicate(
            index,
            line.event_id,
            message,
        )));
    }
    Ok(())
}

fn nobody_is_told(index: usize) -> EventResult {
    let message = "The visitor asked not to be followed, so nobody is told who they are.";
    EventResult::skipped(index, PRIVATE_VISIT, message)
}

fn one(
    index: usize,
    draft: Draft<'_>,
    context: &Context<'_>,
    page: Option<Agent>,
    fresh_id: &impl Fn() -> String,
) -> Result<StampedEvent, EventResult> {
    let rejected = |rejection| EventResult::rejected(index, rejection);
    if context.is_bot {
        let message = "A bot's events are counted, and left out.";
        return Err(EventResult::skipped(index, BOT, message));
    }
    if context.privacy.anonymous.is_some() && matches!(&draft, Draft::Made(made) if made.tells_who)
    {
        return Err(nobody_is_told(index));
    }
    let Some(raw) = raw(draft, context).map_err(rejected)? else {
        let message = "No adapter knows this item's shape.";
        return Err(EventResult::skipped(index, UNKNOWN_SHAPE, message));
    };
    let mut valid = validate(raw.event, &context.sender, &context.rules).map_err(rejected)?;
    if context.privacy.anonymous.is_some() && valid.event_type() == IDENTIFY {
        return Err(nobody_is_told(index));
    }
    if valid.event_type() == PAGE_VIEW {
        // Before it is cleaned, so that whatever this makes of it is clean after all.
        let data = valid.event_data_mut();
        campaign::normalize(data);
        let host = data.get(REFERRER_HOST).and_then(Value::as_str);
        if host.is_some_and(is_spam_referrer) {
            let message = "The referrer is a known spammer's.";
            return Err(EventResult::skipped(index, SPAM_REFERRER, message));
        }
    }
    let mut clean = sanitize(valid, &context.privacy);
    if let Some(key) = context.hash_ids {
        clean.hash_user(key, context.site);
    }
    if page.is_some() && clean.event_id().is_some_and(id::is_derived) {
        return Err(rejected(Rejection {
            code: Code::InvalidEventId,
            field: "eventId".into(),
            message: "eventId must not be of version 8, which the collector makes itself.".into(),
        }));
    }
    // A retry of the same batch makes the same ids; without a batch id nothing can be a retry.
    let event_id = match (clean.event_id(), raw.foreign_id, context.batch_id) {
        (Some(own), _, _) => Cow::Borrowed(own),
        // A page may have seen what a service calls an event, and must not take its place.
        (None, Some(foreign), _) if page.is_some() => {
            id::foreign(context.site, &format!("page:{foreign}")).into()
        }
        (None, Some(foreign), _) => id::foreign(context.site, &foreign).into(),
        (None, None, Some(batch_id)) => id::derived(context.site, batch_id, index).into(),
        (None, None, None) => fresh_id().into(),
    }
    .into_owned();
    let agent = page.or_else(|| clean.user_agent().map(read_agent));
    let now_ms = context.rules.now_ms;
    let told = clean.timestamp();
    let (timestamp, received_at) = match &raw.history {
        // Of a line's old sender nothing is known, its clock least of all.
        Some(history) => (told, history.received_at(told, now_ms)),
        None => {
            // A message of a batch may have been sent by a clock of its own.
            let (sent_at, offset) = match raw.sent_at {
                Some(_) => (raw.sent_at, skew::offset(raw.sent_at, now_ms, None)),
                None => (context.sent_at, context.clock_offset),
            };
            (skew::correct(told, sent_at, offset, now_ms), now_ms)
        }
    };
    let history = raw.history.as_ref();
    Ok(stamp(
        clean,
        &Stamp {
            site_id: context.site,
            source: context.source,
            event_id: &event_id,
            received_at,
            batch_id: Some(context.stored_batch_id),
            country: context.country.or(history.and_then(History::country)),
            region: context.region.or(history.and_then(History::region)),
            timestamp: Some(timestamp),
            browser: agent.and_then(|agent| agent.browser),
            os: agent.and_then(|agent| agent.os),
            device: agent.and_then(|agent| agent.device),
        },
    ))
}

/// The draft as a raw event. Where the visitor is known by the day's id alone, what an adapter made
/// need not name one.
fn raw(draft: Draft<'_>, context: &Context<'_>) -> Result<Option<RawDraft>, Rejection> {
    match (draft, &context.privacy.anonymous) {
        (Draft::Made(mut made), Some(anonymous)) => {
            name(&mut made, anonymous);
            Draft::Made(made).into_raw()
        }
        (draft, _) => draft.into_raw(),
    }
}

fn name(made: &mut Made, anonymous: &str) {
    for field in ["userId", "sessionId"] {
        made.fields
            .entry(field)
            .or_insert_with(|| anonymous.to_owned().into());
    }
}

#[cfg(test)]
mod tests;
