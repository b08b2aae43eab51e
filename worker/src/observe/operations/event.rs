//! What is known of a call that was answered, and of calls that are alike.

use super::call_id::CallId;
use super::histogram::Histogram;
use super::outcomes::Outcomes;
use super::route::{Background, Route};
use super::site_name::SiteName;
use crate::base::time::{MINUTE_MS, floor_to};
use crate::observe::trace::Trace;

/// The first status that is a failure.
const FAILURE_FROM: u16 = 400;

/// A call that was answered; or several that are alike, of which it was the first. It is made for
/// every call, so it holds no text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// When it was answered, Unix milliseconds.
    pub at: i64,
    /// Its route.
    pub route: Route,
    /// Its method.
    pub method: &'static str,
    /// The site that its key is of, where it had a good one.
    pub site: Option<SiteName>,
    /// The status of its answer.
    pub status: u16,
    /// The code of a failure.
    pub code: Option<&'static str>,
    /// Its trace.
    pub trace: Trace,
    /// Its name in logs.
    pub id: CallId,
    /// Milliseconds until the answer was ready, by the platform's clock, which stands still between
    /// I/O: what was waited for, not what was reckoned.
    pub duration_ms: i64,
    /// The durations of the calls that it stands for, its own among them.
    pub durations: Histogram,
    /// How the events that they brought ended.
    pub outcomes: Outcomes,
}

/// What calls have in common that may stand for each other: all that they are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Likeness {
    /// In its minute, of which D1 keeps the counts.
    minute: i64,
    site: Option<SiteName>,
    action: &'static str,
    method: &'static str,
    status: u16,
    code: Option<&'static str>,
}

impl Operation {
    /// What ran by itself, of a site or of the whole deployment, until `now_ms`; with the code of what it failed for.
    pub fn background(
        what: Background,
        site: Option<&str>,
        (id, trace): (CallId, Trace),
        now_ms: i64,
        failed: Option<&'static str>,
    ) -> Self {
        let duration_ms = now_ms.saturating_sub(id.began_ms()).max(0);
        Self {
            at: now_ms,
            route: Route::background(what),
            method: "",
            site: site.and_then(SiteName::new),
            status: if failed.is_some() { 500 } else { 200 },
            code: failed,
            trace,
            id,
            duration_ms,
            durations: Histogram::one(duration_ms),
            outcomes: Outcomes::default(),
        }
    }

    /// What it has in common with those that it may stand for.
    pub(super) fn likeness(&self) -> Likeness {
        Likeness {
            minute: floor_to(self.at, MINUTE_MS),
            site: self.site,
            action: self.route.action,
            method: self.method,
            status: self.status,
            code: self.code,
        }
    }

    /// Lets it stand for another one too.
    pub(super) fn stand_for(&mut self, other: &Self) {
        self.durations.add(&other.durations);
        self.outcomes.add_all(&other.outcomes);
    }

    /// The calls that it stands for, itself among them.
    pub fn calls(&self) -> i64 {
        self.durations.n
    }

    /// Whether it failed, for whatever reason.
    pub fn is_failure(&self) -> bool {
        self.status >= FAILURE_FROM
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::endpoints::route;
    use crate::testing::NOW;

    /// A call that took so long.
    pub(crate) fn operation(path: &str, site: Option<&str>, status: u16, ms: i64) -> Operation {
        Operation {
            at: NOW,
            route: route("GET", path),
            method: "GET",
            site: site.and_then(SiteName::new),
            status,
            code: None,
            trace: Trace::begin(
                Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
                &[1; 24],
            ),
            id: CallId::new(NOW, [7; 10]),
            duration_ms: ms,
            durations: Histogram::one(ms),
            outcomes: Outcomes::default(),
        }
    }
}
