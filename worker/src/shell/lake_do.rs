//! `lake_do`: the Durable Object that lands one shard of a site, around
//! [`crate::lake::LakeStore`].

use std::cell::OnceCell;

use worker::{
    Conditional, Data, DurableObject, Env, HttpMetadata, Request, Response, Result, State,
    durable_object,
};

use super::alarm::AlarmClock;
use super::bindings::{LAKE, settings};
use super::do_sql::DoSql;
use super::gzip::compress;
use super::platform::{now_ms, random};
use super::{log, objects};
use crate::lake::{Append, Fate, LakeStore, Landing, SealedObject};
use crate::routes::{APPEND, STATE, WAKE, parse_object};
use crate::sql::SqlError;

/// How long one run of the alarm goes on putting. The platform ends a run after 15 minutes, and
/// nothing is sealed while one lasts.
const RUN_MS: i64 = 20_000;

/// The lake of one site and shard.
#[durable_object]
pub struct LakeDo {
    store: OnceCell<LakeStore<DoSql>>,
    alarm: AlarmClock,
    state: State,
    env: Env,
}

impl DurableObject for LakeDo {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: OnceCell::new(),
            alarm: AlarmClock::default(),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        let body = request.text().await?;
        match path.as_str() {
            APPEND => objects::answer(self.append(&body).await),
            STATE => objects::answer(self.store()?.state()),
            WAKE => {
                let due = self.store()?.next_due()?;
                objects::answer(self.alarm.look(&self.state, due, now_ms()).await)
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
    /// The store; one that could not be opened is opened anew by the next call.
    fn store(&self) -> Result<&LakeStore<DoSql>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let mut bytes = [0; 4];
        random(&mut bytes)?;
        let rule = settings(&self.env)?.seal;
        let store = LakeStore::open(DoSql::new(&self.state), rule, now_ms(), bytes)?;
        Ok(self.store.get_or_init(|| store))
    }

    async fn append(&self, body: &str) -> Result<()> {
        let append: Append<'_> = serde_json::from_str(body)?;
        let store = self.store()?;
        store.append(&append, now_ms())?;
        match store.next_due()? {
            Some(due) => self.alarm.by(&self.state, due, now_ms()).await,
            None => Ok(()),
        }
    }

    /// Seals what is due, puts what is sealed, and sets the next alarm.
    async fn run(&self) -> Result<()> {
        let start = now_ms();
        self.alarm.begin(&self.state, start).await?;
        let store = self.store()?;
        store.prune_if_due(start)?;
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard) = parse_object(&name)
            .ok_or_else(|| SqlError(format!("not the name of a site's object: {name}")))?;
        store.seal(site, shard, start)?;
        // What fails is due later than this run began, so each object is tried once.
        while let Some(object) = store.due_object(start)? {
            self.land(store, &object).await?;
            if now_ms().saturating_sub(start) > RUN_MS {
                break;
            }
        }
        let due = store.next_due()?;
        self.alarm.rest(&self.state, due, now_ms()).await
    }

    async fn land(&self, store: &LakeStore<DoSql>, object: &SealedObject) -> Result<()> {
        let landing = match self.put(store, object).await {
            Ok(landing) => landing,
            Err(error) => Landing::Unknown(error.to_string()),
        };
        let fate = landing.fate(object);
        match (&landing, fate) {
            (Landing::Unknown(error), _) => log::error("lake_do", error),
            (_, Fate::Conflict) => log::error("lake_do", "a key of the lake holds something else"),
            _ => {}
        }
        Ok(store.settle(object, fate, now_ms())?)
    }

    /// Puts a sealed object into the bucket, unless its key is taken.
    async fn put(&self, store: &LakeStore<DoSql>, object: &SealedObject) -> Result<Landing> {
        let packed = compress(&store.ndjson(object.sequence)?).await?;
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
