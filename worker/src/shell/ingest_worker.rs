//! `POST /v1/events`: the platform's side of the recipe in [`crate::ingest`].

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use shoreline_shared::limits::MAX_BATCH_BYTES;
use worker::{Context, Env, Request, Response, Result};

use super::bindings::{PRIVACY_DO, SITE_DO, config};
use super::gzip::{ReadError, decompress, read};
use super::platform::{Ids, now_ms};
use super::reply::{Cors, json, problem};
use super::{d1, keys, log, objects};
use crate::admit::{Encoding, RequestFacts, too_large};
use crate::auth::Grant;
use crate::config::Config;
use crate::error::Fault;
use crate::ingest::{Platform, Settings, ingest};
use crate::privacy::{DayKey, day_of};
use crate::publish::Publication;
use crate::routes::{COMMIT, DAY_KEY, PRIVACY_OBJECT, site_object};
use crate::shards::register_shard;
use crate::site::Receipt;

/// Answers a batch.
pub(super) async fn events(
    request: Request,
    env: Env,
    context: Context,
    cors: &Cors<'_>,
) -> Result<Response> {
    let config = match config(&env) {
        Ok(config) => config,
        Err(fault) => return problem(&fault, cors),
    };
    let facts = facts(&request)?;
    let dry_run = facts.dry_run();
    let mut edge = Edge {
        now_ms: now_ms(),
        ids: Ids::new()?,
        config,
        length_known: facts.content_length.is_some(),
        request,
        env,
        context,
    };
    match ingest(facts, &mut edge).await {
        // 202 means durable, and a dry run keeps nothing.
        Ok(answer) => json(
            if dry_run { 200 } else { 202 },
            serde_json::to_string(&answer)?,
            cors,
        ),
        Err(fault) => problem(&fault, cors),
    }
}

fn facts(request: &Request) -> Result<RequestFacts> {
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
        user_agent: headers.get("user-agent")?,
        ip: headers.get("cf-connecting-ip")?,
        opted_out: on("sec-gpc")? || on("dnt")?,
        country: cf.and_then(worker::Cf::country),
        region: cf.and_then(worker::Cf::region),
    })
}

thread_local! {
    /// The day's key as this isolate was told it: asked for once a day.
    static DAY_KEYS: Cell<Option<(i64, [u8; 32])>> = const { Cell::new(None) };

    /// The shards that this isolate has told D1 of.
    static KNOWN_SHARDS: RefCell<HashSet<String>> = RefCell::default();
}

/// Shards an isolate remembers to have told D1 of: names of about 50 bytes.
const MAX_KNOWN_SHARDS: usize = 10_000;

/// One request on the platform.
struct Edge {
    now_ms: i64,
    ids: Ids,
    config: Rc<Config>,
    length_known: bool,
    request: Request,
    env: Env,
    context: Context,
}

impl Platform for Edge {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn fresh_id(&self) -> String {
        self.ids.next(self.now_ms)
    }

    fn settings(&self) -> &Settings {
        &self.config.ingest
    }

    async fn grant(&self, key_hash: &str) -> std::result::Result<Grant, Fault> {
        keys::grant(&self.env, key_hash, self.now_ms).await
    }

    async fn body(&mut self, encoding: Encoding) -> std::result::Result<Vec<u8>, Fault> {
        let broken = Fault::malformed("The body could not be read to its end.");
        // A length that was declared, and admitted, is held to by the platform: no need to count.
        if encoding == Encoding::Identity && self.length_known {
            return self.request.bytes().await.map_err(|_| broken);
        }
        let Some(body) = self.request.inner().body() else {
            return Ok(Vec::new());
        };
        let body = match encoding {
            Encoding::Identity => body,
            Encoding::Gzip => decompress(&body).map_err(|_| broken.clone())?,
        };
        read(body, MAX_BATCH_BYTES)
            .await
            .map_err(|error| match error {
                ReadError::TooLarge => too_large(),
                ReadError::Broken => broken,
            })
    }

    async fn day_key(&self) -> std::result::Result<[u8; 32], Fault> {
        if let Some((_, key)) = DAY_KEYS
            .get()
            .filter(|(day, _)| *day == day_of(self.now_ms))
        {
            return Ok(key);
        }
        let answer: worker::Result<DayKey> =
            objects::call(&self.env, PRIVACY_DO, PRIVACY_OBJECT, DAY_KEY, "").await;
        answer
            .map_err(|error| log::error("privacy_do", error))
            .ok()
            .and_then(|answer| Some((answer.day, answer.bytes()?)))
            .inspect(|known| DAY_KEYS.set(Some(*known)))
            .map(|(_, key)| key)
            .ok_or(Fault::Unavailable(
                "A private visit cannot be taken right now.",
            ))
    }

    async fn publish(&self, publication: &Publication) -> std::result::Result<bool, Fault> {
        let receipt = commit(&self.env, publication).await.map_err(|error| {
            log::error("site_do", error);
            Fault::Unavailable("The batch could not be stored right now.")
        })?;
        self.tell_of_shard(publication);
        Ok(receipt.duplicate)
    }

    fn count_later(&self, publication: Publication) {
        let env = self.env.clone();
        self.context.wait_until(async move {
            if let Err(error) = commit(&env, &publication).await {
                log::error("site_do", error);
            }
        });
    }
}

impl Edge {
    /// Lets the cron know, after the answer, that the shard may have work.
    fn tell_of_shard(&self, publication: &Publication) {
        let name = site_object(publication.site(), publication.shard());
        let is_new = KNOWN_SHARDS.with_borrow_mut(|known| {
            if known.len() >= MAX_KNOWN_SHARDS {
                known.clear();
            }
            known.insert(name.clone())
        });
        if !is_new {
            return;
        }
        let env = self.env.clone();
        let statement = register_shard(publication.site(), publication.shard());
        self.context.wait_until(async move {
            if let Err(error) = d1::rows::<serde::de::IgnoredAny>(&env, &statement).await {
                log::error("shards", error);
                KNOWN_SHARDS.with_borrow_mut(|known| known.remove(&name));
            }
        });
    }
}

async fn commit(env: &Env, publication: &Publication) -> Result<Receipt> {
    let name = site_object(publication.site(), publication.shard());
    objects::call(env, SITE_DO, &name, COMMIT, publication.json()).await
}
