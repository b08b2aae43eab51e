-- Events by hour of receipt, as minute_counts has them by minute: a summary of days reads an hour's row
-- where it read sixty. Filled in the same transaction, and held against minute_counts every hour.
CREATE TABLE hour_counts (
  site_id    TEXT NOT NULL,
  hour       INTEGER NOT NULL,             -- start, Unix milliseconds, by received_at
  event_type TEXT NOT NULL,
  source     TEXT NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (site_id, hour, event_type, source)
) WITHOUT ROWID;

INSERT INTO hour_counts (site_id, hour, event_type, source, n)
SELECT site_id, minute - minute % 3600000, event_type, source, sum(n) FROM minute_counts
GROUP BY 1, 2, 3, 4;
