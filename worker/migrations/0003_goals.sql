-- What sites say of questions (docs/API.md, "Goals").

-- Goals of sites: a name, and a filter (JSON, as the query call takes it) that says which events are conversions.
CREATE TABLE goals (
  goal_id    TEXT PRIMARY KEY,             -- a UUIDv7, so they are listed in the order in which they were made
  site_id    TEXT NOT NULL REFERENCES sites (site_id),
  name       TEXT NOT NULL,
  filter     TEXT NOT NULL,
  created_at INTEGER NOT NULL,             -- Unix milliseconds
  UNIQUE (site_id, name)
);
