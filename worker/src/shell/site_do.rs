//! `site_do`: the Durable Object of one site and shard, around [`crate::site::SiteStore`].

use std::cell::OnceCell;
use std::rc::Rc;

use worker::{
    DurableObject, Env, QueueContentType, RawMessageBuilder, Request, Response, Result, State,
    durable_object,
};

use super::alarm::AlarmClock;
use super::bindings::{EVENTS_QUEUE, LIVE_DO, settings};
use super::do_sql::DoSql;
use super::platform::{Ids, now_ms};
use super::{log, objects};
use crate::routes::{
    CHANGED, COMMIT, CONFIRM, HOURS, IMPORT_STATE, OUTCOMES, SNAPSHOT, STATE, WAKE, WATCH,
    live_object, parse_object,
};
use crate::site::{Commit, Confirmation, Message, SiteStore, Snapshot, Watch};
use crate::sql::SqlError;

/// How long a new part waits for company before it is sent: several parts share a message, and a
/// reader of D1 does not notice.
const GATHER_MS: i64 = 100;

/// How long the outbox waits after the queue did not take a message.
const POSTPONE_MS: i64 = 5_000;

/// A site's (and shard's) live counts and outbox.
#[durable_object]
pub struct SiteDo {
    store: OnceCell<SiteStore<DoSql>>,
    alarm: AlarmClock,
    watch: Rc<Watch>,
    state: State,
    env: Env,
}

impl DurableObject for SiteDo {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: OnceCell::new(),
            alarm: AlarmClock::default(),
            watch: Rc::default(),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        let body = request.text().await?;
        let now = now_ms();
        match path.as_str() {
            COMMIT => objects::answer(self.commit(&body, now).await),
            CONFIRM => objects::answer(self.confirm(&body, now).await),
            SNAPSHOT => objects::answer(self.store()?.snapshot(now)),
            WATCH => objects::answer(self.look(now)),
            OUTCOMES => {
                let from: i64 = serde_json::from_str(&body)?;
                objects::answer(self.store()?.outcomes(from))
            }
            IMPORT_STATE => objects::answer(self.store()?.import_state(&body)),
            HOURS => {
                let from: i64 = serde_json::from_str(&body)?;
                objects::answer(self.store()?.hours(from))
            }
            STATE => objects::answer(self.store()?.state(now)),
            WAKE => {
                let due = self.store()?.next_due()?;
                objects::answer(self.alarm.look(&self.state, due, now).await)
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
    /// The store; one that could not be opened is opened anew by the next call.
    fn store(&self) -> Result<&SiteStore<DoSql>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let resend_ms = settings(&self.env)?.resend_ms;
        let store = SiteStore::open(DoSql::new(&self.state), resend_ms, now_ms())?;
        Ok(self.store.get_or_init(|| store))
    }

    async fn commit(&self, body: &str, now: i64) -> Result<crate::site::Receipt> {
        let commit: Commit<'_> = serde_json::from_str(body)?;
        let store = self.store()?;
        let receipt = store.commit(&commit)?;
        if commit.changed_live(&receipt) {
            self.tell_watcher(store, now);
        }
        // The batch is durable from here on, whatever becomes of the alarm: the cron looks after it.
        let soon = now.saturating_add(GATHER_MS);
        if let Err(error) = self.alarm.by(&self.state, soon, now).await {
            log::error("site_do", error);
        }
        Ok(receipt)
    }

    async fn confirm(&self, body: &str, now: i64) -> Result<()> {
        let confirmation: Confirmation = serde_json::from_str(body)?;
        let store = self.store()?;
        store.confirm(&confirmation)?;
        if confirmation.changes_live() {
            self.tell_watcher(store, now);
        }
        match store.next_due()? {
            Some(due) => self.alarm.by(&self.state, due, now).await,
            None => Ok(()),
        }
    }

    /// The live counts, for who wants word of their next change.
    fn look(&self, now: i64) -> Result<Snapshot> {
        let store = self.store()?;
        self.watch.look(store, now)?;
        Ok(store.snapshot(now)?)
    }

    /// Sends word that the live counts changed, where somebody waits for it: beside the answer, which
    /// neither waits for it nor fails with it.
    fn tell_watcher(&self, store: &SiteStore<DoSql>, now: i64) {
        match self.watch.must_tell(store, now) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return log::error("site_do", error),
        }
        let name = self.state.id().name().unwrap_or_default();
        let Some(live) = parse_object(&name).map(|(site, _)| live_object(site)) else {
            return;
        };
        let (env, watch) = (self.env.clone(), self.watch.clone());
        self.state.wait_until(async move {
            if let Err(error) = objects::call::<()>(&env, LIVE_DO, &live, CHANGED, "").await {
                log::error("site_do", error);
                watch.was_not_told(now_ms());
            }
        });
    }

    /// Sends what is due, deletes what is old, and sets the next alarm.
    async fn run(&self) -> Result<()> {
        self.alarm.begin(&self.state, now_ms()).await?;
        let store = self.store()?;
        store.prune_if_due(now_ms())?;
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard) = parse_object(&name)
            .ok_or_else(|| SqlError(format!("not the name of a site's object: {name}")))?;
        let ids = Ids::new()?;
        for message in &store.due_messages(site, shard, now_ms())? {
            if !self.send(store, message, &ids).await? {
                break;
            }
        }
        let due = store.next_due()?;
        self.alarm.rest(&self.state, due, now_ms()).await
    }

    /// `false` where the queue takes nothing now.
    async fn send(&self, store: &SiteStore<DoSql>, message: &Message, ids: &Ids) -> Result<bool> {
        let text = RawMessageBuilder::new(message.body.as_str().into())
            .build_with_content_type(QueueContentType::Text);
        match self.env.queue(EVENTS_QUEUE)?.send_raw(text).await {
            Ok(()) => {
                store.mark_sent(message, &ids.next(now_ms()), now_ms())?;
                Ok(true)
            }
            Err(error) => {
                log::error("events_queue", error);
                let now = now_ms();
                store.postpone(now, now.saturating_add(POSTPONE_MS))?;
                Ok(false)
            }
        }
    }
}
