//! What a message's `context` tells of page, visit and device.

use serde_json::{Value, json};
use shoreline_shared::id;

use super::SegmentKind;
use crate::ingest::adapters::fields::{Fields, add, identifier, object, text};

pub(super) struct Context<'a>(&'a Fields);

impl<'a> Context<'a> {
    pub(super) fn of(message: &'a Fields, none: &'a Fields) -> Self {
        Self(object(message, "context").unwrap_or(none))
    }

    pub(super) fn field(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    fn inner(&self, name: &str, field: &str) -> Option<&'a str> {
        text(object(self.0, name)?, field)
    }

    /// Adds what the page says of itself and the properties do not.
    pub(super) fn add_page(&self, data: &mut Fields, names: &[&str]) {
        if let Some(page) = object(self.0, "page") {
            for name in names {
                add(data, name, page.get(*name));
            }
        }
    }

    /// Adds the campaign under the names that it has in an address.
    pub(super) fn add_campaign(&self, data: &mut Fields) {
        if let Some(campaign) = object(self.0, "campaign") {
            for (theirs, ours) in [
                ("name", "utm_campaign"),
                ("source", "utm_source"),
                ("medium", "utm_medium"),
                ("term", "utm_term"),
                ("content", "utm_content"),
            ] {
                add(data, ours, campaign.get(theirs));
            }
        }
    }

    /// The visit: as RudderStack's SDKs tell it, as an integration does, else a day of this user,
    /// UTC. Segment itself has no sessions. The same user and day make the same session.
    pub(super) fn session(&self, message: &Fields, user: &str, day: &str) -> String {
        let told = self.field("sessionId").and_then(identifier);
        let told = told.or_else(|| object(self.0, "session")?.get("id").and_then(identifier));
        told.or_else(|| of_integration(message))
            .unwrap_or_else(|| id::foreign("segment.session", &format!("{day}\n{user}")))
    }

    /// Who sent it, from where and on what. Of a page the edge knows user agent and address itself.
    pub(super) fn metadata(&self, message: &Fields, kind: SegmentKind) -> Fields {
        let mut metadata = Fields::new();
        let library =
            self.inner("library", "name")
                .map(|name| match self.inner("library", "version") {
                    Some(version) => format!("{name}/{version}"),
                    None => name.to_owned(),
                });
        let agent = text(self.0, "userAgent")
            .map(str::to_owned)
            .or_else(|| library.clone());
        metadata.insert(
            "userAgent".to_owned(),
            agent.unwrap_or_else(|| "segment".to_owned()).into(),
        );
        metadata.insert(
            "ipAddress".to_owned(),
            text(self.0, "ip").unwrap_or("0.0.0.0").into(),
        );
        metadata.insert("platform".to_owned(), self.platform(message, kind).into());
        add(&mut metadata, "library", library.map(Value::from).as_ref());
        for name in ["locale", "timezone"] {
            add(
                &mut metadata,
                name,
                text(self.0, name).map(|text| json!(text)).as_ref(),
            );
        }
        metadata
    }

    fn platform(&self, message: &Fields, kind: SegmentKind) -> String {
        let told = self
            .inner("device", "type")
            .or_else(|| text(message, "channel"))
            .or_else(|| text(self.0, "channel"));
        if let Some(told) = told {
            return told.to_ascii_lowercase();
        }
        let library = self.inner("library", "name").unwrap_or_default();
        if object(self.0, "page").is_some() || library == "analytics.js" {
            "web".to_owned()
        } else if kind == SegmentKind::Screen {
            "mobile".to_owned()
        } else {
            "server".to_owned()
        }
    }
}

/// The visit as an integration is told it: `integrations: {"…": {"session_id": 1705334400000}}`.
fn of_integration(message: &Fields) -> Option<String> {
    object(message, "integrations")?
        .values()
        .find_map(|options| {
            let options = options.as_object()?;
            let id = options
                .get("session_id")
                .or_else(|| options.get("sessionId"))?;
            // Amplitude writes -1 for none.
            identifier(id).filter(|id| id != "-1")
        })
}
