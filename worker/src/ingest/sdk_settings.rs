//! What the browser SDKs of Segment and RudderStack fetch before they send: which destinations a
//! project has. Here there is one, this collector, and nothing else is to be loaded.

use serde_json::json;

use crate::access::auth::{Grant, KeyKind};
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;

/// Whose settings are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SdkSettings {
    /// `GET /v1/projects/{write key}/settings`.
    Segment {
        /// The write key.
        key: String,
    },
    /// `GET /sourceConfig`, the write key being `?writeKey=` or the user name of HTTP Basic.
    RudderStack,
}

impl SdkSettings {
    /// The write key of the request.
    pub fn key(&self, facts: &RequestFacts) -> Option<String> {
        match self {
            Self::Segment { key } => Some(key.clone()),
            Self::RudderStack => facts.write_key(),
        }
    }

    /// The answer to the holder of a write key, as JSON. `url` is the request's own: events go where
    /// the settings came from, so that one host is all that a page need be told.
    ///
    /// # Errors
    /// 403 for a read token.
    pub fn answer(&self, key: &str, grant: &Grant, url: &str) -> Result<String, Fault> {
        if grant.kind == KeyKind::Read {
            return Err(Fault::WrongScope);
        }
        let settings = match self {
            Self::Segment { .. } => {
                let (protocol, host) = host_of(url);
                json!({
                    "integrations": {"Segment.io": {
                        "apiKey": key,
                        "apiHost": format!("{host}/v1"),
                        "protocol": protocol,
                        "unbundledIntegrations": [],
                        "addBundledMetadata": false,
                    }},
                    "plan": {"track": {"__default": {"enabled": true}}},
                    "edgeFunction": {},
                    "middlewareSettings": {},
                    "enabledMiddleware": {},
                    "remotePlugins": [],
                    // The SDK's reports of itself, which nobody here would read.
                    "metrics": {"sampleRate": 0},
                })
            }
            Self::RudderStack => json!({
                "source": {
                    "id": grant.site, "name": grant.site, "writeKey": key, "enabled": true,
                    "workspaceId": "shoreline",
                    "config": {"statsCollection": {
                        "errors": {"enabled": false}, "metrics": {"enabled": false},
                    }},
                    "connections": [], "destinations": [], "dataplanes": {},
                },
            }),
        };
        Ok(settings.to_string())
    }
}

/// Scheme and authority of an absolute URL.
fn host_of(url: &str) -> (&str, &str) {
    let (protocol, rest) = url.split_once("://").unwrap_or(("https", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    (protocol, rest.get(..end).unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::a_grant;

    #[test]
    fn segments_events_go_where_the_settings_came_from() {
        let segment = SdkSettings::Segment { key: "KEY".into() };
        let key = segment.key(&RequestFacts::default()).unwrap();
        let answer = |url: &str| -> Value {
            let grant = a_grant(KeyKind::Browser);
            let text = segment.answer(&key, &grant, url).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        for (url, protocol, host) in [
            (
                "https://c.example/v1/projects/KEY/settings?x",
                "https",
                "c.example/v1",
            ),
            ("http://localhost:8787", "http", "localhost:8787/v1"),
        ] {
            let integrations = answer(url)["integrations"].clone();
            // A second one would be a destination to load from Segment's own servers.
            assert_eq!(integrations.as_object().unwrap().len(), 1);
            let settings = &integrations["Segment.io"];
            assert_eq!(settings["apiKey"], "KEY");
            assert_eq!(settings["apiHost"], host);
            assert_eq!(settings["protocol"], protocol);
        }
    }

    #[test]
    fn rudderstacks_source_has_no_destinations() {
        let facts = RequestFacts {
            query: "p=npm&writeKey=KEY".into(),
            ..RequestFacts::default()
        };
        let key = SdkSettings::RudderStack.key(&facts).unwrap();
        let grant = a_grant(KeyKind::Source);
        let text = SdkSettings::RudderStack.answer(&key, &grant, "").unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["source"]["writeKey"], "KEY");
        assert_eq!(answer["source"]["enabled"], true);
        assert_eq!(answer["source"]["destinations"], json!([]));
        assert_eq!(SdkSettings::RudderStack.key(&RequestFacts::default()), None);
    }

    #[test]
    fn who_may_only_read_is_told_nothing() {
        let answer = SdkSettings::RudderStack.answer("k", &a_grant(KeyKind::Read), "");
        assert_eq!(answer, Err(Fault::WrongScope));
    }
}
