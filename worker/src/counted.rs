//! What the read models count of an event: who, when, in which session, and what it has in each
//! dimension. Users and sessions are keyed hashes from here on.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;
use shoreline_shared::event_type::{
    AI_REQUEST, CONTENT_CREATE, ERROR, FEATURE_USE, PAGE_VIEW, TrackerType,
};
use shoreline_shared::privacy::{is_anonymous_id, path_part, session_hash, user_hash};

use crate::live::{HOUR_MS, floor_to, live_key};
use crate::privacy::day_of;
use crate::sorted::Map;

mod decimal;
mod stored;

pub use decimal::{MAX_AMOUNT, MAX_DURATION_MS, MICRO, decimal, micro};
pub use stored::Stored;
use stored::text;

/// What stands for a content type or model that the event does not name.
pub const NONE: &str = "(none)";

/// Characters of a domain event's status at most: a state's name, not a text.
const MAX_STATUS_CHARS: usize = 64;

/// Domain events that say that a user signed up.
const REGISTRATIONS: [&str; 2] = ["iam.user-registered", "community.user-registered"];

/// A JSON array, so that a statement can open many of them as one parameter. The places are what
/// the SQL of [`crate::rollup`] and of [`crate::read`] goes by; stored rows hold it, so it may only
/// grow at its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts<'a>(
    /// 0: when it happened, Unix milliseconds.
    pub i64,
    /// 1: the day of that, since 1970.
    pub i64,
    /// 2: its type.
    pub &'a str,
    /// 3: the hour of a domain event (start, Unix milliseconds); null for the tracker's types.
    pub Option<i64>,
    /// 4: the user's hash.
    pub Option<String>,
    /// 5: 1 for a user, 0 for a day-scoped id or nobody, 2 for a user who was erased.
    pub u8,
    /// 6: the session's hash; null for a day-scoped one, which is no visit but a day of them.
    pub Option<String>,
    /// 7: dimension to key.
    pub Map<&'static str, Cow<'a, str>>,
    /// 8: milliseconds of a feature's use, tokens of an AI request.
    pub i64,
    /// 9: 1 for a use with a duration; cost of an AI request in millionths.
    pub i64,
    /// 10: when the user registered, where this event says so.
    pub Option<i64>,
    /// 11: the status that a domain event tells, or nothing.
    pub Cow<'a, str>,
    /// 12: what a `web_vital` measured.
    pub Option<Vital<'a>>,
);

/// Name, value (milliseconds, of CLS a number without a unit) and page of a Web Vital.
pub type Vital<'a> = (&'static str, f64, Option<Cow<'a, str>>);

/// The Web Vitals that are counted, in the order in which they are shown.
pub const VITALS: [&str; 5] = ["LCP", "INP", "CLS", "FCP", "TTFB"];

/// The largest value that is a measurement: an hour, in milliseconds. Nobody waits so long, and a clock
/// that jumps can make anything.
const MAX_VITAL: f64 = 3_600_000.0;

/// Hashes of a site's users and sessions. A batch has few of them and each many times, and a hash
/// takes longer than all else that is counted of an event.
#[derive(Debug)]
pub struct Hashes<'k, 'a> {
    site: &'k str,
    key: &'k [u8],
    users: HashMap<&'a str, String>,
    sessions: HashMap<&'a str, String>,
}

impl<'k, 'a> Hashes<'k, 'a> {
    /// Those of `site`, with `key`.
    pub fn new(site: &'k str, key: &'k [u8]) -> Self {
        Self {
            site,
            key,
            users: HashMap::new(),
            sessions: HashMap::new(),
        }
    }

    fn user(&mut self, id: &'a str) -> String {
        let hash = || user_hash(self.key, self.site, id);
        self.users.entry(id).or_insert_with(hash).clone()
    }

    fn session(&mut self, id: &'a str) -> String {
        let hash = || session_hash(self.key, self.site, id);
        self.sessions.entry(id).or_insert_with(hash).clone()
    }
}

impl<'a> Facts<'a> {
    /// The facts of a stored event.
    pub fn of(event: &'a Stored<'a>, hashes: &mut Hashes<'_, 'a>) -> Self {
        let at = event.timestamp.unwrap_or(event.received_at);
        let event_type: &str = &event.event_type;
        let user = event.user_id.as_deref();
        let tracked = user.is_some_and(|id| !is_anonymous_id(id));
        let domain = TrackerType::parse(event_type).is_none();
        let (a, b) = measures(event);
        Self(
            at,
            day_of(at),
            event_type,
            domain.then(|| floor_to(at, HOUR_MS)),
            user.map(|id| hashes.user(id)),
            u8::from(tracked),
            event
                .session_id
                .as_deref()
                .filter(|id| !is_anonymous_id(id))
                .map(|id| hashes.session(id)),
            dimensions(event, tracked),
            a,
            b,
            (tracked && REGISTRATIONS.contains(&event_type)).then_some(at),
            if domain { status(event) } else { "".into() },
            vital(event),
        )
    }

    /// The array's JSON text.
    pub fn json(&self) -> String {
        // Numbers, strings and a map of strings always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn dimensions<'a>(event: &'a Stored<'a>, tracked: bool) -> Map<&'static str, Cow<'a, str>> {
    let data = &event.event_data;
    let mut dims = Map::new();
    let mut put = |dim, key: Option<Cow<'a, str>>| {
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            dims.insert(dim, bounded(key));
        }
    };
    put("type", Some(Cow::Borrowed(&event.event_type)));
    put("source", Some(Cow::Borrowed(&event.source)));
    put("country", event.country.as_deref().map(Cow::Borrowed));
    put("browser", event.browser.as_deref().map(Cow::Borrowed));
    put("os", event.os.as_deref().map(Cow::Borrowed));
    put("device", event.device.as_deref().map(Cow::Borrowed));
    put("platform", text(event.metadata.platform));
    match event.event_type.as_ref() {
        PAGE_VIEW => {
            put("page", page(event));
            // Put into one spelling as the event came: see [`crate::campaign`].
            put("referrer", text(data.referrer_host));
            put("utm_source", text(data.utm_source));
            put("utm_medium", text(data.utm_medium));
            put("utm_campaign", text(data.utm_campaign));
        }
        FEATURE_USE => put("feature", text(data.feature)),
        CONTENT_CREATE => put("content", Some(named(data.content_type))),
        AI_REQUEST => put("model", Some(named(data.model))),
        ERROR => put("error", Some(named(data.message))),
        _ => {}
    }
    if event.user_id.is_some() {
        dims.insert(if tracked { "user" } else { "anon" }, "".into());
    }
    dims
}

/// A name; of what has none, or an empty one, [`NONE`], so that it is counted all the same.
fn named<'a>(value: Option<&'a RawValue>) -> Cow<'a, str> {
    text(value)
        .filter(|name| !name.is_empty())
        .unwrap_or(Cow::Borrowed(NONE))
}

/// The page: as the live view and the stored event name it.
fn page<'a>(event: &Stored<'a>) -> Option<Cow<'a, str>> {
    let data = &event.event_data;
    [data.path, data.url, data.page]
        .into_iter()
        .filter_map(text)
        .find_map(|url| path_part(&url).map(|path| Cow::Owned(path.into_owned())))
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
    let amount = |value| micro(value, MAX_AMOUNT);
    let whole = |micro: i64| micro.saturating_add(MICRO / 2).div_euclid(MICRO);
    match event.event_type.as_ref() {
        FEATURE_USE => data
            .duration
            .and_then(|duration| micro(duration, MAX_DURATION_MS))
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
    let value: f64 = serde_json::from_str(data.value?.get()).ok()?;
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
