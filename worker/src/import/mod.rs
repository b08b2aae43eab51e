//! Imports: files of JSON lines, uploaded in parts, walked in bounded steps.
//!
//! A part lies in the bucket as it was sent. `import_do` reads it a piece at a time by a byte cursor,
//! sends each piece's lines through the stages of any event, commits them to the site's log, and
//! only then moves the cursor. A step that is repeated makes the same ids, so that it changes nothing:
//! neither does the same file, sent twice.
//!
//! - [`lines`](self): a piece cut into lines, none of them over 32 KiB kept.
//! - step: lines made into drafts with ids. - store: the cursor, on the object's SQLite.
//! - turn: what is done next, over a [`World`] of a bucket and the site's shards.

mod answer;
mod lines;
mod registry;
mod request;
mod schema;
mod step;
mod store;
mod turn;

pub use answer::{Bytes, Parts, Progress, RejectedLine};
pub use registry::{ImportRow, forget_import, list_imports, register_import};
pub use request::{
    Call, Created, FIELDS, PartNumber, TakenPart, check_grant, check_part, id_of_key, import_id,
    new_import, part_number,
};
pub use store::{Added, ImportStore, NewImport, UploadedPart};
pub use turn::{Place, Trouble, Turn, World, told, turn};

/// Bytes of a part at most: 64 MiB, well below the 100 MB that the platform takes in one request on
/// its smaller plans.
pub const MAX_PART_BYTES: u64 = 64 * 1024 * 1024;

/// Parts of an import at most: 640 GB, and four digits for a name.
pub const MAX_PARTS: u32 = 9_999;

/// Bytes read at once: 1 MiB, about 2,500 lines. All that is made of them (values, stored events, the
/// call to the log) stays around 20 MB, in an isolate of 128 MB that others share.
pub const STEP_BYTES: u64 = 1024 * 1024;

/// Lines taken at once: a megabyte of `{}` is 350,000 lines, each with a result of its own.
pub const STEP_LINES: usize = 4_000;

/// Bytes of a line at most, its end not counted: an event's 32 KiB, and a carriage return.
pub const MAX_LINE_BYTES: usize = shoreline_shared::limits::MAX_EVENT_BYTES + 1;

/// Refused lines that the answer lists.
pub const MAX_LISTED_LINES: i64 = 100;

/// How long a step waits after something failed, in milliseconds.
pub const RETRY_MS: i64 = 2_000;

/// How often an import looks whether its last events have been stored, in milliseconds.
pub const SETTLE_MS: i64 = 500;

/// An import that nobody uploads to is closed after a week.
pub const IDLE_MS: i64 = 7 * 24 * crate::base::time::HOUR_MS;

/// What is known of an import, its refused lines among it, is kept for 30 days after its end.
pub const KEEP_MS: i64 = 30 * 24 * crate::base::time::HOUR_MS;

/// The source of an event that names none.
pub const IMPORT_SOURCE: &str = "import";

#[cfg(test)]
mod tests;
