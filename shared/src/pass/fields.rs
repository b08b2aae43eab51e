//! The fields of an event that are no content, checked as `validate` checks them. What it would
//! refuse is left to it, which has the words for it.

use super::tape::{Kind, Scanned};
use super::text::{number, unescape};
use crate::event_type::{TrackerType, is_domain_name};
use crate::text::{identifier, is_plain_identifier};
use crate::validate::{Rules, Sender, instant_of_number, instant_of_text, is_blank, is_within};

/// An event's own fields, by name. Null is kept, and counts as absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fields<'t, 'n> {
    pub(super) event_id: Option<Scanned<'t, 'n>>,
    pub(super) event_type: Option<Scanned<'t, 'n>>,
    pub(super) source: Option<Scanned<'t, 'n>>,
    pub(super) user_id: Option<Scanned<'t, 'n>>,
    pub(super) session_id: Option<Scanned<'t, 'n>>,
    pub(super) timestamp: Option<Scanned<'t, 'n>>,
    pub(super) occurred_at: Option<Scanned<'t, 'n>>,
    pub(super) tenant_id: Option<Scanned<'t, 'n>>,
    pub(super) event_data: Option<Scanned<'t, 'n>>,
    pub(super) metadata: Option<Scanned<'t, 'n>>,
}

impl<'t, 'n> Fields<'t, 'n> {
    /// `None` where a field comes twice, or a name has escapes.
    pub(super) fn of(event: Scanned<'t, 'n>) -> Option<Self> {
        let mut fields = Self::default();
        for field in event.children() {
            let place = match field.key()? {
                "eventId" => &mut fields.event_id,
                "eventType" => &mut fields.event_type,
                "source" => &mut fields.source,
                "userId" => &mut fields.user_id,
                "sessionId" => &mut fields.session_id,
                "timestamp" => &mut fields.timestamp,
                "occurredAt" => &mut fields.occurred_at,
                "tenantId" => &mut fields.tenant_id,
                "eventData" => &mut fields.event_data,
                "metadata" => &mut fields.metadata,
                _ => continue,
            };
            if place.replace(field).is_some() {
                return None;
            }
        }
        Some(fields)
    }
}

/// What is there and not null.
pub(super) fn present<'t, 'n>(field: Option<Scanned<'t, 'n>>) -> Option<Scanned<'t, 'n>> {
    field.filter(|field| field.kind() != Kind::Null)
}

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Type<'t> {
    pub(super) name: &'t str,
    pub(super) tracker: Option<TrackerType>,
}

/// The type, where this sender may send it.
pub(super) fn event_type<'t>(fields: &Fields<'t, '_>, sender: &Sender<'_>) -> Option<Type<'t>> {
    let name = fields.event_type?.plain()?;
    let tracker = TrackerType::parse(name);
    let may_be = match sender {
        Sender::Browser { .. } => tracker.is_some(),
        Sender::Source { .. } => tracker.is_some() || is_domain_name(name),
    };
    may_be.then_some(Type { name, tracker })
}

/// The source that the event itself names, or its sender; the outer `None`: one is missing.
pub(super) fn source<'t>(
    fields: &Fields<'t, '_>,
    sender: &Sender<'t>,
    event_type: Type<'_>,
) -> Option<Option<Identifier<'t>>> {
    let Sender::Source { name } = sender else {
        return Some(None);
    };
    let name = name.filter(|name| !is_blank(name));
    let own = optional(fields.source)?;
    if own.is_none() && name.is_none() && event_type.tracker.is_none() {
        return None;
    }
    let named = |name: &str| Identifier::Cleaned(identifier(name.to_owned()));
    Some(own.or(name.map(named)))
}

/// The event's own id, a UUID in any case; the outer `None`: it is none.
pub(super) fn event_id<'t>(fields: &Fields<'t, '_>) -> Option<Option<&'t str>> {
    match present(fields.event_id) {
        None => Some(None),
        Some(id) => id.plain().map(Some),
    }
}

/// An identifier as it is stored.
#[derive(Debug, Clone)]
pub(super) enum Identifier<'t> {
    /// As it stands between its quotes.
    Plain(&'t str),
    /// Cleaned, or with escapes.
    Cleaned(String),
}

impl Identifier<'_> {
    /// As it is stored.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Cleaned(text) => text,
        }
    }
}

/// An identifier that must be there.
pub(super) fn required<'t>(field: Option<Scanned<'t, '_>>) -> Option<Identifier<'t>> {
    optional(field)?
}

/// An identifier that may be absent or blank; the outer `None`: it is no text.
pub(super) fn optional<'t>(field: Option<Scanned<'t, '_>>) -> Option<Option<Identifier<'t>>> {
    let Some(field) = present(field) else {
        return Some(None);
    };
    if let Some(text) = field.plain()
        && !text.is_empty()
        && is_plain_identifier(text)
    {
        return Some(Some(Identifier::Plain(text)));
    }
    let text = text_of(field)?;
    let text = Some(text).filter(|text| !is_blank(text));
    Some(text.map(|text| Identifier::Cleaned(identifier(text))))
}

/// A text, without control characters that its escapes hide; `None` of anything else.
pub(super) fn text_of(field: Scanned<'_, '_>) -> Option<String> {
    match field.kind() {
        Kind::Text => field.plain().map(str::to_owned),
        Kind::Escaped => {
            let raw = field.raw();
            let inside = raw.get(1..raw.len().checked_sub(1)?)?;
            let mut text = String::with_capacity(inside.len());
            unescape(inside, false, &mut text)?;
            Some(text)
        }
        _ => None,
    }
}

/// Whether there is a text that is not blank.
pub(super) fn is_told(field: Option<Scanned<'_, '_>>) -> bool {
    let Some(field) = field else {
        return false;
    };
    match field.plain() {
        Some(text) if text.bytes().next().is_some_and(|b| b.is_ascii_graphic()) => true,
        _ => text_of(field).is_some_and(|text| !is_blank(&text)),
    }
}

/// When it happened, by its sender's clock.
pub(super) fn timestamp(fields: &Fields<'_, '_>, rules: &Rules) -> Option<i64> {
    let told = present(fields.timestamp).or(present(fields.occurred_at));
    let Some(told) = told else {
        return Some(rules.now_ms);
    };
    let at = match told.kind() {
        Kind::Number => milliseconds(told.raw())?,
        Kind::Text => instant_of_text(told.plain()?)?,
        _ => return None,
    };
    is_within(at, rules).then_some(at)
}

fn milliseconds(raw: &str) -> Option<i64> {
    // A leading zero stands alone, and 18 digits always fit.
    if raw.len() <= 18 {
        let whole = raw.bytes().try_fold(0_i64, |whole, byte| {
            let digit = byte.is_ascii_digit().then_some(byte & 0x0f)?;
            Some(whole.wrapping_mul(10).wrapping_add(i64::from(digit)))
        });
        if whole.is_some() {
            return whole;
        }
    }
    number(raw).as_ref().map(instant_of_number)
}
