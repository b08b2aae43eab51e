//! Alerts: one message to a webhook for each kind of trouble of a site, at most every ten minutes, and one when it is over.

mod board;
mod condition;

use serde::Serialize;

pub use board::{Board, Claim};
pub use condition::{Condition, LONG_MS, Ran, SLOW_MS};

/// How long after an alert none of its kind follows.
pub const QUIET_MS: i64 = 10 * 60_000;

/// The same for what is looked at every minute, and told when it is over: as long as it lasts, a word an hour.
pub const LASTING_QUIET_MS: i64 = 60 * 60_000;

/// What is wrong, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The kind: `dead_letters`, `sink_failing` and the sink, or a [`Condition`]'s.
    pub kind: String,
    /// The site; `_shoreline` for the whole deployment.
    pub site_id: String,
    /// The stable code of what happened.
    pub code: String,
    /// Whether it is over.
    pub over: bool,
    /// One sentence, free of user data. Chats show the field of this name.
    pub text: String,
}

impl Alert {
    /// What is told apart: one site's trouble must not hush another's, nor one code another. What is over is so with
    /// every code.
    fn key(&self) -> String {
        let code = if self.over { "" } else { self.code.as_str() };
        format!("{}/{}/{code}", self.kind, self.site_id)
    }

    /// What asks whether it is posted, at most once in `quiet_ms`.
    pub fn claim(&self, quiet_ms: i64) -> Claim {
        Claim {
            key: self.key(),
            over: self.over,
            quiet_ms,
        }
    }

    /// The body of the post.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whether alerts may be posted to this address: `https`, or a machine's own for tests.
pub fn is_webhook(url: &str) -> bool {
    let local = ["http://127.0.0.1:", "http://localhost:"];
    url.starts_with("https://") || local.iter().any(|start| url.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_not_posted_in_the_clear() {
        assert!(is_webhook("https://hooks.example/x"));
        assert!(is_webhook("http://127.0.0.1:80/"));
        for bad in [
            "http://hooks.example",
            "http://127.0.0.1.evil.example/",
            "ftp://x",
            "",
        ] {
            assert!(!is_webhook(bad), "{bad}");
        }
    }
}
