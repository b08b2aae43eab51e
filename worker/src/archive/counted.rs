//! What the archive reads of a stored event: who, when, in which session, and what it has in each column.

use std::borrow::Cow;

use shoreline_shared::event_type::{
    AI_REQUEST, CONTENT_CREATE, ERROR, FEATURE_USE, PAGE_VIEW, TrackerType,
};
use shoreline_shared::privacy::{is_anonymous_id, path_part};

use crate::archive::nameless::is_erased_id;
use crate::archive::{Column, Event, Hasher, Who, id_bits};
use crate::protocol::counters::live_key;
use crate::protocol::{Identified, identifies};

mod decimal;
mod stored;

pub(crate) use decimal::millionths;
pub use decimal::{MAX_AMOUNT, MAX_DURATION_MS, MICRO, decimal, micro};
pub use stored::Stored;
use stored::{Raw, text};

/// What stands for a content type or model that the event does not name.
pub const NONE: &str = "(none)";

/// Characters of a domain event's status at most: a state's name, not a text.
const MAX_STATUS_CHARS: usize = 64;

/// Name, value (milliseconds, of CLS a number without a unit) and page of a Web Vital.
pub type Vital<'a> = (&'static str, f64, Option<Cow<'a, str>>);

/// The Web Vitals that are counted, in the order in which they are shown.
pub const VITALS: [&str; 5] = ["LCP", "INP", "CLS", "FCP", "TTFB"];

/// The largest value that is a measurement: an hour, in milliseconds. Nobody waits so long, and a clock
/// that jumps can make anything.
const MAX_VITAL: f64 = 3_600_000.0;

impl<'a> Event<'a> {
    /// Reads a stored event.
    pub fn of(event: &'a Stored<'a>, hasher: &mut Hasher<'_>) -> Self {
        let user = event.user_id.as_deref();
        let who = match user {
            None => Who::Nobody,
            Some(id) if is_anonymous_id(id) => Who::Anonymous,
            Some(id) if is_erased_id(id) => Who::Erased,
            Some(_) => Who::Known,
        };
        let session = event.session_id.as_deref();
        let (a, b) = measures(event);
        let mut texts = [const { None }; Column::COUNT];
        let mut put = |column: Column, key: Option<Cow<'a, str>>| {
            if let Some(slot) = texts.get_mut(column as usize) {
                *slot = key.filter(|key| !key.is_empty()).map(bounded);
            }
        };
        let data = &event.event_data;
        put(Column::Type, Some(Cow::Borrowed(&event.event_type)));
        put(Column::Source, Some(Cow::Borrowed(&event.source)));
        put(
            Column::Tenant,
            event.tenant_id.as_deref().map(Cow::Borrowed),
        );
        put(Column::Country, event.country.as_deref().map(Cow::Borrowed));
        put(Column::Browser, event.browser.as_deref().map(Cow::Borrowed));
        put(Column::Os, event.os.as_deref().map(Cow::Borrowed));
        put(Column::Device, event.device.as_deref().map(Cow::Borrowed));
        put(Column::Platform, text(event.metadata.platform));
        match event.event_type.as_ref() {
            PAGE_VIEW => {
                put(Column::Page, page(event));
                // Put into one spelling as the event came: see [`crate::ingest::enrich::campaign`].
                put(Column::Referrer, text(data.referrer_host));
                put(Column::UtmSource, text(data.utm_source));
                put(Column::UtmMedium, text(data.utm_medium));
                put(Column::UtmCampaign, text(data.utm_campaign));
            }
            FEATURE_USE => put(Column::Feature, text(data.feature)),
            CONTENT_CREATE => put(Column::Content, Some(named(data.content_type))),
            AI_REQUEST => put(Column::Model, Some(named(data.model))),
            ERROR => put(Column::Error, Some(named(data.message))),
            _ => {}
        }
        put(Column::Region, event.region.as_deref().map(Cow::Borrowed));
        if TrackerType::parse(&event.event_type).is_none() {
            put(Column::Status, Some(status(event)));
        }
        let vital = vital(event);
        let value = vital.as_ref().map(|(_, value, _)| *value);
        if let Some((name, _, page)) = vital {
            put(Column::Vital, Some(Cow::Borrowed(name)));
            put(Column::VitalPage, page);
        }
        Self {
            id: id_bits(&event.event_id),
            at: event.timestamp.unwrap_or(event.received_at),
            received: event.received_at,
            who,
            user: user.map_or(0, |id| hasher.user(id)),
            session: session
                .filter(|id| !is_anonymous_id(id))
                .map(|id| hasher.session(id, user)),
            texts,
            a,
            b,
            value,
        }
    }
}

impl Event<'_> {
    /// What a stored event says of who its user was before; nothing where that is nobody who can be told from others.
    pub fn identified(&self, stored: &Stored<'_>, hasher: &mut Hasher<'_>) -> Option<Identified> {
        let event = self;
        let id = text(stored.event_data.anonymous_id)?;
        let is_told = identifies(event.event_type(), stored.user_id.as_deref(), &id);
        if !is_told || event.who != Who::Known || is_erased_id(&id) {
            return None;
        }
        let anonymous = hasher.user(&id);
        (anonymous != event.user).then_some(Identified {
            anonymous,
            at: event.at,
            id: event.id,
            user: event.user,
        })
    }
}

/// A name; of what has none, or an empty one, [`NONE`], so that it is counted all the same.
fn named(value: Option<Raw<'_>>) -> Cow<'_, str> {
    text(value)
        .filter(|name| !name.is_empty())
        .unwrap_or(Cow::Borrowed(NONE))
}

/// The page: as the live view and the stored event name it.
fn page<'a>(event: &Stored<'a>) -> Option<Cow<'a, str>> {
    let data = &event.event_data;
    [("path", data.path), ("url", data.url), ("page", data.page)]
        .into_iter()
        .find_map(|(key, value)| Some(Cow::Owned(path_part(key, &text(value)?)?.into_owned())))
}

/// A key of bounded length: see [`live_key`].
fn bounded(key: Cow<'_, str>) -> Cow<'_, str> {
    match key {
        Cow::Borrowed(key) => live_key(key),
        Cow::Owned(key) => match live_key(&key) {
            Cow::Owned(cut) => Cow::Owned(cut),
            Cow::Borrowed(_) => Cow::Owned(key),
        },
    }
}

fn measures(event: &Stored<'_>) -> (i64, i64) {
    let data = &event.event_data;
    let amount = |Raw(json)| micro(json, MAX_AMOUNT);
    let whole = |micro: i64| micro.saturating_add(MICRO / 2).div_euclid(MICRO);
    match event.event_type.as_ref() {
        FEATURE_USE => data
            .duration
            .and_then(|Raw(json)| micro(json, MAX_DURATION_MS))
            .map_or((0, 0), |duration| (whole(duration), 1)),
        AI_REQUEST => (
            data.tokens.and_then(amount).map_or(0, whole),
            data.cost.and_then(amount).unwrap_or(0),
        ),
        _ => (0, 0),
    }
}

fn vital<'a>(event: &Stored<'a>) -> Option<Vital<'a>> {
    let data = &event.event_data;
    if TrackerType::parse(&event.event_type) != Some(TrackerType::WebVital) {
        return None;
    }
    let name = text(data.name)?;
    let name = VITALS.into_iter().find(|known| *known == name)?;
    let value: f64 = serde_json::from_str(data.value?.0).ok()?;
    let page = page(event).map(bounded);
    (0.0..=MAX_VITAL)
        .contains(&value)
        .then_some((name, value, page))
}

fn status<'a>(event: &Stored<'a>) -> Cow<'a, str> {
    let status = text(event.event_data.status).unwrap_or_default();
    if status.chars().nth(MAX_STATUS_CHARS).is_none() {
        return status;
    }
    Cow::Owned(status.chars().take(MAX_STATUS_CHARS).collect())
}

#[cfg(test)]
mod tests;
