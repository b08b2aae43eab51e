//! The tables of one import.

/// `import` has one row. `closed`: no more parts come. `cleaned`: its uploads are deleted.
pub(super) const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS import (id INTEGER PRIMARY KEY CHECK (id = 1), \
     import_id TEXT NOT NULL, hash_routing INTEGER NOT NULL, declared INTEGER, \
     started_at INTEGER NOT NULL, touched_at INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0, \
     finished_at INTEGER, cleaned INTEGER NOT NULL DEFAULT 0, \
     accepted INTEGER NOT NULL DEFAULT 0, duplicate INTEGER NOT NULL DEFAULT 0, \
     rejected INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0, \
     seen_before INTEGER NOT NULL DEFAULT 0)",
    // at: the cursor, bytes. line and skipping: what it stands on. begun: a step of it may have been
    // committed.
    "CREATE TABLE IF NOT EXISTS parts (n INTEGER PRIMARY KEY, key TEXT NOT NULL, \
     bytes INTEGER NOT NULL, etag TEXT NOT NULL, begun INTEGER NOT NULL DEFAULT 0, \
     at INTEGER NOT NULL DEFAULT 0, line INTEGER NOT NULL DEFAULT 0, skipping INTEGER NOT NULL DEFAULT 0, \
     lost INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS rejected (part INTEGER NOT NULL, line INTEGER NOT NULL, \
     code TEXT NOT NULL, field TEXT NOT NULL, PRIMARY KEY (part, line)) WITHOUT ROWID",
    // The shards that its steps went to.
    "CREATE TABLE IF NOT EXISTS shards (shard INTEGER PRIMARY KEY)",
];

/// How often lines without an id of their own have come: for a million distinct lines about 50 MB,
/// dropped as soon as the last line is read.
pub(super) const LINES: &str = "CREATE TABLE IF NOT EXISTS line_counts (hash TEXT PRIMARY KEY, \
     n INTEGER NOT NULL) WITHOUT ROWID";

/// All tables, to be dropped when the import is forgotten.
pub(super) const DROP: [&str; 5] = [
    "DROP TABLE IF EXISTS line_counts",
    "DROP TABLE IF EXISTS shards",
    "DROP TABLE IF EXISTS rejected",
    "DROP TABLE IF EXISTS parts",
    "DROP TABLE IF EXISTS import",
];
