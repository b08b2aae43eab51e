-- What a site allows. NULL is the deployment's default (worker/src/config.rs).
ALTER TABLE sites ADD COLUMN domain TEXT;                -- what Plausible's script calls the site
ALTER TABLE sites ADD COLUMN visitor_per_minute INTEGER; -- events of one visitor a minute
ALTER TABLE sites ADD COLUMN hourly_quota INTEGER;       -- events of the whole site an hour
ALTER TABLE sites ADD COLUMN keep_bots INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX sites_by_domain ON sites (domain) WHERE domain IS NOT NULL;
