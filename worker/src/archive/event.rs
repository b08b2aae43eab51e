//! What the archive knows of an event beside its line: who, when, in which session, and what it has in
//! each column. Users and sessions are keyed hashes from here on.

use std::borrow::Cow;
use std::collections::HashMap;

use shoreline_shared::event_type::TrackerType;
use shoreline_shared::id::uuid_bits;
use shoreline_shared::privacy::{session_hash, user_hash};

use crate::base::time::{HOUR_MS, day_of, floor_to};

/// A column of texts. The number is what segments name it by: never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Column {
    /// The event's type.
    Type = 0,
    /// Its source.
    Source = 1,
    /// The country.
    Country = 2,
    /// The region.
    Region = 3,
    /// The browser.
    Browser = 4,
    /// The system.
    Os = 5,
    /// The kind of device.
    Device = 6,
    /// `metadata.platform`.
    Platform = 7,
    /// The page of a view.
    Page = 8,
    /// The host that led to a view.
    Referrer = 9,
    /// Campaign parameters of a view.
    UtmSource = 10,
    /// As above.
    UtmMedium = 11,
    /// As above.
    UtmCampaign = 12,
    /// The feature that was used.
    Feature = 13,
    /// The type of what was created.
    Content = 14,
    /// The model of an AI request.
    Model = 15,
    /// The message of an error.
    Error = 16,
    /// The status that a domain event tells; no key is none.
    Status = 17,
    /// The name of a web vital.
    Vital = 18,
    /// The page that a web vital is of.
    VitalPage = 19,
    /// The tenant of the service.
    Tenant = 20,
}

impl Column {
    /// All of them, by their number.
    pub const ALL: [Self; 21] = [
        Self::Type,
        Self::Source,
        Self::Country,
        Self::Region,
        Self::Browser,
        Self::Os,
        Self::Device,
        Self::Platform,
        Self::Page,
        Self::Referrer,
        Self::UtmSource,
        Self::UtmMedium,
        Self::UtmCampaign,
        Self::Feature,
        Self::Content,
        Self::Model,
        Self::Error,
        Self::Status,
        Self::Vital,
        Self::VitalPage,
        Self::Tenant,
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Those that sums are kept of, by their names in D1 (`breakdowns.dim`).
    pub const SUMMED: [(Self, &'static str); 17] = [
        (Self::Type, "type"),
        (Self::Source, "source"),
        (Self::Country, "country"),
        (Self::Browser, "browser"),
        (Self::Os, "os"),
        (Self::Device, "device"),
        (Self::Platform, "platform"),
        (Self::Page, "page"),
        (Self::Referrer, "referrer"),
        (Self::UtmSource, "utm_source"),
        (Self::UtmMedium, "utm_medium"),
        (Self::UtmCampaign, "utm_campaign"),
        (Self::Feature, "feature"),
        (Self::Content, "content"),
        (Self::Model, "model"),
        (Self::Error, "error"),
        (Self::Tenant, "tenantId"),
    ];
}

/// Whose an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Who {
    /// Nobody's.
    #[default]
    Nobody = 0,
    /// A user's.
    Known = 1,
    /// Of a day-scoped id: a visitor who asked not to be followed.
    Anonymous = 2,
    /// Of a user who was erased: found again by nothing but the id that stands for them.
    Erased = 3,
}

/// Domain events that say that a user signed up.
const REGISTRATIONS: [&str; 2] = ["iam.user-registered", "community.user-registered"];

/// An event as it is counted and asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// Its id, a UUID's bits.
    pub id: u128,
    /// When it happened, Unix milliseconds.
    pub at: i64,
    /// When it was received, Unix milliseconds.
    pub received: i64,
    /// Whose it is.
    pub who: Who,
    /// The first 64 bits of the user's keyed hash; 0 for nobody.
    pub user: u64,
    /// The first 64 bits of the session's keyed hash; `None` for none and for a day-scoped one, which is
    /// no visit but a day of them.
    pub session: Option<u64>,
    /// What it has in each column, by [`Column`]'s number; what is empty is none.
    pub texts: [Option<Cow<'a, str>>; Column::COUNT],
    /// Milliseconds of a feature's use, tokens of an AI request.
    pub a: i64,
    /// 1 for a use with a duration; cost of an AI request in millionths.
    pub b: i64,
    /// What a `web_vital` measured.
    pub value: Option<f64>,
}

impl Event<'_> {
    /// What it has in a column.
    pub fn text(&self, column: Column) -> Option<&str> {
        self.texts.get(column as usize)?.as_deref()
    }

    /// Its type; every event has one.
    pub fn event_type(&self) -> &str {
        self.text(Column::Type).unwrap_or_default()
    }

    /// The day it happened on, since 1970.
    pub fn day(&self) -> i64 {
        day_of(self.at)
    }

    /// Of a domain event, the hour in which it happened (start, Unix milliseconds).
    pub fn domain_hour(&self) -> Option<i64> {
        let domain = TrackerType::parse(self.event_type()).is_none();
        domain.then(|| floor_to(self.at, HOUR_MS))
    }

    /// When the user registered, where this event says so.
    pub fn registered(&self) -> Option<i64> {
        let says = REGISTRATIONS.contains(&self.event_type());
        (self.who == Who::Known && says).then_some(self.at)
    }
}

/// Hashes of a site's users and sessions. A message has few of them and each many times, and a hash
/// takes longer than all else that is read of an event.
#[derive(Debug)]
pub struct Hasher<'k> {
    site: &'k str,
    key: &'k [u8],
    is_spread: bool,
    users: HashMap<String, u64>,
    sessions: HashMap<String, u64>,
}

/// Ids that are remembered at most: twice what a message has.
const MAX_REMEMBERED: usize = 2_000;

impl<'k> Hasher<'k> {
    /// Of a site, with the deployment's key.
    pub fn new(site: &'k str, key: &'k [u8]) -> Self {
        Self {
            site,
            key,
            is_spread: false,
            users: HashMap::new(),
            sessions: HashMap::new(),
        }
    }

    /// Of a site of several archives, or not. There a session is of one user: each archive has the events of its own
    /// users, and could not tell that two are in one session.
    #[must_use]
    pub fn spread(mut self, is_spread: bool) -> Self {
        self.is_spread = is_spread;
        self
    }

    /// The first 64 bits of a user's hash.
    pub fn user(&mut self, id: &str) -> u64 {
        let (key, site) = (self.key, self.site);
        remembered(&mut self.users, id, || user_hash(key, site, id))
    }

    /// The first 64 bits of the hash of a user's session.
    pub fn session(&mut self, id: &str, user: Option<&str>) -> u64 {
        let (key, site) = (self.key, self.site);
        let of_user = user.filter(|_| self.is_spread);
        let of_user = of_user.map(|user| format!("{user}\n{id}"));
        let id = of_user.as_deref().unwrap_or(id);
        remembered(&mut self.sessions, id, || session_hash(key, site, id))
    }
}

fn remembered(known: &mut HashMap<String, u64>, id: &str, hash: impl Fn() -> String) -> u64 {
    if let Some(known) = known.get(id) {
        return *known;
    }
    if known.len() >= MAX_REMEMBERED {
        known.clear();
    }
    let bits = first_bits(&hash());
    known.insert(id.to_owned(), bits);
    bits
}

/// The first 64 bits of a hash in hex.
pub(crate) fn first_bits(hex: &str) -> u64 {
    hex.get(..16)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .unwrap_or(0)
}

/// The bits of an event's id. Every stored id is a UUID.
pub(crate) fn id_bits(id: &str) -> u128 {
    uuid_bits(id).unwrap_or(0)
}
