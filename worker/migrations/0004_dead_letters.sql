-- Parts that could not be stored though everything else could. Their events are in the bucket, under
-- object_key; a replay that succeeds deletes both.
CREATE TABLE dead_letters (
  site_id    TEXT NOT NULL,
  part_id    TEXT NOT NULL,
  shard      INTEGER NOT NULL,
  code       TEXT NOT NULL,
  detail     TEXT NOT NULL,               -- the database's words, no user data
  received_at INTEGER NOT NULL,           -- of the part's events
  events     INTEGER NOT NULL,
  first_at   INTEGER NOT NULL,
  last_at    INTEGER NOT NULL,
  tries      INTEGER NOT NULL,
  object_key TEXT NOT NULL,
  PRIMARY KEY (site_id, part_id)
) WITHOUT ROWID;
CREATE INDEX dead_letters_by_time ON dead_letters (first_at, site_id, part_id);

-- When an alert of a kind was sent last, so that it is sent once in ten minutes, whoever would send it.
CREATE TABLE alerts (
  kind    TEXT PRIMARY KEY,
  sent_at INTEGER NOT NULL
) WITHOUT ROWID;
