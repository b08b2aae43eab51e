//! Whole imports, over a real SQLite for the import and for the site, and a world that fails.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::base::sql::Sql;
use crate::ingest::publish::Publication;
use crate::log::{ImportState, Log, Receipt};
use crate::protocol::{Commit, Confirmation, Message};
use crate::testing::{NOW, TestSql, block_on, uuid};

mod faults;
mod landing;
mod outcomes;

const ID: &str = "0198c1d2-0000-7000-8000-00000000000a";

/// A bucket, and a site of one shard.
struct TestWorld {
    now_ms: Cell<i64>,
    bucket: RefCell<BTreeMap<String, Vec<u8>>>,
    site: TestSql,
    ids: Cell<usize>,
    /// Lets the n-th call of the world from now fail, done or not.
    fail_in: Cell<Option<(u32, bool)>>,
    longest_read: Cell<u64>,
}

impl TestWorld {
    fn new() -> Self {
        Self {
            now_ms: Cell::new(NOW),
            bucket: RefCell::default(),
            site: TestSql::new(),
            ids: Cell::new(0),
            fail_in: Cell::new(None),
            longest_read: Cell::new(0),
        }
    }

    fn site(&self) -> Log<&TestSql> {
        Log::open(&self.site, 1_000, "e", NOW).unwrap()
    }

    /// Counts down to a fault. `Err(true)`: it is to be done all the same.
    fn fault(&self) -> Result<(), bool> {
        match self.fail_in.get() {
            Some((1, landed)) => {
                self.fail_in.set(None);
                Err(landed)
            }
            Some((n, landed)) => {
                self.fail_in.set(Some((n - 1, landed)));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn faulty<T>(&self, work: impl FnOnce() -> T) -> Result<T, Trouble> {
        match self.fault() {
            Ok(()) => Ok(work()),
            Err(landed) => {
                if landed {
                    work();
                }
                Err(Trouble("told to fail".into()))
            }
        }
    }

    /// Confirms all that waits, as the consumer does that knows `seen` already; the stored events.
    fn consume(&self, seen: &mut BTreeSet<String>) -> Vec<Value> {
        let site = self.site();
        let mut fresh = Vec::new();
        while let Some(sent) = site.next_message("demo", 0, NOW).unwrap() {
            let message = Message::parse(&sent.body).unwrap();
            let rows = message.rows.iter().map(|row| {
                let mut duplicates = Vec::new();
                for line in std::str::from_utf8(row.lines).unwrap().lines() {
                    let event: Value = serde_json::from_str(line).unwrap();
                    let id = event["eventId"].as_str().unwrap().to_owned();
                    if seen.insert(id.clone()) {
                        fresh.push(event);
                    } else {
                        duplicates.push(id);
                    }
                }
                (row.seq, duplicates)
            });
            let confirmation = Confirmation::of(&message.epoch, rows);
            site.confirm(&confirmation, NOW).unwrap();
        }
        fresh
    }
}

impl World for TestWorld {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }
    fn fresh_id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        uuid(5_000_000 + self.ids.get())
    }
    fn shards(&self) -> u32 {
        1
    }
    async fn read(&self, key: &str, at: u64, length: u64) -> Result<Option<Vec<u8>>, Trouble> {
        self.longest_read.set(self.longest_read.get().max(length));
        self.faulty(|| {
            let at = usize::try_from(at).unwrap();
            let end = at + usize::try_from(length).unwrap();
            let bucket = self.bucket.borrow();
            bucket.get(key).map(|bytes| bytes[at..end].to_vec())
        })
    }
    async fn put(&self, key: &str, text: String) -> Result<(), Trouble> {
        self.faulty(|| {
            self.bucket.borrow_mut().insert(key.to_owned(), text.into());
        })
    }
    async fn remove(&self, prefix: &str) -> Result<bool, Trouble> {
        self.faulty(|| {
            self.bucket
                .borrow_mut()
                .retain(|key, _| !key.starts_with(prefix));
            true
        })
    }
    async fn commit(&self, publication: &Publication) -> Result<Receipt, Trouble> {
        self.faulty(|| {
            let commit = Commit::parse(publication.body()).unwrap();
            self.site().commit(&commit, NOW).unwrap()
        })
    }
    async fn state(&self, _: u32, import_id: &str) -> Result<ImportState, Trouble> {
        self.faulty(|| self.site().import_state(import_id).unwrap())
    }
}

fn place(import_id: &str) -> Place<'_> {
    Place {
        site: "demo",
        import_id,
    }
}

fn create<'a>(sql: &'a TestSql, import_id: &str, parts: Option<i64>) -> ImportStore<&'a TestSql> {
    let new = NewImport {
        import_id: import_id.into(),
        parts,
        hash_routing: false,
    };
    ImportStore::create(sql, &new, NOW).unwrap()
}

fn upload<S: Sql>(
    store: &ImportStore<S>,
    world: &TestWorld,
    id: &str,
    n: i64,
    bytes: &[u8],
) -> Added {
    let part = UploadedPart {
        n,
        key: place(id).upload(n, &world.fresh_id()),
        bytes: i64::try_from(bytes.len()).unwrap(),
        etag: crate::base::hash::sha256_hex(bytes),
    };
    let added = store.add_part(&part, world.now_ms()).unwrap();
    if added == Added::New {
        world.bucket.borrow_mut().insert(part.key, bytes.to_vec());
    }
    added
}

/// Takes turns, through whatever fails, until there is nothing to do at once.
fn run<S: Sql>(store: &ImportStore<S>, world: &TestWorld, id: &str) -> Turn {
    for _ in 0..10_000 {
        match block_on(turn(store, place(id), world)) {
            Ok(turn @ (Turn::At(_) | Turn::Forgotten)) => return turn,
            Ok(Turn::Again | Turn::Finished) | Err(_) => {}
        }
    }
    panic!("it never rests");
}

/// Imports parts to the end; the events that were new to the site.
fn import(
    world: &TestWorld,
    id: &str,
    parts: &[Vec<u8>],
    seen: &mut BTreeSet<String>,
) -> (Vec<Value>, Progress) {
    let sql = TestSql::new();
    let store = create(&sql, id, Some(i64::try_from(parts.len()).unwrap()));
    for (n, part) in parts.iter().enumerate() {
        assert_eq!(
            upload(&store, world, id, i64::try_from(n).unwrap() + 1, part),
            Added::New
        );
    }
    let mut events = Vec::new();
    loop {
        run(&store, world, id);
        events.extend(world.consume(seen));
        let progress = store.progress("demo", ImportState::default()).unwrap();
        if progress.finished_at.is_some() {
            return (events, progress);
        }
    }
}

fn command(n: usize) -> String {
    format!(
        r#"{{"eventType":"a.b","source":"s","timestamp":{},"eventData":{{"n":{n}}}}}"#,
        1_000 * n
    )
}

fn numbers(events: &[Value]) -> Vec<i64> {
    let mut numbers: Vec<i64> = events
        .iter()
        .map(|event| event["eventData"]["n"].as_i64().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}
