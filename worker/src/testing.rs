//! Native tests run the crate's SQL on a real SQLite, and its recipe on a platform of plain values.

use std::cell::{self, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;
use rusqlite::types::{Value as Sqlite, ValueRef};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::sql::{Cell, Param, Sql, SqlError, Statement, Table};
use crate::endpoints::{Call, Way, find};
use crate::ingest::adapters::SegmentCall;

/// A database in memory that can be told to fail at its n-th statement.
pub(crate) struct TestSql {
    connection: Connection,
    fail_in: cell::Cell<Option<u32>>,
}

impl TestSql {
    pub(crate) fn new() -> Self {
        Self {
            connection: Connection::open_in_memory().unwrap(),
            fail_in: cell::Cell::new(None),
        }
    }

    /// Lets the `n`-th statement from now fail (1 is the next one).
    pub(crate) fn fail_in(&self, n: u32) {
        self.fail_in.set(Some(n));
    }

    /// Does something without a failure; what was told before counts on from there.
    pub(crate) fn without_faults<T>(&self, work: impl FnOnce() -> T) -> T {
        let left = self.fail_in.take();
        let done = work();
        self.fail_in.set(left);
        done
    }

    /// Takes back what [`TestSql::fail_in`] told.
    pub(crate) fn never_fail(&self) {
        self.fail_in.set(None);
    }

    fn count_down(&self) -> Result<(), SqlError> {
        match self.fail_in.get() {
            Some(1) => {
                self.fail_in.set(None);
                Err(SqlError("told to fail".into()))
            }
            left => {
                self.fail_in.set(left.map(|n| n - 1));
                Ok(())
            }
        }
    }

    /// One number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }

    /// Makes D1's tables, as a new deployment does.
    pub(crate) fn migrate(&self) {
        self.migrate_from("migrations");
    }

    /// Makes the tables of a folder of migrations.
    pub(crate) fn migrate_from(&self, folder: &str) {
        let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            self.execute_batch(&std::fs::read_to_string(file).unwrap());
        }
    }

    pub(crate) fn execute_batch(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    /// What a batch would answer; nothing of it stays.
    pub(crate) fn would<T: DeserializeOwned>(&self, statements: &[Statement]) -> Vec<T> {
        self.execute_batch("SAVEPOINT would");
        let rows = self.batch(statements).unwrap();
        self.execute_batch("ROLLBACK TO would; RELEASE would");
        rows
    }

    /// Runs statements as D1's `batch` does: one transaction, the rows of the last.
    pub(crate) fn batch<T: DeserializeOwned>(
        &self,
        statements: &[Statement],
    ) -> Result<Vec<T>, SqlError> {
        let last = self.transaction(&mut || {
            let mut last = None;
            for statement in statements {
                last = Some(self.table(statement.sql, &statement.params)?);
            }
            Ok(last)
        })?;
        last.map_or(Ok(Vec::new()), |last| Table::parse(&last)?.rows())
    }
}

fn failed(error: rusqlite::Error) -> SqlError {
    SqlError(error.to_string())
}

fn bound(params: &[Param]) -> impl rusqlite::Params {
    rusqlite::params_from_iter(params.iter().map(|param| match param {
        Param::Int(int) => Sqlite::Integer(*int),
        Param::Text(text) => Sqlite::Text(text.clone()),
        Param::Blob(bytes) => Sqlite::Blob(bytes.clone()),
        Param::Null => Sqlite::Null,
    }))
}

impl Sql for TestSql {
    fn table(&self, sql: &str, params: &[Param]) -> Result<String, SqlError> {
        self.count_down()?;
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let columns: Vec<String> = statement
            .column_names()
            .iter()
            .map(|n| (*n).into())
            .collect();
        let mut rows = statement.query(bound(params)).map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let value = |index| match row.get_ref(index).unwrap() {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(int) => int.into(),
                ValueRef::Real(real) => real.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
                ValueRef::Blob(_) => panic!("no blobs here"),
            };
            out.push((0..columns.len()).map(value).collect());
        }
        let table: (Vec<String>, Vec<Vec<Value>>) = (columns, out);
        Ok(serde_json::to_string(&table).unwrap())
    }

    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError> {
        self.count_down()?;
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        assert_eq!(statement.column_count(), N, "{sql}");
        let mut rows = statement.query(bound(params)).map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            out.push(std::array::from_fn(|index| {
                match row.get_ref(index).unwrap() {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(int) => Cell::Int(int),
                    ValueRef::Real(real) => panic!("no reals here: {real}"),
                    ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
                }
            }));
        }
        Ok(out)
    }

    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError> {
        self.execute_batch("SAVEPOINT t");
        let result = work();
        match &result {
            Ok(_) => self.execute_batch("RELEASE t"),
            // A database that is full may have rolled all back already.
            Err(_) if self.connection.is_autocommit() => {}
            Err(_) => self.execute_batch("ROLLBACK TO t; RELEASE t"),
        }
        result
    }
}

impl Sql for &TestSql {
    fn table(&self, sql: &str, params: &[Param]) -> Result<String, SqlError> {
        (**self).table(sql, params)
    }

    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError> {
        (**self).cells(sql, params)
    }

    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError> {
        (**self).transaction(work)
    }
}

/// The epoch of the logs of tests.
pub(crate) const EPOCH: &str = "e";

/// The name of a row of such a log.
pub(crate) fn row_name(seq: usize) -> String {
    format!("{EPOCH}-{seq}")
}

/// A message of rows, each (number, time, events), as a log would write it.
pub(crate) fn message(site: &str, shard: u32, rows: &[(usize, i64, &[Value])]) -> Vec<u8> {
    use crate::protocol::message::{Message, MessageRow};
    let lines: Vec<String> = rows
        .iter()
        .map(|(_, _, events)| events.iter().map(|event| format!("{event}\n")).collect())
        .collect();
    Message {
        site: site.into(),
        shard,
        epoch: EPOCH.into(),
        replay: None,
        rows: rows
            .iter()
            .zip(&lines)
            .map(|((seq, at, events), lines)| MessageRow {
                seq: i64::try_from(*seq).unwrap(),
                at: *at,
                n: events.len(),
                lines: lines.as_bytes(),
            })
            .collect(),
    }
    .write()
}

/// A publication's rows as JSON: heads, each with its events.
pub(crate) fn published_rows(publication: &crate::ingest::publish::Publication) -> Vec<Value> {
    let commit = crate::protocol::Commit::parse(publication.body()).unwrap();
    commit
        .rows()
        .map(|row| {
            let mut value: Value = serde_json::from_str(row.head_text).unwrap();
            let lines = std::str::from_utf8(row.lines).unwrap().lines();
            value["events"] = lines
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .collect();
            value
        })
        .collect()
}

/// Lines of stored events of (number, time of receipt, bytes of the line at least).
pub(crate) fn lines_of(events: &[(usize, i64, usize)]) -> shoreline_shared::lines::Lines {
    let events: Vec<_> = events
        .iter()
        .map(|(n, at, size)| {
            let text = format!(
                r#"{{"eventId":"{}","eventType":"error","source":"s","receivedAt":{at},"userId":"u","eventData":{{"message":"{}"}}}}"#,
                uuid(*n),
                "x".repeat(*size),
            );
            shoreline_shared::stamp::StampedEvent::from_json(&text).unwrap()
        })
        .collect();
    events.iter().collect()
}

/// Ids that are UUIDs and tell their number.
pub(crate) fn uuid(n: usize) -> String {
    format!("0198c1d2-0000-7000-8000-{n:012x}")
}

/// A key of this kind of the site `demo`, whose one origin is `https://shop.example`.
pub(crate) fn a_grant(kind: crate::access::auth::KeyKind) -> crate::access::auth::Grant {
    crate::access::auth::Grant {
        site: "demo".into(),
        kind,
        origins: vec!["https://shop.example".into()],
        hash_routing: false,
        policy: crate::access::policy::Policy::default(),
        time_zone: None,
        ends_at: None,
    }
}

/// A platform of plain values, for the recipe.
pub(crate) struct TestPlatform {
    pub(crate) now_ms: i64,
    pub(crate) settings: crate::ingest::Settings,
    pub(crate) grant: Result<crate::access::auth::Grant, crate::http::error::Fault>,
    pub(crate) body: Vec<u8>,
    pub(crate) published: RefCell<Vec<crate::ingest::publish::Publication>>,
    pub(crate) counted: RefCell<Vec<crate::ingest::publish::Publication>>,
    pub(crate) receipt: Result<bool, crate::http::error::Fault>,
    pub(crate) day_key: Result<[u8; 32], crate::http::error::Fault>,
    pub(crate) limiter: RefCell<crate::access::rate::Limiter>,
    /// What the platform's own limiter says, and how often it was asked.
    pub(crate) within_limit: bool,
    pub(crate) limiter_asked: cell::Cell<u32>,
    pub(crate) tallied: RefCell<Vec<(String, &'static str)>>,
    pub(crate) unknown: RefCell<Vec<Vec<String>>>,
    pub(crate) rejected: RefCell<Vec<crate::ingest::rejected::Rejected>>,
}

/// The moment of every native test: 2024-01-15T16:00:12.345Z.
pub(crate) const NOW: i64 = 1_705_334_412_345;

impl TestPlatform {
    pub(crate) fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            now_ms: NOW,
            settings: crate::ingest::Settings {
                shards: 1,
                retention_days: 30,
                hash_key: b"a key of the test".to_vec(),
                limits: crate::access::policy::Defaults {
                    visitor_per_minute: 1_200,
                    hourly_quota: None,
                },
                keep_rejected: true,
            },
            grant: Ok(a_grant(crate::access::auth::KeyKind::Browser)),
            body: body.into(),
            published: RefCell::default(),
            counted: RefCell::default(),
            receipt: Ok(false),
            day_key: Ok([7; 32]),
            limiter: RefCell::default(),
            within_limit: true,
            limiter_asked: cell::Cell::default(),
            tallied: RefCell::default(),
            unknown: RefCell::default(),
            rejected: RefCell::default(),
        }
    }
}

impl crate::ingest::Platform for TestPlatform {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }
    fn fresh_id(&self) -> String {
        // Different for all of a test's platforms, as an edge's isolates are.
        static COUNT: AtomicUsize = AtomicUsize::new(1_000_000);
        uuid(COUNT.fetch_add(1, Ordering::Relaxed))
    }
    fn settings(&self) -> &crate::ingest::Settings {
        &self.settings
    }
    async fn grant(
        &self,
        _: &str,
    ) -> Result<Rc<crate::access::auth::Grant>, crate::http::error::Fault> {
        self.grant.clone().map(Rc::new)
    }
    async fn grant_of_domain(
        &self,
        _: &str,
    ) -> Result<Rc<crate::access::auth::Grant>, crate::http::error::Fault> {
        self.grant.clone().map(Rc::new)
    }
    async fn body(
        &mut self,
        _: crate::ingest::admit::Encoding,
        _: crate::ingest::admit::Door,
    ) -> Result<Vec<u8>, crate::http::error::Fault> {
        Ok(self.body.clone())
    }
    fn limiter<T>(&self, ask: impl FnOnce(&mut crate::access::rate::Limiter) -> T) -> T {
        ask(&mut self.limiter.borrow_mut())
    }
    async fn within_limit(&self, _: &str) -> bool {
        self.limiter_asked.set(self.limiter_asked.get() + 1);
        self.within_limit
    }
    fn tally(&self, site: &str, fault: &crate::http::error::Fault) {
        self.tallied
            .borrow_mut()
            .push((site.to_owned(), fault.code()));
    }
    fn keep_rejected(&self, rejected: Vec<crate::ingest::rejected::Rejected>) {
        self.rejected.borrow_mut().extend(rejected);
    }
    fn note_unknown(&self, _: &str, keys: &[Vec<String>]) {
        self.unknown.borrow_mut().extend_from_slice(keys);
    }
    async fn day_key(&self) -> Result<[u8; 32], crate::http::error::Fault> {
        self.day_key.clone()
    }
    async fn publish(
        &self,
        publication: &crate::ingest::publish::Publication,
    ) -> Result<bool, crate::http::error::Fault> {
        self.published.borrow_mut().push(publication.clone());
        self.receipt.clone()
    }
    fn count_later(&self, publication: crate::ingest::publish::Publication) {
        self.counted.borrow_mut().push(publication);
    }
}

/// Runs a future that never really waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// The call of one of Segment's paths.
pub(crate) fn segment_call(path: &str) -> SegmentCall {
    let endpoint = find(path).unwrap_or_else(|| panic!("{path} is no path"));
    match endpoint.call("POST") {
        Some(Call::Events(Way::Segment(call))) => call,
        other => panic!("{path} is none of Segment's: {other:?}"),
    }
}
