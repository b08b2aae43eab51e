//! Which alerts were posted, and may follow. Kept in the log of Shoreline's own site, not in D1: that D1 takes no write is
//! one of them.

use serde::{Deserialize, Serialize};

use crate::base::sql::{Sql, SqlError};

/// An alert that somebody wants to post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about; of what is over, what its key begins with.
    pub key: String,
    /// That it is over.
    pub over: bool,
    /// How long after one none of its kind follows, milliseconds.
    pub quiet_ms: i64,
}

/// The alerts that were posted last.
#[derive(Debug)]
pub struct Board<S>(S);

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS alerts (key TEXT PRIMARY KEY, sent_at INTEGER NOT NULL) WITHOUT ROWID";

impl<S: Sql> Board<S> {
    /// On an object's SQLite.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(sql: S) -> Result<Self, SqlError> {
        sql.run(SCHEMA, &[])?;
        Ok(Self(sql))
    }

    /// Which are to be posted now, and notes that they are: of what is wrong, what was not posted lately; of what is
    /// over, what was posted and not yet told to be over.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn claim(&self, claims: &[Claim], now_ms: i64) -> Result<Vec<bool>, SqlError> {
        let mut all = Vec::with_capacity(claims.len());
        for claim in claims {
            let key = claim.key.as_str();
            let noted: Option<serde::de::IgnoredAny> = if claim.over {
                // A slash is followed by a zero.
                let after = format!("{}0", key.trim_end_matches('/'));
                self.0.first(
                    "DELETE FROM alerts WHERE key >= ?1 AND key < ?2 RETURNING key",
                    &[key.into(), after.into()],
                )?
            } else {
                self.0.first(
                    "INSERT INTO alerts (key, sent_at) VALUES (?1, ?2) \
                     ON CONFLICT (key) DO UPDATE SET sent_at = excluded.sent_at \
                         WHERE sent_at <= excluded.sent_at - ?3 RETURNING key",
                    &[key.into(), now_ms.into(), claim.quiet_ms.into()],
                )?
            };
            all.push(noted.is_some());
        }
        Ok(all)
    }

    /// Takes a claim back, where the alert did not get through: it may be posted at once.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn release(&self, claim: &Claim, now_ms: i64) -> Result<(), SqlError> {
        let key = claim.key.as_str();
        if claim.over {
            let note = "INSERT INTO alerts (key, sent_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            return self.0.run(note, &[key.into(), now_ms.into()]);
        }
        self.0
            .run("DELETE FROM alerts WHERE key = ?1", &[key.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Alert, QUIET_MS};
    use super::*;
    use crate::testing::{NOW, TestSql};

    fn alert(kind: &str, code: &str, site: &str) -> Alert {
        Alert {
            kind: kind.into(),
            site_id: site.into(),
            code: code.into(),
            over: false,
            text: "…".into(),
        }
    }

    fn asks(board: &Board<&TestSql>, alert: &Alert, at: i64) -> bool {
        board.claim(&[alert.claim(QUIET_MS)], at).unwrap() == [true]
    }

    #[test]
    fn of_a_kind_one_is_posted_in_ten_minutes_and_none_hushes_another() {
        let sql = TestSql::new();
        let board = Board::open(&sql).unwrap();
        let refused = alert("dead_letters", "sink_refused", "demo");
        assert!(asks(&board, &refused, NOW));
        // Another site, another code, another kind.
        assert!(asks(
            &board,
            &alert("dead_letters", "sink_refused", "other"),
            NOW
        ));
        assert!(asks(
            &board,
            &alert("dead_letters", "not_stored", "demo"),
            NOW
        ));
        assert!(asks(&board, &alert("backlog", "sink_refused", "demo"), NOW));
        assert!(!asks(&board, &refused, NOW + QUIET_MS - 1));
        assert!(asks(&board, &refused, NOW + QUIET_MS));
        assert!(!asks(&board, &refused, NOW + QUIET_MS + 1));
        // One that did not get through is no reason to be quiet.
        board.release(&refused.claim(QUIET_MS), NOW).unwrap();
        assert!(asks(&board, &refused, NOW + QUIET_MS + 2));
    }

    #[test]
    fn what_is_over_is_told_once_and_only_after_it_was_told() {
        let sql = TestSql::new();
        let board = Board::open(&sql).unwrap();
        let begun = alert("d1_writes", "refused", "_shoreline");
        // Whatever its code is by then.
        let over = Alert {
            over: true,
            code: "other".into(),
            ..begun.clone()
        };
        assert!(asks(
            &board,
            &alert("d1_writes0", "refused", "_shoreline"),
            NOW
        ));
        assert!(!asks(&board, &over, NOW));
        assert!(asks(&board, &begun, NOW));
        assert!(asks(&board, &over, NOW + 1));
        assert!(!asks(&board, &over, NOW + 2));
        // It begins anew, however soon.
        assert!(asks(&board, &begun, NOW + 3));
        // That it is over did not get through: it is told again.
        assert!(asks(&board, &over, NOW + 4));
        board.release(&over.claim(QUIET_MS), NOW + 4).unwrap();
        assert!(asks(&board, &over, NOW + 5));
    }

    #[test]
    fn several_are_asked_for_at_once() {
        let sql = TestSql::new();
        let board = Board::open(&sql).unwrap();
        let claims: Vec<Claim> = ["a", "b"]
            .map(|kind| alert(kind, "x", "demo").claim(QUIET_MS))
            .to_vec();
        assert_eq!(board.claim(&claims[..1], NOW).unwrap(), [true]);
        assert_eq!(board.claim(&claims, NOW + 1).unwrap(), [false, true]);
    }
}
