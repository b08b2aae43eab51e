//! The key of day-scoped visitor ids: one a day (UTC), made at random, deleted when the day is over.

use serde::{Deserialize, Serialize};

use crate::base::hash::hex;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::day_of;

/// The answer of the object that keeps the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayKey {
    /// Days since 1970.
    pub day: i64,
    /// 32 bytes in hex.
    pub key: String,
}

impl DayKey {
    /// The key's bytes; `None` for what is no key.
    pub fn bytes(&self) -> Option<[u8; 32]> {
        let bytes: Vec<u8> = self
            .key
            .as_bytes()
            .chunks(2)
            .map(|pair| {
                let pair = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(pair, 16).ok()
            })
            .collect::<Option<_>>()?;
        bytes.try_into().ok()
    }
}

/// The store of the one object that keeps the key.
#[derive(Debug)]
pub struct DayKeys<S>(S);

impl<S: Sql> DayKeys<S> {
    /// Opens the store.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(sql: S) -> Result<Self, SqlError> {
        sql.run(
            "CREATE TABLE IF NOT EXISTS day_keys (day INTEGER PRIMARY KEY, key TEXT NOT NULL)",
            &[],
        )?;
        Ok(Self(sql))
    }

    /// The key of the day of `now_ms`; the first call of a day makes it from `random`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn today(&self, now_ms: i64, random: &[u8; 32]) -> Result<DayKey, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            key: String,
        }
        let day = day_of(now_ms);
        self.forget_before(now_ms)?;
        self.0.run(
            "INSERT INTO day_keys (day, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            &[day.into(), hex(random).into()],
        )?;
        self.0
            .first::<Row>("SELECT key FROM day_keys WHERE day = ?1", &[day.into()])?
            .map(|row| DayKey { day, key: row.key })
            .ok_or_else(|| SqlError("the day's key is missing".to_owned()))
    }

    /// Deletes the keys of the days before that of `now_ms`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn forget_before(&self, now_ms: i64) -> Result<(), SqlError> {
        self.0.run(
            "DELETE FROM day_keys WHERE day < ?1",
            &[day_of(now_ms).into()],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::midnight_after;
    use crate::testing::{NOW, TestSql};

    #[test]
    fn a_day_has_one_key_and_the_next_day_another() {
        let sql = TestSql::new();
        let keys = DayKeys::open(&sql).unwrap();
        let first = keys.today(NOW, &[0xab; 32]).unwrap();
        assert_eq!(first.bytes(), Some([0xab; 32]));
        // Another instance, other random bytes, the same day.
        let keys = DayKeys::open(&sql).unwrap();
        let end = midnight_after(NOW) - 1;
        assert_eq!(keys.today(end, &[0xcd; 32]).unwrap(), first);
        let next = keys.today(end + 1, &[0xcd; 32]).unwrap();
        assert_eq!(next.bytes(), Some([0xcd; 32]));
        assert_eq!(sql.number("SELECT count(*) FROM day_keys"), 1);
    }

    #[test]
    fn the_key_is_deleted_at_midnight_whether_anybody_asks_or_not() {
        let sql = TestSql::new();
        let keys = DayKeys::open(&sql).unwrap();
        keys.today(NOW, &[1; 32]).unwrap();
        keys.forget_before(midnight_after(NOW) - 1).unwrap();
        assert_eq!(sql.number("SELECT count(*) FROM day_keys"), 1);
        keys.forget_before(midnight_after(NOW)).unwrap();
        assert_eq!(sql.number("SELECT count(*) FROM day_keys"), 0);
    }

    #[test]
    fn what_is_no_key_is_none() {
        for bad in ["", "ab", "zz", &"é".repeat(32), &"ab".repeat(33)] {
            let key = bad.into();
            assert_eq!(DayKey { day: 1, key }.bytes(), None);
        }
    }
}
