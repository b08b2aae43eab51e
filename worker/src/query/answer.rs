//! The answer: parts of shards made one, figures, order, pages, a comparison.

use serde::Serialize;
use serde_json::{Map, Value};

use super::ask::{NO_ZONE, Question};
use super::compared::Compared;
use super::field::Field;
use super::figures::{Figure, Figures};
use super::panel::Panel;
use super::part::{Found, Row};
use super::range::Span;
use super::rows::{Parts, Rows, name};
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
    pub(super) rows: Vec<Cells>,
    /// The metrics of all events that pass the filters.
    #[cfg_attr(test, schema(value_type = Vec<Option<QueryFigure>>))]
    pub(super) totals: Vec<Value>,
    /// The same of the range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<Option<QueryFigure>>>))]
    compared_totals: Option<Vec<Value>>,
    pub(super) meta: Meta,
    /// The `cursor` of the next page; null on the last.
    #[cfg_attr(test, schema(required))]
    pub(super) next_cursor: Option<String>,
}

/// The answers to several questions, in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = PanelsAnswer))]
pub struct Panels {
    /// Each as to one question.
    pub panels: Vec<Answer>,
}

/// A figure: amounts of money are by currency.
#[cfg(test)]
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what is written as JSON")]
enum QueryFigure {
    Number(f64),
    Money(std::collections::BTreeMap<String, f64>),
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
pub(super) struct Cells {
    /// What the events of the row have in common; null for those that have none.
    #[cfg_attr(test, schema(value_type = Vec<Option<QueryValue>>))]
    pub(super) dimensions: Vec<Value>,
    /// A figure of each metric; null where there is none, as of an average of nothing.
    #[cfg_attr(test, schema(value_type = Vec<Option<QueryFigure>>))]
    pub(super) metrics: Vec<Value>,
    /// The same figures of the range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<Option<QueryFigure>>>))]
    compared: Option<Vec<Value>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = QueryMeta))]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
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
    source: Source,
    /// The range that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<i64>>))]
    compared: Option<[i64; 2]>,
    /// By metric, how many events have a value that is not a number and is not in the figure.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(test, schema(value_type = std::collections::BTreeMap<String, i64>))]
    not_numbers: Map<String, Value>,
}

/// What an answer was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = QuerySource))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The archive's events.
    Scan,
    /// Sums of whole days, which outlive events.
    ReadModels,
}

/// A question, when and where it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub(super) question: Question,
    pub(super) zone: Zone,
    offsets: Vec<(i64, i64)>,
    pub(super) span: Span,
    pub(super) compared: Option<Span>,
    is_of_panels: bool,
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
        let offsets = offsets.ok_or_else(unknown_zone)?;
        let zone = Zone::new(offsets.clone());
        let span = question.range.span(&zone, now_ms);
        let compared = question.compare;
        Ok(Self {
            compared: compared.map(|compare| compare.span(span, &zone, now_ms)),
            is_of_panels: false,
            question,
            offsets,
            span,
            zone,
        })
    }

    /// That several questions are asked at once.
    pub fn of_panels(mut self) -> Self {
        self.is_of_panels = true;
        self
    }

    /// What each shard of the archive is asked: of the range, and of the one that it is compared with.
    pub fn specs(&self, body: &str, archives: u32) -> Vec<Spec> {
        let spans = [Some(self.span), self.compared].into_iter().flatten();
        let spec = |span: Span| Spec {
            archives,
            body: body.to_owned(),
            panels: self.is_of_panels,
            at: (span.from, span.to),
            zone: self.offsets.clone(),
            walk: None,
            until: 0,
        };
        spans.map(spec).collect()
    }

    /// The answer of each panel, from what was found in the range, and in the one that it is compared with: by shards
    /// for each of [`Asked::specs`], or by sums.
    ///
    /// # Errors
    /// Where a shard gave up.
    pub fn answers(&self, parts: Vec<Vec<Found>>, source: Source) -> Result<Vec<Answer>, Fault> {
        let panels = &self.question.panels;
        let mut parts = parts.into_iter();
        let mut next = || Parts::of(parts.next().unwrap_or_default(), panels.len());
        let mut main = next()?;
        let meta = |main: &Parts, covered: Option<i64>| Meta {
            from: self.span.from,
            to: self.span.to,
            time_zone: self.question.time_zone.clone(),
            covered_from: self.span.covered_from(main.kept_from),
            compared_covered_from: covered,
            scanned_events: main.scanned,
            source,
            compared: self.compared.map(|span| [span.from, span.to]),
            not_numbers: Map::new(),
        };
        let mut compared = match self.compared {
            Some(span) => Some((span, next()?)),
            None => None,
        };
        let mut answers = Vec::new();
        for (at, panel) in panels.iter().enumerate() {
            let take = |parts: &mut Parts| {
                let told = parts.panels.get_mut(at).map(std::mem::take);
                Rows::of(panel, told.unwrap_or_default())
            };
            let rows = take(&mut main);
            let beside = compared.as_mut().map(|(span, parts)| {
                let rows = take(parts);
                (
                    span.covered_from(parts.kept_from),
                    self.beside(panel, rows, *span),
                )
            });
            let (covered, beside) = beside.unzip();
            answers.push(self.answer(panel, meta(&main, covered), rows, beside));
        }
        Ok(answers)
    }

    fn answer(
        &self,
        panel: &Panel,
        mut meta: Meta,
        mut main: Rows,
        mut compared: Option<Compared>,
    ) -> Answer {
        let fields = &self.question.fields;
        let totals = panel.figures(&mut main.total);
        let mut rows: Vec<(Row, Figures)> = Vec::new();
        for mut row in main.rows {
            let figures = panel.figures(&mut row);
            rows.push((row, figures));
        }
        if panel.dimensions.is_empty() {
            rows.push((Row::default(), totals.clone()));
        }
        sort::sort_by(&mut rows, |a, b| panel.order(fields, a, b));
        let end = panel.offset.saturating_add(panel.limit);
        let is_last = rows.len() <= end;
        let page = rows.into_iter().skip(panel.offset).take(panel.limit);
        let page = page.map(|(row, figures)| Cells {
            dimensions: self.values(panel, &row.key),
            metrics: values(figures),
            compared: compared.as_ref().map(|compared| {
                let name = self.name_by(panel, &row.key, self.span.from);
                values(compared.of(&name, panel))
            }),
        });
        meta.not_numbers = panel.not_numbers(&main.total);
        Answer {
            rows: page.collect(),
            totals: values(totals),
            meta,
            compared_totals: compared
                .as_mut()
                .map(|compared| values(std::mem::take(&mut compared.total))),
            next_cursor: (!is_last).then(|| end.to_string()),
        }
    }

    /// The figures of rows by the names of those that they stand beside: units of time are counted from the beginning
    /// of either range.
    fn beside(&self, panel: &Panel, rows: Rows, span: Span) -> Compared {
        let mut compared = Compared::default();
        let Rows {
            mut total,
            mut rows,
        } = rows;
        compared.total = panel.figures(&mut total);
        if panel.dimensions.is_empty() {
            compared.places.insert(String::new(), 0);
            compared.figures.push(compared.total.clone());
        }
        sort::sort_by(&mut rows, |a, b| {
            panel.order_of_keys(&self.question.fields, a, b)
        });
        for mut row in rows {
            let place = compared.figures.len() as u64;
            // Of an hour that comes twice, the first stands beside.
            let name = self.name_by(panel, &row.key, span.from);
            compared.places.entry(name).or_insert(place);
            compared.figures.push(panel.figures(&mut row));
        }
        compared
    }

    /// A row's values as they are told.
    fn values(&self, panel: &Panel, key: &[Option<String>]) -> Vec<Value> {
        let told = |(at, value): (usize, &Option<String>)| {
            let Some(text) = value else {
                return Value::Null;
            };
            let number = || text.parse::<i64>().unwrap_or(0);
            match panel.dimension(&self.question.fields, at) {
                Some(Field::Time(unit)) => self.zone.label(*unit, number()).into(),
                Some(field) if field.is_number() => number().into(),
                _ => text.as_str().into(),
            }
        };
        key.iter().enumerate().map(told).collect()
    }

    /// A row's values as one text, with times as the count of units since `from`.
    fn name_by(&self, panel: &Panel, key: &[Option<String>], from: i64) -> String {
        let mut key = key.to_vec();
        for (at, value) in key.iter_mut().enumerate() {
            let field = panel.dimension(&self.question.fields, at);
            if let (Some(Field::Time(unit)), Some(text)) = (field, value) {
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
        let Some(panel) = self.question.panels.first() else {
            return String::new();
        };
        let names = &panel.names;
        header.extend(names.iter().map(|name| name.as_str().into()));
        if self.compared.is_some() {
            let metrics = names.iter().skip(panel.dimensions.len());
            header.extend(metrics.map(|name| format!("compared {name}").into()));
        }
        let cell = |value: &Value| match value {
            Value::Number(number) => csv::Cell::Number(number.to_string()),
            Value::String(text) => text.as_str().into(),
            // Amounts by currency: `EUR 12.5 USD 3`.
            Value::Object(sums) => {
                let named = sums.iter().map(|(code, sum)| format!("{code} {sum}"));
                named.collect::<Vec<_>>().join(" ").into()
            }
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

/// There is no zone of this name.
pub(super) fn unknown_zone() -> Fault {
    wrong("timeZone", NO_ZONE)
}

fn values(figures: Figures) -> Vec<Value> {
    figures.into_iter().map(Figure::value).collect()
}
