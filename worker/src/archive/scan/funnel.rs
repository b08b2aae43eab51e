//! A funnel whose steps are of the simplest kind: how many users went through them, in order, in time.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::pick::{Pick, Picked};
use super::walker::{FunnelRule, Order, Walker};
use crate::archive::Column;
use crate::archive::segment::{Broken, Segment};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelSpec {
    /// Events from here on (Unix milliseconds) and before there.
    pub at: (i64, i64),
    /// Milliseconds from the first step to the last one at most.
    pub window_ms: i64,
    /// The steps, 10 at most.
    pub steps: Vec<Step>,
}

/// What an event must have to be a step: `[eventType, page, feature]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step(pub String, pub Option<String>, pub Option<String>);

/// A funnel under way.
pub(super) struct Scan {
    steps: Vec<Step>,
    walker: Walker,
}

impl Scan {
    pub(super) fn new(spec: FunnelSpec, kept_from: i64, most: usize) -> Self {
        let rule = FunnelRule {
            steps: spec.steps.len(),
            window_ms: spec.window_ms,
            order: Order::Sequence,
            by_value: false,
            dropped: None,
        };
        let range = spec.at.0.max(kept_from)..spec.at.1;
        Self {
            walker: Walker::new(rule, range, most),
            steps: spec.steps,
        }
    }
}

/// Of each event the steps that it is, as bits; empty where none is one.
fn masks(steps: &[Step], segment: &Segment<'_>) -> Result<Vec<u32>, Broken> {
    let mut masks: Vec<u32> = Vec::new();
    // The codes of a column, once some step asks for it.
    let mut columns: [Option<Vec<u32>>; 3] = [None, None, None];
    let mut bit = 1_u32;
    'steps: for Step(event_type, page, feature) in steps {
        let this = bit;
        bit = bit.wrapping_shl(1);
        let wanted = [
            (Column::Type, Some(event_type)),
            (Column::Page, page.as_ref()),
            (Column::Feature, feature.as_ref()),
        ];
        let mut codes = [None; 3];
        for ((column, text), code) in wanted.iter().zip(&mut codes) {
            if let Some(text) = text {
                *code = segment.column_code(*column, text)?;
                if code.is_none() {
                    continue 'steps;
                }
            }
        }
        let mut hits = vec![this; segment.len()];
        for (((column, _), code), known) in wanted.iter().zip(codes).zip(&mut columns) {
            let Some(code) = code else { continue };
            let codes = match known {
                Some(codes) => codes,
                None => known.insert(segment.column(*column)?.codes),
            };
            for (hit, each) in hits.iter_mut().zip(codes.iter()) {
                *hit = if *each == code { *hit } else { 0 };
            }
        }
        if masks.is_empty() {
            masks = hits;
        } else {
            for (mask, hit) in masks.iter_mut().zip(&hits) {
                *mask |= hit;
            }
        }
    }
    Ok(masks)
}

impl super::Scan for Scan {
    fn range(&self) -> Range<i64> {
        self.walker.window()
    }

    fn reset(&mut self) {
        self.walker.reset();
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        let what = &masks(&self.steps, segment)?;
        self.walker.pick(Picked { segment, what })
    }

    fn is_full(&self) -> bool {
        self.walker.is_full()
    }

    fn settle(&mut self, before: i64) {
        self.walker.settle(before);
    }

    fn again(&mut self) -> bool {
        self.walker.again()
    }

    fn part(&self, alone: bool) -> serde_json::Result<String> {
        self.walker.part(alone)
    }
}
