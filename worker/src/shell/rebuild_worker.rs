//! `POST /v1/rebuild`: a step of D1's rebuild from the lake, for the holder of the admin token.

use serde::de::IgnoredAny;
use worker::{Env, Request, Response, ResponseBody, Result};

use super::admin_worker::{authorize, body, rows};
use super::bindings::{LAKE, LAKE_DO, SITE_DO, config};
use super::d1::D1;
use super::gzip::{decompress, read};
use super::platform::now_ms;
use super::read_worker::to_json;
use super::reply::{Cors, json, problem};
use super::users_worker::forget;
use super::{log, objects};
use crate::config::Config;
use crate::consume::{Batch, NotStored, store};
use crate::error::Fault;
use crate::lake::ObjectName;
use crate::read::reconciliation::ShardHours;
use crate::rebuild::{Cursor, Rebuild, Step, messages};
use crate::routes::{HOURS, SEAL, lake_object, site_object};
use crate::shards::{ShardRow, possible_shards};
use crate::sinks::SinkKind;

/// Bytes of an object's lines at most: twice what a setting may let one have, and a quarter of an
/// isolate's memory.
const MAX_BYTES: usize = 32_000_000;

type Answer<T> = std::result::Result<T, Fault>;

/// Answers a call.
pub(super) async fn rebuild(request: Request, env: &Env) -> Result<Response> {
    match answer(request, env).await {
        Ok(step) if step.waiting > 0 => json(202, to_text(&step), &Cors::Any),
        Ok(step) => json(200, to_text(&step), &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

fn to_text(step: &Step) -> String {
    to_json(step).unwrap_or_default()
}

async fn answer(mut request: Request, env: &Env) -> Answer<Step> {
    authorize(&request, env)?;
    let rebuild = Rebuild::parse(&body(&mut request).await?, now_ms())?;
    let config = config(env)?;
    if !config
        .sinks
        .sinks
        .iter()
        .any(|sink| sink.kind() == SinkKind::R2)
    {
        return Err(Fault::Conflict(
            "The bucket that the worker reads is no lake: SINKS does not name r2.",
        ));
    }
    if rebuild.cursor.is_none() {
        let waiting = seal(&rebuild, config.ingest.shards, env).await?;
        if waiting > 0 {
            return Ok(Step {
                waiting,
                ..Step::default()
            });
        }
    }
    let done = step(&rebuild, &config, env).await?;
    if done.cursor.is_none() {
        rows::<IgnoredAny>(env, &rebuild.end()).await?;
    }
    Ok(done)
}

/// Has every shard seal what is open, and counts what of the days is not in the lake yet.
async fn seal(rebuild: &Rebuild, shards: u32, env: &Env) -> Answer<i64> {
    let shards: Vec<ShardRow> = rows(env, &possible_shards(shards)).await?;
    let from = rebuild.from_ms().to_string();
    let mut waiting = 0_i64;
    for ShardRow { site_id, shard } in shards {
        let (lake, site) = (lake_object(&site_id, shard), site_object(&site_id, shard));
        let outbox = objects::call::<ShardHours>(env, SITE_DO, &site, HOURS, &from).await;
        let sealed = objects::call::<()>(env, LAKE_DO, &lake, SEAL, "").await;
        sealed.map_err(unavailable)?;
        let pending = objects::call::<ShardHours>(env, LAKE_DO, &lake, HOURS, &from).await;
        for hours in [outbox, pending] {
            waiting = waiting.saturating_add(rebuild.waiting(&hours.map_err(unavailable)?));
        }
    }
    Ok(waiting)
}

async fn step(rebuild: &Rebuild, config: &Config, env: &Env) -> Answer<Step> {
    let (key, done) = match rebuild.begun() {
        Some((key, done)) => (key.to_owned(), done),
        None => match next_key(rebuild, env).await.map_err(unavailable)? {
            Some(key) => (key, 0),
            None => return Ok(Step::default()),
        },
    };
    let Some(name) = ObjectName::parse(&key) else {
        // Somebody else's, and nothing that counts.
        return Ok(after(key, 0, None));
    };
    if !rebuild.has(name.day) {
        return Ok(Step::default());
    }
    let now = now_ms();
    if let Some(counted) = rebuild.counted(name.day, now)
        && !rows::<IgnoredAny>(env, &counted).await?.is_empty()
    {
        return Err(Fault::Conflict(
            "D1 has counts of a day whose ids it has forgotten: begin with an empty D1, or with a \
             later day.",
        ));
    }
    rows::<IgnoredAny>(env, &rebuild.note(now)).await?;
    let told = tell(&name, &key, done, config, env).await;
    told.map_err(|error| {
        log::error("rebuild", format_args!("{key}: {error}"));
        Fault::Unavailable("An object could not be told to D1; the log says which and why.")
    })
}

/// The next object's key, of whichever day.
async fn next_key(rebuild: &Rebuild, env: &Env) -> Result<Option<String>> {
    let bucket = env.bucket(LAKE)?;
    let list = bucket.list().prefix("events/").start_after(rebuild.after());
    let found = list.limit(1).execute().await?.objects();
    Ok(found.first().map(worker::Object::key))
}

/// Tells D1 some lines of an object, by the consumer's own statements. The lake has them already.
async fn tell(
    name: &ObjectName<'_>,
    key: &str,
    done: usize,
    config: &Config,
    env: &Env,
) -> Result<Step> {
    let text = lines(key, env).await?;
    let (messages, next) =
        messages(name, &text, done).map_err(|error| worker::Error::RustError(error.0))?;
    let mut events = 0_usize;
    for message in &messages {
        let batch = Batch::of(&message.site, &[message], &config.ingest.hash_key);
        let findings = store(&D1(env), &batch).await;
        let findings = findings.map_err(NotStored::into_inner)?;
        for (user, alias) in batch.erasures(&findings) {
            forget(env, &message.site, &user, &alias).await?;
        }
        events = events.saturating_add(message.len());
    }
    Ok(after(key.to_owned(), events, next))
}

fn after(key: String, events: usize, lines: Option<usize>) -> Step {
    Step {
        waiting: 0,
        object: Some(key.clone()),
        events,
        cursor: Some(Cursor { key, lines }),
    }
}

/// An object's lines; of one that is gone, none.
async fn lines(key: &str, env: &Env) -> Result<String> {
    let Some(object) = env.bucket(LAKE)?.get(key).execute().await? else {
        return Ok(String::new());
    };
    let Some(ResponseBody::Stream(packed)) =
        object.body().map(|body| body.response_body()).transpose()?
    else {
        return Ok(String::new());
    };
    let unpacked = decompress(&packed).map_err(worker::Error::from)?;
    let bytes = read(unpacked, MAX_BYTES)
        .await
        .map_err(|_| worker::Error::RustError("it is no gzip, or too large".to_owned()))?;
    String::from_utf8(bytes).map_err(|error| worker::Error::RustError(error.to_string()))
}

fn unavailable(error: worker::Error) -> Fault {
    log::error("rebuild", error);
    Fault::Unavailable("The lake cannot be reached right now; send the same call again.")
}
