-- How many archives a site has, and of which generation they are (docs/ARCHIVE.md): a copy of what its first archive
-- keeps, for the case that this one is lost.
CREATE TABLE spreads (
  site_id    TEXT PRIMARY KEY,
  archives   INTEGER NOT NULL,
  generation INTEGER NOT NULL
) WITHOUT ROWID;
