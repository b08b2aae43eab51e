//! A table of a question: metrics by dimensions, and how its rows are ordered and cut.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::field::{Field, Fields};
use super::filter::{Filter, Reader};
use super::metric::{Counted, Metric};
use super::wrong;
use crate::base::whole;
use crate::http::error::Fault;

/// Metrics of a question at most.
const MAX_METRICS: usize = 20;

/// Dimensions of a question at most.
const MAX_DIMENSIONS: usize = 5;

/// Rows of a page at most.
const MAX_LIMIT: i64 = 10_000;

/// Rows of a page where `limit` does not say and nothing is a time.
const DEFAULT_LIMIT: i64 = 100;

/// What rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Dimension(usize),
    Metric(usize),
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panel {
    /// What of the question's events it is of.
    pub(super) filter: Option<Filter>,
    /// Which of its events are conversions.
    pub(super) goal: Option<Filter>,
    /// Places of fields.
    pub(super) dimensions: Vec<usize>,
    pub(super) metrics: Vec<Metric>,
    pub(super) counted: Counted,
    /// Dimensions, then metrics, as they were written.
    pub(super) names: Vec<String>,
    /// With whether the largest comes first.
    pub(super) order: Vec<(Column, bool)>,
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Panel {
    /// Reads one that stands at `path`.
    ///
    /// # Errors
    /// With the path of what is wrong.
    pub(super) fn read(
        body: &Map<String, Value>,
        path: &str,
        reader: &mut Reader<'_>,
    ) -> Result<Self, Fault> {
        let at = |name: &str| format!("{path}{name}");
        let mut counted = Counted::default();
        let (mut names, mut dimensions, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
        let named = texts(body.get("dimensions"), &at("dimensions"), 0, MAX_DIMENSIONS)?;
        for (path, name) in named {
            let detail = "There is no dimension of this name; properties are data.<name>.";
            let field = Field::of(&name).ok_or_else(|| wrong(&path, detail))?;
            dimensions.push(reader.fields.place(field));
            names.push(name);
        }
        let goal = match body.get("goal") {
            // What everything passes is no goal.
            Some(Value::Array(list)) if list.is_empty() => {
                return Err(wrong(&at("goal"), "goal is a name, an id or a filter."));
            }
            goal => reader.root(goal, &at("goal"))?,
        };
        for (path, name) in texts(body.get("metrics"), &at("metrics"), 1, MAX_METRICS)? {
            let metric = Metric::of(&name, reader.fields, &mut counted);
            let metric = metric.ok_or_else(|| wrong(&path, "There is no metric of this name."))?;
            if metric.is_of_goal() && goal.is_none() {
                return Err(wrong(
                    &path,
                    "Of which goal? The question names none: goal.",
                ));
            }
            metrics.push(metric);
            names.push(name);
        }
        let filter = reader.root(body.get("filters"), &at("filters"))?;
        let first = dimensions
            .first()
            .and_then(|place| reader.fields.0.get(*place));
        let by_time = matches!(first, Some(Field::Time(_)));
        let order = order(body.get("orderBy"), path, &names, &metrics, by_time)?;
        let default = if by_time { MAX_LIMIT } else { DEFAULT_LIMIT };
        Ok(Self {
            filter,
            goal,
            dimensions,
            metrics,
            counted,
            names,
            order,
            limit: limit(body.get("limit"), default, path)?,
            offset: offset(body.get("cursor"), path)?,
        })
    }

    /// The field of a dimension.
    pub(super) fn dimension<'f>(&self, fields: &'f Fields, at: usize) -> Option<&'f Field> {
        fields.0.get(*self.dimensions.get(at)?)
    }

    /// How two values of a dimension are ordered: none is before all.
    pub(super) fn compare_values(
        &self,
        fields: &Fields,
        at: usize,
        a: Option<&str>,
        b: Option<&str>,
    ) -> Ordering {
        let is_number = self
            .dimension(fields, at)
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
    path: &str,
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

/// What rows are ordered by: time, or else users where they are asked for, or else the first metric that is a number;
/// the largest first.
fn order(
    value: Option<&Value>,
    path: &str,
    names: &[String],
    metrics: &[Metric],
    by_time: bool,
) -> Result<Vec<(Column, bool)>, Fault> {
    let detail = "orderBy is a list of [metric or dimension of the question, \"asc\" or \"desc\"].";
    let dimensions = names.len().saturating_sub(metrics.len());
    let column = |place: usize| match place.checked_sub(dimensions) {
        Some(metric) => Column::Metric(metric),
        None => Column::Dimension(place),
    };
    let place = |name: &str| names.iter().position(|known| known == name);
    let is_order = |column: &Column| match column {
        Column::Metric(at) => metrics.get(*at).is_some_and(|metric| !metric.is_of_many()),
        Column::Dimension(_) => true,
    };
    let list = match value {
        None | Some(Value::Null) if by_time => return Ok(vec![(Column::Dimension(0), false)]),
        None | Some(Value::Null) => {
            let users = place("users").filter(|place| *place >= dimensions);
            let first = metrics.iter().position(|metric| !metric.is_of_many());
            let first = users.map(column).or(first.map(Column::Metric));
            return Ok(first.map(|column| (column, true)).into_iter().collect());
        }
        Some(value) => {
            let list = value.as_array();
            let list = list.filter(|list| list.len() <= MAX_METRICS);
            list.ok_or_else(|| wrong(&format!("{path}orderBy"), detail))?
        }
    };
    let mut order = Vec::new();
    for (at, each) in list.iter().enumerate() {
        let parts = match each.as_array().map(Vec::as_slice) {
            Some([Value::String(name), Value::String(way)]) => {
                place(name).map(column).zip(match way.as_str() {
                    "desc" => Some(true),
                    "asc" => Some(false),
                    _ => None,
                })
            }
            _ => None,
        };
        let here = || format!("{path}orderBy[{at}]");
        let (column, is_down) = parts.ok_or_else(|| wrong(&here(), detail))?;
        if !is_order(&column) {
            let detail =
                "Amounts of several currencies have no order: order by revenue(EUR) or the like.";
            return Err(wrong(&here(), detail));
        }
        order.push((column, is_down));
    }
    Ok(order)
}

fn limit(value: Option<&Value>, default: i64, path: &str) -> Result<usize, Fault> {
    let limit = match value {
        None | Some(Value::Null) => Some(default),
        Some(value) => value.as_number().and_then(whole::of),
    };
    let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    limit.ok_or_else(|| {
        let detail = "limit must be a whole number from 1 to 10000.";
        wrong(&format!("{path}limit"), detail)
    })
}

/// How many rows were told before.
fn offset(value: Option<&Value>, path: &str) -> Result<usize, Fault> {
    let wrong = || {
        wrong(
            &format!("{path}cursor"),
            "cursor is the nextCursor of the page before.",
        )
    };
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
