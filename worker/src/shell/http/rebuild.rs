//! `POST /v1/rebuild`: a step of D1's rebuild from the lake, for the holder of the admin token.

use serde::de::IgnoredAny;
use worker::{Env, Request, Response, ResponseBody, Result};

use crate::admin::users::erased;
use crate::archive::erase::Forget;
use crate::archive::spread::{is_home, split};
use crate::archive::{Cursor, Stand, standing};
use crate::base::sort;
use crate::base::sql::SqlError;
use crate::http::error::Fault;
use crate::lake::{ObjectName, member_ends};
use crate::log::shards::{ShardRow, possible_shards};
use crate::protocol::Message;
use crate::shell::http::admin::{authorize, body, rows};
use crate::shell::http::asking::{to_json, unanswered};
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::bindings::{LAKE, config, settings};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::gzip::{inflate, read};
use crate::shell::platform::log;
use crate::sinks::SinkKind;
use crate::upkeep::rebuild::{self, Rebuild, Step, messages};

/// Bytes of an object's lines at most: twice what a setting may let one have, and a quarter of an
/// isolate's memory.
const MAX_BYTES: usize = 32_000_000;

type Answer<T> = std::result::Result<T, Fault>;

/// Answers a call.
pub(crate) async fn rebuild(request: Request, env: &Env) -> Result<Response> {
    match answer(request, env).await {
        Ok(step) if step.waiting > 0 => json(202, to_text(&step), &Cors::Any),
        Ok(step) => json(200, to_text(&step), &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

fn to_text(step: &Step) -> String {
    to_json(step).unwrap_or_default()
}

async fn answer(request: Request, env: &Env) -> Answer<Step> {
    authorize(&request, env).await?;
    let rebuild = Rebuild::parse(&body(&request).await?, now_ms())?;
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
    let done = step(&rebuild, env).await?;
    if done.cursor.is_none() {
        rows::<IgnoredAny>(env, &rebuild.end()).await?;
    }
    Ok(done)
}

/// Has every archive seal what is open, and counts what of the days is not in the lake yet. Of an archive
/// that D1 has heard nothing of, D1 was lost: it is folded into D1 again.
async fn seal(rebuild: &Rebuild, shards: u32, env: &Env) -> Answer<i64> {
    let shards: Vec<ShardRow> = rows(env, &possible_shards(shards)).await?;
    let from = rebuild.from_ms();
    let mut waiting = 0_i64;
    let mut sites: Vec<&str> = shards.iter().map(|shard| shard.site_id.as_str()).collect();
    sort::sort(&mut sites);
    sites.dedup();
    for ShardRow { site_id, shard } in &shards {
        let outbox = SiteDo::of(env, site_id, *shard).hours(from).await;
        waiting = waiting.saturating_add(rebuild.waiting(&outbox.map_err(unavailable)?));
    }
    for site in sites {
        let archives = Archives::of(env, site);
        archives.seal().await.map_err(unanswered)?;
        for pending in archives.hours(from).await.map_err(unanswered)? {
            waiting = waiting.saturating_add(rebuild.waiting(&pending));
        }
        // An archive that was lost knows nobody who is to be forgotten.
        for forget in rows::<Forget>(env, &erased(site)).await? {
            archives.forget(&forget).await.map_err(unanswered)?;
        }
        let stands: Vec<Stand> = rows(env, &standing(site)).await?;
        let number = archives.number().await.map_err(unavailable)?;
        for shard in (0..number).filter(|shard| Cursor::of(&stands, *shard).is_none()) {
            let home = |_| shard;
            let archive = archives.at(&home);
            let mut more = archive.refold().await.map_err(unavailable)?;
            while more {
                more = archive.fold().await.map_err(unavailable)?;
            }
        }
    }
    Ok(waiting)
}

async fn step(rebuild: &Rebuild, env: &Env) -> Answer<Step> {
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
    let told = tell(&name, &key, done, env).await;
    let told = told.map_err(|error| {
        log::error("rebuild", format_args!("{key}: {error}"));
        Fault::Unavailable(
            "An object could not be told to the archive; the log says which and why.",
        )
    })?;
    told.ok_or(Fault::Conflict(
        "The site had another number of archives, or another HASH_KEY, when the lake was written.",
    ))
}

/// The next object's key, of whichever day.
async fn next_key(rebuild: &Rebuild, env: &Env) -> Result<Option<String>> {
    let bucket = env.bucket(LAKE)?;
    let list = bucket.list().prefix("events/").start_after(rebuild.after());
    let found = list.limit(1).execute().await?.objects();
    Ok(found.first().map(worker::Object::key))
}

/// Tells the archive some lines of an object, which the lake has already, and has D1 hear of them; nothing where they
/// are not that archive's any more.
async fn tell(name: &ObjectName<'_>, key: &str, done: usize, env: &Env) -> Result<Option<Step>> {
    let text = lines(key, env).await?;
    let (messages, events, next) = messages(name, &text, done, now_ms());
    let archives = Archives::of(env, name.site);
    let (spread, config) = (archives.spread().await?, settings(env)?);
    let hash_key = &config.ingest.hash_key;
    let is_home = |body: &Vec<u8>| {
        let message = Message::parse(body);
        message.is_ok_and(|of| is_home(&of, name.shard, spread.archives, hash_key))
    };
    let is_home = name.shard < spread.archives && messages.iter().all(is_home);
    if !is_home && spread.generation == 0 {
        return Ok(None);
    }
    for message in &messages {
        let said = if is_home {
            // Its own archive, which knows its ids, also of users who were erased since.
            let home = |_| name.shard;
            vec![archives.at(&home).restore(message).await?]
        } else {
            // The site had another number of archives when it was written.
            let parsed = Message::parse(message).map_err(|error| SqlError(error.0))?;
            let bodies = |archives| Ok(split(&parsed, archives, hash_key));
            archives.restore(&bodies).await?
        };
        for told in said {
            if let Some((_, why)) = told.unreadable.into_iter().next() {
                return Err(worker::Error::RustError(why));
            }
        }
    }
    if next.is_none() {
        for shard in (0..spread.archives).filter(|shard| !is_home || *shard == name.shard) {
            while archives.at(&|_| shard).fold().await? {}
        }
    }
    Ok(Some(after(key.to_owned(), events, next)))
}

fn after(key: String, events: usize, lines: Option<usize>) -> Step {
    Step {
        waiting: 0,
        object: Some(key.clone()),
        events,
        cursor: Some(rebuild::Cursor { key, lines }),
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
    let broken = || worker::Error::RustError("it is no gzip, or too large".to_owned());
    let packed = read(packed, MAX_BYTES).await.map_err(|_| broken())?;
    let mut text = String::new();
    let mut start = 0;
    for end in member_ends(&packed) {
        let member = packed.get(start..end).unwrap_or_default();
        // What cannot be unpacked goes on to the next place where it may end.
        if let Ok(lines) = inflate(member).await {
            if text.len().saturating_add(lines.len()) > MAX_BYTES {
                return Err(broken());
            }
            text.push_str(&lines);
            start = end;
        }
    }
    if start < packed.len() {
        return Err(broken());
    }
    Ok(text)
}

fn unavailable(error: worker::Error) -> Fault {
    log::error("rebuild", error);
    Fault::Unavailable("The lake cannot be reached right now; send the same call again.")
}
