-- Read models of the dashboard's metrics, by when an event happened (timestamp), UTC. Filled in the
-- transaction that stores the events. A day is a number: days since 1970-01-01. Users and sessions
-- are keyed hashes, never ids.

-- What the read models count of an event, so that they can be counted again from the events.
ALTER TABLE events ADD COLUMN at INTEGER;   -- timestamp, Unix milliseconds
ALTER TABLE events ADD COLUMN facts TEXT;   -- JSON array, see worker/src/counted.rs
CREATE INDEX events_by_at ON events (site_id, at);

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

-- Who had a key on a day, and how many days before that last.
CREATE TABLE members (
  site_id   TEXT NOT NULL,
  dim       TEXT NOT NULL,
  key       TEXT NOT NULL,
  user_hash TEXT NOT NULL,
  day       INTEGER NOT NULL,
  gap       INTEGER NOT NULL,               -- 0: never before · 367: more than a year before · -1: in work
  PRIMARY KEY (site_id, dim, key, user_hash, day)
) WITHOUT ROWID;

-- How many members have which gap. Distinct users of the days a..b are the sum of n over the rows of
-- these days whose gap is 0 or reaches back before a: exact, and the same work for any number of users.
CREATE TABLE member_gaps (
  site_id TEXT NOT NULL,
  dim     TEXT NOT NULL,
  day     INTEGER NOT NULL,
  key     TEXT NOT NULL,
  gap     INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (site_id, dim, day, key, gap)
) WITHOUT ROWID;

-- Users ever seen, anonymous day-scoped ids not among them.
CREATE TABLE users (
  site_id       TEXT NOT NULL,
  user_hash     TEXT NOT NULL,
  first_at      INTEGER NOT NULL,
  registered_at INTEGER,                    -- first registration event, where there was one
  PRIMARY KEY (site_id, user_hash)
) WITHOUT ROWID;
CREATE INDEX users_by_first ON users (site_id, first_at);

CREATE TABLE user_days (
  site_id    TEXT NOT NULL,
  day        INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  signups    INTEGER NOT NULL,
  PRIMARY KEY (site_id, day)
) WITHOUT ROWID;

CREATE TABLE sessions (
  site_id      TEXT NOT NULL,
  session_hash TEXT NOT NULL,
  first_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  events       INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,            -- last receipt: what pruning goes by
  PRIMARY KEY (site_id, session_hash)
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

-- Days with events of erased users: these tell less than was counted, so nothing is mended by them.
CREATE TABLE erased_days (
  site_id TEXT NOT NULL,
  day     INTEGER NOT NULL,
  PRIMARY KEY (site_id, day)
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
