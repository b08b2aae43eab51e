//! `metadata`: nearly always the same text in all events of a batch, so it is written once.

use super::content::{Content, Found, Member, Value, Watch};
use super::fields::is_told;
use super::line::push_agent;
use super::tape::{Kind, Scanned};
use super::text::{push_cleaned, quoted};
use super::{Agent, Collector, Common};
use crate::privacy::{REDACTED, truncate_ips};
use crate::sanitize::Style;
use crate::validate::{Sender, is_blank};

const IP_ADDRESS: &str = "ipAddress";
const USER_AGENT: &str = "userAgent";

/// The metadata of the event before, written.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    /// What it was written of.
    raw: &'a str,
    of_tracker: bool,
    json: String,
    agent: String,
}

/// What the edge itself knows of a page's visitor, as JSON.
pub(super) struct Edge {
    user_agent: String,
    ip: String,
    agent: Agent,
}

impl Edge {
    /// `None` where every event of this page is refused, or an adapter's.
    pub(super) fn of(common: &Common<'_>) -> Option<Option<Self>> {
        let Sender::Browser {
            user_agent,
            ip,
            adapted,
        } = common.sender
        else {
            // Nobody asks a service's user not to be followed.
            return common.privacy.anonymous.is_none().then_some(None);
        };
        let user_agent = user_agent.filter(|agent| !adapted && !is_blank(agent))?;
        let ip = ip.filter(|ip| !is_blank(ip)).unwrap_or("0.0.0.0");
        let style = Style {
            is_url: false,
            hash_routing: common.privacy.hash_routing,
        };
        let written = |text: &str| {
            let mut out = String::new();
            push_cleaned(&mut out, text, style);
            out
        };
        let is_private = common.privacy.anonymous.is_some();
        Some(Some(Self {
            user_agent: written(if is_private { REDACTED } else { user_agent }),
            ip: if is_private {
                written(REDACTED)
            } else {
                quoted(&truncate_ips(ip))
            },
            agent: common.agent.unwrap_or_default(),
        }))
    }
}

impl<'a> Metadata<'a> {
    /// As it is written.
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    /// What its user agent tells, as members of the line.
    pub(super) fn agent(&self) -> &str {
        &self.agent
    }

    /// Whether it is that of this text.
    pub(super) fn is_of(&self, metadata: Option<Scanned<'a, '_>>, of_tracker: bool) -> bool {
        let raw = metadata.map_or("", |metadata| metadata.raw());
        !self.json.is_empty() && self.of_tracker == of_tracker && self.raw == raw
    }

    /// Writes it anew; `None` where it has to take the slow way.
    pub(super) fn write<'s>(
        &mut self,
        metadata: Option<Scanned<'a, '_>>,
        of_tracker: bool,
        edge: Option<&'s Edge>,
        mut content: Content<'a, 's>,
        collector: &impl Collector,
    ) -> Option<()> {
        self.raw = metadata.map_or("", |metadata| metadata.raw());
        self.of_tracker = of_tracker;
        self.json.clear();
        self.agent.clear();
        let Some(metadata) = metadata else {
            self.json.push_str("{}");
            return (!of_tracker).then_some(());
        };
        if metadata.kind() != Kind::Object {
            return None;
        }
        content.gather(metadata.place())?;
        let told = |name| {
            let field = metadata.children().find(|field| field.key() == Some(name));
            is_told(field)
        };
        if let Some(edge) = edge {
            let members = &mut content.scratch.members;
            members.retain(|member| !matches!(member.key, IP_ADDRESS | USER_AGENT));
            for (key, json) in [(IP_ADDRESS, &edge.ip), (USER_AGENT, &edge.user_agent)] {
                members.push(Member {
                    key,
                    value: Value::Ready(content.ready.len()),
                });
                content.ready.push(json);
            }
        } else if of_tracker && !(told(USER_AGENT) && told(IP_ADDRESS)) {
            return None;
        }
        if of_tracker && !told("platform") {
            return None;
        }
        let mut watch = Watch::of([USER_AGENT]);
        content.write(&mut self.json, 0, &mut watch)?;
        let agent = match (edge, watch.found()) {
            (Some(edge), _) => edge.agent,
            (None, [Some(found)]) => {
                let user_agent = match &found {
                    Found::Place(place) => self.json.get(place.clone())?,
                    Found::Text(text) => text,
                };
                let is_hidden = user_agent == REDACTED;
                if is_hidden {
                    Agent::default()
                } else {
                    collector.agent(user_agent)
                }
            }
            (None, [None]) => Agent::default(),
        };
        push_agent(&mut self.agent, agent);
        Some(())
    }
}
