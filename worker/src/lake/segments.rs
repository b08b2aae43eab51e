//! The table of segments, which the archive appends to and the lake seals.

use serde::de::IgnoredAny;

use crate::base::sql::{Sql, SqlError};

/// Segments. What both open.
///
/// - `hour`: hours since 1970 of the events' `receivedAt`; `at`: when it was appended, or the last of them was
///   received where that is later, Unix milliseconds.
/// - `n`: how many events; `bytes`: of their lines before they were packed.
/// - `first_at`, `last_at`: when the earliest and the latest of them happened, Unix milliseconds.
/// - `landed`: 1 where the events came from the lake, which must not get them again; 2 where others became this
///   one, all of which had landed. To change a row writes its blobs again, so nothing else does.
/// - `columns`: what questions ask for; `more`: columns that few of them need; `lines`: the NDJSON as one gzip member.
///   They come last, so that what stands before each is read without it: SQLite follows a long value page by page.
pub(crate) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS segments (seq INTEGER PRIMARY KEY, hour INTEGER NOT NULL, \
     at INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL, first_at INTEGER NOT NULL, \
     last_at INTEGER NOT NULL, landed INTEGER NOT NULL DEFAULT 0, columns BLOB NOT NULL, \
     more BLOB NOT NULL DEFAULT x'', lines BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS segments_hour ON segments (hour, seq)",
];

/// A column that earlier versions of the worker did not make: an object that one of them opened first lacks it.
const MORE: &str = "ALTER TABLE segments ADD COLUMN more BLOB NOT NULL DEFAULT x''";

/// Makes the table, or adds what one of an earlier version lacks.
///
/// # Errors
/// Whatever the database says.
pub(super) fn open(sql: &impl Sql) -> Result<(), SqlError> {
    for statement in SCHEMA {
        sql.run(statement, &[])?;
    }
    let more = "SELECT name FROM pragma_table_info('segments') WHERE name = 'more'";
    match sql.first::<IgnoredAny>(more, &[])? {
        Some(_) => Ok(()),
        None => sql.run(MORE, &[]),
    }
}
