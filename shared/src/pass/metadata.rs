//! `metadata`: nearly always the same text in all events of a batch, so it is written once.

use super::content::{Content, Found, Member, Value, Watch};
use super::fields::is_told;
use super::line::Fixed;
use super::tape::{Kind, Scanned};
use super::text::{push_cleaned, quoted};
use super::{Agent, Collector, Common};
use crate::privacy::{KeyKind, REDACTED, Style, truncate_ips};
use crate::validate::{Sender, is_blank};

const IP_ADDRESS: &str = "ipAddress";
const USER_AGENT: &str = "userAgent";

/// The metadata of the event before, written.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    /// What it was written of.
    raw: &'a str,
    of_tracker: bool,
    /// From the receipt to the key of `eventData`.
    middle: String,
    /// From the key of `metadata` to the end of the line.
    tail: String,
}

/// Bytes of a page's metadata, about: its user agent has up to 200.
const TAIL_BYTES: usize = 512;

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
        let style = Style::of(KeyKind::Plain, common.privacy.hash_routing);
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
    /// What stands between the event's time and its `eventData`, of which the user agent tells a part.
    pub(super) fn middle(&self) -> &str {
        &self.middle
    }

    /// What stands behind the `eventData`.
    pub(super) fn tail(&self) -> &str {
        &self.tail
    }

    /// Whether it is that of this text.
    pub(super) fn is_of(&self, metadata: Option<Scanned<'a, '_>>, of_tracker: bool) -> bool {
        let raw = metadata.map_or("", |metadata| metadata.raw());
        !self.tail.is_empty() && self.of_tracker == of_tracker && self.raw == raw
    }

    /// Writes it anew; `None` where it has to take the slow way.
    pub(super) fn write<'s>(
        &mut self,
        metadata: Option<Scanned<'a, '_>>,
        of_tracker: bool,
        edge: Option<&'s Edge>,
        fixed: &Fixed,
        mut content: Content<'a, 's>,
        collector: &impl Collector,
    ) -> Option<()> {
        self.raw = metadata.map_or("", |metadata| metadata.raw());
        self.of_tracker = of_tracker;
        self.tail.clear();
        self.middle.clear();
        self.tail.reserve(TAIL_BYTES);
        self.tail.push_str(",\"metadata\":");
        let Some(metadata) = metadata else {
            self.tail.push_str("{}}");
            fixed.push_middle(
                &mut self.middle,
                edge.map_or(Agent::default(), |edge| edge.agent),
            );
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
            members.retain(|member| !matches!(member.name(), IP_ADDRESS | USER_AGENT));
            for (key, json) in [(IP_ADDRESS, &edge.ip), (USER_AGENT, &edge.user_agent)] {
                members.push(Member::new(key, Value::Ready(content.ready.len())));
                content.ready.push(json);
            }
        } else if of_tracker && !(told(USER_AGENT) && told(IP_ADDRESS)) {
            return None;
        }
        if of_tracker && !told("platform") {
            return None;
        }
        let mut watch = Watch::of([USER_AGENT]);
        content.write(&mut self.tail, 0, &mut watch)?;
        self.tail.push('}');
        let agent = match (edge, watch.found()) {
            (Some(edge), _) => edge.agent,
            (None, [Some(found)]) => {
                let user_agent = match &found {
                    Found::Place(place) => self.tail.get(place.clone())?,
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
        fixed.push_middle(&mut self.middle, agent);
        Some(())
    }
}
