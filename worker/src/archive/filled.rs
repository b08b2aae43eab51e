//! For tests: a database of segments, whose lines are packed as they are.

use serde_json::Value;

use super::prune::NEXT_SEQ;
use super::{Event, Hasher, append, segment};
use crate::archive::counted::Stored;
use crate::base::sql::{Cell, Param, Sql};
use crate::lake::{LakeSettings, LakeStore, SealRule, hour_of};
use crate::read::brute::KEY;
use crate::sinks::SinkKind;
use crate::testing::{NOW, TestSql};

/// An archive's tables that these tests use.
pub(crate) fn opened() -> TestSql {
    let sql = TestSql::new();
    LakeStore::open(&sql, &lake_settings(), NOW, [1, 2, 3, 4]).unwrap();
    let schemas = [
        &append::SCHEMA[..],
        &super::erase::SCHEMA,
        &super::prune::SCHEMA,
        &super::joined::SCHEMA,
    ];
    for statement in schemas.into_iter().flatten() {
        sql.execute_batch(statement);
    }
    sql
}

/// A lake with one sink.
pub(crate) fn lake_settings() -> LakeSettings {
    LakeSettings {
        seal: SealRule {
            bytes: 1_000_000,
            age_ms: 60_000,
        },
        backlog_bytes: 100_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, "1".to_owned())],
    }
}

/// Writes events of a site as segments of so many, all of an hour of receipt, as an append does.
pub(crate) fn add(sql: &TestSql, site: &str, events: &[Value], size: usize) {
    let texts: Vec<String> = events.iter().map(Value::to_string).collect();
    let stored: Vec<Stored<'_>> = texts
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    let mut hasher = Hasher::new(site, KEY);
    let all: Vec<(Event<'_>, &str)> = stored
        .iter()
        .zip(&texts)
        .map(|(stored, text)| (Event::of(stored, &mut hasher), text.as_str()))
        .collect();
    for some in all
        .chunk_by(|(a, _), (b, _)| hour_of(a.received) == hour_of(b.received))
        .flat_map(|hour| hour.chunks(size))
    {
        let lines: String = some.iter().map(|(_, line)| format!("{line}\n")).collect();
        let at = || some.iter().map(|(event, _)| event.at);
        let hour = hour_of(some[0].0.received);
        let columns = segment::encode(some);
        let first = segment::first_part(&columns);
        sql.run(
            &format!(
                "INSERT INTO segments (seq, hour, at, n, bytes, first_at, last_at, columns, more, lines) \
                 VALUES ({NEXT_SEQ}, ?1, 0, ?2, ?3, ?4, ?5, substr(?6, 1, ?8), substr(?6, ?8 + 1), ?7)"
            ),
            &[
                hour.into(),
                i64::try_from(some.len()).unwrap().into(),
                i64::try_from(lines.len()).unwrap().into(),
                at().min().unwrap().into(),
                at().max().unwrap().into(),
                Param::Blob(columns),
                lines.as_bytes().into(),
                first.into(),
            ],
        )
        .unwrap();
    }
}

/// All lines, in the order of their segments; each segment's columns say what its lines do, but for
/// what [`super::erase`] leaves in the columns of the nameless.
pub(crate) fn lines(sql: &TestSql, site: &str) -> Vec<Value> {
    let rows: Vec<[Cell; 4]> = sql
        .cells(
            &format!(
                "SELECT {}, lines, n, bytes FROM segments ORDER BY seq",
                segment::WHOLE
            ),
            &[],
        )
        .unwrap();
    let mut all = Vec::new();
    for [columns, lines, n, bytes] in &rows {
        let text = std::str::from_utf8(lines.bytes()).unwrap();
        let segment = segment::Segment::parse(columns.bytes()).unwrap();
        assert_eq!(i64::try_from(text.len()).unwrap(), bytes.int());
        assert_eq!(i64::try_from(segment.len()).unwrap(), n.int());
        let ranges = segment.lines().unwrap();
        assert_eq!(ranges.len(), text.lines().count());
        let mut hasher = Hasher::new(site, KEY);
        for ((event, range), line) in segment
            .events()
            .unwrap()
            .iter()
            .zip(ranges)
            .zip(text.lines())
        {
            assert_eq!(&text[range], line);
            let stored: Stored<'_> = serde_json::from_str(line).unwrap();
            let mut want = Event::of(&stored, &mut hasher);
            if want.who == super::Who::Erased {
                want.value = event.value;
                let vital = super::Column::Vital as usize;
                want.texts[vital].clone_from(&event.texts[vital]);
            }
            assert_eq!(*event, want);
            all.push(serde_json::from_str(line).unwrap());
        }
    }
    all
}
