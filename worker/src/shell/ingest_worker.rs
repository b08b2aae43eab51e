//! The doors that take events: who calls what, and how it is answered.

use std::rc::Rc;

use worker::{Context, Env, Request, Response, Result};

use super::bindings::config;
use super::edge::Edge;
use super::reply::{Cors, json, problem, text};
use crate::adapters::{CloudEventHeaders, SegmentCall};
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::ingest::{take_batch, take_commands, take_plausible, take_segment};
use crate::operations::current;
use crate::outcome::Answer;

/// A path that takes events.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// `/v1/events`.
    Batch,
    /// `/v1/ingest`.
    Commands,
    /// One of Segment's calls.
    Segment(SegmentCall),
    /// `/api/event`.
    Plausible,
}

impl Way {
    /// The way of a path, where it is one that takes events.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/v1/events" => Some(Self::Batch),
            "/v1/ingest" => Some(Self::Commands),
            "/api/event" => Some(Self::Plausible),
            _ => SegmentCall::from_path(path).map(Self::Segment),
        }
    }
}

/// Takes what was sent and answers it, in the words of its protocol.
pub(super) async fn take(
    way: Way,
    request: Request,
    env: Env,
    context: Rc<Context>,
    cors: &Cors<'_>,
) -> Result<Response> {
    let config = match config(&env) {
        Ok(config) => config,
        Err(fault) => return problem(&fault, cors),
    };
    let facts = facts(way, &request)?;
    let dry_run = facts.dry_run();
    let length_known = facts.content_length.is_some();
    let mut edge = Edge::new(request, env, context, config, length_known)?;
    let answer = match way {
        Way::Batch => take_batch(facts, &mut edge).await,
        Way::Commands => take_commands(facts, &mut edge).await,
        Way::Segment(call) => take_segment(call, facts, &mut edge).await,
        Way::Plausible => take_plausible(facts, &mut edge).await,
    };
    edge.flush_tally();
    note(way, dry_run, &answer);
    match answer {
        Err(fault) => problem(&fault, cors),
        Ok(answer) => respond(way, dry_run, &answer, cors),
    }
}

/// Notes how events ended; those of a dry run came to no end.
fn note(way: Way, dry_run: bool, answer: &std::result::Result<Answer, Fault>) {
    if dry_run && matches!(way, Way::Batch | Way::Commands) {
        return;
    }
    let (accepted, results) = match answer {
        Ok(answer) => (answer.accepted, &answer.results),
        Err(Fault::NoValidEvent(results)) => (0, results),
        Err(_) => return,
    };
    current(|call| call.note_results(accepted, results));
}

fn respond(way: Way, dry_run: bool, answer: &Answer, cors: &Cors<'_>) -> Result<Response> {
    match way {
        Way::Plausible => {
            let response = text(202, "ok", cors)?;
            if answer.accepted == 0 {
                // What their own server says of what it left out.
                response.headers().set("x-plausible-dropped", "1")?;
            }
            Ok(response)
        }
        Way::Segment(_) => json(200, answer.to_segment_json(), cors),
        // 202 means durable, and a dry run keeps nothing.
        Way::Batch | Way::Commands => json(
            if dry_run { 200 } else { 202 },
            serde_json::to_string(answer)?,
            cors,
        ),
    }
}

/// The platform's score (1 to 99) of a request that it is sure a machine makes.
const CERTAINLY_BOT: u32 = 1;

fn facts(way: Way, request: &Request) -> Result<RequestFacts> {
    let headers = request.headers();
    let cf = request.cf();
    let url = request.inner().url();
    let on = |name| Ok::<_, worker::Error>(headers.get(name)?.as_deref() == Some("1"));
    Ok(RequestFacts {
        query: url
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default(),
        origin: headers.get("origin")?,
        authorization: headers.get("authorization")?,
        content_type: headers.get("content-type")?,
        content_encoding: headers.get("content-encoding")?,
        content_length: headers
            .get("content-length")?
            .and_then(|length| length.parse().ok()),
        idempotency_key: headers.get("idempotency-key")?,
        cloud_event: match way {
            Way::Commands => CloudEventHeaders::new(headers.entries()),
            _ => CloudEventHeaders::default(),
        },
        user_agent: headers.get("user-agent")?,
        ip: headers.get("cf-connecting-ip")?,
        opted_out: on("sec-gpc")? || on("dnt")?,
        known_bot: cf
            .and_then(worker::Cf::bot_management)
            .is_some_and(|bot| bot.verified_bot() || bot.score() <= CERTAINLY_BOT),
        country: cf.and_then(worker::Cf::country),
        region: cf.and_then(worker::Cf::region),
    })
}
