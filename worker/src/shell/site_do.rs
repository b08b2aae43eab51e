//! `site_do`: the Durable Object of one site and shard, around [`crate::site::SiteStore`].

use std::cell::Cell;

use worker::{
    DurableObject, Env, QueueContentType, RawMessageBuilder, Request, Response, Result, State,
    durable_object,
};

use super::alarm::AlarmClock;
use super::bindings::{EVENTS_QUEUE, config};
use super::do_sql::DoSql;
use super::ingest_worker::{now_ms, random};
use super::{log, objects};
use crate::routes::{COMMIT, CONFIRM, SNAPSHOT, STATE, WAKE, parse_object};
use crate::site::{Commit, Confirmation, Message, SiteStore, prune_due};
use crate::sql::SqlError;

/// How long a new part waits for company before it is sent: several parts share a message, and a
/// reader of D1 does not notice.
const GATHER_MS: i64 = 100;

/// How long a part waits after the queue did not take its message.
const POSTPONE_MS: i64 = 1_000;

/// A site's (and shard's) live counts and outbox.
#[durable_object]
pub struct SiteDo {
    store: std::result::Result<SiteStore<DoSql>, SqlError>,
    alarm: AlarmClock,
    pruned_at: Cell<i64>,
    state: State,
    env: Env,
}

impl DurableObject for SiteDo {
    fn new(state: State, env: Env) -> Self {
        let resend_ms = config(&env).map_or(120_000, |config| config.resend_ms);
        Self {
            store: SiteStore::open(DoSql::new(&state), resend_ms),
            alarm: AlarmClock::default(),
            pruned_at: Cell::new(now_ms()),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let store = match &self.store {
            Ok(store) => store,
            Err(error) => return objects::answer::<(), _>(Err(error)),
        };
        let now = now_ms();
        if self.alarm.is_unknown() {
            // The first call after a start: what the last instance left is drained soon.
            let due = self.next_due(store)?;
            self.alarm.rest(&self.state, due, now).await?;
        }
        match request.path().as_str() {
            COMMIT => {
                let body = request.text().await?;
                let result = serde_json::from_str::<Commit<'_>>(&body)
                    .map_err(|error| SqlError(error.to_string()))
                    .and_then(|commit| store.commit(&commit));
                if result.is_ok() {
                    self.alarm
                        .by(&self.state, now.saturating_add(GATHER_MS), now)
                        .await?;
                }
                objects::answer(result)
            }
            CONFIRM => {
                let body = request.text().await?;
                let result = serde_json::from_str::<Confirmation>(&body)
                    .map_err(|error| SqlError(error.to_string()))
                    .and_then(|confirmation| store.confirm(&confirmation));
                if let Some(due) = self.next_due(store)? {
                    self.alarm.by(&self.state, due, now).await?;
                }
                objects::answer(result)
            }
            SNAPSHOT => objects::answer(store.snapshot(now)),
            STATE => objects::answer(store.outbox_state()),
            WAKE => {
                let due = self.next_due(store)?;
                self.alarm.look(&self.state, due, now).await?;
                objects::answer(Ok::<_, SqlError>(()))
            }
            _ => Response::error("no such command", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // Never `Err`: the platform gives an alarm up after six failures.
        if let Err(error) = self.run().await {
            log::error("site_do", error);
        }
        Response::empty()
    }
}

impl SiteDo {
    /// Sends what is due, deletes what is old, and sets the next alarm.
    async fn run(&self) -> Result<()> {
        let store = self.store.as_ref().map_err(to_error)?;
        self.alarm.begin(&self.state, now_ms()).await?;
        if now_ms() >= prune_due(self.pruned_at.get()) {
            store.prune(now_ms()).map_err(|error| to_error(&error))?;
            self.pruned_at.set(now_ms());
        }
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard) = parse_object(&name)
            .ok_or_else(|| worker::Error::RustError(format!("not a site's object: {name}")))?;
        let messages = store
            .due_messages(site, shard, now_ms())
            .map_err(|error| to_error(&error))?;
        for message in &messages {
            self.send(store, message).await?;
        }
        let due = self.next_due(store)?;
        self.alarm.rest(&self.state, due, now_ms()).await
    }

    async fn send(&self, store: &SiteStore<DoSql>, message: &Message) -> Result<()> {
        let text = RawMessageBuilder::new(message.body.as_str().into())
            .build_with_content_type(QueueContentType::Text);
        let sent = self.env.queue(EVENTS_QUEUE)?.send_raw(text).await;
        let noted = match sent {
            Ok(()) => {
                let mut bytes = [0; 10];
                random(&mut bytes);
                let id = shoreline_shared::id::uuid_v7(now_ms(), bytes);
                store.mark_sent(message, &id, now_ms())
            }
            Err(error) => {
                log::error("events_queue", error);
                store.postpone(message, now_ms().saturating_add(POSTPONE_MS))
            }
        };
        noted.map_err(|error| to_error(&error))
    }

    fn next_due(&self, store: &SiteStore<DoSql>) -> Result<Option<i64>> {
        store
            .next_due(self.pruned_at.get())
            .map_err(|error| to_error(&error))
    }
}

fn to_error(error: &SqlError) -> worker::Error {
    worker::Error::RustError(error.0.clone())
}
