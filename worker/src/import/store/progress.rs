//! How far an import has come.

use serde::Deserialize;

use super::ImportStore;
use crate::base::sql::{Sql, SqlError};
use crate::import::{Bytes, MAX_LISTED_LINES, Parts, Progress, RejectedLine};
use crate::log::ImportState;

impl<S: Sql> ImportStore<S> {
    /// How far the import of this site has come; `told` is what the shards say of it as long as it is
    /// not finished.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn progress(&self, site: &str, told: ImportState) -> Result<Progress, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            import_id: String,
            declared: Option<i64>,
            started_at: i64,
            closed: i64,
            finished_at: Option<i64>,
            accepted: i64,
            duplicate: i64,
            rejected: i64,
            skipped: i64,
            seen_before: i64,
            parts: i64,
            parts_done: i64,
            bytes: i64,
            bytes_done: i64,
            lost: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT import_id, declared, started_at, closed, finished_at, accepted, duplicate, \
             rejected, skipped, seen_before, \
             (SELECT count(*) FROM parts) AS parts, \
             (SELECT count(*) FROM parts WHERE at >= bytes) AS parts_done, \
             (SELECT coalesce(sum(bytes), 0) FROM parts) AS bytes, \
             (SELECT coalesce(sum(at), 0) FROM parts) AS bytes_done, \
             (SELECT coalesce(sum(lost), 0) FROM parts) AS lost FROM import",
            &[],
        )?;
        let Some(row) = row else {
            return Err(SqlError("an import without its row".to_owned()));
        };
        let seen_before = match row.finished_at {
            Some(_) => row.seen_before,
            None => told.duplicate,
        }
        .min(row.accepted);
        let status = match (row.finished_at, row.closed) {
            (Some(_), _) if row.lost > 0 => "failed",
            (Some(_), _) => "finished",
            (None, 0) => "open",
            (None, _) => "processing",
        };
        let sum = |terms: [i64; 4]| terms.into_iter().fold(0_i64, i64::saturating_add);
        Ok(Progress {
            status: status.to_owned(),
            received: sum([row.accepted, row.duplicate, row.rejected, row.skipped]),
            processed: row.accepted.saturating_sub(seen_before),
            duplicate: row.duplicate.saturating_add(seen_before),
            rejected: row.rejected,
            skipped: row.skipped,
            failed: row.lost,
            started_at: row.started_at,
            finished_at: row.finished_at,
            parts: Parts {
                declared: row.declared,
                received: row.parts,
                processed: row.parts_done,
            },
            bytes: Bytes {
                received: row.bytes,
                processed: row.bytes_done,
            },
            rejected_lines: self.sql.rows(
                "SELECT part, line, code, field FROM rejected ORDER BY part, line",
                &[],
            )?,
            rejected_objects: format!("imports/{site}/{}/rejected-", row.import_id),
            import_id: row.import_id,
        })
    }

    /// Lists refused lines, as long as there is room.
    pub(super) fn list_rejected(&self, lines: &[RejectedLine]) -> Result<(), SqlError> {
        if lines.is_empty() {
            return Ok(());
        }
        let some: Vec<(i64, i64, &str, &str)> = lines
            .iter()
            .take(usize::try_from(MAX_LISTED_LINES).unwrap_or_default())
            .map(|line| {
                (
                    line.part,
                    line.line,
                    line.code.as_str(),
                    line.field.as_str(),
                )
            })
            .collect();
        self.sql.run(
            "INSERT INTO rejected (part, line, code, field) \
             SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?1) WHERE true \
             LIMIT max(0, ?2 - (SELECT count(*) FROM rejected)) ON CONFLICT DO NOTHING",
            &[
                serde_json::to_string(&some).unwrap_or_default().into(),
                MAX_LISTED_LINES.into(),
            ],
        )
    }
}
