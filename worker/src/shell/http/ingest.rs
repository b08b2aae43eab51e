//! The doors that take events: who calls what, and how it is answered.

use std::rc::Rc;

use worker::{Context, Env, Result};

use crate::endpoints::Way;
use crate::http::error::Fault;
use crate::http::head::Head;
use crate::http::outcome::Answer;
use crate::ingest::{take_batch, take_commands, take_plausible, take_segment};
use crate::observe::operations::current;
use crate::shell::http::edge::Edge;
use crate::shell::http::incoming::Incoming;
use crate::shell::http::reply::{Cors, problem, taken, text};
use crate::shell::platform::bindings::config;

/// Takes what was sent and answers it, in the words of its protocol.
pub(crate) async fn take(
    way: Way,
    head: &Head<'_>,
    incoming: Incoming,
    env: Env,
    context: Rc<Context>,
    cors: &Cors<'_>,
) -> Result<web_sys::Response> {
    let config = match config(&env) {
        Ok(config) => config,
        Err(fault) => return problem(&fault, cors).map(Into::into),
    };
    let facts = head.facts();
    let dry_run = facts.dry_run();
    let length_known = facts.content_length.is_some();
    let mut edge = Edge::new(incoming, env, context, config, length_known)?;
    // The rarer ways apart, so that a page's events take little room while they wait.
    let answer = match way {
        Way::Batch => take_batch(facts, &mut edge).await,
        Way::Commands => Box::pin(take_commands(facts, &mut edge)).await,
        Way::Segment(call) => Box::pin(take_segment(call, facts, &mut edge)).await,
        Way::Plausible => Box::pin(take_plausible(facts, &mut edge)).await,
    };
    edge.flush_tally();
    note(way, dry_run, &answer);
    match answer {
        Err(fault) => problem(&fault, cors).map(Into::into),
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

fn respond(way: Way, dry_run: bool, answer: &Answer, cors: &Cors<'_>) -> Result<web_sys::Response> {
    match way {
        Way::Plausible => {
            let response = text(202, "ok", cors)?;
            if answer.accepted == 0 {
                // What their own server says of what it left out.
                response.headers().set("x-plausible-dropped", "1")?;
            }
            Ok(response.into())
        }
        Way::Segment(_) => taken(200, &answer.to_segment_json(), cors),
        // 202 means durable, and a dry run keeps nothing.
        Way::Batch | Way::Commands => taken(
            if dry_run { 200 } else { 202 },
            &serde_json::to_string(answer)?,
            cors,
        ),
    }
}
