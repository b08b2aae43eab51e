//! Metrics by their names, and what must be counted for them.

use shoreline_shared::event_type::TrackerType;

use super::field::{DATA, DURATION, Field, Fields};

/// A figure of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Users,
    Events,
    Views,
    Sessions,
    BounceRate,
    ViewsPerSession,
    SessionDuration,
    /// Of a measure, by its place.
    Of(usize, How),
}

/// What is made of a measure's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Sum,
    Average,
    Least,
    Most,
    /// Events that have a value, of whatever kind.
    Count,
    /// A percentile from 1 to 99, by nearest rank.
    Percentile(i64),
}

/// Numbers that are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// The field they are of.
    pub(super) field: usize,
    /// Whether each value is asked for, and not only their sum.
    pub(super) each: bool,
}

/// What is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) users: bool,
    pub(super) sessions: bool,
    /// Whether sessions are looked at as a whole: bounces and durations.
    pub(super) visits: bool,
    pub(super) measures: Vec<Measure>,
}

impl Metric {
    /// By its name; none where nothing is called so. Notes what must be counted for it.
    pub(super) fn of(name: &str, fields: &mut Fields, counted: &mut Counted) -> Option<Self> {
        let left = Some(TrackerType::PageLeave.as_str());
        let metric = match name {
            "users" => Self::Users,
            "events" | "count" => Self::Events,
            "views" => Self::Views,
            "sessions" => Self::Sessions,
            "bounceRate" => Self::BounceRate,
            "viewsPerSession" => Self::ViewsPerSession,
            "sessionDuration" => Self::SessionDuration,
            "engagedTime" => counted.of(
                fields,
                Field::Property(ENGAGED.to_owned(), left),
                How::Average,
            ),
            "scrollDepth" => {
                let depth = Field::Property("scrollDepth".to_owned(), left);
                counted.of(fields, depth, How::Average)
            }
            "errorRate" => counted.of(fields, Field::Failed, How::Average),
            _ => {
                let (how, of) = name.strip_suffix(')')?.split_once('(')?;
                let how = match how {
                    "sum" => How::Sum,
                    "avg" => How::Average,
                    "min" => How::Least,
                    "max" => How::Most,
                    "count" => How::Count,
                    _ => How::Percentile(percentile(how.strip_prefix('p')?)?),
                };
                let field = Field::of(of).filter(|_| of == DURATION || of.starts_with(DATA))?;
                counted.of(fields, field, how)
            }
        };
        counted.users |= metric == Self::Users;
        let is_of_visit = matches!(metric, Self::BounceRate | Self::SessionDuration);
        counted.visits |= is_of_visit;
        counted.sessions |= is_of_visit || matches!(metric, Self::Sessions | Self::ViewsPerSession);
        Some(metric)
    }
}

/// Milliseconds that a page was looked at, of a `page_leave`.
pub(super) const ENGAGED: &str = "engagedMs";

fn percentile(digits: &str) -> Option<i64> {
    let is_short = (1..=2).contains(&digits.len());
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<i64>().ok()?;
    (is_short && all && number > 0).then_some(number)
}

impl Counted {
    /// A metric of a field's numbers.
    fn of(&mut self, fields: &mut Fields, field: Field, how: How) -> Metric {
        let field = fields.place(field);
        let each = matches!(how, How::Percentile(_));
        let known = self.measures.iter().position(|known| known.field == field);
        let place = known.unwrap_or_else(|| {
            self.measures.push(Measure { field, each });
            self.measures.len().saturating_sub(1)
        });
        if let Some(measure) = self.measures.get_mut(place) {
            measure.each |= each;
        }
        Metric::Of(place, how)
    }
}
