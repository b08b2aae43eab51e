//! What is open of each hour, counted along.
//!
//! Live traffic has one hour open, or two; an import of 45 days a thousand of them, with segments of a
//! few events each. What is due must be found without adding all those segments up at every append.

use super::store::LakeStore;
use crate::base::sql::{Sql, SqlError};

impl<S: Sql> LakeStore<S> {
    /// Whether so many bytes of lines may still wait: to ask before work is done for an append.
    /// [`appended`](Self::appended) holds to it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn fits(&self, bytes: i64) -> Result<bool, SqlError> {
        let fits: Option<serde::de::IgnoredAny> = self.sql.first(
            "SELECT 1 AS fits FROM backlog WHERE bytes + ?1 <= ?2",
            &[bytes.into(), self.backlog_bytes.into()],
        )?;
        Ok(fits.is_some())
    }

    /// Counts a segment that was inserted, of `n` events and `bytes` of lines before they were packed.
    /// To be called in the same transaction, after each insert, but for what comes from the lake
    /// (`landed`).
    ///
    /// # Errors
    /// Whatever the database says, a backlog that is full, or a segment that stands before others of its
    /// hour, which may be sealed. The caller's transaction must fail with it.
    pub fn appended(
        &self,
        hour: i64,
        seq: i64,
        n: i64,
        bytes: i64,
        now_ms: i64,
    ) -> Result<(), SqlError> {
        let fits: Option<serde::de::IgnoredAny> = self.sql.first(
            "UPDATE backlog SET n = n + ?1, bytes = bytes + ?2 WHERE bytes + ?2 <= ?3 RETURNING n",
            &[n.into(), bytes.into(), self.backlog_bytes.into()],
        )?;
        if fits.is_none() {
            return Err(SqlError("the lake's backlog is full".to_owned()));
        }
        let last: Option<serde::de::IgnoredAny> = self.sql.first(
            "INSERT INTO open_hours (hour, first_seq, n, bytes, since) SELECT ?1, ?2, ?3, ?4, ?5 \
             WHERE NOT EXISTS (SELECT 1 FROM segments WHERE hour = ?1 AND seq > ?2) \
             ON CONFLICT (hour) DO UPDATE SET n = n + excluded.n, bytes = bytes + excluded.bytes, \
             since = min(since, excluded.since) RETURNING hour",
            &[
                hour.into(),
                seq.into(),
                n.into(),
                bytes.into(),
                now_ms.into(),
            ],
        )?;
        match last {
            Some(_) => Ok(()),
            None => Err(SqlError("a segment before others of its hour".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::HOUR_MS;
    use crate::lake::testing::{append_lines, ndjson};
    use crate::lake::{LakeSettings, SealRule};
    use crate::sinks::{Outcome, SinkKind};
    use crate::testing::{NOW, TestSql};

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

    /// Events of these hours, a segment of each.
    fn append(store: &LakeStore<&TestSql>, hours: &[i64], now: i64) {
        for hour in hours {
            // What fails is not appended.
            let _ = append_lines(store, *hour, &[format!("{{\"h\":{hour}}}")], false, now);
        }
    }

    /// What is open, added up: the segments of the hour that are neither sealed nor from the lake.
    fn counted_right(sql: &TestSql) -> bool {
        let open = "SELECT hour, min(seq), sum(n), sum(bytes), min(at) FROM segments \
            WHERE landed = 0 AND NOT EXISTS (SELECT 1 FROM objects \
                WHERE objects.hour = segments.hour AND seq BETWEEN first_seq AND last_seq) \
            GROUP BY hour";
        let counted = "SELECT hour, first_seq, n, bytes, since FROM open_hours";
        let differ = |a: &str, b: &str| {
            sql.number(&format!(
                "SELECT count(*) FROM (SELECT * FROM ({a}) EXCEPT SELECT * FROM ({b}))"
            ))
        };
        let backlog = "SELECT (SELECT bytes FROM backlog) - \
            (SELECT coalesce(sum(bytes), 0) FROM segments WHERE landed = 0)";
        (differ(counted, open), differ(open, counted)) == (0, 0) && sql.number(backlog) == 0
    }

    #[test]
    fn forty_five_days_of_open_hours_are_sealed_each_for_itself() {
        let sql = TestSql::new();
        let store = open(&sql);
        let first = NOW / HOUR_MS - 1_080;
        let hours: Vec<i64> = (0..1_080).map(|n| first + n).collect();
        for some in hours.chunks(90) {
            append(&store, some, NOW);
            append(&store, some, NOW + 1);
        }
        assert_eq!(store.next_due().unwrap(), Some(NOW + RULE.age_ms));
        store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
        assert_eq!(sql.number("SELECT count(*) FROM objects"), 1_080);
        assert_eq!(sql.number("SELECT count(*) FROM open_hours"), 0);
        let now = NOW + RULE.age_ms;
        while let Some(due) = store.due_delivery(SinkKind::R2, now).unwrap() {
            let object = &due.object;
            let line = format!("{{\"h\":{}}}\n", first + object.sequence - 1);
            let lines = ndjson(&store, object.sequence);
            assert_eq!(lines, line.repeat(2), "{}", object.key);
            store.settle(&due, &Outcome::Done, now, 0).unwrap();
        }
        assert_eq!(store.next_due().unwrap(), None);
        assert_eq!(store.state().unwrap().landed_events, 2_160);
    }

    #[test]
    fn a_segment_before_others_of_its_hour_is_refused_with_its_append() {
        let sql = TestSql::new();
        let store = open(&sql);
        let line = ["{}".to_owned()];
        let seq = append_lines(&store, 5, &line, false, NOW).unwrap();
        store.seal_open("demo", 0, NOW).unwrap();
        let late = sql.transaction(&mut || {
            sql.run(
                "INSERT INTO segments (seq, hour, at, n, bytes, first_at, last_at, columns, lines) \
                 VALUES (?1, 5, 0, 1, 3, 0, 0, x'', x'')",
                &[(seq - 1).into()],
            )?;
            store.appended(5, seq - 1, 1, 3, NOW)
        });
        assert!(late.unwrap_err().0.contains("before"));
        assert!(counted_right(&sql));
        assert_eq!(ndjson(&store, 1), "{}\n");
        // Of another hour nothing is known yet.
        append_lines(&store, 6, &line, false, NOW).unwrap();
        assert!(counted_right(&sql));
    }

    proptest! {
        #[test]
        fn hours_are_counted_right_whatever_fails(
            steps in prop::collection::vec(
                (prop::collection::vec(0_i64..4, 1..40), 0_i64..90_000, 1_u32..200), 1..30),
        ) {
            let sql = TestSql::new();
            let store = open(&sql);
            let mut now = NOW;
            for (hours, wait, fault) in steps {
                sql.fail_in(fault);
                append(&store, &hours, now);
                now += wait;
                let _ = store.seal("demo", 0, now);
                sql.never_fail();
                prop_assert!(counted_right(&sql));
            }
            store.seal("demo", 0, now + RULE.age_ms).unwrap();
            prop_assert_eq!(sql.number("SELECT count(*) FROM open_hours"), 0);
            prop_assert_eq!(
                // Of no rows, which is where every append failed, a sum is NULL.
                sql.number("SELECT coalesce(sum(n), 0) FROM objects"),
                sql.number("SELECT coalesce(sum(n), 0) FROM segments"),
            );
        }
    }
}
