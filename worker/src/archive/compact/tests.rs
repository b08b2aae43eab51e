use serde_json::Value;

use super::*;
use crate::archive::counted::Stored;
use crate::archive::segment::Segment;
use crate::archive::testing::{append, compact, compact_step, fold, land, open};
use crate::archive::{Archive, Event, Hasher};
use crate::base::time::HOUR_MS;
use crate::lake::hour_of;
use crate::lake::testing::unpack;
use crate::read::brute::{self, DAY, KEY};
use crate::testing::{NOW, TestSql, message};

mod answers;
mod faults;
mod meanwhile;
mod sizes;

/// When all hours of these tests are long over.
const LATER: i64 = (DAY + 20) * 24 * HOUR_MS;

/// Event `n`, received in the hour after `DAY + 9` by its number.
fn event(n: usize, hour: i64) -> Value {
    let mut event = brute::event("demo", n);
    let ms = i64::try_from(n).unwrap() * 7 % HOUR_MS;
    event["receivedAt"] = ((DAY + 9) * 24 * HOUR_MS + hour * HOUR_MS + ms).into();
    event
}

/// An archive and D1.
struct World {
    sql: TestSql,
    d1: TestSql,
}

impl World {
    fn new() -> Self {
        let d1 = TestSql::new();
        d1.migrate();
        let sql = TestSql::new();
        Self { sql, d1 }
    }

    fn archive(&self) -> Archive<&TestSql> {
        open(&self.sql, "demo")
    }

    /// Messages of one event each, folded and landed.
    fn filled(numbers: std::ops::Range<usize>, hour: i64) -> Self {
        let world = Self::new();
        world.fill(numbers, hour);
        world
    }

    fn fill(&self, numbers: std::ops::Range<usize>, hour: i64) {
        let archive = self.archive();
        for n in numbers {
            append(&archive, &body(n, &[event(n, hour)]), false).unwrap();
        }
        self.settle();
    }

    /// Folds and lands everything.
    fn settle(&self) {
        fold(&self.archive(), &self.d1);
        land(&self.archive());
    }

    fn number(&self, query: &str) -> i64 {
        self.sql.number(query)
    }

    fn seqs(&self) -> Vec<i64> {
        let rows: Vec<[Cell; 1]> = self
            .sql
            .cells("SELECT seq FROM segments ORDER BY seq", &[])
            .unwrap();
        rows.iter().map(|[seq]| seq.int()).collect()
    }
}

fn body(row: usize, events: &[Value]) -> Vec<u8> {
    message("demo", 0, &[(row, NOW, events)])
}

/// All events in the order of their segments: lines say what the columns beside them do, and the row what its
/// columns do.
fn stored(sql: &TestSql) -> Vec<Value> {
    let rows: Vec<[Cell; 7]> = sql
        .cells(
            "SELECT hour, n, bytes, first_at, last_at, CAST(columns || more AS BLOB), lines FROM segments ORDER BY seq",
            &[],
        )
        .unwrap();
    let mut all = Vec::new();
    for [hour, n, bytes, first_at, last_at, columns, lines] in &rows {
        let text = unpack(lines.bytes());
        let events = Segment::parse(columns.bytes()).unwrap().events().unwrap();
        let at = || events.iter().map(|event| event.at);
        assert_eq!(at().min().unwrap(), first_at.int());
        assert_eq!(at().max().unwrap(), last_at.int());
        assert_eq!(i64::try_from(text.len()).unwrap(), bytes.int());
        assert_eq!(i64::try_from(events.len()).unwrap(), n.int());
        assert_eq!(text.lines().count(), events.len());
        let mut hasher = Hasher::new("demo", KEY);
        for (event, line) in events.iter().zip(text.lines()) {
            let stored: Stored<'_> = serde_json::from_str(line).unwrap();
            assert_eq!(*event, Event::of(&stored, &mut hasher));
            assert_eq!(hour_of(event.received), hour.int());
            all.push(serde_json::from_str(line).unwrap());
        }
    }
    all
}

fn events(numbers: std::ops::Range<usize>, hour: i64) -> Vec<Value> {
    numbers.map(|n| event(n, hour)).collect()
}

#[test]
fn small_segments_of_an_hour_become_one_when_it_is_over() {
    let world = World::filled(0..40, 0);
    world.fill(40..45, 1);
    let archive = world.archive();
    // Folded long after the hour: it is due two hours after the fold.
    let due = archive.compact_due().unwrap().unwrap();
    assert_eq!(
        due,
        NOW.max((DAY + 9) * 24 * HOUR_MS + HOUR_MS) + 2 * HOUR_MS
    );
    assert_eq!(compact(&archive, due - 1), 0);
    assert_eq!(compact(&archive, LATER), 2);
    assert_eq!(world.seqs(), [40, 45]);
    assert_eq!(
        stored(&world.sql),
        [events(0..40, 0), events(40..45, 1)].concat()
    );
    assert_eq!(archive.compact_due().unwrap(), None);
    assert_eq!(archive.rewrites(), 2);
    assert_eq!(compact(&archive, LATER), 0);
    // What comes after goes on with the numbers.
    world.fill(45..46, 1);
    assert_eq!(world.seqs(), [40, 45, 46]);
    assert_eq!(
        brute::read(&world.d1, "demo"),
        brute::count("demo", &stored(&world.sql)).sums()
    );
}

#[test]
fn what_is_not_folded_or_has_not_landed_waits_and_has_its_turn_later() {
    let world = World::new();
    let archive = world.archive();
    for n in 0..10 {
        append(&archive, &body(n, &[event(n, 0)]), n % 3 == 0).unwrap();
    }
    assert_eq!(
        (archive.compact_due().unwrap(), compact(&archive, LATER)),
        (None, 0)
    );
    fold(&archive, &world.d1);
    // What came from the lake need not land, the rest is looked at again two hours later.
    assert_eq!(compact(&archive, LATER), 1);
    assert_eq!(world.seqs(), [2, 3, 5, 6, 8, 9, 10]);
    assert_eq!(archive.compact_due().unwrap(), Some(LATER + 2 * HOUR_MS));
    land(&archive);
    let landed = archive.lake().state().unwrap().landed_events;
    assert_eq!(landed, 6);
    append(&archive, &body(10, &[event(10, 0)]), false).unwrap();
    land(&archive);
    assert_eq!(compact(&archive, LATER + 3 * HOUR_MS), 1);
    assert_eq!(world.seqs(), [9, 10, 11]);
    world.settle();
    assert_eq!(archive.lake().state().unwrap().landed_events, 7);
    let mut all = stored(&world.sql);
    all.sort_by_key(|event| event["receivedAt"].as_i64());
    assert_eq!(all, events(0..11, 0));
}

/// Twice what is needed must not be read: rows go by their numbers, hours and due ones by their indexes.
#[test]
fn nothing_is_searched_for_that_an_index_tells() {
    let world = World::filled(0..3, 0);
    let plan = |query: &str, params: &[i64]| -> String {
        let params: Vec<_> = params.iter().map(|n| (*n).into()).collect();
        let rows: Vec<[Cell; 4]> = world
            .sql
            .cells(&format!("EXPLAIN QUERY PLAN {query}"), &params)
            .unwrap();
        rows.iter()
            .map(|row| format!("{}\n", row[3].text()))
            .collect()
    };
    let deleted = plan(
        "DELETE FROM segments WHERE seq IN (SELECT value FROM json_each('[1]'))",
        &[],
    );
    assert!(
        deleted.contains("SEARCH segments USING INTEGER PRIMARY KEY (rowid=?)"),
        "{deleted}"
    );
    let found = plan(&small_ones(), &[0, 0, 9, 9, 9, 9]);
    assert!(
        found.contains("SEARCH segments USING INDEX segments_hour (hour=? AND seq>? AND seq<?)"),
        "{found}"
    );
    assert!(
        !found.contains("SCAN") && !found.contains("TEMP B-TREE"),
        "{found}"
    );
    let due = plan("SELECT min(due_at) FROM compacting", &[]);
    assert!(due.contains("compacting_due"), "{due}");
    // A delete for each, and the one that stays.
    let changes = || world.number("SELECT total_changes()");
    let archive = world.archive();
    let run = archive.find_small(LATER).unwrap().unwrap();
    let texts: Vec<_> = run
        .parts
        .iter()
        .map(|part| Some(unpack(&part.lines)))
        .collect();
    let merged = archive.merge(&run, &texts);
    let before = changes();
    assert!(archive.put_merged(&merged, b"packed").unwrap());
    assert_eq!(changes() - before, 3);
}
