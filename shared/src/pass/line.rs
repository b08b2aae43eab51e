//! The pieces of a line that are the same for all events of a request, and what stands between them.

use core::fmt::Write;
use core::ops::Range;

use super::fields::Identifier;
use super::text::{push_text, quoted};
use super::{Agent, Common};
use crate::limits::SCHEMA_VERSION;
use crate::lines::{Lines, Place};

/// What is the same in all lines.
pub(super) struct Fixed {
    /// From the type's closing quote to the source's value.
    site: String,
    /// The source of an event that names none, in quotes.
    source: String,
    /// Receipt, version, batch and place.
    receipt: String,
    /// The id that stands for the visitor, in quotes.
    anonymous: Option<String>,
}

/// What stands before `eventData`.
pub(super) struct Head<'a> {
    pub(super) event_id: &'a str,
    pub(super) event_type: &'a str,
    pub(super) source: Option<&'a Identifier<'a>>,
    pub(super) tenant_id: Option<&'a Identifier<'a>>,
    pub(super) user_id: Option<&'a Identifier<'a>>,
    pub(super) session_id: Option<&'a Identifier<'a>>,
    pub(super) timestamp: i64,
    pub(super) agent: &'a str,
}

/// Where the facts of a head were written.
pub(super) struct Heads {
    pub(super) event_id: Place,
    pub(super) event_type: Place,
    pub(super) source: Place,
    pub(super) user_id: Option<Place>,
}

impl Fixed {
    pub(super) fn of(common: &Common<'_>) -> Self {
        let mut site = "\",\"siteId\":".to_owned();
        push_text(&mut site, common.site_id);
        site.push_str(",\"source\":");
        let mut receipt = String::new();
        let _ = write!(
            receipt,
            ",\"receivedAt\":{},\"schemaVersion\":{SCHEMA_VERSION}",
            common.rules.now_ms
        );
        push_optional(&mut receipt, ",\"batchId\":", common.batch_id);
        push_optional(&mut receipt, ",\"country\":", common.country);
        push_optional(&mut receipt, ",\"region\":", common.region);
        Self {
            site,
            source: quoted(common.source),
            receipt,
            anonymous: common.privacy.anonymous.as_deref().map(quoted),
        }
    }

    /// Writes what stands before the content.
    pub(super) fn write_head(&self, lines: &mut Lines, head: &Head<'_>) -> Option<Heads> {
        let out = lines.text_mut();
        out.push_str("{\"eventId\":\"");
        let event_id = pushed(out, head.event_id);
        out.get_mut(event_id.clone())?.make_ascii_lowercase();
        out.push_str("\",\"eventType\":\"");
        let event_type = pushed(out, head.event_type);
        out.push_str(&self.site);
        let source = match head.source {
            Some(own) => push_identifier(out, own),
            None => push_quoted(out, &self.source),
        };
        if let Some(tenant) = head.tenant_id {
            out.push_str(",\"tenantId\":");
            push_identifier(out, tenant);
        }
        let user_id = self.person(out, ",\"userId\":", head.user_id);
        self.person(out, ",\"sessionId\":", head.session_id);
        out.push_str(",\"timestamp\":");
        push_integer(out, head.timestamp);
        out.push_str(&self.receipt);
        out.push_str(head.agent);
        out.push_str(",\"eventData\":");
        Some(Heads {
            event_id: Place::Text(event_id),
            event_type: Place::Text(event_type),
            source: fact(lines, source),
            user_id: user_id.map(|user| fact(lines, user)),
        })
    }

    fn person(&self, out: &mut String, key: &str, id: Option<&Identifier<'_>>) -> Option<Written> {
        let id = id?;
        out.push_str(key);
        Some(match &self.anonymous {
            Some(anonymous) => push_quoted(out, anonymous),
            None => push_identifier(out, id),
        })
    }
}

/// Browser, system and device, each where it is told.
pub(super) fn push_agent(out: &mut String, agent: Agent) {
    let [browser, os, device] = agent;
    push_optional(out, ",\"browser\":", browser);
    push_optional(out, ",\"os\":", os);
    push_optional(out, ",\"device\":", device);
}

fn push_optional(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.push_str(key);
        push_text(out, value);
    }
}

/// A text that was written in quotes.
struct Written {
    /// Where it stands between them.
    place: Range<usize>,
    has_escapes: bool,
}

/// Writes an identifier in quotes.
fn push_identifier(out: &mut String, id: &Identifier<'_>) -> Written {
    let start = out.len().saturating_add(1);
    let has_escapes = match id {
        Identifier::Plain(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
            // It has none of what is escaped.
            false
        }
        Identifier::Cleaned(text) => {
            push_text(out, text);
            text.contains(['"', '\\'])
        }
    };
    Written {
        place: start..out.len().saturating_sub(1),
        has_escapes,
    }
}

/// Writes what is in quotes already.
fn push_quoted(out: &mut String, quoted: &str) -> Written {
    let start = out.len().saturating_add(1);
    out.push_str(quoted);
    Written {
        place: start..out.len().saturating_sub(1),
        has_escapes: quoted.contains('\\'),
    }
}

fn pushed(out: &mut String, text: &str) -> Range<usize> {
    let start = out.len();
    out.push_str(text);
    start..out.len()
}

/// Where a fact stands, which has no escapes or stands beside the text.
fn fact(lines: &mut Lines, written: Written) -> Place {
    if !written.has_escapes {
        return Place::Text(written.place);
    }
    let text = lines.text().get(written.place).unwrap_or_default();
    let text: String = serde_json::from_str(&format!("\"{text}\"")).unwrap_or_default();
    lines.beside(&text)
}

/// Writes an integer. Times have 13 digits.
fn push_integer(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    let mut digits = [b'0'; 20];
    let mut rest = number.unsigned_abs();
    let mut len = 0_usize;
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.wrapping_add((rest % 10) as u8);
        rest /= 10;
        len = len.wrapping_add(1);
        if rest == 0 {
            break;
        }
    }
    let written = digits.get(digits.len().saturating_sub(len)..);
    out.push_str(
        written
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or("0"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_whole() {
        for number in [0, 7, -7, 10, 1_705_334_400_000, i64::MIN, i64::MAX] {
            let mut out = String::new();
            push_integer(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }
}
