//! Every limit of the wire, with its unit and where it comes from.

/// Events in one batch at most. A tracker sends 25; this leaves room for servers that batch more,
/// and bounds what one request can ask of a site's Durable Object.
pub const MAX_EVENTS_PER_BATCH: usize = 100;

/// Bytes of a batch at most, after decoding: 512 KiB. A hundred events of usual size are a tenth
/// of it; a tracker's batch ([`TRACKER_BATCH_BYTES`]) always fits.
pub const MAX_BATCH_BYTES: usize = 512 * 1024;

/// Events in a tracker's batch: 25, the batch of the system that Shoreline replaces.
pub const TRACKER_BATCH_EVENTS: usize = 25;

/// Bytes of a tracker's batch: 48 KiB. Browsers allow requests that outlive their page (`keepalive`,
/// `sendBeacon`) 64 KiB in all; a quarter is left to the page's own.
pub const TRACKER_BATCH_BYTES: usize = 48 * 1024;

/// Milliseconds a tracker's event waits for others at most: 5 seconds, likewise from before.
pub const TRACKER_FLUSH_MS: u64 = 5_000;

/// Bytes of one event's JSON text at most: 32 KiB. A long stack trace fits several times over, and
/// one event with its envelope fits a tracker's batch.
pub const MAX_EVENT_BYTES: usize = 32 * 1024;

/// Levels of nesting at most; the event itself is level 1, `eventData` and `metadata` level 2.
/// Deeper than any real event, and shallow enough to be walked by recursion.
pub const MAX_DEPTH: usize = 16;

/// Keys in one object at most. Bounds the columns that a lake's reader has to expect.
pub const MAX_KEYS: usize = 256;

/// Characters (Unicode scalar values) of a string at most, keys included; the rest is cut.
pub const MAX_STRING_CHARS: usize = 1_000;

/// Items of an array at most; the rest is cut.
pub const MAX_ARRAY_ITEMS: usize = 100;

/// Characters of the name of a domain event type at most: room for `com.example.order.v1`, and
/// short enough for a key of live counts.
pub const MAX_EVENT_TYPE_CHARS: usize = 100;

/// Addresses kept of a list such as `X-Forwarded-For`: more proxies than a request passes.
pub const MAX_LISTED_IPS: usize = 8;

/// Milliseconds that a timestamp may lie ahead of the edge's clock: 24 hours, so that a clock set
/// to the wrong side of the date line does no harm.
pub const MAX_FUTURE_MS: i64 = 24 * 60 * 60 * 1000;

/// The earliest timestamp there is, Unix milliseconds: 0000-01-01T00:00:00Z, the first moment that
/// RFC 3339 can write. An import that takes any past time stops here.
pub const MIN_TIMESTAMP_MS: i64 = -62_167_219_200_000;

/// The version of the stored event's form, `schemaVersion`.
pub const SCHEMA_VERSION: u32 = 1;

/// Days that raw events are kept where a deployment does not say, and so how old a timestamp may be.
pub const DEFAULT_RETENTION_DAYS: u32 = 30;

/// Milliseconds of the first wait before a batch is sent again.
pub const RETRY_BASE_MS: u64 = 1_000;

/// Milliseconds between two tries at most: 30 minutes. A collector that was down for a day gets
/// each visitor's backlog within half an hour of its return.
pub const RETRY_MAX_MS: u64 = 30 * 60 * 1000;
