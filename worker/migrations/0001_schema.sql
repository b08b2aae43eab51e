-- D1 holds what is small for ever: sites, keys, sums, jobs. Events, users and sessions are in the archives
-- (docs/ARCHIVE.md), one Durable Object per site and shard.

-- Sites and their keys. A key is stored as the SHA-256 of it, never as itself. What a site allows: NULL is the
-- deployment's default (worker/src/config.rs).
CREATE TABLE sites (
  site_id            TEXT PRIMARY KEY,
  name               TEXT NOT NULL,
  origins            TEXT NOT NULL,              -- JSON array of origin patterns
  hash_routing       INTEGER NOT NULL DEFAULT 0, -- 1: fragments of URLs are routes, and kept
  created_at         INTEGER NOT NULL,
  domain             TEXT,                       -- what Plausible's script calls the site
  visitor_per_minute INTEGER,                    -- events of one visitor a minute
  hourly_quota       INTEGER,                    -- events of the whole site an hour
  keep_bots          INTEGER NOT NULL DEFAULT 0,
  retention_days     INTEGER,                    -- days for which events are kept
  -- When the entry that KV keeps of a site or a key (worker/src/access/grants/entry.rs) is to be written once more,
  -- Unix milliseconds; NULL: it says what this row says. What was never written is due at once.
  grant_due          INTEGER DEFAULT 0
);
CREATE UNIQUE INDEX sites_by_domain ON sites (domain) WHERE domain IS NOT NULL;
-- The cron looks every minute, and mostly for nothing.
CREATE INDEX sites_by_grant_due ON sites (grant_due) WHERE grant_due IS NOT NULL;

CREATE TABLE keys (
  key_hash   TEXT PRIMARY KEY,             -- SHA-256 of the whole key, lowercase hex
  site_id    TEXT NOT NULL REFERENCES sites (site_id),
  kind       TEXT NOT NULL CHECK (kind IN ('browser', 'source', 'read')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  grant_due  INTEGER DEFAULT 0             -- as of a site
);
CREATE INDEX keys_by_grant_due ON keys (grant_due) WHERE grant_due IS NOT NULL;

-- The shards that have ever taken a batch: what the cron wakes.
CREATE TABLE shards (
  site_id TEXT NOT NULL,
  shard   INTEGER NOT NULL,
  PRIMARY KEY (site_id, shard)
) WITHOUT ROWID;

-- Which fold of each archive was taken last: the sums below hold what the folds up to it brought, once. The
-- epoch is when the archive's storage was made, Unix milliseconds; one that was lost and made anew begins at
-- fold 1 of a later epoch (worker/src/archive/fold/statements.rs).
CREATE TABLE archives (
  site_id TEXT NOT NULL,
  shard   INTEGER NOT NULL,
  epoch   INTEGER NOT NULL,
  fold    INTEGER NOT NULL,
  PRIMARY KEY (site_id, shard)
) WITHOUT ROWID;

-- Sums: exact, additive, filled by the folds of the archives. A day is a number: days since 1970-01-01.

-- Events by minute of receipt.
CREATE TABLE minute_counts (
  site_id    TEXT NOT NULL,
  minute     INTEGER NOT NULL,             -- start, Unix milliseconds, by received_at
  event_type TEXT NOT NULL,
  source     TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, minute, event_type, source)
) WITHOUT ROWID;

-- As minute_counts has them by minute: a summary of days reads an hour's row where it read sixty. Filled in the
-- same transaction, and held against minute_counts every hour.
CREATE TABLE hour_counts (
  site_id    TEXT NOT NULL,
  hour       INTEGER NOT NULL,             -- start, Unix milliseconds, by received_at
  event_type TEXT NOT NULL,
  source     TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, hour, event_type, source)
) WITHOUT ROWID;

CREATE TABLE daily_counts (
  site_id    TEXT NOT NULL,
  date       TEXT NOT NULL,                -- YYYY-MM-DD, UTC, by received_at
  event_type TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, date, event_type)
) WITHOUT ROWID;

-- The others are by when an event happened (timestamp), UTC.

-- Events by day and what they have in a dimension (page, browser, feature, …).
CREATE TABLE breakdowns (
  site_id TEXT NOT NULL,
  dim     TEXT NOT NULL,
  day     INTEGER NOT NULL,
  key     TEXT NOT NULL,
  events  INTEGER NOT NULL,
  a       INTEGER NOT NULL,                 -- feature: milliseconds · model: tokens
  b       INTEGER NOT NULL,                 -- feature: uses with a duration · model: cost in millionths
  PRIMARY KEY (site_id, dim, day, key)
) WITHOUT ROWID;

-- How many users had a key on a day, by how many days before that they had it last (gap; 0: never before ·
-- 367: more than a year before). Distinct users of the days a..b are the sum of n over the rows of these days
-- whose gap is 0 or reaches back before a: exact, and the same work for any number of users.
CREATE TABLE member_gaps (
  site_id TEXT NOT NULL,
  dim     TEXT NOT NULL,
  day     INTEGER NOT NULL,
  key     TEXT NOT NULL,
  gap     INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (site_id, dim, day, key, gap)
) WITHOUT ROWID;

-- Users by the day of their first event, and by that of their registration, else of their first event.
CREATE TABLE user_days (
  site_id    TEXT NOT NULL,
  day        INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  signups    INTEGER NOT NULL,
  PRIMARY KEY (site_id, day)
) WITHOUT ROWID;

-- Sessions by the day they began, with the sum of their durations.
CREATE TABLE session_days (
  site_id     TEXT NOT NULL,
  day         INTEGER NOT NULL,
  sessions    INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (site_id, day)
) WITHOUT ROWID;

-- Domain events by hour (start, Unix milliseconds) and eventData.status.
CREATE TABLE domain_hours (
  site_id    TEXT NOT NULL,
  hour       INTEGER NOT NULL,
  event_type TEXT NOT NULL,
  status     TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, hour, event_type, status)
) WITHOUT ROWID;

-- Users to be forgotten: what of theirs was received before goes nameless wherever it turns up.
CREATE TABLE erasures (
  site_id   TEXT NOT NULL,
  user_hash TEXT NOT NULL,
  erased_at INTEGER NOT NULL,
  alias_key TEXT NOT NULL,                  -- random: makes the ids that stand for theirs
  PRIMARY KEY (site_id, user_hash)
) WITHOUT ROWID;

-- Where the hourly recount found a read model to differ from the events.
CREATE TABLE repairs (
  id          INTEGER PRIMARY KEY,
  repaired_at INTEGER NOT NULL,
  site_id     TEXT NOT NULL,
  day         INTEGER NOT NULL,
  model       TEXT NOT NULL,
  key         TEXT NOT NULL,
  was         INTEGER NOT NULL,
  is_now      INTEGER NOT NULL
);

-- How far a job of the cron has come.
CREATE TABLE jobs (
  job      TEXT PRIMARY KEY,
  done_for INTEGER NOT NULL,                -- the hour (start, Unix milliseconds) it last finished
  cursor   TEXT NOT NULL                    -- where it goes on within the hour; '' at the beginning
) WITHOUT ROWID;

-- Parts (rows of logs) that could not be stored though everything else could. Their events are in the bucket, under
-- object_key; a replay that succeeds deletes both.
CREATE TABLE dead_letters (
  site_id    TEXT NOT NULL,
  part_id    TEXT NOT NULL,
  shard      INTEGER NOT NULL,
  code       TEXT NOT NULL,
  detail     TEXT NOT NULL,               -- the archive's words, no user data
  received_at INTEGER NOT NULL,           -- of the part's events
  events     INTEGER NOT NULL,
  first_at   INTEGER NOT NULL,
  last_at    INTEGER NOT NULL,
  tries      INTEGER NOT NULL,
  object_key TEXT NOT NULL,
  PRIMARY KEY (site_id, part_id)
) WITHOUT ROWID;
CREATE INDEX dead_letters_by_time ON dead_letters (first_at, site_id, part_id);

-- Imports that are under way: what the cron wakes.
CREATE TABLE imports (
  site_id   TEXT NOT NULL,
  import_id TEXT NOT NULL,
  PRIMARY KEY (site_id, import_id)
) WITHOUT ROWID;

-- By the site whose key was shown ('' where it was none), start of the minute in which the call was
-- answered (Unix milliseconds), action and HTTP status. Kept for eight days.
CREATE TABLE operation_minutes (
  site_id     TEXT NOT NULL,
  minute      INTEGER NOT NULL,
  action      TEXT NOT NULL,
  status      INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,             -- sum
  le_1 INTEGER NOT NULL, le_2 INTEGER NOT NULL, le_5 INTEGER NOT NULL, le_10 INTEGER NOT NULL,
  le_20 INTEGER NOT NULL, le_50 INTEGER NOT NULL, le_100 INTEGER NOT NULL, le_200 INTEGER NOT NULL,
  le_500 INTEGER NOT NULL, le_1000 INTEGER NOT NULL, le_2000 INTEGER NOT NULL,
  le_5000 INTEGER NOT NULL, le_10000 INTEGER NOT NULL,
  PRIMARY KEY (site_id, minute, action, status)
) WITHOUT ROWID;
CREATE INDEX operation_minutes_by_minute ON operation_minutes (minute);

-- The same of all sites and times: what never goes down.
CREATE TABLE operation_totals (
  action      TEXT NOT NULL,
  status      INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  le_1 INTEGER NOT NULL, le_2 INTEGER NOT NULL, le_5 INTEGER NOT NULL, le_10 INTEGER NOT NULL,
  le_20 INTEGER NOT NULL, le_50 INTEGER NOT NULL, le_100 INTEGER NOT NULL, le_200 INTEGER NOT NULL,
  le_500 INTEGER NOT NULL, le_1000 INTEGER NOT NULL, le_2000 INTEGER NOT NULL,
  le_5000 INTEGER NOT NULL, le_10000 INTEGER NOT NULL,
  PRIMARY KEY (action, status)
) WITHOUT ROWID;

-- How the events that calls brought ended, as their senders were told.
CREATE TABLE operation_outcomes (
  outcome TEXT PRIMARY KEY,
  n       INTEGER NOT NULL
) WITHOUT ROWID;
