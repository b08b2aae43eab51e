//! What is open of each hour, counted along.
//!
//! Live traffic has one hour open, or two; an import of 45 days a thousand of them, with rows of a
//! few events each. What is due must be found without adding all those rows up at every append.

use super::store::LakeStore;
use crate::sql::{Sql, SqlError};

/// `since`: when the oldest open row of the hour came, Unix milliseconds.
pub(super) const SCHEMA: [&str; 1] = ["CREATE TABLE IF NOT EXISTS open_hours (\
     hour INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, since INTEGER NOT NULL)"];

/// Counts what was open before hours were counted.
pub(super) fn fill(sql: &impl Sql) -> Result<(), SqlError> {
    sql.run(
        "INSERT INTO open_hours (hour, bytes, since) \
         SELECT hour, sum(bytes), min(at) FROM rows WHERE sequence IS NULL \
         AND NOT EXISTS (SELECT 1 FROM open_hours) GROUP BY hour",
        &[],
    )
}

impl<S: Sql> LakeStore<S> {
    /// Counts a row that was appended.
    pub(super) fn open_hour(&self, hour: i64, bytes: i64, now_ms: i64) -> Result<(), SqlError> {
        self.sql.run(
            "INSERT INTO open_hours (hour, bytes, since) VALUES (?1, ?2, ?3) \
             ON CONFLICT (hour) DO UPDATE SET bytes = bytes + excluded.bytes",
            &[hour.into(), bytes.into(), now_ms.into()],
        )
    }

    /// Counts an hour again, of which rows were sealed.
    pub(super) fn recount_hour(&self, hour: i64) -> Result<(), SqlError> {
        self.sql
            .run("DELETE FROM open_hours WHERE hour = ?1", &[hour.into()])?;
        self.sql.run(
            "INSERT INTO open_hours (hour, bytes, since) \
             SELECT hour, sum(bytes), min(at) FROM rows \
             WHERE sequence IS NULL AND hour = ?1 GROUP BY hour",
            &[hour.into()],
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lake::{Append, LakeSettings, Outcome, SealRule};
    use crate::live::HOUR_MS;
    use crate::sinks::SinkKind;
    use crate::testing::{NOW, TestSql, uuid};

    const RULE: SealRule = SealRule {
        bytes: 400,
        age_ms: 60_000,
    };

    fn open(sql: &TestSql) -> LakeStore<&TestSql> {
        let settings = LakeSettings {
            seal: RULE,
            backlog_bytes: 10_000_000,
            sink_tries: 5,
            sinks: vec![(SinkKind::R2, "1".to_owned())],
        };
        LakeStore::open(sql, &settings, NOW, [1, 2, 3, 4]).unwrap()
    }

    /// A part of an import: one event of each hour.
    fn append(store: &LakeStore<&TestSql>, part: usize, hours: &[i64], now: i64) -> bool {
        let events: Vec<String> = hours
            .iter()
            .map(|hour| format!("{{\"h\":{hour}}}"))
            .collect();
        let json = format!(
            r#"{{"parts":[{{"id":"{}","at":{now},"hours":{hours:?},"events":[{}]}}]}}"#,
            uuid(part),
            events.join(",")
        );
        let append: Append<'_> = serde_json::from_str(&json).unwrap();
        store.append(&append, now).is_ok()
    }

    fn counted_right(sql: &TestSql) -> bool {
        let differ = "SELECT count(*) FROM (SELECT hour, bytes, since FROM open_hours EXCEPT \
            SELECT hour, sum(bytes), min(at) FROM rows WHERE sequence IS NULL GROUP BY hour)";
        let hours = "SELECT (SELECT count(*) FROM open_hours) - \
            (SELECT count(DISTINCT hour) FROM rows WHERE sequence IS NULL)";
        sql.number(differ) == 0 && sql.number(hours) == 0
    }

    #[test]
    fn forty_five_days_of_open_hours_are_sealed_each_for_itself() {
        let sql = TestSql::new();
        let store = open(&sql);
        let first = NOW / HOUR_MS - 1_080;
        let hours: Vec<i64> = (0..1_080).map(|n| first + n).collect();
        for (part, some) in hours.chunks(90).enumerate() {
            assert!(append(&store, part, some, NOW));
            assert!(append(&store, 100 + part, some, NOW + 1));
        }
        assert_eq!(store.next_due().unwrap(), Some(NOW + RULE.age_ms));
        store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
        assert_eq!(sql.number("SELECT count(*) FROM objects"), 1_080);
        assert_eq!(sql.number("SELECT count(*) FROM open_hours"), 0);
        let now = NOW + RULE.age_ms;
        while let Some(due) = store.due_delivery(SinkKind::R2, now).unwrap() {
            let object = &due.object;
            let lines = store.ndjson(object.sequence).unwrap();
            let line = format!("{{\"h\":{}}}\n", first + object.sequence - 1);
            assert_eq!(lines, line.repeat(2), "{}", object.key);
            store.settle(&due, &Outcome::Done, now, 0).unwrap();
        }
        assert_eq!(store.next_due().unwrap(), None);
        assert_eq!(store.state().unwrap().landed_events, 2_160);
    }

    #[test]
    fn rows_that_were_open_before_hours_were_counted_are_counted() {
        let sql = TestSql::new();
        assert!(append(&open(&sql), 1, &[5, 5, 6], NOW));
        sql.execute_batch("DROP TABLE open_hours");
        let store = open(&sql);
        assert!(counted_right(&sql));
        store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
        assert_eq!(sql.number("SELECT count(*) FROM objects"), 2);
    }

    proptest! {
        #[test]
        fn hours_are_counted_right_whatever_fails(
            steps in prop::collection::vec(
                (prop::collection::vec(0_i64..4, 1..40), 0_i64..90_000, 1_u32..40), 1..30),
        ) {
            let sql = TestSql::new();
            let store = open(&sql);
            let mut now = NOW;
            for (part, (hours, wait, fault)) in steps.into_iter().enumerate() {
                sql.fail_in(fault);
                append(&store, part, &hours, now);
                now += wait;
                let _ = store.seal("demo", 0, now);
                sql.fail_in(u32::MAX);
                prop_assert!(counted_right(&sql));
            }
            store.seal("demo", 0, now + RULE.age_ms).unwrap();
            prop_assert_eq!(sql.number("SELECT count(*) FROM rows WHERE sequence IS NULL"), 0);
        }
    }
}
