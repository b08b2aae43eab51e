//! What the metrics' calls have in common: a query of a range, one statement, a table.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::breakdown::{self, Breakdown};
use super::{activity, engagement, features, platform, products, question};
use crate::archive::fold::{Sums, Want};
use crate::base::hash::sha256_hex;
use crate::base::sql::Statement;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;

/// A call of the metrics: parameters to a statement, its rows to an answer.
pub trait Metric: Sized {
    /// A row of the statement.
    type Row: DeserializeOwned;
    /// The answer.
    type Answer: Serialize;
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the parameter.
    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault>;
    /// Its range.
    fn days(&self) -> Days;
    /// What of the sums that D1 lacks it needs.
    fn wants(&self) -> Vec<Want>;
    /// The statement; `lacking` is that.
    fn statement(&self, site: &str, lacking: &Sums) -> Statement;
    /// The answer from the statement's rows, and what these lack.
    fn answer(&self, rows: Vec<Self::Row>, lacking: &Sums) -> Self::Answer;
    /// The answer's table as CSV.
    fn csv(answer: &Self::Answer) -> String;
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// The answer's table as CSV.
    Csv,
}

impl Format {
    /// Reads `format`.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for another than `json` and `csv`.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        match params.get("format") {
            None | Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(Fault::InvalidParameter {
                name: "format",
                detail: "format must be json or csv.",
            }),
        }
    }
}

/// An answer that may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The body; `None` where the caller has it already (304).
    pub body: Option<String>,
    /// Its media type.
    pub content_type: &'static str,
    /// The value of `ETag`.
    pub etag: String,
    /// The value of `Cache-Control`.
    pub cache_control: &'static str,
    /// The value of `Server-Timing`: what D1 read, which is its price.
    pub server_timing: Option<String>,
}

/// Days that are over are asked for again after five minutes at the soonest: only an event that
/// comes late can have changed them. Today is asked for each time.
const FINISHED: &str = "private, max-age=300";
const RUNNING: &str = "private, no-cache";

impl Cached {
    /// An answer about days that are over (`finished`) or not, for a caller who said
    /// `If-None-Match`.
    pub fn new(body: String, format: Format, finished: bool, if_none_match: Option<&str>) -> Self {
        let hash: String = sha256_hex(body.as_bytes()).chars().take(32).collect();
        let etag = format!("\"{hash}\"");
        let known = if_none_match.is_some_and(|tags| {
            tags.split(',')
                .map(|tag| tag.trim())
                .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
        });
        Self {
            body: (!known).then_some(body),
            content_type: match format {
                Format::Json => "application/json",
                Format::Csv => "text/csv; charset=utf-8",
            },
            etag,
            cache_control: if finished { FINISHED } else { RUNNING },
            server_timing: None,
        }
    }

    /// With the rows that D1 read for it, where that is known.
    pub fn with_rows_read(mut self, rows: Option<usize>) -> Self {
        self.server_timing = rows.map(server_timing);
        self
    }
}

/// How `Server-Timing` tells the rows that D1 read.
pub fn server_timing(rows: usize) -> String {
    format!("d1;desc=\"rows_read={rows}\"")
}

/// `…/metrics/platform`.
#[derive(Debug)]
pub struct Platform(Days);
/// `…/metrics/features`.
#[derive(Debug)]
pub struct Features(Days);
/// `…/metrics/engagement`.
#[derive(Debug)]
pub struct Engagement(Days);
/// `…/metrics/products`.
#[derive(Debug)]
pub struct Products(Days);

impl Metric for Platform {
    type Row = activity::Row;
    type Answer = platform::Answer;
    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        question::of_sums_alone(params)?;
        Days::parse(params, now_ms).map(Self)
    }
    fn days(&self) -> Days {
        self.0
    }
    fn wants(&self) -> Vec<Want> {
        platform::wants(self.0)
    }
    fn statement(&self, site: &str, _: &Sums) -> Statement {
        platform::statement(site, self.0)
    }
    fn answer(&self, rows: Vec<Self::Row>, lacking: &Sums) -> Self::Answer {
        platform::answer(self.0, &rows, lacking)
    }
    fn csv(answer: &Self::Answer) -> String {
        answer.csv()
    }
}

impl Metric for Engagement {
    type Row = activity::Row;
    type Answer = engagement::Answer;
    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        Days::parse(params, now_ms).map(Self)
    }
    fn days(&self) -> Days {
        self.0
    }
    fn wants(&self) -> Vec<Want> {
        engagement::wants(self.0)
    }
    fn statement(&self, site: &str, _: &Sums) -> Statement {
        engagement::statement(site, self.0)
    }
    fn answer(&self, rows: Vec<Self::Row>, lacking: &Sums) -> Self::Answer {
        engagement::answer(self.0, &rows, lacking)
    }
    fn csv(answer: &Self::Answer) -> String {
        answer.csv()
    }
}

impl Metric for Features {
    type Row = features::Row;
    type Answer = features::Answer;
    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        Days::parse(params, now_ms).map(Self)
    }
    fn days(&self) -> Days {
        self.0
    }
    fn wants(&self) -> Vec<Want> {
        features::wants(self.0)
    }
    fn statement(&self, site: &str, _: &Sums) -> Statement {
        features::statement(site, self.0)
    }
    fn answer(&self, rows: Vec<Self::Row>, lacking: &Sums) -> Self::Answer {
        features::answer(self.0, rows, lacking)
    }
    fn csv(answer: &Self::Answer) -> String {
        answer.csv()
    }
}

impl Metric for Products {
    type Row = products::Row;
    type Answer = products::Answer;
    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        products::parse(params, now_ms).map(Self)
    }
    fn days(&self) -> Days {
        self.0
    }
    fn wants(&self) -> Vec<Want> {
        products::wants(self.0)
    }
    fn statement(&self, site: &str, _: &Sums) -> Statement {
        products::statement(site, self.0)
    }
    fn answer(&self, rows: Vec<Self::Row>, lacking: &Sums) -> Self::Answer {
        products::answer(rows, lacking)
    }
    fn csv(answer: &Self::Answer) -> String {
        answer.csv()
    }
}

impl Metric for Breakdown {
    type Row = breakdown::Row;
    type Answer = breakdown::Answer;
    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        Self::parse(params, now_ms)
    }
    fn days(&self) -> Days {
        self.days()
    }
    fn wants(&self) -> Vec<Want> {
        self.wants()
    }
    fn statement(&self, site: &str, lacking: &Sums) -> Statement {
        self.statement(site, lacking)
    }
    fn answer(&self, rows: Vec<Self::Row>, _: &Sums) -> Self::Answer {
        self.answer(rows)
    }
    fn csv(answer: &Self::Answer) -> String {
        answer.csv()
    }
}

#[cfg(test)]
mod tests;
