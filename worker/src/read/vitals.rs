//! `GET /v1/analytics/metrics/vitals`: how fast pages were for those who saw them.

use serde::Serialize;
use serde_json::{Map, Value};
use shoreline_shared::privacy::spelled;

use super::question::{Ask, Meta, OfEvents, Told, fields_of, panel, picking};
use crate::archive::counted::VITALS;
use crate::archive::scan::{Asked, VitalPart, VitalsSpec, Walk};
use crate::http::csv::csv;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::protocol::counters::live_key;

/// Said with every answer.
const NOTE: &str = "Milliseconds; CLS has no unit. Percentiles are measured values (nearest rank). \
    Good and poor as web.dev/articles/vitals says: LCP 2500 and 4000, INP 200 and 500, CLS 0.1 and \
    0.25, FCP 1800 and 3000, TTFB 800 and 1800, the first being good still, the second not poor yet.";

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Vitals {
    days: Days,
    page: Option<String>,
    /// The body that picks events, where there are filters.
    picking: Option<Map<String, Value>>,
}

/// The answer: LCP, INP, CLS, FCP, TTFB, as far as there are any.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Vitals))]
pub struct Answer {
    vitals: Vec<Vital>,
    note: &'static str,
    /// What was looked at, of events that were picked by filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
struct Vital {
    /// `LCP`, `INP`, `CLS`, `FCP` or `TTFB`.
    name: String,
    /// Measurements.
    count: i64,
    p50: f64,
    p75: f64,
    p95: f64,
    /// Measurements that are good.
    good: i64,
    /// Neither good nor poor.
    needs_improvement: i64,
    /// Poor.
    poor: i64,
}

impl Vitals {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the parameter.
    pub fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        let days = Days::parse(params, now_ms)?;
        let picking = match fields_of(params)? {
            Some(fields) => Some(picking(&fields, days, vec![panel()])?),
            None => None,
        };
        Ok(Self {
            days,
            picking,
            page: params
                .get("page")
                .map(|page| live_key(&spelled(page)).into_owned()),
        })
    }

    /// Whether its last day is over; a range by name goes on.
    pub fn finished(&self, now_ms: i64) -> bool {
        self.picking.is_none() && self.days.finished(now_ms)
    }

    /// What each shard of the archive is asked.
    pub fn asked(&self) -> Ask {
        let spec = VitalsSpec {
            at: (self.days.from_ms(), self.days.to_ms()),
            page: self.page.clone(),
        };
        match &self.picking {
            None => Ask::Archive(Asked::Vitals(spec)),
            Some(body) => Ask::Events(OfEvents {
                body: body.clone(),
                walk: Walk::Vitals(spec),
            }),
        }
    }

    /// The answer from what the shards found.
    pub fn answer(found: Vec<Told<Vec<VitalPart>>>, meta: Option<Meta>) -> Answer {
        let mut all: [VitalPart; VITALS.len()] = Default::default();
        for part in found {
            for (vital, more) in all.iter_mut().zip(part.found) {
                vital.unite(more);
            }
        }
        let vitals = VITALS.iter().zip(&all);
        Answer {
            vitals: vitals
                .filter_map(|(name, part)| vital(name, part))
                .collect(),
            note: NOTE,
            meta,
        }
    }

    /// The answer as CSV.
    pub fn csv(answer: &Answer) -> String {
        let header = [
            "name",
            "count",
            "p50",
            "p75",
            "p95",
            "good",
            "needsImprovement",
            "poor",
        ];
        let rows = answer.vitals.iter().map(|vital| {
            vec![
                vital.name.as_str().into(),
                vital.count.into(),
                vital.p50.into(),
                vital.p75.into(),
                vital.p95.into(),
                vital.good.into(),
                vital.needs_improvement.into(),
                vital.poor.into(),
            ]
        });
        csv(&header, rows)
    }
}

/// What is told of a vital; `None` where nothing was measured.
fn vital(name: &str, part: &VitalPart) -> Option<Vital> {
    let count = part.count();
    let [p50, p75, p95] = part.ranks().map(|rank| part.value(rank));
    Some(Vital {
        name: name.to_owned(),
        count,
        p50: p50?,
        p75: p75?,
        p95: p95?,
        good: part.good,
        needs_improvement: count.saturating_sub(part.good).saturating_sub(part.poor),
        poor: part.poor,
    })
}

#[cfg(test)]
mod tests;
