-- When the entry that KV keeps of a site or a key (worker/src/grants/entry.rs) is to be written once more, Unix
-- milliseconds; NULL: it says what this row says. What was never written is due at once.
ALTER TABLE sites ADD COLUMN grant_due INTEGER DEFAULT 0;
ALTER TABLE keys ADD COLUMN grant_due INTEGER DEFAULT 0;

-- The cron looks every minute, and mostly for nothing.
CREATE INDEX sites_by_grant_due ON sites (grant_due) WHERE grant_due IS NOT NULL;
CREATE INDEX keys_by_grant_due ON keys (grant_due) WHERE grant_due IS NOT NULL;
