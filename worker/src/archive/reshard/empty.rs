//! An archive that is none of the site's any more, or never was: what it holds is deleted.

use crate::base::sql::{Cell, Sql, SqlError};

/// Segments that a step deletes: some 10 MB of pages that SQLite gives back.
const MAX_SEGMENTS: i64 = 200;

/// Bytes of their lines, before these were packed.
const MAX_BYTES: i64 = 100_000_000;

/// All tables of an archive but `segments`, which is emptied first, and those in [`KEPT`].
pub(super) const EMPTIED: [&str; 26] = [
    "logs",
    "duplicates",
    "erased",
    "ids_0",
    "ids_1",
    "generation",
    "pending",
    "people",
    "sessions",
    "visitors",
    "keys",
    "day_keys",
    "erasing",
    "erased_days",
    "pruned",
    "pruned_days",
    "compacting",
    "objects",
    "deliveries",
    "refusals",
    "landed",
    "open_hours",
    "giving",
    "session_homes",
    "taken",
    "parts",
];

/// Tables that tell what the archive is, and what the site has, of a row or a few; the object still looks into them.
#[cfg(test)]
pub(super) const KEPT: [&str; 7] = [
    "spread", "reshard", "place", "folded", "shard", "backlog", "sinks",
];

/// Deletes some of it; whether there is more.
pub(in crate::archive) fn empty(sql: &impl Sql) -> Result<bool, SqlError> {
    let sizes: Vec<[Cell; 2]> = sql.cells(
        "SELECT seq, bytes FROM segments ORDER BY seq LIMIT ?1",
        &[MAX_SEGMENTS.into()],
    )?;
    let mut sum = 0_i64;
    let fits = |row: &&[Cell; 2]| {
        let is_first = sum == 0;
        sum = sum.saturating_add(row[1].int().max(1));
        is_first || sum <= MAX_BYTES
    };
    if let Some([last, _]) = sizes.iter().take_while(fits).last() {
        sql.run("DELETE FROM segments WHERE seq <= ?1", &[last.int().into()])?;
        return Ok(true);
    }
    sql.transaction(&mut || {
        for table in EMPTIED {
            // Without a condition SQLite forgets the pages of a table, and reads no row.
            sql.run(&format!("DELETE FROM {table}"), &[])?;
        }
        sql.run("DROP INDEX IF EXISTS keys_id", &[])
    })?;
    Ok(false)
}

/// Forgets how far the giving was, of an archive that goes on.
pub(in crate::archive) fn forget_giving(sql: &impl Sql) -> Result<(), SqlError> {
    for statement in [
        "DELETE FROM giving",
        "DELETE FROM session_homes",
        "DROP INDEX IF EXISTS keys_id",
    ] {
        sql.run(statement, &[])?;
    }
    Ok(())
}
