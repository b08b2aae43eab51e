-- Shared links of sites (docs/API.md, "Shared links"). A token is stored as the SHA-256 of it, never as itself.
CREATE TABLE links (
  link_id       TEXT PRIMARY KEY,          -- the head of the token's hash
  token_hash    TEXT NOT NULL,             -- SHA-256 of the whole token, lowercase hex
  site_id       TEXT NOT NULL REFERENCES sites (site_id),
  name          TEXT NOT NULL,
  views         TEXT NOT NULL,             -- JSON array of views of the dashboard
  filters       TEXT,                      -- JSON, as the query call takes it: what everything is narrowed to
  password_hash TEXT,                      -- SHA-256 of the token and the password
  origins       TEXT NOT NULL,             -- JSON array of patterns: whose pages may frame it
  created_at    INTEGER NOT NULL,          -- Unix milliseconds
  expires_at    INTEGER
);
CREATE INDEX links_by_site ON links (site_id);
