//! The figures of rows, and their order.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::ask::{Column, Question};
use super::measures::Stats;
use super::metric::{How, Metric};
use super::part::Row;

/// A figure of each metric; none where there is nothing to divide by, or no number.
pub(super) type Figures = Vec<Option<f64>>;

impl Question {
    /// The figures of a row.
    pub(super) fn figures(&self, row: &mut Row) -> Figures {
        row.stats.iter_mut().for_each(Stats::settle);
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
            Metric::Of(place, how) => row.stats.get(place).and_then(|stats| of(stats, how)),
        };
        self.metrics.iter().map(figure).collect()
    }

    /// By metric, how many values are no numbers, where there are any.
    pub(super) fn not_numbers(&self, total: &Row) -> Map<String, Value> {
        let names = self.names.iter().skip(self.dimensions.len());
        let mut all = Map::new();
        for (metric, name) in self.metrics.iter().zip(names) {
            if let Metric::Of(place, how) = metric
                && let Some(stats) = total.stats.get(*place)
                && stats.others > 0
                && *how != How::Count
            {
                all.insert(name.clone(), stats.others.into());
            }
        }
        all
    }

    /// Which of two rows comes first.
    pub(super) fn order(&self, a: &(Row, Figures), b: &(Row, Figures)) -> Ordering {
        let dimension = |at: usize| {
            let (a, b) = (a.0.key.get(at), b.0.key.get(at));
            let (a, b) = (a.and_then(Option::as_deref), b.and_then(Option::as_deref));
            self.compare_values(at, a, b)
        };
        let figure = |figures: &Figures, at: usize| figures.get(at).copied().flatten();
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
        let mut orders = (0..self.dimensions.len()).map(dimension);
        orders
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
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
