//! The answer counted in the plainest way, over the events themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::time::{DAY_MS, HOUR_MS, date};

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        _ => None,
    }
}

fn at(event: &Value) -> i64 {
    event["timestamp"].as_i64().unwrap()
}

fn is(event: &Value, kind: &str) -> bool {
    event["eventType"] == kind
}

fn currency(data: &Value) -> Option<String> {
    let code = data["revenue"]["currency"].as_str()?;
    (code.len() == 3).then(|| code.to_uppercase())
}

fn users_of(events: &[&Value]) -> BTreeSet<String> {
    let ids = events.iter().filter_map(|event| event["userId"].as_str());
    ids.filter(|id| !id.starts_with("anon-"))
        .map(str::to_owned)
        .collect()
}

/// All events, and a question in UTC.
pub(super) struct Model<'e> {
    pub(super) events: &'e [Value],
    /// Which of them are conversions.
    pub(super) goal: Value,
}

type Row = (Vec<Option<String>>, Vec<Option<f64>>);

impl Model<'_> {
    fn session<'s>(&'s self, event: &'s Value) -> impl Iterator<Item = &'s Value> {
        let id = event["sessionId"].as_str();
        self.events
            .iter()
            .filter(move |other| id.is_some() && other["sessionId"].as_str() == id)
    }

    /// Views of the event's session in order.
    fn views<'s>(&'s self, event: &'s Value) -> Vec<&'s Value> {
        let views = self.session(event).filter(|event| is(event, "page_view"));
        let mut views: Vec<&Value> = views.collect();
        views.sort_by_key(|event| (at(event), event["eventId"].as_str()));
        views
    }

    pub(super) fn field(&self, event: &Value, name: &str) -> Option<String> {
        let day = at(event).div_euclid(DAY_MS);
        let data = &event["eventData"];
        match name {
            "eventType" | "country" => text(&event[name]),
            "page" if is(event, "page_view") => text(&data["path"]),
            "page" if is(event, "page_leave") => {
                let url = data["url"].as_str()?;
                url.strip_prefix("https://a.example").map(str::to_owned)
            }
            "page" => None,
            "feature" if is(event, "feature_use") => text(&data["feature"]),
            "feature" => None,
            "entryPage" => self.field(self.views(event).first()?, "page"),
            "exitPage" => self.field(self.views(event).last()?, "page"),
            "referrer_source" => {
                let view = self.views(event).into_iter().next()?;
                text(&view["eventData"]["referrerSource"]).or_else(|| Some("Direct".to_owned()))
            }
            "channel" => {
                let data = &self.views(event).into_iter().next()?["eventData"];
                let source = data["referrerSource"].as_str();
                Some(
                    match (source, &data["utm_source"]) {
                        _ if data["url"].to_string().contains("gclid") => "Paid",
                        _ if data["utm_medium"] == "email" => "Email",
                        (Some("Google"), _) => "Search",
                        (Some("ChatGPT"), _) => "AI",
                        (Some("Reddit"), _) => "Social",
                        (_, Value::String(_)) => "Campaign",
                        (Some(_), _) => "Referral",
                        (None, _) => "Direct",
                    }
                    .to_owned(),
                )
            }
            "currency" => currency(data),
            "hour_of_day" => Some(at(event).rem_euclid(DAY_MS).div_euclid(HOUR_MS).to_string()),
            "day_of_week" => Some(((day + 3).rem_euclid(7) + 1).to_string()),
            "time:day" => Some(date(day)),
            "time:month" => Some(date(day)[..7].to_owned()),
            _ => {
                let path = name.strip_prefix("data.").unwrap().replace('.', "/");
                text(data.pointer(&format!("/{path}"))?)
            }
        }
    }

    fn number(&self, event: &Value, name: &str) -> Option<f64> {
        if ["hour_of_day", "day_of_week"].contains(&name) {
            return self.field(event, name)?.parse().ok();
        }
        let path = name.strip_prefix("data.")?.replace('.', "/");
        event["eventData"].pointer(&format!("/{path}"))?.as_f64()
    }

    pub(super) fn passes(&self, event: &Value, filter: &Value) -> bool {
        let Some(parts) = filter.as_array().filter(|parts| !parts.is_empty()) else {
            return true;
        };
        let inner = || parts[1..].iter();
        let did = || {
            let user = event["userId"].as_str();
            let mut theirs = self
                .events
                .iter()
                .filter(|other| other["userId"].as_str() == user);
            user.is_some() && theirs.any(|other| self.passes(other, &parts[1]))
        };
        let values = || match &parts[2] {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        let field = || self.field(event, parts[1].as_str().unwrap());
        let number = || self.number(event, parts[1].as_str().unwrap());
        let any = |test: &dyn Fn(&str, &str) -> bool| {
            let field = field();
            field.is_some_and(|field| {
                values()
                    .iter()
                    .any(|value| test(&field, &text(value).unwrap()))
            })
        };
        let than = |test: &dyn Fn(&f64, &f64) -> bool| {
            number().is_some_and(|number| test(&number, &values()[0].as_f64().unwrap()))
        };
        match parts[0].as_str().unwrap() {
            "and" => inner().all(|inner| self.passes(event, inner)),
            "or" => inner().any(|inner| self.passes(event, inner)),
            "not" => !self.passes(event, &parts[1]),
            "did" => did(),
            "did_not" => !did(),
            "is" => any(&|field, value| field == value),
            "is_not" => !any(&|field, value| field == value),
            "contains" => any(&|field, value| field.contains(value)),
            "not_contains" => !any(&|field, value| field.contains(value)),
            "starts_with" => any(&|field, value| field.starts_with(value)),
            "gt" => than(&f64::gt),
            "gte" => than(&f64::ge),
            "lt" => than(&f64::lt),
            "lte" => than(&f64::le),
            "exists" => field().is_some(),
            other => panic!("{other}"),
        }
    }

    fn conversions<'s>(&self, events: &[&'s Value]) -> Vec<&'s Value> {
        let all = events.iter().copied();
        all.filter(|event| self.passes(event, &self.goal)).collect()
    }

    fn metric(&self, events: &[&Value], name: &str) -> Option<f64> {
        let views = events.iter().filter(|event| is(event, "page_view")).count() as f64;
        let users = users_of;
        let ids = |name: &str| {
            let ids = events.iter().filter_map(|event| event[name].as_str());
            ids.filter(|id| !id.starts_with("anon-"))
                .collect::<BTreeSet<_>>()
        };
        let sessions = ids("sessionId");
        let one_of = |session: &str| {
            events
                .iter()
                .find(|event| event["sessionId"] == session)
                .unwrap()
        };
        let per_session = |of: f64| (!sessions.is_empty()).then(|| of / sessions.len() as f64);
        match name {
            "users" => Some(ids("userId").len() as f64),
            "events" => Some(events.len() as f64),
            "views" => Some(views),
            "sessions" => Some(sessions.len() as f64),
            "conversions" => Some(self.conversions(events).len() as f64),
            "converted" => Some(users(&self.conversions(events)).len() as f64),
            "conversionRate" => {
                let all = users(events).len() as f64;
                (all > 0.0).then(|| users(&self.conversions(events)).len() as f64 / all)
            }
            "revenue(EUR)" | "revenue(USD)" => {
                let micro = self.conversions(events).into_iter().filter_map(|event| {
                    let data = &event["eventData"];
                    let amount = text(&data["revenue"]["amount"])?.parse::<f64>().ok()?;
                    let is_it = currency(data).as_deref() == Some(&name[8..11]);
                    is_it.then_some((amount * 1e6).round())
                });
                Some(micro.sum::<f64>() / 1e6)
            }
            "viewsPerSession" => per_session(views),
            "bounceRate" => {
                let is_bounce = |session: &&&str| {
                    let all: Vec<&Value> = self.session(one_of(session)).collect();
                    let views = all.iter().filter(|event| is(event, "page_view")).count();
                    let acted = all
                        .iter()
                        .any(|event| is(event, "custom") || is(event, "feature_use"));
                    let left = all.iter().filter(|event| is(event, "page_leave"));
                    let engaged: f64 = left
                        .map(|event| event["eventData"]["engagedMs"].as_f64().unwrap())
                        .sum();
                    views == 1 && !acted && engaged < 10_000.0
                };
                per_session(sessions.iter().filter(is_bounce).count() as f64)
            }
            "sessionDuration" => per_session(
                sessions
                    .iter()
                    .map(|session| {
                        let times: Vec<i64> = self.session(one_of(session)).map(at).collect();
                        (times.iter().max().unwrap() - times.iter().min().unwrap()) as f64
                    })
                    .sum(),
            ),
            "engagedTime" => {
                let left = events.iter().filter(|event| is(event, "page_leave"));
                let all: Vec<f64> = left
                    .map(|event| event["eventData"]["engagedMs"].as_f64().unwrap())
                    .collect();
                (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
            }
            _ => {
                let (how, of) = name.strip_suffix(')').unwrap().split_once('(').unwrap();
                let mut all: Vec<f64> = events
                    .iter()
                    .filter_map(|event| self.number(event, of))
                    .collect();
                all.retain(|number| number.abs() <= 1e20);
                all.sort_by(f64::total_cmp);
                let some = !all.is_empty();
                // As exact as the answer's: by whole millionths.
                let sum = all
                    .iter()
                    .map(|number| (number * 1e6).round() as i128)
                    .sum::<i128>() as f64
                    / 1e6;
                match how {
                    "sum" => Some(sum),
                    "avg" => some.then(|| sum / all.len() as f64),
                    "min" => all.first().copied(),
                    "max" => all.last().copied(),
                    "count" => Some(
                        events
                            .iter()
                            .filter(|event| self.field(event, of).is_some())
                            .count() as f64,
                    ),
                    _ => {
                        let percent: usize = how[1..].parse().unwrap();
                        some.then(|| all[(all.len() * percent).div_ceil(100) - 1])
                    }
                }
            }
        }
    }

    /// Rows by their dimensions, and totals.
    pub(super) fn rows(&self, body: &Value) -> (Vec<Row>, Vec<Option<f64>>) {
        let names = |name: &str| -> Vec<String> {
            let names = body[name].as_array();
            names
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        let (dimensions, metrics) = (names("dimensions"), names("metrics"));
        let mut groups: BTreeMap<Vec<Option<String>>, Vec<&Value>> = BTreeMap::new();
        let mut passing = Vec::new();
        for event in self
            .events
            .iter()
            .filter(|event| self.passes(event, &body["filters"]))
        {
            let key = dimensions
                .iter()
                .map(|name| self.field(event, name))
                .collect();
            groups.entry(key).or_default().push(event);
            passing.push(event);
        }
        if dimensions.is_empty() {
            groups = BTreeMap::from([(Vec::new(), passing.clone())]);
        }
        let of = |events: &[&Value]| {
            metrics
                .iter()
                .map(|name| self.metric(events, name))
                .collect()
        };
        let rows = groups.into_iter().map(|(key, events)| (key, of(&events)));
        (rows.collect(), of(&passing))
    }
}

/// The same of an answer.
pub(super) fn rows_of(answer: &Value) -> (Vec<Row>, Vec<Option<f64>>) {
    let figures = |value: &Value| {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(Value::as_f64)
            .collect()
    };
    let rows = answer["rows"].as_array().unwrap().iter().map(|row| {
        let key = row["dimensions"].as_array().unwrap().iter().map(text);
        (key.collect(), figures(&row["metrics"]))
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    (rows, figures(&answer["totals"]))
}
