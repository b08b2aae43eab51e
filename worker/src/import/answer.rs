//! What the owner of an import is told of it.

use serde::{Deserialize, Serialize};

/// The body of `GET /v1/imports/{id}`. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ImportProgress))]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The import.
    pub import_id: String,
    /// `open`: takes parts. `processing`: closed, and not all of it stored yet. `finished`. `failed`:
    /// finished, but for parts that could not be read.
    #[cfg_attr(test, schema(pattern = "^(open|processing|finished|failed)$"))]
    pub status: String,
    /// Lines walked so far, blank ones left out: the sum of the four below.
    pub received: i64,
    /// Events that are durable, as far as is known not seen before.
    pub processed: i64,
    /// Events that were brought before, by this import or anything else; counted as stored.
    pub duplicate: i64,
    /// Lines that are refused.
    pub rejected: i64,
    /// Lines that are left out on purpose: of a shape that nothing knows, or spam.
    pub skipped: i64,
    /// Parts that were gone from the bucket before they were read to their end.
    pub failed: i64,
    /// When it was made.
    pub started_at: i64,
    /// When the last of its events was stored and handed to the lake.
    #[cfg_attr(test, schema(required))]
    pub finished_at: Option<i64>,
    /// Its parts.
    pub parts: Parts,
    /// Their bytes.
    pub bytes: Bytes,
    /// The first 100 lines that were refused or left out.
    pub rejected_lines: Vec<RejectedLine>,
    /// The beginning of the names of the bucket's objects that list all of them.
    pub rejected_objects: String,
}

/// How many parts there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ImportParts))]
pub struct Parts {
    /// How many were announced, where that was said.
    #[cfg_attr(test, schema(required))]
    pub declared: Option<i64>,
    /// How many are uploaded.
    pub received: i64,
    /// How many are read to their end.
    pub processed: i64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ImportBytes))]
pub struct Bytes {
    /// Uploaded.
    pub received: i64,
    /// Read.
    pub processed: i64,
}

/// A line that is no event, also as it stands in the bucket's lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct RejectedLine {
    /// The part.
    pub part: i64,
    /// Its number in the part, from 1, blank lines counted.
    pub line: i64,
    /// The stable code.
    pub code: String,
    /// The field that is to blame; empty for the line as a whole.
    #[serde(default)]
    pub field: String,
}
