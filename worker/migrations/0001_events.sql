-- Sites and their keys. A key is stored as the SHA-256 of it, never as itself.
CREATE TABLE sites (
  site_id      TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  origins      TEXT NOT NULL,              -- JSON array of origin patterns
  hash_routing INTEGER NOT NULL DEFAULT 0, -- 1: fragments of URLs are routes, and kept
  created_at   INTEGER NOT NULL
);

CREATE TABLE keys (
  key_hash   TEXT PRIMARY KEY,             -- SHA-256 of the whole key, lowercase hex
  site_id    TEXT NOT NULL REFERENCES sites (site_id),
  kind       TEXT NOT NULL CHECK (kind IN ('browser', 'source', 'read')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
);

-- The shards that have ever taken a batch: what the cron wakes.
CREATE TABLE shards (
  site_id TEXT NOT NULL,
  shard   INTEGER NOT NULL,
  PRIMARY KEY (site_id, shard)
) WITHOUT ROWID;

-- Who brought an event first, for ever: the part owns it in the lake, the attempt rolled it up.
-- Apart from the events, because it outlives them: deduplication reaches back further.
CREATE TABLE event_ids (
  site_id     TEXT NOT NULL,
  event_id    TEXT NOT NULL,
  part_id     TEXT NOT NULL,
  attempt     TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (site_id, event_id)
) WITHOUT ROWID;

-- The stored events, as they are landed; the columns beside body are for looking them up.
CREATE TABLE events (
  site_id     TEXT NOT NULL,
  event_id    TEXT NOT NULL,
  event_type  TEXT NOT NULL,
  user_id     TEXT,
  received_at INTEGER NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX events_by_time ON events (site_id, received_at DESC, event_id DESC);
CREATE INDEX events_by_type ON events (site_id, event_type, received_at DESC, event_id DESC);
CREATE INDEX events_by_user ON events (site_id, user_id, received_at DESC, event_id DESC)
  WHERE user_id IS NOT NULL;

-- Rollups: exact, filled in the transaction that stores the events.
CREATE TABLE minute_counts (
  site_id    TEXT NOT NULL,
  minute     INTEGER NOT NULL,             -- start, Unix milliseconds, by received_at
  event_type TEXT NOT NULL,
  source     TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, minute, event_type, source)
) WITHOUT ROWID;

CREATE TABLE daily_counts (
  site_id    TEXT NOT NULL,
  date       TEXT NOT NULL,                -- YYYY-MM-DD, UTC, by received_at
  event_type TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, date, event_type)
) WITHOUT ROWID;
