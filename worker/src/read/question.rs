//! What the `POST /v1/analytics/query/…` calls have in common: a JSON body, and a bound on the
//! work, looked up before it is begun.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::days::Days;
use crate::error::Fault;
use crate::json;
use crate::sql::Statement;
use crate::whole;

/// Bytes of a question at most: ten steps of long names are a tenth of it.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A question.
pub trait Question: Sized {
    /// A row of the statement.
    type Row: DeserializeOwned;
    /// The answer.
    type Answer: Serialize;
    /// Checks the body.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the field, [`Fault::Malformed`] for what is no object.
    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault>;
    /// The statement that tells a [`Size`], and how much of it is too much.
    fn size(&self, site: &str) -> (Statement, i64);
    /// The statement.
    fn statement(&self, site: &str) -> Statement;
    /// The answer from the statement's rows.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] where there are too many to look at.
    fn answer(&self, rows: Vec<Self::Row>) -> Result<Self::Answer, Fault>;
}

/// Events that a question looks at, at most. SQLite reads them all in one statement: about a second.
pub const MAX_EVENTS: i64 = 250_000;

/// How much there is to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Size {
    /// Events, or users.
    pub n: i64,
}

impl Size {
    /// Checks it.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] where it is over the limit.
    pub fn check(rows: &[Self], limit: i64) -> Result<(), Fault> {
        if rows.first().is_none_or(|size| size.n <= limit) {
            return Ok(());
        }
        Err(too_many())
    }
}

/// The fault of a range that is too much to look at.
pub fn too_many() -> Fault {
    Fault::InvalidParameter {
        name: "startDate",
        detail: "The range holds more than this call looks at; choose a shorter one.",
    }
}

/// How many events a range holds, by the read models.
pub(super) fn events(site: &str, days: Days) -> (Statement, i64) {
    let statement = Statement::new(
        "SELECT coalesce(sum(events), 0) AS n FROM breakdowns \
         WHERE site_id = ?1 AND dim = 'type' AND day BETWEEN ?2 AND ?3",
        [site.into(), days.first.into(), days.last.into()],
    );
    (statement, MAX_EVENTS)
}

/// Reads the body as an object of fields, each looked at by itself.
///
/// # Errors
/// [`Fault::Malformed`] for what is none.
pub(super) fn object(body: &[u8]) -> Result<serde_json::Map<String, serde_json::Value>, Fault> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Fault::PayloadTooLarge("A question has at most 64 KiB."));
    }
    json::read(body).map_err(|_| Fault::malformed("The body must be a JSON object."))
}

/// Reads the range of a body.
///
/// # Errors
/// [`Fault::InvalidParameter`] with the field.
pub(super) fn days(
    fields: &serde_json::Map<String, serde_json::Value>,
    now_ms: i64,
) -> Result<Days, Fault> {
    let text = |name: &'static str| match fields.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Fault::InvalidParameter {
            name,
            detail: "A date is a string of the form YYYY-MM-DD, in UTC.",
        }),
    };
    Days::of(text("startDate")?, text("endDate")?, now_ms)
}

/// Reads a whole number of a body.
///
/// # Errors
/// [`Fault::InvalidParameter`] with the field.
pub(super) fn number(
    fields: &serde_json::Map<String, serde_json::Value>,
    name: &'static str,
    range: std::ops::RangeInclusive<i64>,
    default: i64,
    detail: &'static str,
) -> Result<i64, Fault> {
    match fields.get(name) {
        None | Some(serde_json::Value::Null) => Ok(default),
        Some(value) => value
            .as_number()
            .and_then(whole::of)
            .filter(|number| range.contains(number))
            .ok_or(Fault::InvalidParameter { name, detail }),
    }
}
