//! `site_do`: the Durable Object of one site and shard, around [`crate::log::Log`].

use std::cell::OnceCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::base::json;
use crate::base::sql::SqlError;
use crate::log::{Log, Outgoing, Receipt, Snapshot, Watch};
use crate::observe::alert::{Board, Claim};
use crate::protocol::names::{
    ALERTS, CONFIRM, HOURS, IMPORT_STATE, OUTCOMES, SNAPSHOT, STATE, UNSENT, WAKE, WATCH,
    parse_object,
};
use crate::protocol::{Commit, Confirmation};
use crate::shell::objects::alarm::AlarmClock;
use crate::shell::platform::bindings::{EVENTS_QUEUE, settings};
use crate::shell::platform::clients::live_do::LiveDo;
use crate::shell::platform::clock::{Ids, now_ms};
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::log;
use crate::shell::platform::objects;
use crate::shell::platform::queue;

/// How long a new row waits for company before it is sent: several rows share a message, and a
/// reader of D1 does not notice.
const GATHER_MS: i64 = 100;

/// How long the log waits after the queue did not take a message.
const PAUSE_MS: i64 = 5_000;

/// Messages that one run of the alarm sends at most: at 128 KB each they stay far below the
/// memory of an isolate, and the next run is due at once where more wait.
const MESSAGES_PER_RUN: usize = 8;

/// A site's (and shard's) log and live counts.
#[durable_object(alarm)]
pub struct SiteDo {
    store: OnceCell<Log<DoSql>>,
    alarm: Rc<AlarmClock>,
    watch: Rc<Watch>,
    state: State,
    env: Env,
}

impl DurableObject for SiteDo {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: OnceCell::new(),
            alarm: Rc::default(),
            watch: Rc::default(),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        let body = request.bytes().await?;
        let now = now_ms();
        let due = || Ok(self.store()?.next_due(now));
        if let Err(error) = self.alarm.rouse(&self.state, due, now).await {
            log::error("site_do", error);
        }
        match path.as_str() {
            CONFIRM => objects::answer(self.confirm(&body, now).await),
            SNAPSHOT => answer_with(self.store()?.snapshot(now)),
            WATCH => objects::answer(self.look(now)),
            OUTCOMES => answer_with(self.store()?.outcomes(json::told(&body)?)),
            IMPORT_STATE => {
                let import_id = String::from_utf8_lossy(&body);
                objects::answer(self.store()?.import_state(&import_id))
            }
            HOURS => answer_with(self.store()?.hours(json::told(&body)?)),
            STATE => objects::answer(self.store()?.state(now)),
            WAKE => {
                let store = self.store()?;
                // The cron came so far, so D1 answers.
                store.probe(now);
                self.alarm
                    .look(&self.state, store.next_due(now), now)
                    .await?;
                objects::answer(store.outbox_state().map(|state| state.oldest_at))
            }
            ALERTS => objects::answer(self.board()?.claim(&json::told::<Vec<Claim>>(&body)?, now)),
            UNSENT => objects::answer(self.board()?.release(&json::told(&body)?, now)),
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

/// The answer of what cannot fail.
fn answer_with(value: impl serde::Serialize) -> Result<Response> {
    objects::answer(Ok::<_, SqlError>(value))
}

#[wasm_bindgen]
impl SiteDo {
    /// Commits a batch, for `site_do.js`: nothing where it was taken, else the [`Receipt`].
    ///
    /// # Errors
    /// Why it could not be stored.
    #[wasm_bindgen(js_name = commit)]
    pub fn take(&self, batch: &[u8]) -> std::result::Result<Option<String>, String> {
        let receipt = self.commit(batch, now_ms());
        let receipt = receipt.map_err(|error| error.to_string())?;
        if receipt.is_taken() {
            return Ok(None);
        }
        let said = serde_json::to_string(&receipt);
        said.map(Some).map_err(|error| error.to_string())
    }
}

impl SiteDo {
    /// The store; one that could not be opened is opened anew by the next call.
    fn store(&self) -> Result<&Log<DoSql>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let resend_ms = settings(&self.env)?.resend_ms;
        let now = now_ms();
        let epoch = Ids::new()?.next(now);
        let store = Log::open(DoSql::new(&self.state), resend_ms, &epoch, now)?;
        Ok(self.store.get_or_init(|| store))
    }

    fn board(&self) -> std::result::Result<Board<DoSql>, SqlError> {
        Board::open(DoSql::new(&self.state))
    }

    fn commit(&self, body: &[u8], now: i64) -> Result<Receipt> {
        let commit = Commit::parse(body).map_err(unreadable)?;
        let store = self.store()?;
        let receipt = store.commit(&commit, now)?;
        if receipt.is_taken() && commit.head().import.is_none() {
            self.tell_watcher(store, now);
        }
        // The batch is durable from here on, whatever becomes of the alarm: the cron looks after it.
        let soon = now.saturating_add(GATHER_MS);
        self.alarm.by_and_by(&self.state, soon, now);
        Ok(receipt)
    }

    async fn confirm(&self, body: &[u8], now: i64) -> Result<()> {
        let confirmation: Confirmation = json::told(body)?;
        let store = self.store()?;
        if store.confirm(&confirmation, now)? {
            self.tell_watcher(store, now);
        }
        match store.next_due(now) {
            Some(due) => self.alarm.by(&self.state, due, now).await,
            None => Ok(()),
        }
    }

    /// The live counts, for who wants word of their next change.
    fn look(&self, now: i64) -> Result<Snapshot> {
        let store = self.store()?;
        self.watch.look(store, now)?;
        Ok(store.snapshot(now))
    }

    /// Sends word that the live counts changed, where somebody waits for it: beside the answer, which
    /// neither waits for it nor fails with it.
    fn tell_watcher(&self, store: &Log<DoSql>, now: i64) {
        match self.watch.must_tell(store, now) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return log::error("site_do", error),
        }
        let name = self.state.id().name().unwrap_or_default();
        let Some(site) = parse_object(&name).map(|(site, _)| site.to_owned()) else {
            return;
        };
        let (env, watch) = (self.env.clone(), self.watch.clone());
        self.state.wait_until(async move {
            if let Err(error) = LiveDo::of(&env, &site).changed().await {
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
        for _ in 0..MESSAGES_PER_RUN {
            match store.next_message(site, shard, now_ms())? {
                Some(message) => self.send(store, message).await,
                None => break,
            }
        }
        let now = now_ms();
        self.alarm.rest(&self.state, store.next_due(now), now).await
    }

    async fn send(&self, store: &Log<DoSql>, message: Outgoing) {
        match queue::send(&self.env, EVENTS_QUEUE, &message.body).await {
            Ok(()) => store.sent(message, now_ms()),
            Err(error) => {
                log::error("events_queue", error);
                store.pause(&message, now_ms().saturating_add(PAUSE_MS));
            }
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> worker::Error {
    worker::Error::RustError(error.to_string())
}
