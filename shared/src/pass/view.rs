//! What a page view says of where its visitor came from, and what is made of it.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Where a page's address stands, the first that has what is looked for.
pub const PAGE_KEYS: [&str; 3] = ["url", "page", "path"];

/// Campaign parameters, as they stand in an event and in an address.
pub const PARAMETERS: [&str; 5] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
];

/// The place of a name among [`PARAMETERS`].
#[inline]
pub fn parameter(name: &str) -> Option<usize> {
    // Nearly no name begins like one.
    name.starts_with("utm_")
        .then(|| PARAMETERS.iter().position(|known| *known == name))
        .flatten()
}

/// The address of the page before.
pub const REFERRER: &str = "referrer";

/// The key of the referring host: without `www.`, port and case.
pub const REFERRER_HOST: &str = "referrerHost";

/// The key of the source as people name it.
pub const REFERRER_SOURCE: &str = "referrerSource";

/// What a page view's `eventData` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told<'a> {
    /// What stands as text under [`PAGE_KEYS`].
    pub addresses: [Option<Cow<'a, str>>; 3],
    /// What stands as text under [`REFERRER`].
    pub referrer: Option<Cow<'a, str>>,
    /// What stands under [`PARAMETERS`].
    pub own: [Own<'a>; 5],
}

/// A campaign parameter of the event's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Own<'a> {
    /// There is none, or null.
    #[default]
    Absent,
    /// A text.
    Text(Cow<'a, str>),
    /// A number, as JSON writes it.
    Number(String),
    /// Something else, which stays as it is.
    Other,
}

/// What is made of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin<'a> {
    /// What becomes of [`PARAMETERS`].
    pub parameters: [Change<'a>; 5],
    /// The referrer is the site itself, or nothing: it goes.
    pub drops_referrer: bool,
    /// What stands under [`REFERRER_HOST`] now, whatever stood there.
    pub host: Option<Cow<'a, str>>,
    /// What stands under [`REFERRER_SOURCE`] now, whatever stood there.
    pub source: Option<Cow<'a, str>>,
}

/// What becomes of a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Change<'a> {
    /// It stays as it is.
    #[default]
    Keep,
    /// This stands there now.
    Set(Cow<'a, str>),
    /// It goes.
    Remove,
}

impl<'a> Told<'a> {
    /// What the `eventData` of the slow way says.
    pub fn of(data: &'a Map<String, Value>) -> Self {
        let text = |key| data.get(key).and_then(Value::as_str).map(Cow::Borrowed);
        Self {
            addresses: PAGE_KEYS.map(text),
            referrer: text(REFERRER),
            own: PARAMETERS.map(|key| match data.get(key) {
                None | Some(Value::Null) => Own::Absent,
                Some(Value::String(text)) => Own::Text(text.into()),
                Some(Value::Number(number)) => Own::Number(number.to_string()),
                Some(_) => Own::Other,
            }),
        }
    }
}

impl Origin<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Origin<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Origin {
            parameters: self.parameters.map(|change| match change {
                Change::Keep => Change::Keep,
                Change::Set(text) => Change::Set(owned(text)),
                Change::Remove => Change::Remove,
            }),
            drops_referrer: self.drops_referrer,
            host: self.host.map(owned),
            source: self.source.map(owned),
        }
    }

    /// Puts it into the `eventData` of the slow way.
    pub fn put_into(self, data: &mut Map<String, Value>) {
        if self.drops_referrer {
            data.remove(REFERRER);
        }
        let mut put = |key: &str, change| match change {
            Change::Keep => {}
            Change::Set(text) => _ = data.insert(key.to_owned(), Value::String(text.into_owned())),
            Change::Remove => _ = data.remove(key),
        };
        for (key, change) in PARAMETERS.into_iter().zip(self.parameters) {
            put(key, change);
        }
        let set = |text: Option<_>| text.map_or(Change::Remove, Change::Set);
        put(REFERRER_HOST, set(self.host));
        put(REFERRER_SOURCE, set(self.source));
    }
}
