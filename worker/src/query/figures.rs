//! The figures of rows, and their order.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::field::Fields;
use super::measures::{Stats, whole_of};
use super::metric::{How, Metric, currency_name};
use super::panel::{Column, Panel};
use super::part::Row;

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Figure {
    /// There is nothing to divide by, or no number.
    Nothing,
    Number(f64),
    /// Amounts by the numbers of their currencies.
    Money(Vec<(i64, f64)>),
}

/// A figure of each metric.
pub(super) type Figures = Vec<Figure>;

impl From<Option<f64>> for Figure {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }
}

impl Figure {
    /// As JSON: whole numbers without a point.
    pub(super) fn value(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Number(number) => plain(number),
            Self::Money(sums) => {
                let named = |(code, sum)| (currency_name(code), plain(sum));
                Value::Object(sums.into_iter().map(named).collect())
            }
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < MOST_WHOLE {
        return (number as i64).into();
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Below it each whole number is a double: 2^53.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

impl Panel {
    /// The figures of a row.
    pub(super) fn figures(&self, row: &mut Row) -> Figures {
        row.stats.iter_mut().for_each(Stats::settle);
        let counts = row.counts;
        let part = |of: i64, all: i64| (all != 0).then(|| of as f64 / all as f64).into();
        let count = |count: i64| Figure::Number(count as f64);
        let figure = |metric: &Metric| match *metric {
            Metric::Users => count(counts.users),
            Metric::Events => count(counts.events),
            Metric::Views => count(counts.views),
            Metric::Sessions => count(counts.sessions),
            Metric::BounceRate => part(counts.bounces, counts.sessions),
            Metric::ViewsPerSession => part(counts.views, counts.sessions),
            Metric::SessionDuration => part(counts.duration, counts.sessions),
            Metric::Conversions => count(counts.conversions),
            Metric::Converted => count(counts.converted),
            Metric::ConversionRate => part(counts.converted, counts.users),
            Metric::Revenue(place, currency) => money(row.stats.get(place), currency),
            Metric::Of(place, how) => row.stats.get(place).and_then(|stats| of(stats, how)).into(),
        };
        self.metrics.iter().map(figure).collect()
    }

    /// By metric, how many values are no numbers, where there are any.
    pub(super) fn not_numbers(&self, total: &Row) -> Map<String, Value> {
        let names = self.names.iter().skip(self.dimensions.len());
        let mut all = Map::new();
        for (metric, name) in self.metrics.iter().zip(names) {
            let place = match metric {
                Metric::Of(place, how) if *how != How::Count => Some(*place),
                Metric::Revenue(place, _) => Some(*place),
                _ => None,
            };
            let stats = place.and_then(|place| total.stats.get(place));
            if let Some(stats) = stats.filter(|stats| stats.others > 0) {
                all.insert(name.clone(), stats.others.into());
            }
        }
        all
    }

    /// Which of two rows comes first.
    pub(super) fn order(
        &self,
        fields: &Fields,
        a: &(Row, Figures),
        b: &(Row, Figures),
    ) -> Ordering {
        let dimension = |at: usize| self.order_of_key(fields, &a.0, &b.0, at);
        let figure = |figures: &Figures, at: usize| figures.get(at).and_then(Figure::number);
        for (column, is_down) in &self.order {
            let order = match *column {
                Column::Dimension(at) if *is_down => dimension(at).reverse(),
                Column::Dimension(at) => dimension(at),
                Column::Metric(at) => match (figure(&a.1, at), figure(&b.1, at)) {
                    (Some(a), Some(b)) if *is_down => b.total_cmp(&a),
                    (Some(a), Some(b)) => a.total_cmp(&b),
                    // What has no figure comes last, whatever the order.
                    (a, b) => b.is_some().cmp(&a.is_some()),
                },
            };
            if order.is_ne() {
                return order;
            }
        }
        self.order_of_keys(fields, &a.0, &b.0)
    }

    /// How two rows are ordered by their dimensions alone.
    pub(super) fn order_of_keys(&self, fields: &Fields, a: &Row, b: &Row) -> Ordering {
        let mut orders = (0..self.dimensions.len()).map(|at| self.order_of_key(fields, a, b, at));
        let order = orders.find(|order| order.is_ne());
        order.unwrap_or(Ordering::Equal)
    }

    fn order_of_key(&self, fields: &Fields, a: &Row, b: &Row, at: usize) -> Ordering {
        let (a, b) = (a.key.get(at), b.key.get(at));
        let (a, b) = (a.and_then(Option::as_deref), b.and_then(Option::as_deref));
        self.compare_values(fields, at, a, b)
    }
}

/// Amounts of all currencies, or the amount of one.
fn money(stats: Option<&Stats>, currency: Option<i64>) -> Figure {
    let all = stats
        .map(|stats| stats.money.as_slice())
        .unwrap_or_default();
    match currency {
        Some(code) => {
            let found = all.iter().find(|(known, _)| *known == code);
            Figure::Number(found.map_or(0.0, |(_, sum)| whole_of(*sum)))
        }
        None if all.is_empty() => Figure::Nothing,
        None => Figure::Money(
            all.iter()
                .map(|(code, sum)| (*code, whole_of(*sum)))
                .collect(),
        ),
    }
}

fn of(stats: &Stats, how: How) -> Option<f64> {
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
