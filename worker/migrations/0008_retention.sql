-- Days for which a site's events are kept. NULL is the deployment's default (RETENTION_DAYS).
ALTER TABLE sites ADD COLUMN retention_days INTEGER;
