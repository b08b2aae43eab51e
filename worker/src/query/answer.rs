//! The answer: parts of shards made one, figures, order, pages, a comparison.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::ask::{NO_ZONE, Question};
use super::compared::Compared;
use super::field::Field;
use super::figures::Figures;
use super::part::{Found, Row};
use super::range::Span;
use super::rows::{Rows, name};
use super::spec::Spec;
use super::wrong;
use super::zone::{Zone, number};
use crate::base::sort;
use crate::http::csv;
use crate::http::csv::csv;
use crate::http::error::Fault;

/// The answer, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = QueryAnswer))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// A page of rows.
    rows: Vec<Cells>,
    /// The metrics of all events that pass the filters.
    #[cfg_attr(test, schema(value_type = Vec<Option<f64>>))]
    totals: Vec<Value>,
    /// The same of the range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<Option<f64>>>))]
    compared_totals: Option<Vec<Value>>,
    meta: Meta,
    /// The `cursor` of the next page; null on the last.
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
}

/// A value of a dimension: `hour_of_day` and `day_of_week` are numbers.
#[cfg(test)]
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what is written as JSON")]
enum QueryValue {
    Text(String),
    Number(i64),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = QueryRow))]
struct Cells {
    /// What the events of the row have in common; null for those that have none.
    #[cfg_attr(test, schema(value_type = Vec<Option<QueryValue>>))]
    dimensions: Vec<Value>,
    /// A figure of each metric; null where there is none, as of an average of nothing.
    #[cfg_attr(test, schema(value_type = Vec<Option<f64>>))]
    metrics: Vec<Value>,
    /// The same figures of the range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<Option<f64>>>))]
    compared: Option<Vec<Value>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = QueryMeta))]
#[serde(rename_all = "camelCase")]
struct Meta {
    /// Unix milliseconds.
    from: i64,
    /// The first moment after it.
    to: i64,
    time_zone: String,
    /// From when on events are kept, where that is later than `from`.
    covered_from: i64,
    /// The same of the range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_covered_from: Option<i64>,
    /// Events in the range that were looked at.
    scanned_events: i64,
    /// `scan`: of the archive's events.
    source: &'static str,
    /// The range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<i64>>))]
    compared: Option<[i64; 2]>,
    /// By metric, how many events have a value that is not a number and is not in the figure.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(test, schema(value_type = std::collections::BTreeMap<String, i64>))]
    not_numbers: Map<String, Value>,
}

/// A question, when and where it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    question: Question,
    zone: Zone,
    offsets: Vec<(i64, i64)>,
    span: Span,
    compared: Option<Span>,
}

impl Asked {
    /// With the offsets of its zone from when on, within [`Range::window`](super::Range::window); none: there is no
    /// zone of this name.
    ///
    /// # Errors
    /// Where there is no such zone.
    pub fn new(
        question: Question,
        offsets: Option<Vec<(i64, i64)>>,
        now_ms: i64,
    ) -> Result<Self, Fault> {
        let offsets = offsets.ok_or_else(|| wrong("timeZone", NO_ZONE))?;
        let zone = Zone::new(offsets.clone());
        let span = question.range.span(&zone, now_ms);
        let compared = question.compare;
        Ok(Self {
            compared: compared.map(|compare| compare.span(span, &zone, now_ms)),
            question,
            offsets,
            span,
            zone,
        })
    }

    /// What each shard of the archive is asked: of the range, and of the one that it is compared with.
    pub fn specs(&self, body: &str, archives: u32) -> Vec<Spec> {
        let spans = [Some(self.span), self.compared].into_iter().flatten();
        let spec = |span: Span| Spec {
            archives,
            body: body.to_owned(),
            at: (span.from, span.to),
            zone: self.offsets.clone(),
        };
        spans.map(spec).collect()
    }

    /// The answer, from what the shards found for each of [`Asked::specs`].
    ///
    /// # Errors
    /// Where a shard gave up.
    pub fn answer(&self, parts: Vec<Vec<Found>>) -> Result<Answer, Fault> {
        let question = &self.question;
        let mut parts = parts.into_iter();
        let mut next = || Rows::of(question, parts.next().unwrap_or_default());
        let mut main = next()?;
        let mut compared_from = None;
        let mut compared = match self.compared {
            Some(span) => {
                let rows = next()?;
                compared_from = Some(span.covered_from(rows.kept_from));
                Some(self.beside(rows, span))
            }
            None => None,
        };
        let totals = question.figures(&mut main.total);
        let mut rows: Vec<(Row, Figures)> = Vec::new();
        for mut row in main.rows {
            let figures = question.figures(&mut row);
            rows.push((row, figures));
        }
        if question.dimensions.is_empty() {
            rows.push((Row::default(), totals.clone()));
        }
        sort::sort_by(&mut rows, |a, b| question.order(a, b));
        let end = question.offset.saturating_add(question.limit);
        let is_last = rows.len() <= end;
        let page = rows.into_iter().skip(question.offset).take(question.limit);
        let page = page.map(|(row, figures)| Cells {
            dimensions: self.values(&row.key),
            metrics: values(figures),
            compared: compared.as_ref().map(|compared| {
                let name = self.name_by(&row.key, self.span.from);
                values(compared.of(&name, question))
            }),
        });
        Ok(Answer {
            rows: page.collect(),
            totals: values(totals),
            compared_totals: compared
                .as_mut()
                .map(|compared| values(std::mem::take(&mut compared.total))),
            meta: Meta {
                from: self.span.from,
                to: self.span.to,
                time_zone: question.time_zone.clone(),
                covered_from: self.span.covered_from(main.kept_from),
                compared_covered_from: compared_from,
                scanned_events: main.scanned,
                source: "scan",
                compared: self.compared.map(|span| [span.from, span.to]),
                not_numbers: question.not_numbers(&main.total),
            },
            next_cursor: (!is_last).then(|| end.to_string()),
        })
    }

    /// The figures of rows by the names of those that they stand beside: units of time are counted from the beginning
    /// of either range.
    fn beside(&self, rows: Rows, span: Span) -> Compared {
        let mut compared = Compared::default();
        let Rows {
            mut total, rows, ..
        } = rows;
        compared.total = self.question.figures(&mut total);
        if self.question.dimensions.is_empty() {
            compared.places.insert(String::new(), 0);
            compared.figures.push(compared.total.clone());
        }
        for mut row in rows {
            let place = compared.figures.len() as u64;
            // Of an hour that comes twice, the first stands beside.
            let name = self.name_by(&row.key, span.from);
            compared.places.entry(name).or_insert(place);
            compared.figures.push(self.question.figures(&mut row));
        }
        compared
    }

    /// A row's values as they are told.
    fn values(&self, key: &[Option<String>]) -> Vec<Value> {
        let told = |(at, value): (usize, &Option<String>)| {
            let Some(text) = value else {
                return Value::Null;
            };
            let number = || text.parse::<i64>().unwrap_or(0);
            match self.question.dimension(at) {
                Some(Field::Time(unit)) => self.zone.label(*unit, number()).into(),
                Some(field) if field.is_number() => number().into(),
                _ => text.as_str().into(),
            }
        };
        key.iter().enumerate().map(told).collect()
    }

    /// A row's values as one text, with times as the count of units since `from`.
    fn name_by(&self, key: &[Option<String>], from: i64) -> String {
        let mut key = key.to_vec();
        for (at, value) in key.iter_mut().enumerate() {
            if let (Some(Field::Time(unit)), Some(text)) = (self.question.dimension(at), value) {
                let count = |at: i64| number(*unit, self.zone.local(at));
                let start = text.parse().unwrap_or(0);
                *text = count(start).saturating_sub(count(from)).to_string();
            }
        }
        name(&key)
    }

    /// The rows of an answer as CSV.
    pub fn csv(&self, answer: &Answer) -> String {
        let mut header: Vec<csv::Cell> = Vec::new();
        let names = &self.question.names;
        header.extend(names.iter().map(|name| name.as_str().into()));
        if self.compared.is_some() {
            let metrics = names.iter().skip(self.question.dimensions.len());
            header.extend(metrics.map(|name| format!("compared {name}").into()));
        }
        let cell = |value: &Value| match value {
            Value::Number(number) => csv::Cell::Number(number.to_string()),
            Value::String(text) => text.as_str().into(),
            _ => "".into(),
        };
        let rows = answer.rows.iter().map(|row| {
            let compared = row.compared.iter().flatten();
            let cells = row.dimensions.iter().chain(&row.metrics).chain(compared);
            cells.map(cell).collect()
        });
        csv(&[], std::iter::once(header).chain(rows))
    }
}

fn values(figures: Figures) -> Vec<Value> {
    figures.into_iter().map(value).collect()
}

/// A figure as JSON: whole numbers without a point.
fn value(figure: Option<f64>) -> Value {
    let Some(figure) = figure else {
        return Value::Null;
    };
    if figure.fract() == 0.0 && figure.abs() < MOST_WHOLE {
        return (figure as i64).into();
    }
    Number::from_f64(figure).map_or(Value::Null, Value::Number)
}

/// Below it each whole number is a double: 2^53.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;
