//! `POST /v1/analytics/query/journeys`: the paths that most sessions begin with.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use shoreline_shared::privacy::spelled;

use super::activity::ratio;
use super::question::{Ask, Meta, OfEvents, Question, Told, is_of_events, panel, picking};
use crate::archive::scan::{Asked, End, JourneysPart, JourneysSpec, Walk};
use crate::base::sort;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::fields::{days, number, object};
use crate::protocol::counters::live_key;

/// Fields of the body.
pub const FIELDS: &[&str] = &[
    "depth",
    "limit",
    "from",
    "to",
    "filters",
    "range",
    "timeZone",
    "startDate",
    "endDate",
];

/// A checked question.
#[derive(Debug, Clone, PartialEq)]
pub struct Journeys {
    days: Days,
    depth: i64,
    limit: i64,
    end: Option<End>,
    /// The body that picks events, where there are filters.
    picking: Option<Map<String, Value>>,
}

/// The answer: the most travelled first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Journeys))]
pub struct Answer {
    /// Sessions that have a page or feature in the range, or the page that is asked for.
    sessions: i64,
    paths: Vec<Path>,
    /// What was looked at, of events that were picked by filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
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
        let days = days(&fields, now_ms)?;
        let picking = if is_of_events(&fields) {
            Some(picking(&fields, days, vec![panel()])?)
        } else {
            None
        };
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
            end: end(&fields)?,
            days,
            picking,
        })
    }

    fn asked(&self) -> Ask {
        let spec = JourneysSpec {
            at: (self.days.from_ms(), self.days.to_ms()),
            depth: usize::try_from(self.depth).unwrap_or(1),
            limit: usize::try_from(self.limit).unwrap_or(1),
            end: self.end.clone(),
        };
        match &self.picking {
            None => Ask::Archive(Asked::Journeys(spec)),
            Some(body) => Ask::Events(OfEvents {
                body: body.clone(),
                walk: Walk::Journeys(spec),
            }),
        }
    }

    fn answer(&self, found: Vec<Told<JourneysPart>>, meta: Option<Meta>) -> Answer {
        let found: Vec<JourneysPart> = found.into_iter().map(|told| told.found).collect();
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
            meta,
        }
    }
}

/// The page that paths begin or end with, in any spelling.
fn end(fields: &Map<String, Value>) -> Result<Option<End>, Fault> {
    let page = |name: &'static str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(page)) => Ok(Some(live_key(&spelled(page)).into_owned())),
        Some(_) => Err(Fault::InvalidParameter {
            name,
            detail: "from and to are the path of a page.",
        }),
    };
    match (page("from")?, page("to")?) {
        (Some(_), Some(_)) => Err(Fault::InvalidParameter {
            name: "to",
            detail: "Paths either begin with a page or end with one.",
        }),
        (from, to) => Ok(from.map(End::From).or(to.map(End::To))),
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
