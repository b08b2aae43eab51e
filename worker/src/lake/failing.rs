//! A sink that somebody should look at, and how that is told.

use crate::observe::alert::Alert;
use crate::sinks::SinkKind;

/// A sink that somebody should look at. It is told again with every failure: who sends it on limits
/// how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingSink {
    /// The sink.
    pub sink: SinkKind,
    /// Its last error code, free of user data.
    pub code: String,
    /// Since when nothing has got through, Unix milliseconds.
    pub since_ms: i64,
    /// Failures in a row.
    pub failures: u32,
    /// Whether it lasts until somebody mends it (a wrong secret, a missing bucket).
    pub lasting: bool,
}

impl FailingSink {
    /// The alert that tells it.
    pub fn alert(&self, site: &str) -> Alert {
        let sink = self.sink.name();
        let what = if self.lasting {
            "refuses what it gets, until somebody mends it"
        } else {
            "does not take what it gets"
        };
        let (code, failures) = (&self.code, self.failures);
        Alert {
            kind: format!("sink_failing_{sink}"),
            site_id: site.to_owned(),
            code: code.clone(),
            over: false,
            text: format!(
                "Shoreline: the sink {sink} {what} ({code}, {failures} failures in a row). \
                 Nothing is lost: what it has not got waits. See backlog in GET /health."
            ),
        }
    }
}

/// The alert that tells that a sink takes what it gets again.
pub fn works_again(sink: SinkKind, site: &str) -> Alert {
    let sink = sink.name();
    Alert {
        kind: format!("sink_failing_{sink}"),
        site_id: site.to_owned(),
        code: "works".to_owned(),
        over: true,
        text: format!("Shoreline: the sink {sink} takes what it gets again."),
    }
}
