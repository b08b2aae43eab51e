//! The answer: parts of shards made one, figures, order, pages, a comparison.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Number, Value};

use super::ask::{Column, NO_ZONE, Question};
use super::field::Field;
use super::metric::{How, Metric};
use super::part::{Found, Row, TooMuch};
use super::range::Span;
use super::scan::Spec;
use super::wrong;
use super::zone::{Zone, number};
use crate::error::Fault;
use crate::read::csv::{self, csv};
use crate::sort;
use crate::sorted::Map;

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
    meta: Meta,
    /// The `cursor` of the next page; null on the last.
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
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
    not_numbers: Map<String, i64>,
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
    pub fn specs(&self, body: &str) -> Vec<Spec> {
        let spans = [Some(self.span), self.compared].into_iter().flatten();
        let spec = |span: Span| Spec {
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
    pub fn answer(&self, found: Vec<Vec<Found>>) -> Result<Answer, Fault> {
        let mut found = found.into_iter();
        let mut next = || self.united(found.next().unwrap_or_default());
        let (scanned, kept_from, mut rows) = next()?;
        let compared = match self.compared {
            Some(span) => {
                let (_, _, rows) = next()?;
                Some(self.aligned(rows, span))
            }
            None => None,
        };
        let question = &self.question;
        let total = match rows.first().cloned() {
            Some(first) => rows.iter().skip(1).fold(first, |mut total, row| {
                for (ours, theirs) in total.stats.iter_mut().zip(&row.stats) {
                    ours.unite(theirs);
                }
                total
            }),
            None => Row::default(),
        };
        if !question.dimensions.is_empty() && !rows.is_empty() {
            rows.remove(0);
        }
        let mut rows: Vec<(Row, Vec<Option<f64>>)> = rows
            .into_iter()
            .map(|mut row| {
                let figures = self.figures(&mut row);
                (row, figures)
            })
            .collect();
        sort::sort_by(&mut rows, |a, b| self.order(a, b));
        let more = rows.len() > question.offset.saturating_add(question.limit);
        let page = rows.into_iter().skip(question.offset).take(question.limit);
        let page = page.map(|(row, figures)| Cells {
            dimensions: self.values(&row.key),
            metrics: figures.into_iter().map(value).collect(),
            compared: compared
                .as_ref()
                .map(|compared| self.beside(compared, &row.key)),
        });
        let rows = page.collect();
        let mut total = total;
        Ok(Answer {
            rows,
            totals: self.figures(&mut total).into_iter().map(value).collect(),
            meta: Meta {
                from: self.span.from,
                to: self.span.to,
                time_zone: question.time_zone.clone(),
                covered_from: self.span.from.max(kept_from.min(self.span.to)),
                scanned_events: scanned,
                source: "scan",
                compared: self.compared.map(|span| [span.from, span.to]),
                not_numbers: self.not_numbers(&total),
            },
            next_cursor: more.then(|| question.offset.saturating_add(question.limit).to_string()),
        })
    }

    /// The rows of all shards, the first of all events; how many events they are of, and from when on.
    fn united(&self, found: Vec<Found>) -> Result<(i64, i64, Vec<Row>), Fault> {
        let (mut scanned, mut kept_from) = (0_i64, i64::MIN);
        let (mut all, mut places): (Vec<Row>, HashMap<String, u64>) = (Vec::new(), HashMap::new());
        for found in found {
            check(found.too_much)?;
            scanned = scanned.saturating_add(found.scanned);
            kept_from = kept_from.max(found.kept_from);
            let (dimensions, measures) = (
                self.question.dimensions.len(),
                self.question.counted.measures.len(),
            );
            let rows = found.rows(dimensions, measures);
            if all.is_empty() {
                all = rows;
                continue;
            }
            if places.is_empty() {
                let known = all
                    .iter()
                    .zip(0..)
                    .map(|(row, place)| (name(&row.key), place));
                places = known.collect();
            }
            for row in rows {
                let next = all.len() as u64;
                let place = *places.entry(name(&row.key)).or_insert(next);
                match all.get_mut(place as usize) {
                    Some(known) => known.unite(&row),
                    None => all.push(row),
                }
            }
        }
        Ok((scanned, kept_from, all))
    }

    /// The figures of a row.
    fn figures(&self, row: &mut Row) -> Vec<Option<f64>> {
        row.stats
            .iter_mut()
            .for_each(super::measures::Stats::settle);
        let counts = row.counts;
        let part = |of: i64, all: i64| (all != 0).then(|| of as f64 / all as f64);
        let figure = |metric: &Metric| match *metric {
            Metric::Users => Some(counts.users as f64),
            Metric::Events => Some(counts.events as f64),
            Metric::Views => Some(counts.views as f64),
            Metric::Sessions => Some(counts.sessions as f64),
            Metric::BounceRate => part(counts.bounces, counts.sessions),
            Metric::ViewsPerSession => part(counts.views, counts.sessions),
            Metric::SessionDuration => part(counts.duration, counts.sessions),
            Metric::Of(place, how) => {
                let stats = row.stats.get(place)?;
                let some = (stats.n > 0).then_some(stats);
                match how {
                    How::Sum => Some(stats.total()),
                    How::Average => some.map(|stats| stats.total() / stats.n as f64),
                    How::Least => some.map(|stats| stats.least),
                    How::Most => some.map(|stats| stats.most),
                    How::Count => Some(stats.n.saturating_add(stats.others) as f64),
                    How::Percentile(percent) => stats.percentile(percent),
                }
            }
        };
        self.question.metrics.iter().map(figure).collect()
    }

    /// By metric, how many values are no numbers, where there are any.
    fn not_numbers(&self, total: &Row) -> Map<String, i64> {
        let names = self
            .question
            .names
            .iter()
            .skip(self.question.dimensions.len());
        let metrics = self.question.metrics.iter().zip(names);
        let others = metrics.filter_map(|(metric, name)| match metric {
            Metric::Of(_, How::Count) => None,
            Metric::Of(place, _) => {
                let others = total.stats.get(*place)?.others;
                (others > 0).then(|| (name.clone(), others))
            }
            _ => None,
        });
        others.collect()
    }

    fn order(&self, a: &(Row, Vec<Option<f64>>), b: &(Row, Vec<Option<f64>>)) -> Ordering {
        let dimension = |at: usize| {
            let (a, b) = (a.0.key.get(at), b.0.key.get(at));
            let text = |value: Option<&'_ Option<String>>| value.cloned().flatten();
            let (a, b) = (text(a), text(b));
            self.question.compare_values(at, a.as_deref(), b.as_deref())
        };
        for (column, is_down) in &self.question.order {
            let order = match column {
                Column::Dimension(at) if *is_down => dimension(*at).reverse(),
                Column::Dimension(at) => dimension(*at),
                Column::Metric(at) => {
                    let figure = |figures: &[Option<f64>]| figures.get(*at).copied().flatten();
                    match (figure(&a.1), figure(&b.1)) {
                        (Some(a), Some(b)) if *is_down => b.total_cmp(&a),
                        (Some(a), Some(b)) => a.total_cmp(&b),
                        // What has no figure comes last, whatever the order.
                        (a, b) => b.is_some().cmp(&a.is_some()),
                    }
                }
            };
            if order.is_ne() {
                return order;
            }
        }
        let mut dimensions = (0..self.question.dimensions.len()).map(dimension);
        dimensions
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
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

    /// The figures of compared rows by the names of the rows that they stand beside: units of time are counted from
    /// the beginning of either range.
    fn aligned(&self, rows: Vec<Row>, span: Span) -> HashMap<String, Vec<Option<f64>>> {
        let is_total = self.question.dimensions.is_empty();
        let rows = rows.into_iter().skip(usize::from(!is_total));
        let beside = |mut row: Row| (self.name_by(&row.key, span.from), self.figures(&mut row));
        rows.map(beside).collect()
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

    fn beside(
        &self,
        compared: &HashMap<String, Vec<Option<f64>>>,
        key: &[Option<String>],
    ) -> Vec<Value> {
        let figures = compared.get(&self.name_by(key, self.span.from)).cloned();
        let none = || self.figures(&mut Row::default());
        let figures = figures.unwrap_or_else(none);
        figures.into_iter().map(value).collect()
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

/// A row's values as one text: no two rows have the same.
fn name(key: &[Option<String>]) -> String {
    let mut name = String::new();
    for value in key {
        match value {
            Some(text) => name.push_str(&format!("{}:{text}", text.len())),
            None => name.push('-'),
        }
    }
    name
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

fn check(too_much: u8) -> Result<(), Fault> {
    let known = [TooMuch::Rows, TooMuch::Memory, TooMuch::Work];
    let why = known.into_iter().find(|why| *why as u8 == too_much);
    why.map_or(Ok(()), |why| {
        Err(Fault::QuestionTooLarge(match why {
            TooMuch::Rows => {
                "The answer has more than 100,000 rows. Ask for fewer dimensions, longer units of time, or filter."
            }
            TooMuch::Memory => {
                "The question counts more users, sessions or values than there is room for. Ask for a shorter range, \
                fewer dimensions or percentiles, or filter."
            }
            TooMuch::Work => {
                "The question takes more than two seconds of computing. Ask for a shorter range or fewer fields; \
                properties with long or very many values take longest."
            }
        }))
    })
}
