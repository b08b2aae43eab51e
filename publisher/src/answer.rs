//! What an answer says of a batch, and of each of its events.

use std::borrow::Cow;

use chrono::DateTime;
use serde::Deserialize;
use shoreline_shared::retry::{Fate, fate};

use crate::outcome::{Outcome, Problem, PublishError, Receipt};
use crate::transport::{Answer, NoAnswer};

/// What is done with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every event has its outcome.
    Ended(Vec<Outcome>),
    /// Too large: send its halves; the outcome of each event if it has none.
    Split(Vec<Outcome>),
    /// Nothing is known of it: send it again.
    Retry {
        /// Why.
        cause: Cow<'static, str>,
        /// Milliseconds the collector asks for.
        retry_after_ms: Option<u64>,
    },
}

/// The body of a 202.
#[derive(Deserialize)]
struct Taken {
    accepted: usize,
    #[serde(default)]
    results: Vec<Line>,
}

/// The body of a refusal.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    code: Option<String>,
    field: Option<String>,
    detail: Option<String>,
    results: Vec<Line>,
}

/// What became of one event that was not accepted.
#[derive(Deserialize)]
struct Line {
    index: usize,
    status: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Reads the answer to a batch of `events` events at the moment `now_ms` (Unix milliseconds).
pub(crate) fn read(answer: Result<Answer, NoAnswer>, events: usize, now_ms: i64) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(cause) => return retry(cause, None),
    };
    match fate(answer.status) {
        // Whoever answers 200 with something else, a captive portal say, is no collector.
        Fate::Done => taken(&answer.body, events).map_or_else(
            || retry("the answer is none of a Shoreline collector".into(), None),
            Verdict::Ended,
        ),
        Fate::Drop => Verdict::Ended(refused(&answer, events)),
        Fate::Split => Verdict::Split(refused(&answer, events)),
        Fate::Retry => {
            let asked = answer.retry_after.as_deref();
            let asked = asked.and_then(|text| retry_after_ms(text, now_ms));
            retry(
                format!("answered with status {}", answer.status).into(),
                asked,
            )
        }
    }
}

fn retry(cause: Cow<'static, str>, retry_after_ms: Option<u64>) -> Verdict {
    Verdict::Retry {
        cause,
        retry_after_ms,
    }
}

/// Outcomes by the body of a 202; none if it does not account for every event.
fn taken(body: &[u8], events: usize) -> Option<Vec<Outcome>> {
    let taken: Taken = serde_json::from_slice(body).ok()?;
    let named = taken.results.len();
    let mut outcomes = vec![Ok(Receipt::Accepted); events];
    apply(taken.results, &mut outcomes)?;
    (taken.accepted.checked_add(named) == Some(events)).then_some(outcomes)
}

/// Outcomes by a refusal, which may be no JSON at all: of the whole, and where it says more, of each.
fn refused(answer: &Answer, events: usize) -> Vec<Outcome> {
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = PublishError::Refused {
        status: answer.status,
        problem: problem(refusal.code, refusal.field, refusal.detail),
    };
    let whole = vec![Err(error); events];
    let mut outcomes = whole.clone();
    match apply(refusal.results, &mut outcomes) {
        Some(()) => outcomes,
        None => whole,
    }
}

/// Writes each line to its place; none where one has no place, or two have the same.
fn apply(lines: Vec<Line>, outcomes: &mut [Outcome]) -> Option<()> {
    let mut written = vec![false; outcomes.len()];
    for line in lines {
        let slot = outcomes.get_mut(line.index)?;
        if std::mem::replace(written.get_mut(line.index)?, true) {
            return None;
        }
        *slot = match line.status.as_str() {
            "duplicate" => Ok(Receipt::Duplicate),
            "skipped" => Ok(Receipt::Skipped {
                code: line.code.unwrap_or_default(),
            }),
            _ => Err(PublishError::Rejected(problem(
                line.code,
                line.field,
                line.message,
            ))),
        };
    }
    Some(())
}

fn problem(code: Option<String>, field: Option<String>, message: Option<String>) -> Problem {
    Problem {
        code: code.map_or("unknown".into(), Cow::Owned),
        field: field.unwrap_or_default().into(),
        message: message.map_or("The answer does not say why.".into(), Cow::Owned),
    }
}

/// `Retry-After` in milliseconds: seconds, or an HTTP date, of which the past is no wait.
fn retry_after_ms(text: &str, now_ms: i64) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis();
    Some(u64::try_from(at.saturating_sub(now_ms)).unwrap_or(0))
}

#[cfg(test)]
mod tests;
