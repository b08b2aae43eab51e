//! What a shard is asked, and what that may take.

use serde::{Deserialize, Serialize};

use super::ask::Question;
use super::picked::picking_question;
use crate::archive::scan::Walk;
use crate::base::json;
use crate::http::error::Fault;

/// A checked question as the archive is told it: the body, and what the worker made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// How many archives are asked: together they tell what one may tell.
    pub archives: u32,
    /// The body of the call.
    pub body: String,
    /// Whether that asks several questions.
    #[serde(default)]
    pub panels: bool,
    /// Events from here on (Unix milliseconds) and before there.
    pub at: (i64, i64),
    /// The offsets of the zone: see `Zone`.
    pub zone: Vec<(i64, i64)>,
    /// What becomes of the events, where they are not counted in rows.
    #[serde(default)]
    pub walk: Option<Walk>,
    /// Before which moment cohorts begin.
    #[serde(default)]
    pub until: i64,
}

impl Spec {
    /// Reads it.
    ///
    /// # Errors
    /// Where the body is none.
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let no_spec = |_| Fault::malformed("The archive cannot read the question.");
        json::told(body).map_err(no_spec)
    }

    /// Its question.
    ///
    /// # Errors
    /// Where the body is none.
    pub(super) fn question(&self) -> Result<Question, Fault> {
        if let Some(walk) = &self.walk {
            return picking_question(self.body.as_bytes(), walk);
        }
        let parse = if self.panels {
            Question::parse_panels
        } else {
            Question::parse
        };
        parse(self.body.as_bytes())
    }
}

/// What a question may take of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Rows, of which pages of 10,000 are cut.
    pub(super) rows: usize,
    /// Bytes that it holds.
    pub(super) bytes: usize,
    /// Numbers that it tells.
    pub(super) told: usize,
    /// Values that it decodes, and what else it does, in these.
    pub(super) work: usize,
}

impl Limits {
    /// 100,000 rows are 10 MB of JSON, and 1,000,000 numbers 20 MB at most, which the worker reads beside events that
    /// come in. 48 MB are three eighths of an object's memory. A unit of work takes some 10 ns
    /// natively and is taken for 20 ns in wasm, so all are some 2 s of CPU.
    pub(super) const ALL: Self = Self {
        rows: 100_000,
        bytes: 48 << 20,
        told: 1_000_000,
        work: 100_000_000,
    };

    /// Of one of so many archives.
    pub(super) fn of_one(archives: u32) -> Self {
        let archives = archives.max(1) as usize;
        Self {
            told: Self::ALL.told.checked_div(archives).unwrap_or(0),
            ..Self::ALL
        }
    }
}
