//! Funnels, journeys, vitals and cohorts of events that somebody else picks.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::pick::Pick;
use super::timeline::MAX_ENTRIES;
use super::walker::{FunnelRule, Walker};
use super::{JourneysSpec, VitalsSpec, journeys, vitals};

/// What becomes of the events that are picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Walk {
    /// A funnel: a [`super::FunnelPart`].
    Funnel(FunnelRule),
    /// Journeys: a [`super::JourneysPart`].
    Journeys(JourneysSpec),
    /// Vitals: [`super::VitalPart`]s.
    Vitals(VitalsSpec),
    /// Which properties events have.
    Properties {
        /// Of this type alone.
        event_type: Option<String>,
    },
    /// Who comes back, by days or weeks of a zone, so many periods later at most.
    Cohorts {
        /// Weeks, not days.
        weekly: bool,
        /// Periods at most.
        periods: i64,
        /// By the first event that passes a goal; else of those who have no event before the range.
        by_goal: bool,
    },
}

impl Walk {
    /// What takes events of a range of time; none of cohorts and properties, which take what is not known here.
    pub fn pick(&self, range: Range<i64>) -> Option<Box<dyn Pick>> {
        self.pick_few(range, MAX_ENTRIES)
    }

    /// The same, which keeps so many entries at most.
    pub(crate) fn pick_few(&self, range: Range<i64>, most: usize) -> Option<Box<dyn Pick>> {
        Some(match self {
            Self::Funnel(rule) => Box::new(Walker::new(rule.clone(), range, most)),
            Self::Journeys(spec) => {
                let spec = JourneysSpec {
                    at: (range.start, range.end),
                    ..spec.clone()
                };
                Box::new(journeys::Scan::new(spec, range.start, most))
            }
            Self::Vitals(spec) => {
                let spec = VitalsSpec {
                    at: (range.start, range.end),
                    ..spec.clone()
                };
                Box::new(vitals::Scan::new(spec, range.start))
            }
            Self::Cohorts { .. } | Self::Properties { .. } => return None,
        })
    }
}
