//! Events of 45 days, made of a seed: what sites send, and what nobody should have to count by hand.

use serde_json::{Map, Value, json};

use crate::names::{
    AGENTS, AMOUNTS, CONTENT, COUNTRIES, CUSTOM, DOMAINS, ERRORS, FEATURES, MIXED, NOTES, PAGES,
    PLATFORMS, REFERRERS, REVENUE, SOURCES, STATUSES, TARGETS, USERS, UTM,
};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// Days of events, today included.
pub(crate) const DAYS: i64 = 45;

/// SplitMix64: the same numbers of the same seed, everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to below `n`.
    pub(crate) fn below(&mut self, n: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(i64::try_from(all.len()).unwrap())).unwrap()].clone()
    }

    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// What a site's events are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Its place among the sites.
    pub(crate) site: i64,
    /// Lines of its import, copies aside.
    pub(crate) imported: i64,
    /// Events that services and pages send.
    pub(crate) live: i64,
    /// Users who come in the course of the days.
    pub(crate) users: i64,
    /// Days for which the site keeps them.
    pub(crate) keep: i64,
    /// The first moment.
    pub(crate) start: i64,
    /// The last.
    pub(crate) end: i64,
}

impl Plan {
    /// An event at a moment, in the form of [`docs/EVENTS.md`].
    pub(crate) fn event(&self, dice: &mut Dice, at: i64) -> Value {
        let (kind, data) = kind(dice);
        let domain = is_of_services(kind);
        let mut event = json!({
            "eventId": dice.uuid(), "eventType": kind, "timestamp": at, "eventData": data,
            "metadata": {"userAgent": dice.pick(&AGENTS), "ipAddress": "203.0.113.77",
                "platform": dice.pick(&PLATFORMS)},
        });
        let fields = event.as_object_mut().unwrap();
        if domain || dice.one_in(3) {
            fields.insert("source".into(), dice.pick(&SOURCES).into());
        }
        if domain && dice.one_in(3) {
            fields.remove("metadata");
        }
        if !(domain && dice.one_in(4)) {
            self.visitor(dice, at, fields);
        }
        event
    }

    /// Who it is, and in which session: of 50 minutes, which begin at another moment for each user, so
    /// that some go on over midnight.
    fn visitor(&self, dice: &mut Dice, at: i64, fields: &mut Map<String, Value>) {
        let came = (at - self.start).clamp(0, self.end - self.start);
        let known = 20 + (self.users - 20) * came / (self.end - self.start);
        let user = if dice.one_in(3) {
            dice.below(known)
        } else {
            known - 1 - dice.below(known.min(60))
        };
        let session = (at + user * 137_000).div_euclid(3_000_000);
        let name = usize::try_from(user).unwrap();
        let id = USERS
            .get(name)
            .map_or_else(|| format!("user-{user}"), |name| (*name).into());
        fields.insert("userId".into(), id.into());
        fields.insert("sessionId".into(), format!("s{user}-{session}").into());
    }

    /// The lines of an import, in order of receipt: half as a lake holds them, some late, some of
    /// visitors who asked not to be followed, some there again, as they were or with other content.
    pub(crate) fn lines(&self, dice: &mut Dice) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for n in 0..self.imported {
            let at = self.start + (self.end - self.start) * n / self.imported + dice.below(60_000);
            lines.push(self.line(dice, at).to_string());
            let copied = dice.below(i64::try_from(lines.len().min(20_000)).unwrap());
            let copied = lines.len() - 1 - usize::try_from(copied).unwrap();
            if dice.one_in(40) {
                lines.push(lines[copied].clone());
            } else if dice.one_in(100) {
                let mut other: Value = serde_json::from_str(&lines[copied]).unwrap();
                other["timestamp"] = (at - dice.below(DAY_MS)).into();
                other["eventData"]["feature"] = "another".into();
                lines.push(other.to_string());
            }
        }
        lines
    }

    fn line(&self, dice: &mut Dice, at: i64) -> Value {
        let mut event = self.event(dice, at);
        if dice.one_in(2) {
            event["schemaVersion"] = 1.into();
            event["receivedAt"] = at.into();
            event["country"] = (dice.pick(&COUNTRIES)).into();
            if dice.one_in(12) {
                let late = dice.below(5 * DAY_MS).min(at - self.start);
                event["timestamp"] = (at - late).into();
            }
        }
        if dice.one_in(15) && event["userId"].is_string() {
            let day = at.div_euclid(DAY_MS);
            let id = format!("anon-{:032x}", day * 1_000 + dice.below(40));
            event["userId"] = id.clone().into();
            event["sessionId"] = id.into();
        }
        if dice.one_in(200) {
            event.as_object_mut().unwrap().remove("eventId");
        }
        event
    }
}

fn kind(dice: &mut Dice) -> (&'static str, Value) {
    match dice.below(100) {
        0..45 => ("page_view", page(dice)),
        45..65 => {
            let mut data = json!({"feature": dice.pick(&FEATURES)});
            put(dice, &mut data, "duration");
            ("feature_use", data)
        }
        65..71 => ("content_create", pick(dice, "contentType")),
        71..80 => {
            let mut data = pick(dice, "model");
            put(dice, &mut data, "tokens");
            put(dice, &mut data, "cost");
            ("ai_request", data)
        }
        80..84 => {
            let text: Option<&str> = dice.pick(&ERRORS);
            (
                "error",
                text.map_or(json!({}), |text| json!({"message": text})),
            )
        }
        84..87 => ("page_leave", leave(dice)),
        87..90 => (
            dice.pick(&["web_vital", "outbound", "download", "form"]),
            json!({"path": "/", "feature": "none", "url": dice.pick(&TARGETS)}),
        ),
        90..94 => ("custom", custom(dice)),
        _ => {
            let status: Value = serde_json::from_str(dice.pick(&STATUSES)).unwrap();
            let mut data = json!({"total": dice.below(100), "feature": "none", "path": "/none"});
            if !status.is_null() {
                data["status"] = status;
            }
            (dice.pick(&DOMAINS), data)
        }
    }
}

/// Whether services alone send events of a type.
pub(crate) fn is_of_services(kind: &str) -> bool {
    kind == "custom" || kind.contains('.') || kind.chars().any(char::is_uppercase)
}

/// A page that was left: how long it was looked at, and how far.
fn leave(dice: &mut Dice) -> Value {
    let mut data: Value = serde_json::from_str(dice.pick(&PAGES)).unwrap();
    data["engagedMs"] = match dice.below(9) {
        0 => json!("long"),
        1 => json!(-5),
        _ => dice.below(25_000).into(),
    };
    data["scrollDepth"] = dice.below(101).into();
    data
}

/// What pages track under names of their own, some of it a sale, with values of every kind.
fn custom(dice: &mut Dice) -> Value {
    let mut data =
        json!({"name": dice.pick(&CUSTOM), "plan": {"size": dice.below(5), "on": dice.one_in(2)}});
    let mixed: Value = serde_json::from_str(dice.pick(&MIXED)).unwrap();
    if !mixed.is_null() {
        data["amount"] = mixed;
    }
    let revenue: Value = serde_json::from_str(dice.pick(&REVENUE)).unwrap();
    if !revenue.is_null() {
        data["revenue"] = revenue;
    }
    if dice.one_in(2) {
        data["note"] = dice
            .pick(&NOTES)
            .repeat(usize::try_from(dice.below(40)).unwrap())
            .into();
    }
    data
}

fn page(dice: &mut Dice) -> Value {
    let mut data: Value = serde_json::from_str(dice.pick(&PAGES)).unwrap();
    for name in [
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
    ] {
        if dice.one_in(6) {
            data[name] = (dice.pick(&UTM)).into();
        }
    }
    if dice.one_in(3) {
        data["referrer"] = (dice.pick(&REFERRERS)).into();
    }
    data["title"] = "A page".into();
    data
}

/// A name under `field`, of whatever form senders find for it; or none.
fn pick(dice: &mut Dice, field: &str) -> Value {
    let mut data = json!({});
    let name: Value = serde_json::from_str(dice.pick(&CONTENT)).unwrap();
    if !name.is_null() {
        data[field] = name;
    }
    data
}

/// An amount under `field`; or none.
fn put(dice: &mut Dice, data: &mut Value, field: &str) {
    let amount = match dice.below(3) {
        0 => (dice.pick(&AMOUNTS)).to_owned(),
        1 => dice.below(5_000).to_string(),
        _ => format!("{}.{:06}", dice.below(20), dice.below(1_000_000)),
    };
    let amount: Value = serde_json::from_str(&amount).unwrap();
    if !amount.is_null() {
        data[field] = amount;
    }
}
