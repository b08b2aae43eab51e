//! `POST /v1/analytics/query/journeys`: the paths that most sessions begin with.

use serde::Serialize;
use serde_json::value::RawValue;

use super::activity::ratio;
use super::question::Question;
use crate::archive::scan::{Asked, JourneysPart, JourneysSpec};
use crate::base::sort;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::fields::{days, number, object};

/// Fields of the body.
pub const FIELDS: &[&str] = &["depth", "limit", "startDate", "endDate"];

/// A checked question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journeys {
    days: Days,
    depth: i64,
    limit: i64,
}

/// The answer: the most travelled first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Journeys))]
pub struct Answer {
    /// Sessions that have a page or feature in the range.
    sessions: i64,
    paths: Vec<Path>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Journey))]
struct Path {
    /// `[["page", "/a"], ["feature", "search"], …]`, as JSON.
    #[cfg_attr(test, schema(value_type = Vec<[String; 2]>))]
    steps: Box<RawValue>,
    sessions: i64,
    share: f64,
}

impl Question for Journeys {
    type Found = JourneysPart;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        let fields = object(body, FIELDS)?;
        Ok(Self {
            depth: number(
                &fields,
                "depth",
                1..=10,
                5,
                "depth must be a whole number from 1 to 10.",
            )?,
            limit: number(
                &fields,
                "limit",
                1..=100,
                20,
                "limit must be a whole number from 1 to 100.",
            )?,
            days: days(&fields, now_ms)?,
        })
    }

    fn asked(&self) -> Asked {
        Asked::Journeys(JourneysSpec {
            at: (self.days.from_ms(), self.days.to_ms()),
            depth: usize::try_from(self.depth).unwrap_or(1),
            limit: usize::try_from(self.limit).unwrap_or(1),
        })
    }

    fn answer(&self, found: Vec<JourneysPart>) -> Answer {
        let total = found.iter().map(|part| part.sessions);
        let total = total.fold(0, i64::saturating_add);
        let mut paths: Vec<(String, i64)> = found.iter().flat_map(texts).collect();
        sort::sort(&mut paths);
        paths.dedup_by(|next, path| {
            let same = next.0 == path.0;
            if same {
                path.1 = path.1.saturating_add(next.1);
            }
            same
        });
        // Stable: equals stay in the order of their text.
        sort::sort_by(&mut paths, |(_, a), (_, b)| b.cmp(a));
        paths.truncate(usize::try_from(self.limit).unwrap_or(1));
        let paths = paths.into_iter().map(|(steps, sessions)| Path {
            share: ratio(sessions, total),
            sessions,
            steps: RawValue::from_string(steps).unwrap_or_default(),
        });
        Answer {
            sessions: total,
            paths: paths.collect(),
        }
    }
}

/// The paths of a part as JSON texts, each with its sessions.
fn texts(part: &JourneysPart) -> impl Iterator<Item = (String, i64)> {
    part.paths.iter().map(|(sessions, path)| {
        let steps = path
            .iter()
            .filter_map(|step| part.steps.get(*step as usize));
        let steps: Vec<&str> = steps.map(String::as_str).collect();
        (format!("[{}]", steps.join(",")), *sessions)
    })
}
