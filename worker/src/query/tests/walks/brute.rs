//! The same in the plainest way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::base::time::{DAY_MS, HOUR_MS, date};
use crate::query::tests::model::Model;
use crate::query::tests::{DAY, NOW};

fn at(event: &Value) -> i64 {
    event["timestamp"].as_i64().unwrap()
}

/// Events by who or what they are of, in order.
fn by<'e>(
    events: impl Iterator<Item = &'e Value>,
    name: &str,
) -> BTreeMap<&'e str, Vec<&'e Value>> {
    let mut groups: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        if let Some(id) = event[name].as_str().filter(|id| !id.starts_with("anon-")) {
            groups.entry(id).or_default().push(event);
        }
    }
    for events in groups.values_mut() {
        events.sort_by_key(|event| (at(event), event["eventId"].as_str()));
    }
    groups
}

#[derive(Default)]
pub(super) struct Funnel {
    pub(super) users: Vec<i64>,
    pub(super) median: Option<i64>,
    pub(super) groups: Vec<Value>,
    pub(super) dropped: Vec<String>,
}

/// Of a user's events: how many steps were done, and how long all took when they were first done.
fn progress(
    events: &[(i64, Vec<bool>)],
    steps: usize,
    order: &str,
    window: i64,
) -> (usize, Option<i64>) {
    // Whether steps up to `n` end at event `end`; from when on, the latest.
    let ends = |n: usize, end: usize| -> Option<i64> {
        match order {
            "strict" => {
                let start = (end + 1).checked_sub(n)?;
                let is_run = (0..n).all(|step| events[start + step].1[step]);
                (is_run && events[end].0 - events[start].0 <= window).then_some(events[start].0)
            }
            "any" => {
                let latest = (0..steps).filter_map(|step| {
                    let mut before = events[..=end].iter().rev();
                    let event = before.find(|(_, is)| is[step])?;
                    (events[end].0 - event.0 <= window).then_some(event.0)
                });
                let latest: Vec<i64> = latest.collect();
                (latest.len() >= n).then(|| *latest.iter().min().unwrap())
            }
            _ => {
                fn chain(events: &[(i64, Vec<bool>)], n: usize, end: usize) -> BTreeSet<i64> {
                    if !events[end].1[n - 1] {
                        return BTreeSet::new();
                    }
                    if n == 1 {
                        return BTreeSet::from([events[end].0]);
                    }
                    (0..end)
                        .flat_map(|before| chain(events, n - 1, before))
                        .collect()
                }
                let begins = chain(events, n, end);
                let mut begins = begins.into_iter().rev();
                begins.find(|begin| events[end].0 - begin <= window)
            }
        }
    };
    let reached = (1..=steps)
        .rev()
        .find(|n| (0..events.len()).any(|end| ends(*n, end).is_some()));
    let took = (0..events.len()).find_map(|end| Some(events[end].0 - ends(steps, end)?));
    (reached.unwrap_or(0), took)
}

fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    let place = all.len().checked_sub(1)? / 2;
    all.get(place).copied()
}

pub(super) fn funnel(
    model: &Model<'_>,
    filter: &Value,
    steps: &[Value],
    order: &str,
    window: i64,
    dimension: Option<&str>,
) -> Funnel {
    let mut funnel = Funnel {
        users: vec![0; steps.len()],
        ..Funnel::default()
    };
    let mut groups: BTreeMap<Option<String>, (Vec<i64>, Vec<i64>)> = BTreeMap::new();
    let mut all = Vec::new();
    let passing = model
        .events
        .iter()
        .filter(|event| model.passes(event, filter));
    for (user, events) in by(passing, "userId") {
        let is = |event: &Value| -> Vec<bool> {
            steps.iter().map(|step| model.passes(event, step)).collect()
        };
        let counts = |(event, is): &(&Value, Vec<bool>)| {
            let kind = event["eventType"].as_str().unwrap();
            is.contains(&true)
                || order == "strict" && !["page_leave", "web_vital", "identify"].contains(&kind)
        };
        let events: Vec<(&Value, Vec<bool>)> = events
            .into_iter()
            .map(|event| (event, is(event)))
            .filter(counts)
            .collect();
        let plain: Vec<(i64, Vec<bool>)> = events
            .iter()
            .map(|(event, is)| (at(event), is.clone()))
            .collect();
        let (reached, took) = progress(&plain, steps.len(), order, window * HOUR_MS);
        if reached == 0 {
            continue;
        }
        let mut starts = events
            .iter()
            .filter(|(_, is)| is[0] || order == "any" && is.contains(&true));
        let value = dimension.and_then(|name| model.field(starts.next().unwrap().0, name));
        let group = groups
            .entry(value)
            .or_insert_with(|| (vec![0; steps.len()], Vec::new()));
        for n in 0..reached {
            funnel.users[n] += 1;
            group.0[n] += 1;
        }
        if reached == steps.len() {
            all.push(took.unwrap());
            group.1.push(took.unwrap());
        }
        if reached == 1 {
            funnel.dropped.push(user.to_owned());
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (users, _))| -users[0]);
    let told = groups
        .into_iter()
        .map(|(value, (users, took))| json!([value, users, median(took)]));
    funnel.groups = told.collect();
    funnel.median = median(all);
    funnel
}

pub(super) fn cohorts(
    model: &Model<'_>,
    filter: &Value,
    goal: Option<&Value>,
    weekly: bool,
    days: (i64, i64),
    offset: i64,
) -> Vec<Value> {
    let day = |event: &Value| (at(event) + offset).div_euclid(DAY_MS);
    let period = |day: i64| if weekly { (day + 3).div_euclid(7) } else { day };
    let (first, last) = (DAY + days.0, DAY + days.1);
    let mut cohorts: BTreeMap<i64, BTreeMap<i64, i64>> = BTreeMap::new();
    let today = (NOW + offset).div_euclid(DAY_MS);
    for cohort in period(first)..=period(last.min(today)) {
        cohorts.insert(cohort, BTreeMap::new());
    }
    for (_, events) in by(model.events.iter(), "userId") {
        let before = events.iter().any(|event| day(event) < first);
        let passing: Vec<&Value> = events
            .into_iter()
            .filter(|event| day(event) >= first && model.passes(event, filter))
            .collect();
        let begins = passing.iter().filter(|event| day(event) <= last);
        let begin = match goal {
            Some(goal) => begins.clone().find(|event| model.passes(event, goal)),
            None => begins.clone().next().filter(|_| !before),
        };
        let Some(begin) = begin else { continue };
        let cohort = period(day(begin));
        let there: BTreeSet<i64> = passing
            .iter()
            .map(|event| period(day(event)) - cohort)
            .collect();
        for age in there.into_iter().filter(|age| (0..=3).contains(age)) {
            *cohorts.entry(cohort).or_default().entry(age).or_default() += 1;
        }
    }
    let now = period(today);
    let told = cohorts.into_iter().map(|(cohort, ages)| {
        let users = |age: i64| ages.get(&age).copied().unwrap_or(0);
        let oldest = (now - cohort).clamp(0, 3);
        let retained: Vec<i64> = (0..=oldest).map(users).collect();
        let first = if weekly { cohort * 7 - 3 } else { cohort };
        json!([date(first), users(0), retained])
    });
    told.collect()
}

pub(super) fn journeys(
    model: &Model<'_>,
    filter: &Value,
    depth: usize,
    end: Option<&(&str, String)>,
) -> Vec<(Value, i64)> {
    let mut paths: BTreeMap<String, i64> = BTreeMap::new();
    let passing = model
        .events
        .iter()
        .filter(|event| model.passes(event, filter));
    for events in by(passing, "sessionId").values() {
        let step = |event: &&Value| match event["eventType"].as_str().unwrap() {
            "page_view" => Some(json!(["page", event["eventData"]["path"]])),
            "feature_use" => Some(json!(["feature", event["eventData"]["feature"]])),
            _ => None,
        };
        let mut steps: Vec<Value> = events.iter().filter_map(step).collect();
        steps.dedup();
        if let Some((name, page)) = end {
            let Some(first) = steps.iter().position(|step| *step == json!(["page", page])) else {
                continue;
            };
            steps = match *name {
                "from" => steps[first..].to_vec(),
                _ => steps[(first + 1).saturating_sub(depth)..=first].to_vec(),
            };
        }
        steps.truncate(depth);
        if !steps.is_empty() {
            *paths.entry(json!(steps).to_string()).or_default() += 1;
        }
    }
    let mut paths: Vec<(String, i64)> = paths.into_iter().collect();
    paths.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    paths.truncate(100);
    paths
        .into_iter()
        .map(|(steps, n)| (serde_json::from_str(&steps).unwrap(), n))
        .collect()
}
