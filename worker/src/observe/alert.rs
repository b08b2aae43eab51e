//! Alerts: one message to a webhook for each kind of trouble of a site, at most every ten minutes.

use serde::Serialize;

use crate::base::sql::Statement;

/// How long after an alert none of its kind follows.
pub const QUIET_MS: i64 = 10 * 60_000;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The kind: `dead_letters`, or `sink_failing` and the sink.
    pub kind: String,
    /// The site.
    pub site_id: String,
    /// The stable code of what happened.
    pub code: String,
    /// One sentence, free of user data. Chats show the field of this name.
    pub text: String,
}

impl Alert {
    /// The statement that decides whether the alert is sent now: it returns a row where none of its
    /// kind was sent lately, and notes that one is.
    pub fn claim(&self, now_ms: i64) -> Statement {
        Statement::new(
            "INSERT INTO alerts (kind, sent_at) VALUES (?1, ?2) \
             ON CONFLICT (kind) DO UPDATE SET sent_at = excluded.sent_at \
                 WHERE sent_at <= excluded.sent_at - ?3 RETURNING kind",
            [self.key().into(), now_ms.into(), QUIET_MS.into()],
        )
    }

    /// The statement that takes the claim back, where the alert did not get through.
    pub fn release(&self) -> Statement {
        Statement::new("DELETE FROM alerts WHERE kind = ?1", [self.key().into()])
    }

    /// One site's trouble must not hush another's.
    fn key(&self) -> String {
        format!("{}/{}", self.kind, self.site_id)
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
    use crate::base::sql::Sql;
    use crate::testing::{NOW, TestSql};

    #[test]
    fn of_a_kind_one_is_sent_in_ten_minutes() {
        let sql = TestSql::new();
        sql.migrate();
        let alert = |kind: &str, site: &str| Alert {
            kind: kind.into(),
            site_id: site.into(),
            code: "not_stored".into(),
            text: "…".into(),
        };
        let sent_of = |kind: &str, site: &str, at: i64| {
            let alert = alert(kind, site);
            let claim = alert.claim(at);
            let rows: Vec<serde::de::IgnoredAny> = sql.rows(claim.sql, &claim.params).unwrap();
            rows.len() == 1
        };
        let sent = |kind: &str, at: i64| sent_of(kind, "demo", at);
        assert!(sent("a", NOW));
        assert!(sent_of("a", "other", NOW));
        assert!(!sent("a", NOW + QUIET_MS - 1));
        assert!(sent("b", NOW + 1));
        assert!(sent("a", NOW + QUIET_MS));
        assert!(!sent("a", NOW + QUIET_MS + 1));
        // One that did not get through is no reason to be quiet.
        let release = alert("a", "demo").release();
        sql.run(release.sql, &release.params).unwrap();
        assert!(sent("a", NOW + QUIET_MS + 2));
    }

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
