//! What an archive knows beside events and people: duplicates, who is forgotten, days that are not whole, what landed.

use super::{SLICE_ROWS, Slice, hash_of, more};
use crate::archive::home::home;
use crate::base::sql::{Cell, Param, Sql, SqlError};

impl Slice {
    pub(super) fn duplicates(
        &mut self,
        sql: &impl Sql,
        after: &Cell,
    ) -> Result<Option<Cell>, SqlError> {
        let from = match after {
            Cell::Text(text) => text.as_str(),
            _ => r#"["",0]"#,
        };
        let rows: Vec<[Cell; 5]> = sql.cells(
            "SELECT log, row, at, ids, json_array(log, row) FROM duplicates \
             WHERE (log, row) > (?1->>0, ?1->>1) ORDER BY log, row LIMIT ?2",
            &[from.into(), SLICE_ROWS.into()],
        )?;
        for [log, row, at, ids, _] in &rows {
            let row = vec![log.clone(), row.clone(), at.clone(), ids.clone()];
            self.push(self.heir(), row);
        }
        Ok(more(&rows, SLICE_ROWS, |[.., key]| key.clone()))
    }

    pub(super) fn erased(
        &mut self,
        sql: &impl Sql,
        after: &Cell,
    ) -> Result<Option<Cell>, SqlError> {
        let rows: Vec<[Cell; 3]> = sql.cells(
            "SELECT user, alias_key, erased_at FROM erased WHERE user > ?1 ORDER BY user LIMIT ?2",
            &[Param::Blob(after.bytes().to_vec()), SLICE_ROWS.into()],
        )?;
        for row in &rows {
            let home = home(hash_of(&row[0]), self.archives);
            self.push(home, row.to_vec());
        }
        Ok(more(&rows, SLICE_ROWS, |[user, ..]| user.clone()))
    }

    pub(super) fn days(&mut self, sql: &impl Sql) -> Result<Option<Cell>, SqlError> {
        let rows: Vec<[Cell; 3]> = sql.cells(
            "SELECT (SELECT json_group_array(day) FROM erased_days), \
             (SELECT json_group_array(day) FROM pruned_days), \
             (SELECT kept_from FROM pruned)",
            &[],
        )?;
        for row in rows {
            self.push_all(&row.to_vec());
        }
        Ok(None)
    }

    pub(super) fn landed(&mut self, sql: &impl Sql) -> Result<Option<Cell>, SqlError> {
        let rows: Vec<[Cell; 4]> = sql.cells(
            "SELECT (SELECT json_group_array(json_array(hour, n)) FROM landed), landed_events, \
             landed_objects, (SELECT json_group_array(json_array(sink, landed_events, \
             landed_objects, refused_events, refused_code)) FROM sinks) FROM shard",
            &[],
        )?;
        for row in rows {
            self.push(self.heir(), row.to_vec());
        }
        Ok(None)
    }
}
