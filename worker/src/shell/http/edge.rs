//! One request on the platform: what the recipes in [`crate::ingest`] need of the world.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use worker::{Context, Env, Result};

use crate::access::auth::Grant;
use crate::access::privacy::DayKey;
use crate::access::rate::Limiter;
use crate::base::gunzip::{GunzipError, gunzip};
use crate::base::time::day_of;
use crate::config::Config;
use crate::http::error::Fault;
use crate::ingest::admit::{Door, Encoding};
use crate::ingest::enrich::agents::{Agents, Told};
use crate::ingest::enrich::skew::Clocks;
use crate::ingest::publish::Publication;
use crate::ingest::rejected::Rejected;
use crate::ingest::{Platform, Settings};
use crate::observe::tally::{APPROXIMATE, Tally};
use crate::protocol::names::site_object;
use crate::shell::http::commits::{commit, is_new_shard, register};
use crate::shell::http::incoming::Incoming;
use crate::shell::http::rejected_items::{keep, may_keep};
use crate::shell::platform::bindings::RATE_LIMITER;
use crate::shell::platform::clients::privacy_do::day_key;
use crate::shell::platform::clients::site_do::receipt;
use crate::shell::platform::clock::{Ids, now_ms};
use crate::shell::platform::gzip::{ReadError, read};
use crate::shell::platform::keys;
use crate::shell::platform::limiter;
use crate::shell::platform::log;

thread_local! {
    /// The day's key as this isolate was told it: asked for once a day.
    static DAY_KEYS: Cell<Option<(i64, [u8; 32])>> = const { Cell::new(None) };

    /// What the user agents tell that this isolate meets.
    static AGENTS: RefCell<Agents> = RefCell::default();

    /// The clocks of the sessions that this isolate meets.
    static CLOCKS: RefCell<Clocks> = RefCell::default();

    /// What this isolate has refused and not written yet.
    static TALLY: RefCell<Tally> = RefCell::default();
}

/// One request on the platform.
pub(crate) struct Edge {
    now_ms: i64,
    ids: Ids,
    config: Rc<Config>,
    length_known: bool,
    incoming: Incoming,
    env: Env,
    context: Rc<Context>,
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

    async fn grant(&self, key: &str) -> std::result::Result<Rc<Grant>, Fault> {
        keys::grant(&self.env, Some(&self.context), key, self.now_ms).await
    }

    async fn grant_of_domain(&self, domain: &str) -> std::result::Result<Rc<Grant>, Fault> {
        keys::grant_of_domain(&self.env, &self.context, domain, self.now_ms).await
    }

    async fn body(
        &mut self,
        encoding: Encoding,
        door: Door,
    ) -> std::result::Result<Vec<u8>, Fault> {
        let broken = Fault::malformed("The body could not be read to its end.");
        // A length that was declared, and admitted, is held to by the platform: no need to count.
        let body = if self.length_known {
            self.incoming.bytes().await.ok_or(broken.clone())?
        } else if let Some(body) = self.incoming.request().body() {
            let body = Box::pin(read(body, door.max_bytes())).await;
            body.map_err(|error| match error {
                ReadError::TooLarge => door.too_large(),
                ReadError::Broken => broken.clone(),
            })?
        } else {
            Vec::new()
        };
        match encoding {
            Encoding::Identity => Ok(body),
            Encoding::Gzip => gunzip(&body, door.max_bytes()).map_err(|error| match error {
                GunzipError::TooLarge => door.too_large(),
                GunzipError::Broken => broken,
            }),
        }
    }

    async fn day_key(&self) -> std::result::Result<[u8; 32], Fault> {
        if let Some((_, key)) = DAY_KEYS
            .get()
            .filter(|(day, _)| *day == day_of(self.now_ms))
        {
            return Ok(key);
        }
        let answer: Result<DayKey> = Box::pin(day_key(&self.env)).await;
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
        let name = site_object(publication.site(), publication.shard());
        let said = self.incoming.commit(&self.env, &name, publication.body());
        let receipt = said.await.and_then(receipt).map_err(|error| {
            log::error("site_do", error);
            Fault::Unavailable("The batch could not be stored right now.")
        })?;
        if let Some(retry_after_s) = receipt.retry_after_s {
            return Err(Fault::RateLimited { retry_after_s });
        }
        self.tell_of_shard(publication);
        Ok(receipt.duplicate)
    }

    fn told_by(&self, user_agent: &str) -> Told {
        AGENTS.with_borrow_mut(|agents| agents.ask(user_agent))
    }

    fn clock_offset(&self, site: &str, session: &str, sent_at_ms: i64) -> i64 {
        CLOCKS.with_borrow_mut(|clocks| clocks.offset(site, session, sent_at_ms, self.now_ms))
    }

    fn limiter<T>(&self, ask: impl FnOnce(&mut Limiter) -> T) -> T {
        limiter::ask(ask)
    }

    async fn within_limit(&self, name: &str) -> bool {
        let Ok(limiter) = self.env.rate_limiter(RATE_LIMITER) else {
            return true; // A deployment may do without it.
        };
        match limiter.limit(name.to_owned()).await {
            Ok(outcome) => outcome.success,
            Err(error) => {
                log::error("rate_limiter", error);
                true // The isolate's own bucket still bounds the visitor.
            }
        }
    }

    fn count_later(&self, publication: Publication) {
        let env = self.env.clone();
        self.context.wait_until(async move {
            if let Err(error) = commit(&env, &publication).await {
                log::error("site_do", error);
            }
        });
    }

    fn tally(&self, site: &str, fault: &Fault) {
        if APPROXIMATE.contains(&fault.code()) {
            TALLY.with_borrow_mut(|tally| tally.add(site, fault.code(), self.now_ms));
        }
    }

    fn keep_rejected(&self, rejected: Vec<Rejected>) {
        if !may_keep(self.now_ms) {
            return;
        }
        let (env, ids) = (self.env.clone(), rejected.iter().map(|_| self.fresh_id()));
        let some: Vec<(String, Rejected)> = ids.zip(rejected.iter().cloned()).collect();
        self.context.wait_until(async move {
            for (id, rejected) in some {
                if let Err(error) = keep(&env, &id, &rejected).await {
                    log::error("rejected", error);
                }
            }
        });
    }

    fn note_unknown(&self, site: &str, keys: &[Vec<String>]) {
        log::unknown_shape(site, keys);
    }
}

impl Edge {
    /// A request that begins now. `length_known`: its length was declared, and admitted is what it says.
    pub(crate) fn new(
        incoming: Incoming,
        env: Env,
        context: Rc<Context>,
        config: Rc<Config>,
        length_known: bool,
    ) -> Result<Self> {
        limiter::seed()?;
        Ok(Self {
            now_ms: now_ms(),
            ids: Ids::new()?,
            config,
            length_known,
            incoming,
            env,
            context,
        })
    }

    /// Writes what was refused, where it is time to.
    pub(crate) fn flush_tally(&self) {
        for (site, counters) in TALLY.with_borrow_mut(|tally| tally.take_if_due(self.now_ms)) {
            self.count_later(Publication::of_counts(&site, counters, self.now_ms));
        }
    }

    /// Lets the cron know, after the answer, that the shard may have work.
    fn tell_of_shard(&self, publication: &Publication) {
        if !is_new_shard(publication) {
            return;
        }
        let (env, site) = (self.env.clone(), publication.site().to_owned());
        let shard = publication.shard();
        self.context
            .wait_until(async move { register(&env, &site, shard).await });
    }
}
