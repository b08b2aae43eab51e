//! The pieces of a line that are the same for all events of a request, and what stands between them.

use core::ops::Range;

use super::fields::Identifier;
use super::scan::stops;
use super::tape::Pair;
use super::text::{push_text, quoted};
use super::{Agent, Common};
use crate::limits::SCHEMA_VERSION;
use crate::lines::{Lines, Place};
use crate::swar::find;

/// What is the same in all lines.
pub(super) struct Fixed {
    /// The site, and the key of the source.
    site: String,
    /// The same, and the source of an event that names none.
    site_and_source: String,
    /// Whether that source has escapes.
    is_source_escaped: bool,
    /// Receipt, version, batch and place.
    receipt: String,
    /// The id that stands for the visitor, in quotes.
    anonymous: Option<String>,
}

/// Bytes of what is the same in all lines, about.
const FIXED_BYTES: usize = 256;

/// What stands before `eventData`.
pub(super) struct Head<'a> {
    pub(super) event_id: &'a str,
    pub(super) event_type: &'a str,
    /// Both as they stand in the event.
    pub(super) name: Option<Pair<'a>>,
    pub(super) source: Option<&'a Identifier<'a>>,
    pub(super) tenant_id: Option<&'a Identifier<'a>>,
    pub(super) user_id: Option<&'a Identifier<'a>>,
    pub(super) session_id: Option<&'a Identifier<'a>>,
    /// Both as they stand in the event.
    pub(super) person: Option<Pair<'a>>,
    pub(super) timestamp: i64,
    /// From the receipt to the key of `eventData`.
    pub(super) middle: &'a str,
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
        let mut site = String::with_capacity(FIXED_BYTES);
        site.push_str(",\"siteId\":");
        push_text(&mut site, common.site_id);
        site.push_str(",\"source\":");
        let mut site_and_source = String::with_capacity(FIXED_BYTES);
        site_and_source.push_str(&site);
        push_text(&mut site_and_source, common.source);
        let mut receipt = String::with_capacity(FIXED_BYTES);
        receipt.push_str(",\"receivedAt\":");
        push_integer(&mut receipt, common.rules.now_ms);
        receipt.push_str(",\"schemaVersion\":");
        push_integer(&mut receipt, SCHEMA_VERSION.into());
        push_optional(&mut receipt, ",\"batchId\":", common.batch_id);
        push_optional(&mut receipt, ",\"country\":", common.country);
        push_optional(&mut receipt, ",\"region\":", common.region);
        Self {
            site,
            site_and_source,
            is_source_escaped: has_escapes(common.source),
            receipt,
            anonymous: common.privacy.anonymous.as_deref().map(quoted),
        }
    }

    /// Writes all from the receipt to the key of `eventData`.
    pub(super) fn push_middle(&self, out: &mut String, agent: Agent) {
        out.push_str(&self.receipt);
        let [browser, os, device] = agent;
        push_optional(out, ",\"browser\":", browser);
        push_optional(out, ",\"os\":", os);
        push_optional(out, ",\"device\":", device);
        out.push_str(",\"eventData\":");
    }

    /// Writes what stands before the content.
    pub(super) fn write_head(&self, lines: &mut Lines, head: &Head<'_>) -> Option<Heads> {
        let out = lines.text_mut();
        let (event_id, event_type) = push_name(out, head);
        out.get_mut(event_id.clone())?.make_ascii_lowercase();
        let source = self.push_source(out, head.source);
        if let Some(tenant) = head.tenant_id {
            out.push_str(",\"tenantId\":");
            push_identifier(out, tenant);
        }
        let user_id = self.push_person(out, head);
        out.push_str(",\"timestamp\":");
        push_integer(out, head.timestamp);
        out.push_str(head.middle);
        Some(Heads {
            event_id: Place::Text(event_id),
            event_type: Place::Text(event_type),
            source: fact(lines, source),
            user_id: user_id.map(|user| fact(lines, user)),
        })
    }

    fn push_source(&self, out: &mut String, own: Option<&Identifier<'_>>) -> Written {
        if let Some(own) = own {
            out.push_str(&self.site);
            return push_identifier(out, own);
        }
        let start = out.len().saturating_add(self.site.len()).saturating_add(1);
        out.push_str(&self.site_and_source);
        Written {
            place: start..out.len().saturating_sub(1),
            has_escapes: self.is_source_escaped,
        }
    }

    /// Writes user and session; gives the user.
    fn push_person(&self, out: &mut String, head: &Head<'_>) -> Option<Written> {
        if let (Some(pair), None) = (&head.person, &self.anonymous) {
            out.push(',');
            let start = out.len();
            out.push_str(pair.text);
            return Some(Written {
                place: moved(&pair.first, start),
                has_escapes: false,
            });
        }
        let mut push = |key, id: Option<&Identifier<'_>>| {
            let id = id?;
            out.push_str(key);
            Some(match &self.anonymous {
                Some(anonymous) => push_quoted(out, anonymous),
                None => push_identifier(out, id),
            })
        };
        let user_id = push(",\"userId\":", head.user_id);
        push(",\"sessionId\":", head.session_id);
        user_id
    }
}

/// Writes id and type; gives where they stand.
fn push_name(out: &mut String, head: &Head<'_>) -> (Range<usize>, Range<usize>) {
    if let Some(pair) = &head.name {
        out.push('{');
        let start = out.len();
        out.push_str(pair.text);
        return (moved(&pair.first, start), moved(&pair.second, start));
    }
    out.push_str("{\"eventId\":\"");
    let event_id = pushed(out, head.event_id);
    out.push_str("\",\"eventType\":\"");
    let event_type = pushed(out, head.event_type);
    out.push('"');
    (event_id, event_type)
}

fn moved(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start.saturating_add(by)..range.end.saturating_add(by)
}

fn push_optional(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.push_str(key);
        push_text(out, value);
    }
}

/// Whether a clean text is not written as it is.
fn has_escapes(text: &str) -> bool {
    find(text.as_bytes(), stops).is_some()
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
            has_escapes(text)
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

/// Digits that are written at once: as many as an `u32` has at least.
const GROUP: u32 = 9;

/// The first number with more digits.
const BILLION: u64 = 10_u64.pow(GROUP);

/// Writes an integer. Times have 13 digits.
fn push_integer(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    let mut rest = number.unsigned_abs();
    let mut digits = [b'0'; 20];
    let mut places = digits.iter_mut().rev();
    let mut len = 0_usize;
    while rest > 0 || len == 0 {
        // Division by a constant costs less of 32 bits.
        let mut group = (rest % BILLION) as u32;
        rest /= BILLION;
        for place in places.by_ref().take(GROUP as usize) {
            *place = b'0'.wrapping_add((group % 10) as u8);
            group /= 10;
            len = len.wrapping_add(1);
            if rest == 0 && group == 0 {
                break;
            }
        }
    }
    let written = digits.get(digits.len().saturating_sub(len)..);
    let written = written.and_then(|bytes| core::str::from_utf8(bytes).ok());
    out.push_str(written.unwrap_or("0"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_whole() {
        for number in [
            0,
            7,
            -7,
            10,
            999_999_999,
            1_000_000_000,
            1_000_000_001,
            1_000_000_000_000_000_000,
            1_705_334_400_000,
            i64::MIN,
            i64::MAX,
        ] {
            let mut out = String::new();
            push_integer(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }
}
