//! A shard's part in the live stream: whether somebody watches, and has to be told of a change.
//!
//! Each look of `live_do` at the shard is a lease for one word: the first change after the look is told,
//! those after it are not, for the next look will see them too. So a shard calls no more often than it
//! is looked at, and who stopped looking is told once at most.

use std::cell::Cell;

use serde::Deserialize;

use super::Log;
use crate::base::sql::{Sql, SqlError};

/// In the database, because an instance may live for seconds only.
pub(super) const SCHEMA: [&str; 1] = [
    "CREATE TABLE IF NOT EXISTS watch (id INTEGER PRIMARY KEY CHECK (id = 1), until INTEGER NOT NULL)",
];

/// How long a lease lasts from when it is written.
const LEASE_MS: i64 = 120_000;

/// How much of a lease is left after a look, at least: half of it, so that one write serves a minute of
/// looks. `live_do` looks again before it is over.
pub const LEASE_LEFT_MS: i64 = 60_000;

/// How long after word could not be sent the next change tries again.
const RETRY_MS: i64 = 1_000;

/// What an instance of a shard knows of who watches it.
#[derive(Debug, Default)]
pub struct Watch {
    /// The lease's end, Unix milliseconds; none: not read yet.
    until: Cell<Option<i64>>,
    told: Cell<bool>,
    retry_at: Cell<i64>,
}

impl Watch {
    /// The shard is looked at: what changes from now on is to be told.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn look<S: Sql>(&self, store: &Log<S>, now_ms: i64) -> Result<(), SqlError> {
        let needed = now_ms.saturating_add(LEASE_LEFT_MS);
        if self.until(store)? < needed {
            let until = now_ms.saturating_add(LEASE_MS);
            store.sql.run(
                "INSERT INTO watch (id, until) VALUES (1, ?1) \
                 ON CONFLICT (id) DO UPDATE SET until = excluded.until",
                &[until.into()],
            )?;
            self.until.set(Some(until));
        }
        self.told.set(false);
        Ok(())
    }

    /// Whether the change that just happened must be told. Who is answered yes tells it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn must_tell<S: Sql>(&self, store: &Log<S>, now_ms: i64) -> Result<bool, SqlError> {
        let must =
            !self.told.get() && now_ms >= self.retry_at.get() && now_ms < self.until(store)?;
        if must {
            self.told.set(true);
        }
        Ok(must)
    }

    /// It could not be told; the next change after a while will.
    pub fn was_not_told(&self, now_ms: i64) {
        self.told.set(false);
        self.retry_at.set(now_ms.saturating_add(RETRY_MS));
    }

    fn until<S: Sql>(&self, store: &Log<S>) -> Result<i64, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            until: i64,
        }
        if let Some(until) = self.until.get() {
            return Ok(until);
        }
        let row: Option<Row> = store.sql.first("SELECT until FROM watch", &[])?;
        let until = row.map_or(0, |row| row.until);
        self.until.set(Some(until));
        Ok(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, TestSql};

    #[test]
    fn one_change_is_told_after_each_look() {
        let sql = TestSql::new();
        let store = Log::open(&sql, 1_000, "e", NOW).unwrap();
        let watch = Watch::default();
        assert!(!watch.must_tell(&store, NOW).unwrap(), "nobody looks");
        for look in [NOW, NOW + 1_000, NOW + 200_000] {
            watch.look(&store, look).unwrap();
            let told = (0..3).map(|_| watch.must_tell(&store, look + 1).unwrap());
            assert_eq!(told.collect::<Vec<_>>(), [true, false, false]);
        }
    }

    #[test]
    fn a_look_lasts_over_the_end_of_the_instance_and_not_for_ever() {
        let sql = TestSql::new();
        let store = Log::open(&sql, 1_000, "e", NOW).unwrap();
        let before = Watch::default();
        // However the looks fall, a whole LEASE_LEFT_MS is left after the last.
        for look in [0, 59_999, 60_001, 119_000] {
            before.look(&store, NOW + look).unwrap();
            let after = Watch::default();
            let late = NOW + look + LEASE_LEFT_MS - 1;
            assert!(after.must_tell(&store, late).unwrap(), "{look}");
        }
        let after = Watch::default();
        let over = NOW + 119_000 + LEASE_MS;
        assert!(!after.must_tell(&store, over).unwrap());
    }

    #[test]
    fn looks_of_a_minute_cost_one_write() {
        let sql = TestSql::new();
        let store = Log::open(&sql, 1_000, "e", NOW).unwrap();
        let watch = Watch::default();
        watch.look(&store, NOW).unwrap();
        for second in 1..=60 {
            sql.fail_in(1);
            watch.look(&store, NOW + second * 1_000).unwrap();
        }
        assert!(watch.look(&store, NOW + 61_000).is_err(), "it writes again");
    }

    #[test]
    fn what_could_not_be_told_is_tried_again_and_not_at_once() {
        let sql = TestSql::new();
        let store = Log::open(&sql, 1_000, "e", NOW).unwrap();
        let watch = Watch::default();
        watch.look(&store, NOW).unwrap();
        assert!(watch.must_tell(&store, NOW).unwrap());
        watch.was_not_told(NOW);
        assert!(!watch.must_tell(&store, NOW + 999).unwrap());
        assert!(watch.must_tell(&store, NOW + 1_000).unwrap());
    }
}
