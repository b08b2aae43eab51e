CREATE TABLE sites (site_id TEXT PRIMARY KEY, origins TEXT NOT NULL);
CREATE TABLE keys (key_hash TEXT PRIMARY KEY, site_id TEXT NOT NULL, kind TEXT NOT NULL);
CREATE TABLE events (event_id TEXT PRIMARY KEY, site_id TEXT NOT NULL, event_type TEXT NOT NULL, user_id TEXT NOT NULL, session_id TEXT NOT NULL, received_at INTEGER NOT NULL, event TEXT NOT NULL);
CREATE INDEX events_by_time ON events (site_id, received_at);
