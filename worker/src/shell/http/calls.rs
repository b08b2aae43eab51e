//! Watching the calls: names for each, its line in the log, and its event, after the answer.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use shoreline_shared::lines::Lines;
use worker::{Context, Delay, Env, Result};

use crate::config::Config;
use crate::endpoints::route;
use crate::http::error::Fault;
use crate::http::head::Head;
use crate::ingest::publish::Publication;
use crate::observe::operations::{
    Added, Background, Batch, Buffer, Call, CallId, FLUSH_EVERY_MS, Kind, Operation, Taken, within,
};
use crate::observe::trace::Trace;
use crate::protocol::names::OWN_SITE;
use crate::shell::http::commits::{commit, is_new_shard, register};
use crate::shell::http::reply::{Cors, problem};
use crate::shell::platform::bindings::config;
use crate::shell::platform::clock::{Ids, now_ms, serial};
use crate::shell::platform::log;

/// Past the time that calls wait, so that they are due by then whatever the clock rounds.
const FLUSH_AFTER: Duration = Duration::from_millis(FLUSH_EVERY_MS.unsigned_abs() + 50);

/// How often a commit is tried. It has an id, so it changes nothing where it was taken unseen.
const TRIES: u32 = 2;

thread_local! {
    /// What this isolate has answered and not committed yet.
    static BUFFER: RefCell<Buffer> = RefCell::default();
}

/// Answers a request as this call.
pub(crate) async fn watched<F>(
    call: Call,
    head: &Head<'_>,
    env: &Env,
    context: &Context,
    answer: F,
) -> Result<web_sys::Response>
where
    F: Future<Output = Result<web_sys::Response>>,
{
    let call = Rc::new(call);
    let response = within(Rc::clone(&call), or_problem(answer)).await?;
    let status = response.status();
    if call.is_told(head.header("traceparent").is_some(), status) {
        // The answer of an object that took over a WebSocket has headers that cannot be set.
        let headers = response.headers();
        let _ = headers.set("x-request-id", &call.id().text());
        let _ = headers.set("traceparent", &call.trace().traceparent());
    }
    end(&call, status, env, context);
    Ok(response)
}

/// The call that a request begins.
pub(crate) fn begin(head: &Head<'_>) -> Result<Call> {
    let serial = serial()?;
    let now = now_ms();
    let trace = Trace::begin(head.header("traceparent"), &serial.bytes());
    let id = CallId::new(now, serial.id());
    let route = route(head.method, head.path());
    Ok(Call::new(head.method, route, trace, id))
}

/// What fails for no known reason is still answered.
async fn or_problem<F>(answer: F) -> Result<web_sys::Response>
where
    F: Future<Output = Result<web_sys::Response>>,
{
    match answer.await {
        Ok(response) => Ok(response),
        Err(error) => {
            log::error("http_worker", error);
            let fault = Fault::Unavailable("The request could not be served right now.");
            problem(&fault, &Cors::Any).map(Into::into)
        }
    }
}

/// Notes how a call ended. Nothing here waits, and nothing can fail the answer.
fn end(call: &Call, status: u16, env: &Env, context: &Context) {
    let now = now_ms();
    let operation = call.end(status, now);
    let config = config(env).ok();
    let logs = config.as_ref().map(|config| config.request_logs);
    if logs.unwrap_or_default().want(&operation) {
        log::request(&operation);
    }
    let Some(config) = config.filter(|config| config.operation_events) else {
        return;
    };
    if call.route().kind == Kind::System {
        return;
    }
    match BUFFER.with_borrow_mut(|buffer| buffer.add(operation, now)) {
        Added::Waits => {}
        Added::Due(taken) => context.wait_until(flush(env.clone(), config, taken)),
        Added::First => {
            let (env, due) = (env.clone(), None);
            context.wait_until(Noted { env, config, due }.commit_in_time());
        }
    }
}

/// What was noted and nobody waits for yet.
pub(crate) struct Noted {
    env: Env,
    config: Rc<Config>,
    due: Option<Taken>,
}

impl Noted {
    /// Commits it with what else is noted within [`FLUSH_EVERY_MS`].
    pub(crate) async fn commit_in_time(mut self) {
        if self.due.is_none() {
            Delay::from(FLUSH_AFTER).await;
            // Others may have been so many that all of it went before.
            self.due = BUFFER.with_borrow_mut(|buffer| buffer.take_if_due(now_ms()));
        }
        self.commit().await;
    }

    /// Commits it, and what else has been noted. For the consumer of a queue, which is given no more messages while it
    /// waits for anything.
    pub(crate) async fn commit_at_once(mut self) {
        if self.due.is_none() {
            self.due = BUFFER.with_borrow_mut(|buffer| buffer.take_now(now_ms()));
        }
        self.commit().await;
    }

    async fn commit(self) {
        if let Some(taken) = self.due {
            flush(self.env, self.config, taken).await;
        }
    }
}

/// Notes what ran by itself since `began`, of a site or of the whole deployment. What is to be waited for beside it, so that
/// its event is committed: nothing where others wait for that already. What runs for Shoreline's own site makes no event,
/// which would run for it again.
pub(crate) fn note(
    env: &Env,
    what: Background,
    site: Option<&str>,
    began: i64,
    failed: Option<&'static str>,
) -> Option<Noted> {
    let config = config(env).ok().filter(|config| config.operation_events)?;
    let serial = serial().ok()?;
    if site == Some(OWN_SITE) {
        return None;
    }
    let now = now_ms();
    let (id, trace) = (
        CallId::new(began, serial.id()),
        Trace::begin(None, &serial.bytes()),
    );
    let ran = Operation::background(what, site, (id, trace), now, failed);
    let due = match BUFFER.with_borrow_mut(|buffer| buffer.add(ran, now)) {
        Added::Waits => return None,
        Added::Due(taken) => Some(taken),
        Added::First => None,
    };
    let env = env.clone();
    Some(Noted { env, config, due })
}

/// Commits what waited to the log of Shoreline's own site. What cannot be committed is lost, and
/// told to the log.
async fn flush(env: Env, config: Rc<Config>, taken: Taken) {
    let calls: i64 = taken.events.iter().map(Operation::calls).sum();
    let lost = match commit_events(&env, &config, &taken.events).await {
        Ok(()) => taken.lost,
        Err(error) => {
            log::error("operations", error);
            taken.lost.saturating_add(calls)
        }
    };
    if lost > 0 {
        log_lost(lost);
    }
}

fn log_lost(calls: i64) {
    log::error("operations", format_args!("{calls} calls have no event"));
}

async fn commit_events(env: &Env, config: &Config, operations: &[Operation]) -> Result<()> {
    let ids = Ids::new()?;
    let now = now_ms();
    let fresh = || ids.next(now);
    let batch_id = fresh();
    let batch = Batch {
        id: &batch_id,
        received_at: now,
    };
    let mut events = Lines::default();
    for operation in operations {
        match operation.stamped(&fresh(), batch) {
            Some(event) => events.push(&event),
            None => log_lost(operation.calls()),
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    let shards = config.ingest.shards;
    let publication = Publication::of_operations(&batch_id, &events, now, shards);
    let mut tries = 1;
    while let Err(error) = commit(env, &publication).await {
        if tries >= TRIES {
            return Err(error);
        }
        tries = tries.saturating_add(1);
    }
    if is_new_shard(&publication) {
        register(env, publication.site(), publication.shard()).await;
    }
    Ok(())
}
