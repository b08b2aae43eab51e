//! A site's tickets, on the SQLite of its `live_do`.

use serde::de::IgnoredAny;

use super::socket::MAX_SOCKETS;
use super::ticket::TICKET_MS;
use crate::base::sql::{Sql, SqlError};

/// Tickets of a site that are not used at once: each of twice the sockets it may have. The oldest go.
const MAX_TICKETS: i64 = 1_000;

/// What becomes of a call for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It opens; its ticket is used up.
    Open,
    /// Its ticket is unknown, used or expired.
    Refused,
    /// There is no room for another; its ticket stays good.
    Full,
}

/// The tickets of one site.
#[derive(Debug)]
pub struct TicketStore<S>(S);

impl<S: Sql> TicketStore<S> {
    /// Opens the store, making its table where it is missing.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn create(sql: S) -> Result<Self, SqlError> {
        sql.run(
            "CREATE TABLE IF NOT EXISTS tickets (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, \
             expires_at INTEGER NOT NULL)",
            &[],
        )?;
        Ok(Self(sql))
    }

    /// Opens the store of an object that had a ticket before: made-up ones make nothing, whatever site
    /// they name.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn find(sql: S) -> Result<Option<Self>, SqlError> {
        let table: Option<IgnoredAny> = sql.first(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'tickets'",
            &[],
        )?;
        Ok(table.map(|_| Self(sql)))
    }

    /// Keeps the hash of a new ticket; returns when it expires.
    ///
    /// # Errors
    /// Whatever the database says; nothing was kept then.
    pub fn issue(&self, hash: &str, now_ms: i64) -> Result<i64, SqlError> {
        let expires_at = now_ms.saturating_add(TICKET_MS);
        self.0.transaction(&mut || {
            self.0.run(
                "DELETE FROM tickets WHERE expires_at <= ?1",
                &[now_ms.into()],
            )?;
            self.0.run(
                "INSERT INTO tickets (hash, expires_at) VALUES (?1, ?2)",
                &[hash.into(), expires_at.into()],
            )?;
            self.0.run(
                "DELETE FROM tickets WHERE id <= \
                 (SELECT id FROM tickets ORDER BY id DESC LIMIT 1 OFFSET ?1)",
                &[MAX_TICKETS.into()],
            )?;
            Ok(expires_at)
        })
    }

    /// Uses up a ticket for a stream beside the `sockets` there are.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(&self, hash: &str, sockets: usize, now_ms: i64) -> Result<Opening, SqlError> {
        let params = [hash.into(), now_ms.into()];
        if sockets >= MAX_SOCKETS {
            // Who has no ticket is not told how many streams there are.
            let good: Option<IgnoredAny> = self.0.first(
                "SELECT id FROM tickets WHERE hash = ?1 AND expires_at > ?2",
                &params,
            )?;
            return Ok(good.map_or(Opening::Refused, |_| Opening::Full));
        }
        let used: Option<IgnoredAny> = self.0.first(
            "DELETE FROM tickets WHERE hash = ?1 AND expires_at > ?2 RETURNING id",
            &params,
        )?;
        Ok(used.map_or(Opening::Refused, |_| Opening::Open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, TestSql};

    #[test]
    fn a_ticket_opens_one_stream_within_a_minute() {
        let sql = TestSql::new();
        let store = TicketStore::create(&sql).unwrap();
        assert_eq!(store.issue("a", NOW).unwrap(), NOW + 60_000);
        store.issue("b", NOW).unwrap();
        store.issue("c", NOW).unwrap();
        let open = |hash, at| store.open(hash, 0, at).unwrap();
        assert_eq!(open("x", NOW), Opening::Refused);
        assert_eq!(open("a", NOW + 1), Opening::Open);
        assert_eq!(open("a", NOW + 2), Opening::Refused, "used");
        assert_eq!(open("b", NOW + 59_999), Opening::Open);
        assert_eq!(open("c", NOW + 60_000), Opening::Refused, "expired");
        store.issue("d", NOW + 60_000).unwrap();
        assert_eq!(sql.number("SELECT count(*) FROM tickets"), 1);
    }

    #[test]
    fn a_full_site_says_so_to_tickets_alone_and_keeps_them() {
        let sql = TestSql::new();
        let store = TicketStore::create(&sql).unwrap();
        store.issue("a", NOW).unwrap();
        let open = |hash, sockets| store.open(hash, sockets, NOW).unwrap();
        assert_eq!(open("x", MAX_SOCKETS), Opening::Refused);
        assert_eq!(open("a", MAX_SOCKETS), Opening::Full);
        assert_eq!(open("a", MAX_SOCKETS - 1), Opening::Open);
    }

    #[test]
    fn the_oldest_of_too_many_go() {
        let sql = TestSql::new();
        let store = TicketStore::create(&sql).unwrap();
        for n in 0..=MAX_TICKETS {
            store.issue(&n.to_string(), NOW).unwrap();
        }
        assert_eq!(sql.number("SELECT count(*) FROM tickets"), MAX_TICKETS);
        assert_eq!(store.open("0", 0, NOW).unwrap(), Opening::Refused);
        assert_eq!(store.open("1", 0, NOW).unwrap(), Opening::Open);
    }

    #[test]
    fn a_made_up_ticket_makes_no_table() {
        let sql = TestSql::new();
        assert!(TicketStore::find(&sql).unwrap().is_none());
        assert_eq!(sql.number("SELECT count(*) FROM sqlite_master"), 0);
        TicketStore::create(&sql).unwrap();
        assert!(TicketStore::find(&sql).unwrap().is_some());
    }

    #[test]
    fn a_ticket_that_could_not_be_kept_is_not_kept() {
        for n in 1..=3 {
            let sql = TestSql::new();
            let store = TicketStore::create(&sql).unwrap();
            sql.fail_in(n);
            assert!(store.issue("a", NOW).is_err());
            assert_eq!(sql.number("SELECT count(*) FROM tickets"), 0, "{n}");
        }
    }
}
