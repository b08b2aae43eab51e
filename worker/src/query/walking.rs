//! A question about events that are picked: when and where it is asked, and what shards answer.

use serde::de::DeserializeOwned;

use super::answer::unknown_zone;
use super::ask::Question;
use super::picked::picking_question;
use super::picking::Walked;
use super::range::Span;
use super::rows::check;
use super::spec::Spec;
use super::zone::Zone;
use crate::archive::scan::Walk;
use crate::base::time::DAY_MS;
use crate::http::error::Fault;
use crate::read::question::{Meta, Told};

/// A question, when and where it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Walking {
    question: Question,
    walk: Walk,
    body: String,
}

impl Walking {
    /// Reads the body that picks events.
    ///
    /// # Errors
    /// With the path of what is wrong.
    pub fn parse(body: String, walk: Walk) -> Result<Self, Fault> {
        Ok(Self {
            question: picking_question(body.as_bytes(), &walk)?,
            walk,
            body,
        })
    }

    /// The name of its zone.
    pub fn time_zone(&self) -> &str {
        &self.question.time_zone
    }

    /// Within which moments the offsets of its zone must be known: until now where people may come back.
    pub fn window(&self, now_ms: i64) -> Span {
        let window = self.question.window(now_ms);
        let soon = now_ms.saturating_add(DAY_MS.saturating_mul(2));
        Span {
            to: window.to.max(soon),
            ..window
        }
    }

    /// What each shard of the archive is asked, and what the answer says of it.
    ///
    /// # Errors
    /// Where there is no such zone.
    pub fn spec(
        &self,
        offsets: Option<Vec<(i64, i64)>>,
        archives: u32,
        now_ms: i64,
    ) -> Result<(Spec, Meta), Fault> {
        let offsets = offsets.ok_or_else(unknown_zone)?;
        let zone = Zone::new(offsets.clone());
        let span = self.question.range.span(&zone, now_ms);
        let day = |at: i64| zone.local(at).div_euclid(DAY_MS);
        let meta = Meta {
            from: span.from,
            to: span.to,
            time_zone: self.question.time_zone.clone(),
            covered_from: span.from,
            days: (day(span.from), day(span.to.saturating_sub(1))),
            today: day(now_ms),
        };
        let later = match self.walk {
            Walk::Cohorts {
                weekly, periods, ..
            } => {
                let days = if weekly { 7 } else { 1 };
                // The last one's period may begin before it ends, and a day may have 25 hours.
                let periods = periods.saturating_add(2).saturating_mul(days);
                periods.saturating_mul(DAY_MS)
            }
            _ => 0,
        };
        let spec = Spec {
            archives,
            body: self.body.clone(),
            panels: true,
            at: (span.from, span.to.saturating_add(later)),
            zone: offsets,
            walk: Some(self.walk.clone()),
            until: span.to,
        };
        Ok((spec, meta))
    }

    /// What shards found.
    ///
    /// # Errors
    /// Where one gave up.
    pub fn told<T: DeserializeOwned>(
        parts: Vec<Walked>,
        meta: &mut Meta,
    ) -> Result<Vec<Told<T>>, Fault> {
        let mut all = Vec::new();
        for part in parts {
            check(part.too_much)?;
            let span = Span {
                from: meta.from,
                to: meta.to,
            };
            let covered = span.covered_from(part.kept_from);
            meta.covered_from = meta.covered_from.max(covered);
            let found = part.found.as_ref().map_or("null", |found| found.get());
            let found = serde_json::from_str(found);
            all.push(Told {
                found: found
                    .map_err(|_| Fault::Unavailable("The archive's answer cannot be read."))?,
                values: part.values,
                names: part.names,
            });
        }
        Ok(all)
    }
}
