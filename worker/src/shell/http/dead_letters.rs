//! `GET /v1/dead-letters` and `POST /v1/dead-letters/replay`, for the holder of the admin token.

use serde::de::IgnoredAny;
use worker::{Env, Request, Response, Result};

use crate::dead_letter::{
    Chosen, ListQuery, MAX_REPLAYS, Replayed, Row, Selection, forget_refused, replay_message, touch,
};
use crate::endpoints::DeadLetterCall;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::lake::Retry;
use crate::protocol::message::Replay;
use crate::shell::http::admin::{authorize, body, rows};
use crate::shell::http::asking::to_json;
use crate::shell::http::rejected_items::{Tried, again};
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::bindings::{EVENTS_QUEUE, LAKE};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::log;
use crate::shell::platform::queue;
use crate::upkeep::repairs::Repairs;

type Answer = std::result::Result<(u16, String), Fault>;

/// Answers a call about dead letters.
pub(crate) async fn dead_letters(
    call: DeadLetterCall,
    request: Request,
    env: &Env,
) -> Result<Response> {
    match answer(call, request, env).await {
        Ok((status, text)) => json(status, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn answer(call: DeadLetterCall, request: Request, env: &Env) -> Answer {
    authorize(&request, env).await?;
    match call {
        DeadLetterCall::List => {
            let url = request.inner().url();
            let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
            let query = ListQuery::parse(&params)?;
            let listed: Vec<Row> = rows(env, &query.statement()).await?;
            Ok((200, query.answer(listed)))
        }
        DeadLetterCall::Repairs => {
            let url = request.inner().url();
            let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
            let query = Repairs::parse(&params)?;
            let answer = query.answer(rows(env, &query.statement()).await?);
            Ok((200, to_json(&answer)?))
        }
        DeadLetterCall::Replay => {
            let selection = Selection::parse(&body(&request).await?)?;
            replay(&selection, env).await
        }
    }
}

/// Sends the kept messages to the queue again. Each stays listed until it is stored, so a message
/// that the queue loses is replayed by the next call, and one that comes twice changes nothing.
async fn replay(selection: &Selection, env: &Env) -> Answer {
    let mut found: Vec<Chosen> = rows(env, &selection.statement()).await?;
    let limit = usize::try_from(MAX_REPLAYS).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let keys: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
    let now = now_ms();
    rows::<IgnoredAny>(env, &touch(&keys, now)).await?;
    let (mut sent, mut missing, mut failed) = (0_usize, 0_usize, 0_usize);
    let mut refused = 0_usize;
    for one in &found {
        let done = match one.retry() {
            Some(what) => retry(one, &what, now, env).await.map(done),
            None if one.is_of_service() => again(one, env).await,
            None => send(&one.key, selection.how(), env).await.map(done),
        };
        let count = match done {
            Ok(Tried::Taken) => &mut sent,
            Ok(Tried::Missing) => &mut missing,
            Ok(Tried::Refused) => &mut refused,
            // The others have their turn all the same.
            Err(error) => {
                log::error("dead_letter_worker", error);
                &mut failed
            }
        };
        *count = count.saturating_add(1);
    }
    if failed > 0 {
        return Err(Fault::Unavailable(
            "Not all dead letters can be sent right now; nothing is lost.",
        ));
    }
    let replayed = Replayed {
        replayed: sent,
        missing,
        refused,
        more,
    };
    Ok((202, to_json(&replayed)?))
}

fn done(is_there: bool) -> Tried {
    if is_there {
        Tried::Taken
    } else {
        Tried::Missing
    }
}

/// Has an archive take up again what a sink refused. `false` where it has done so before.
async fn retry(one: &Chosen, what: &Retry, touched_at: i64, env: &Env) -> Result<bool> {
    let home = |_| one.shard;
    let done = Archives::of(env, &one.site_id)
        .at(&home)
        .retry(what)
        .await?;
    d1::rows::<IgnoredAny>(env, &forget_refused(one, touched_at)).await?;
    Ok(done)
}

/// `false` where the kept message is gone: a replay stored it a moment ago.
async fn send(key: &str, how: Replay, env: &Env) -> Result<bool> {
    let Some(object) = env.bucket(LAKE)?.get(key).execute().await? else {
        return Ok(false);
    };
    let Some(content) = object.body() else {
        return Ok(false);
    };
    let Some(message) = replay_message(&content.bytes().await?, how) else {
        return Ok(false);
    };
    queue::send(env, EVENTS_QUEUE, &message).await?;
    Ok(true)
}
