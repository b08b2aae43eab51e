//! `lake_do`: the Durable Object that lands one shard of a site, around
//! [`crate::lake::LakeStore`].

use std::cell::Cell;

use worker::{
    Conditional, Data, DurableObject, Env, HttpMetadata, Request, Response, Result, State,
    durable_object,
};

use super::alarm::AlarmClock;
use super::bindings::{LAKE, config};
use super::do_sql::DoSql;
use super::gzip::compress;
use super::ingest_worker::{now_ms, random};
use super::{log, objects};
use crate::lake::{Append, Fate, LakeStore, Landing, SealRule, SealedObject};
use crate::live::HOUR_MS;
use crate::routes::{APPEND, STATE, WAKE, parse_object};
use crate::sql::SqlError;

/// The lake of one site and shard.
#[durable_object]
pub struct LakeDo {
    store: std::result::Result<LakeStore<DoSql>, SqlError>,
    alarm: AlarmClock,
    pruned_at: Cell<i64>,
    state: State,
    env: Env,
}

impl DurableObject for LakeDo {
    fn new(state: State, env: Env) -> Self {
        let rule = config(&env).map_or(
            SealRule {
                bytes: 8_000_000,
                age_ms: 60_000,
            },
            |config| config.seal,
        );
        let mut bytes = [0; 4];
        random(&mut bytes);
        Self {
            store: LakeStore::open(DoSql::new(&state), rule, now_ms(), bytes),
            alarm: AlarmClock::default(),
            pruned_at: Cell::new(0),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let store = match &self.store {
            Ok(store) => store,
            Err(error) => return objects::answer::<(), _>(Err(error)),
        };
        if self.alarm.is_unknown() {
            let due = store.next_due().map_err(|error| to_error(&error))?;
            self.alarm.rest(&self.state, due, now_ms()).await?;
        }
        match request.path().as_str() {
            APPEND => {
                let body = request.text().await?;
                let result = serde_json::from_str::<Append<'_>>(&body)
                    .map_err(|error| SqlError(error.to_string()))
                    .and_then(|append| store.append(&append, now_ms()));
                if let Some(due) = store.next_due().map_err(|error| to_error(&error))? {
                    self.alarm.by(&self.state, due, now_ms()).await?;
                }
                objects::answer(result)
            }
            STATE => objects::answer(store.state()),
            WAKE => {
                let due = store.next_due().map_err(|error| to_error(&error))?;
                self.alarm.look(&self.state, due, now_ms()).await?;
                objects::answer(Ok::<_, SqlError>(()))
            }
            _ => Response::error("no such command", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // Never `Err`: the platform gives an alarm up after six failures.
        if let Err(error) = self.run().await {
            log::error("lake_do", error);
        }
        Response::empty()
    }
}

impl LakeDo {
    /// Seals what is due, puts what is sealed, and sets the next alarm.
    async fn run(&self) -> Result<()> {
        let store = self.store.as_ref().map_err(to_error)?;
        self.alarm.begin(&self.state, now_ms()).await?;
        if now_ms().saturating_sub(self.pruned_at.get()) >= HOUR_MS {
            store.prune(now_ms()).map_err(|error| to_error(&error))?;
            self.pruned_at.set(now_ms());
        }
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard) = parse_object(&name)
            .ok_or_else(|| worker::Error::RustError(format!("not a site's object: {name}")))?;
        store
            .seal(site, shard, now_ms())
            .map_err(|error| to_error(&error))?;
        while let Some(object) = store
            .due_object(now_ms())
            .map_err(|error| to_error(&error))?
        {
            let landing = match self.put(store, &object).await {
                Ok(landing) => landing,
                Err(error) => Landing::Unknown(error.to_string()),
            };
            if let Landing::Unknown(error) = &landing {
                log::error("lake_do", error);
            }
            let fate = landing.fate(&object);
            if fate == Fate::Conflict {
                log::error("lake_do", "a key of the lake holds something else");
            }
            store
                .settle(&object, fate, now_ms())
                .map_err(|error| to_error(&error))?;
        }
        let due = store.next_due().map_err(|error| to_error(&error))?;
        self.alarm.rest(&self.state, due, now_ms()).await
    }

    /// Puts a sealed object into the bucket, unless its key is taken.
    async fn put(&self, store: &LakeStore<DoSql>, object: &SealedObject) -> Result<Landing> {
        let lines = store
            .ndjson(object.sequence)
            .map_err(|error| to_error(&error))?;
        let packed = compress(&lines).await?;
        let bucket = self.env.bucket(LAKE)?;
        let put = bucket
            .put(&object.key, Data::Bytes(packed))
            .only_if(Conditional {
                // `If-None-Match: *`
                etag_does_not_match: Some("*".to_owned()),
                ..Conditional::default()
            })
            .http_metadata(HttpMetadata {
                // A gzip file, not a gzip-encoded text: engines read it by its name.
                content_type: Some("application/gzip".to_owned()),
                ..HttpMetadata::default()
            })
            .custom_metadata(object.metadata())
            .execute()
            .await?;
        if put.is_some() {
            return Ok(Landing::Put);
        }
        match bucket.head(&object.key).await? {
            Some(there) => Ok(Landing::Taken(there.custom_metadata()?)),
            None => Ok(Landing::Unknown("the key was taken and is free".to_owned())),
        }
    }
}

fn to_error(error: &SqlError) -> worker::Error {
    worker::Error::RustError(error.0.clone())
}
