//! A KV and a D1 that can be told what to do, and a clock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::access::auth::Grant;
use crate::access::grants::cache::Cache;
use crate::access::grants::entry::Entry;
use crate::access::grants::publish::{publish, publish_due};
use crate::access::grants::rows::{Due, Found, KeyRow};
use crate::access::grants::{Asked, Behind, Stores, Unreachable, follow, look_up};
use crate::admin::{NewSite, SECRET_CHARS, end_key, new_key};
use crate::base::sql::{Sql, Statement};
use crate::http::error::Fault;
use crate::testing::{NOW, TestSql, block_on};

/// When something was written to KV, what, and until when it is there.
type Written = (i64, String, Option<u64>);

/// How a store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Works,
    Fails,
    /// It does what it is told, and says that it did not.
    FailsAfter,
    /// It fails once, then works.
    FailsOnce,
    Hangs,
}

type Hook = Box<dyn FnOnce(&World)>;

pub(super) struct World {
    pub(super) now: Cell<i64>,
    pub(super) sql: TestSql,
    /// What was ever written to KV, in order: when, what, and until when it is there.
    written: RefCell<HashMap<String, Vec<Written>>>,
    /// How old KV's answers are.
    pub(super) lag_ms: Cell<i64>,
    pub(super) kv_reads: Cell<State>,
    pub(super) kv_writes: Cell<State>,
    pub(super) d1: Cell<State>,
    /// Which stores were asked: `kv`, `put` and `d1`.
    asked: RefCell<Vec<&'static str>>,
    /// Done once, before the next write to KV lands.
    pub(super) before_write: RefCell<Option<Hook>>,
    /// Done once, when the next statement has run on D1.
    pub(super) after_d1: RefCell<Option<Hook>>,
}

impl World {
    /// A site `demo` of the domain `demo.example`, and no key.
    pub(super) fn new() -> Self {
        let world = Self {
            now: Cell::new(NOW),
            sql: TestSql::new(),
            written: RefCell::default(),
            lag_ms: Cell::new(0),
            kv_reads: Cell::new(State::Works),
            kv_writes: Cell::new(State::Works),
            d1: Cell::new(State::Works),
            asked: RefCell::default(),
            before_write: RefCell::default(),
            after_d1: RefCell::default(),
        };
        world.sql.migrate();
        let site = r#"{"siteId":"demo","origins":["https://a.example"],"domain":"demo.example"}"#;
        assert_eq!(world.make_site(site), Ok(0));
        world
    }

    pub(super) fn pass(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    /// What was asked since the last call.
    pub(super) fn asked(&self) -> Vec<&'static str> {
        self.asked.take()
    }

    pub(super) fn run<T: DeserializeOwned>(&self, statement: &Statement) -> Vec<T> {
        self.sql.rows(statement.sql, &statement.params).unwrap()
    }

    /// What the admin calls do: D1, then KV; how many rows KV did not take.
    fn change<Row: Due>(&self, statement: &Statement) -> Result<usize, Unreachable> {
        let rows: Vec<Row> = self.run(statement);
        assert_eq!(rows.len(), 1, "{}", statement.sql);
        block_on(publish(rows, self))
    }

    pub(super) fn make_site(&self, json: &str) -> Result<usize, Unreachable> {
        let site = NewSite::parse(json.as_bytes()).unwrap();
        self.change::<Found>(&site.statement(self.now.get()))
    }

    pub(super) fn replace_site(&self, json: &str) -> Result<usize, Unreachable> {
        let site = NewSite::parse(json.as_bytes()).unwrap();
        self.change::<Found>(&site.replace(self.now.get()))
    }

    /// A new browser key of the site `demo`, one for each `secret`.
    pub(super) fn make_key(&self, secret: u8) -> String {
        let key = new_key("demo", br#"{"kind":"browser"}"#, &[secret; SECRET_CHARS]).unwrap();
        let _kv_may_fail = self.change::<KeyRow>(&key.statement(self.now.get()));
        key.key
    }

    pub(super) fn end_key(&self, key: &str, in_ms: i64) -> Result<usize, Unreachable> {
        let id = crate::access::auth::lookup_hash(key).unwrap()[..16].to_owned();
        let now = self.now.get();
        self.change::<KeyRow>(&end_key("demo", &id, now + in_ms, now))
    }

    pub(super) fn cron(&self) -> Result<usize, Unreachable> {
        block_on(publish_due(self))
    }

    pub(super) fn look_up(
        &self,
        cache: &RefCell<Cache>,
        asked: Asked<'_>,
    ) -> (Result<Rc<Grant>, Fault>, Behind) {
        block_on(look_up(asked, cache, self, self.now.get()))
    }

    /// A request, and what it leaves behind.
    pub(super) fn ask(&self, cache: &RefCell<Cache>, asked: Asked<'_>) -> Result<Rc<Grant>, Fault> {
        let (found, behind) = self.look_up(cache, asked);
        block_on(follow(behind, asked, cache, self));
        found
    }

    /// A request of an isolate that has just begun.
    pub(super) fn ask_anew(&self, asked: Asked<'_>) -> Result<Rc<Grant>, Fault> {
        self.ask(&RefCell::default(), asked)
    }

    /// What KV has now.
    pub(super) fn in_kv(&self, name: &str) -> Option<String> {
        self.in_kv_at(name, self.now.get())
    }

    /// What KV had at a moment.
    pub(super) fn in_kv_at(&self, name: &str, at: i64) -> Option<String> {
        let written = self.written.borrow();
        let versions = written.get(name)?;
        let version = versions.iter().rev().find(|(since, ..)| *since <= at);
        version
            .filter(|(_, _, until)| until.is_none_or(|s| at < i64::try_from(s).unwrap() * 1_000))
            .map(|(_, value, _)| value.clone())
    }

    /// Every name in KV and what it has.
    pub(super) fn all_in_kv(&self) -> Vec<(String, String)> {
        let names: Vec<String> = self.written.borrow().keys().cloned().collect();
        let mut all: Vec<(String, String)> = names
            .into_iter()
            .filter_map(|name| self.in_kv(&name).map(|value| (name, value)))
            .collect();
        all.sort();
        all
    }

    /// Writes to KV as somebody who is late does.
    pub(super) fn put(&self, name: &str, value: &str) {
        let mut written = self.written.borrow_mut();
        let versions = written.entry(name.to_owned()).or_default();
        versions.push((self.now.get(), value.to_owned(), None));
    }

    /// The KV namespace is lost.
    pub(super) fn lose_kv(&self) {
        self.written.take();
    }

    async fn enter(&self, state: &Cell<State>, what: &'static str) -> Result<(), Unreachable> {
        self.asked.borrow_mut().push(what);
        match state.get() {
            State::Works | State::FailsAfter => Ok(()),
            State::Fails => Err(Unreachable),
            State::FailsOnce => {
                state.set(State::Works);
                Err(Unreachable)
            }
            State::Hangs => std::future::pending().await,
        }
    }
}

fn leave(state: &Cell<State>) -> Result<(), Unreachable> {
    match state.get() {
        State::FailsAfter => Err(Unreachable),
        _ => Ok(()),
    }
}

impl Stores for World {
    fn now_ms(&self) -> i64 {
        self.now.get()
    }

    async fn kept(&self, name: &str) -> Result<Option<String>, Unreachable> {
        self.enter(&self.kv_reads, "kv").await?;
        Ok(self.in_kv_at(name, self.now.get() - self.lag_ms.get()))
    }

    async fn keep(&self, entry: &Entry) -> Result<(), Unreachable> {
        self.enter(&self.kv_writes, "put").await?;
        if let Some(hook) = self.before_write.take() {
            hook(self);
        }
        if let Some(expires_s) = entry.expires_s {
            let least = self.now.get() / 1_000 + 60;
            assert!(i64::try_from(expires_s).unwrap() >= least, "KV's least");
        }
        let version = (self.now.get(), entry.value.clone(), entry.expires_s);
        let mut written = self.written.borrow_mut();
        written.entry(entry.name.clone()).or_default().push(version);
        leave(&self.kv_writes)
    }

    async fn rows<T: DeserializeOwned>(&self, sql: &Statement) -> Result<Vec<T>, Unreachable> {
        self.enter(&self.d1, "d1").await?;
        let rows = self.run(sql);
        if let Some(hook) = self.after_d1.take() {
            hook(self);
        }
        leave(&self.d1).map(|()| rows)
    }

    async fn within<T>(&self, limit_ms: u32, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut context = Context::from_waker(Waker::noop());
        match work.as_mut().poll(&mut context) {
            Poll::Ready(done) => Some(done),
            // Nothing here wakes by itself.
            Poll::Pending => {
                self.pass(limit_ms.into());
                None
            }
        }
    }

    async fn wait(&self, ms: u32) {
        self.pass(ms.into());
    }
}

/// Runs a change of D1 that is none of the admin API's.
pub(super) fn by_hand(world: &World, sql: &'static str) {
    world.run::<IgnoredAny>(&Statement::new(sql, []));
}
