//! The sinks of a shard: which there are, and what each still has to get when that changes.

use serde::Deserialize;

use super::store::LakeStore;
use crate::base::sql::{Sql, SqlError};
use crate::sinks::SinkKind;

impl<S: Sql> LakeStore<S> {
    /// Makes the sinks those of the configuration.
    ///
    /// A new one gets every object that still waits for another. One that is gone gives up what it
    /// has not got. One whose settings changed is tried at once, but for what is set aside.
    pub(super) fn enroll(&self, sinks: &[(SinkKind, String)]) -> Result<(), SqlError> {
        let names: Vec<&str> = sinks.iter().map(|(kind, _)| kind.name()).collect();
        let names = serde_json::to_string(&names).map_err(|error| SqlError(error.to_string()))?;
        self.sql.transaction(&mut || {
            self.sql.run(
                "INSERT INTO backlog (id, n, bytes) \
                 SELECT 1, coalesce(sum(n), 0), coalesce(sum(bytes), 0) FROM \
                 (SELECT n, bytes FROM open_hours UNION ALL SELECT n, bytes FROM objects) \
                 WHERE true ON CONFLICT DO NOTHING",
                &[],
            )?;
            for (kind, fingerprint) in sinks {
                self.enroll_one(*kind, fingerprint)?;
            }
            for statement in [
                "DELETE FROM sinks WHERE sink NOT IN (SELECT value FROM json_each(?1))",
                "DELETE FROM refusals WHERE sink NOT IN (SELECT value FROM json_each(?1))",
                "DELETE FROM deliveries WHERE sink NOT IN (SELECT value FROM json_each(?1))",
                "INSERT INTO deliveries (sequence, sink, n, bytes, due_at) \
                 SELECT sequence, value, n, bytes, due_at \
                 FROM objects, json_each(?1) WHERE true ON CONFLICT DO NOTHING",
            ] {
                self.sql.run(statement, &[names.as_str().into()])?;
            }
            self.finish()
        })
    }

    fn enroll_one(&self, kind: SinkKind, fingerprint: &str) -> Result<(), SqlError> {
        let changed: Option<serde::de::IgnoredAny> = self.sql.first(
            "INSERT INTO sinks (sink, fingerprint) VALUES (?1, ?2) \
             ON CONFLICT (sink) DO UPDATE SET fingerprint = ?2, due_at = 0, failures = 0 \
                WHERE fingerprint <> ?2 RETURNING sink",
            &[kind.name().into(), fingerprint.into()],
        )?;
        if changed.is_none() {
            return Ok(());
        }
        self.sql.run(
            "DELETE FROM refusals WHERE sink = ?1",
            &[kind.name().into()],
        )?;
        self.sql.run(
            "UPDATE deliveries SET due_at = 0 WHERE sink = ?1 AND done = 0 AND conflict = 0",
            &[kind.name().into()],
        )
    }

    /// Forgets the objects that every sink is done with; their segments stay.
    pub(super) fn finish(&self) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Finished {
            sequence: i64,
        }
        let finished: Vec<Finished> = self.sql.rows(
            "SELECT sequence FROM objects WHERE NOT EXISTS (SELECT 1 FROM deliveries \
             WHERE deliveries.sequence = objects.sequence AND done = 0)",
            &[],
        )?;
        for Finished { sequence } in finished {
            for statement in [
                "UPDATE shard SET landed_objects = landed_objects + 1, landed_events = \
                 landed_events + (SELECT n FROM objects WHERE sequence = ?1)",
                "UPDATE backlog SET \
                    n = n - (SELECT n FROM objects WHERE sequence = ?1), \
                    bytes = bytes - (SELECT bytes FROM objects WHERE sequence = ?1)",
                "INSERT INTO landed (hour, n) SELECT hour, n FROM objects WHERE sequence = ?1 \
                 ON CONFLICT (hour) DO UPDATE SET n = n + excluded.n",
                "DELETE FROM deliveries WHERE sequence = ?1",
                "DELETE FROM refusals WHERE sequence = ?1",
                "DELETE FROM objects WHERE sequence = ?1",
            ] {
                self.sql.run(statement, &[sequence.into()])?;
            }
        }
        Ok(())
    }
}
