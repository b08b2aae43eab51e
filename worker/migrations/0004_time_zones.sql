-- The time zone of a site: an IANA name, whose clocks dates and days of questions are of (docs/API.md, "Any question").
-- NULL is UTC.
ALTER TABLE sites ADD COLUMN time_zone TEXT;
