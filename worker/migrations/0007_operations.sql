-- Shoreline's own calls, counted from its operation events. le_N: as many as took at most N
-- milliseconds; n: all of them.

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
