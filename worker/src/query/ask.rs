//! The question: the body of the call, read and checked.

use std::cmp::Ordering;

use serde_json::Value;

use super::field::{Field, Fields};
use super::filter::{Filter, Reader};
use super::metric::{Counted, ENGAGED, Metric};
use super::range::{Compare, Range, Span};
use super::wrong;
use crate::http::error::Fault;
use crate::http::fields::{number, object};
use shoreline_shared::event_type::TrackerType;

/// Fields of the body.
pub const FIELDS: &[&str] = &[
    "metrics",
    "dimensions",
    "filters",
    "range",
    "timeZone",
    "compare",
    "orderBy",
    "limit",
    "cursor",
];

/// Metrics of a question at most.
const MAX_METRICS: usize = 20;

/// Dimensions of a question at most.
const MAX_DIMENSIONS: usize = 5;

/// Rows of a page at most.
const MAX_LIMIT: i64 = 10_000;

/// Rows of a page where `limit` does not say and nothing is a time.
const DEFAULT_LIMIT: i64 = 100;

/// Characters of a zone's name at most.
const MAX_ZONE_CHARS: usize = 64;

/// What rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Dimension(usize),
    Metric(usize),
}

/// A checked question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// All that is asked of events; what follows names them by their places.
    pub(super) fields: Fields,
    pub(super) filter: Option<Filter>,
    pub(super) dids: Vec<Filter>,
    pub(super) dimensions: Vec<usize>,
    pub(super) metrics: Vec<Metric>,
    pub(super) counted: Counted,
    /// The field that tells how long a page was looked at, where sessions are looked at as a whole.
    pub(super) engaged: Option<usize>,
    /// Whether sessions must be known before events are filtered and grouped.
    pub(super) by_session: bool,
    /// Dimensions, then metrics, as they were written.
    pub(super) names: Vec<String>,
    /// With whether the largest comes first.
    pub(super) order: Vec<(Column, bool)>,
    pub(super) limit: usize,
    pub(super) offset: usize,
    /// The range.
    pub range: Range,
    /// What it is compared with.
    pub compare: Option<Compare>,
    /// The zone, as it was written.
    pub time_zone: String,
    /// By field, whether the filter or a `did` asks for it.
    of_filter: Vec<bool>,
    of_dids: Vec<bool>,
}

impl Question {
    /// Reads the body.
    ///
    /// # Errors
    /// With the path of what is wrong; [`Fault::Malformed`] for what is no object.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let body = object(body, FIELDS)?;
        let (mut fields, mut counted) = (Fields::default(), Counted::default());
        let (mut names, mut dimensions, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
        for (path, name) in texts(body.get("dimensions"), "dimensions", 0, MAX_DIMENSIONS)? {
            let field = Field::of(&name).ok_or_else(|| {
                wrong(
                    &path,
                    "There is no dimension of this name; properties are data.<name>.",
                )
            })?;
            dimensions.push(fields.place(field));
            names.push(name);
        }
        for (path, name) in texts(body.get("metrics"), "metrics", 1, MAX_METRICS)? {
            let metric = Metric::of(&name, &mut fields, &mut counted);
            metrics.push(metric.ok_or_else(|| wrong(&path, "There is no metric of this name."))?);
            names.push(name);
        }
        let mut reader = Reader::new(&mut fields);
        let filter = match body.get("filters") {
            None | Some(Value::Null) => None,
            Some(Value::Array(list)) if list.is_empty() => None,
            Some(filter) => Some(reader.read(filter, "filters", 1)?),
        };
        let dids = reader.dids;
        let by_session = fields.0.iter().any(Field::is_of_session);
        let engaged = (counted.visits || by_session).then(|| {
            let left = Some(TrackerType::PageLeave.as_str());
            fields.place(Field::Property(ENGAGED.to_owned(), left))
        });
        let noted = |filters: &[Filter]| {
            let mut noted = vec![false; fields.0.len()];
            for filter in filters {
                filter.note_fields(&mut |place| {
                    if let Some(noted) = noted.get_mut(place) {
                        *noted = true;
                    }
                });
            }
            noted
        };
        let (of_filter, of_dids) = (noted(filter.as_slice()), noted(&dids));
        let first = dimensions.first().and_then(|place| fields.0.get(*place));
        let by_time = matches!(first, Some(Field::Time(_)));
        let order = order(body.get("orderBy"), &names, dimensions.len(), by_time)?;
        let default = if by_time { MAX_LIMIT } else { DEFAULT_LIMIT };
        let detail = "limit must be a whole number from 1 to 10000.";
        let limit = number(&body, "limit", 1..=MAX_LIMIT, default, detail)?;
        Ok(Self {
            filter,
            dids,
            dimensions,
            metrics,
            counted,
            engaged,
            by_session,
            names,
            order,
            limit: usize::try_from(limit).unwrap_or(0),
            offset: offset(body.get("cursor"))?,
            range: Range::parse(body.get("range"))?,
            compare: Compare::parse(body.get("compare"))?,
            time_zone: zone(body.get("timeZone"))?,
            of_filter,
            of_dids,
            fields,
        })
    }

    /// Within which moments the offsets of its zone must be known.
    pub fn window(&self, now_ms: i64) -> Span {
        self.range.window(now_ms, self.compare.is_some())
    }

    pub(super) fn is_of_visits(&self, place: usize) -> bool {
        self.engaged == Some(place)
    }

    pub(super) fn is_of_dids(&self, place: usize) -> bool {
        self.of_dids.get(place) == Some(&true)
    }

    pub(super) fn is_of_filter(&self, place: usize) -> bool {
        self.of_filter.get(place) == Some(&true)
    }

    /// What rows are made of; also what tells how long a page was looked at, where sessions are looked at along with
    /// rows.
    pub(super) fn is_of_rows(&self, place: usize) -> bool {
        let mut measures = self.counted.measures.iter();
        self.dimensions.contains(&place)
            || measures.any(|measure| measure.field == place)
            || self.counted.visits && !self.by_session && self.is_of_visits(place)
    }

    /// The field of a dimension.
    pub(super) fn dimension(&self, at: usize) -> Option<&Field> {
        self.fields.0.get(*self.dimensions.get(at)?)
    }

    /// How two values of a dimension are ordered: none is before all.
    pub(super) fn compare_values(&self, at: usize, a: Option<&str>, b: Option<&str>) -> Ordering {
        let is_number = self
            .dimension(at)
            .is_some_and(|field| field.is_number() || matches!(field, Field::Time(_)));
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        if is_number {
            number(a).cmp(&number(b))
        } else {
            a.cmp(&b)
        }
    }
}

/// A list of texts, each once, with their paths.
fn texts(
    value: Option<&Value>,
    path: &'static str,
    least: usize,
    most: usize,
) -> Result<Vec<(String, String)>, Fault> {
    let detail = "metrics are a list of 1 to 20 names, dimensions of at most 5, each once.";
    let list = match value {
        None | Some(Value::Null) => &[],
        Some(value) => value
            .as_array()
            .ok_or_else(|| wrong(path, detail))?
            .as_slice(),
    };
    if !(least..=most).contains(&list.len()) {
        return Err(wrong(path, detail));
    }
    let mut all = Vec::new();
    for (at, value) in list.iter().enumerate() {
        let here = format!("{path}[{at}]");
        let text = value.as_str();
        let is_new = list.iter().take(at).all(|before| before != value);
        let text = text
            .filter(|_| is_new)
            .ok_or_else(|| wrong(&here, detail))?;
        all.push((here, text.to_owned()));
    }
    Ok(all)
}

/// What rows are ordered by: time, or else users where they are asked for, or else the first metric; the largest
/// first.
fn order(
    value: Option<&Value>,
    names: &[String],
    dimensions: usize,
    by_time: bool,
) -> Result<Vec<(Column, bool)>, Fault> {
    let detail = "orderBy is a list of [metric or dimension of the question, \"asc\" or \"desc\"].";
    let column = |place: usize| match place.checked_sub(dimensions) {
        Some(metric) => Column::Metric(metric),
        None => Column::Dimension(place),
    };
    let place = |name: &str| names.iter().position(|known| known == name);
    let list = match value {
        None | Some(Value::Null) if by_time => return Ok(vec![(Column::Dimension(0), false)]),
        None | Some(Value::Null) => {
            let users = place("users").filter(|place| *place >= dimensions);
            return Ok(vec![(column(users.unwrap_or(dimensions)), true)]);
        }
        Some(value) => {
            let list = value.as_array();
            let list = list.filter(|list| list.len() <= MAX_METRICS);
            list.ok_or_else(|| wrong("orderBy", detail))?
        }
    };
    let mut order = Vec::new();
    for (at, each) in list.iter().enumerate() {
        let parts = match each.as_array().map(Vec::as_slice) {
            Some([Value::String(name), Value::String(way)]) => {
                place(name).zip(match way.as_str() {
                    "desc" => Some(true),
                    "asc" => Some(false),
                    _ => None,
                })
            }
            _ => None,
        };
        let (place, is_down) = parts.ok_or_else(|| wrong(&format!("orderBy[{at}]"), detail))?;
        order.push((column(place), is_down));
    }
    Ok(order)
}

/// How many rows were told before.
fn offset(value: Option<&Value>) -> Result<usize, Fault> {
    let wrong = || wrong("cursor", "cursor is the nextCursor of the page before.");
    match value {
        None | Some(Value::Null) => Ok(0),
        Some(value) => {
            let text = value.as_str().ok_or_else(wrong)?;
            let is_number = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok();
            number.filter(|_| is_number).ok_or_else(wrong)
        }
    }
}

fn zone(value: Option<&Value>) -> Result<String, Fault> {
    let zone = match value {
        None | Some(Value::Null) => Some("UTC"),
        Some(value) => value.as_str(),
    };
    let zone = zone.filter(|zone| (1..=MAX_ZONE_CHARS).contains(&zone.len()));
    zone.map(str::to_owned)
        .ok_or_else(|| wrong("timeZone", NO_ZONE))
}

/// What a name is told that the platform does not know.
pub(super) const NO_ZONE: &str =
    "timeZone is the name of an IANA time zone, such as Europe/Berlin.";
