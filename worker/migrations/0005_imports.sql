-- Imports that are under way: what the cron wakes.
CREATE TABLE imports (
  site_id   TEXT NOT NULL,
  import_id TEXT NOT NULL,
  PRIMARY KEY (site_id, import_id)
) WITHOUT ROWID;
