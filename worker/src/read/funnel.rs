//! `POST /v1/analytics/query/funnel`: how many users went through steps, in order, in time.

mod parse;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::activity::ratio;
use super::question::{Ask, Meta, OfEvents, Question, Told};
use crate::archive::scan::{
    Asked, Dropped, FunnelGroup, FunnelPart, FunnelRule, FunnelSpec, Order, Step, Walk,
};
use crate::base::sort;
use crate::base::time::HOUR_MS;
use crate::http::days::Days;
use crate::http::error::Fault;

pub use parse::FIELDS;

/// Groups of an answer at most: more than anybody compares.
const MAX_GROUPS: usize = 100;

/// A checked question.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    days: Days,
    window_hours: i64,
    order: Order,
    steps: Vec<Asking>,
    /// The dimension that users are told apart by.
    by: Option<String>,
    dropped: Option<Dropped>,
    /// The body that picks events, where that takes more than the archive's columns.
    picking: Option<serde_json::Map<String, Value>>,
}

/// What an event must have to be a step.
#[derive(Debug, Clone, PartialEq)]
enum Asking {
    /// A type, a page, a feature.
    Simple(Step),
    /// What passes a filter.
    Filter(Value),
    /// A conversion.
    Goal(String),
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Funnel))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    window_hours: i64,
    /// `sequence`, `strict` or `any`.
    #[cfg_attr(test, schema(value_type = String))]
    order: Order,
    steps: Vec<Reached>,
    /// The median of how long users took from the first step to the last, milliseconds; null where nobody came so far.
    #[cfg_attr(test, schema(required))]
    median_ms: Option<i64>,
    /// The dimension of `groups`.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Users by the value of their first event that is the first step: most users first, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Group>>,
    /// Groups that are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_groups: Option<i64>,
    /// Who came through a step and not through the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<Lost>,
    /// What was looked at, of events that were picked by filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = FunnelStep))]
#[serde(rename_all = "camelCase")]
struct Reached {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<String>,
    /// The step as it was asked for, where it is a filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<Value>>))]
    filter: Option<Value>,
    /// The name of the goal, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<String>,
    users: i64,
    /// Of the users of the first step.
    conversion: f64,
    /// Of the users of the step before.
    from_previous: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = FunnelGroup))]
#[serde(rename_all = "camelCase")]
struct Group {
    /// Null of those that have none.
    #[cfg_attr(test, schema(required))]
    value: Option<String>,
    /// How many came through each step.
    users: Vec<i64>,
    /// Of the users of the first step those who came through the last.
    conversion: f64,
    #[cfg_attr(test, schema(required))]
    median_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = FunnelDropped))]
#[serde(rename_all = "camelCase")]
struct Lost {
    /// So many steps they came through.
    after: u8,
    /// Their ids; users who were erased have none.
    users: Vec<String>,
    /// The `cursor` of the next page; null on the last.
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
}

impl Question for Funnel {
    type Found = FunnelPart;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        parse::parse(body, now_ms)
    }

    fn asked(&self) -> Ask {
        let window_ms = self.window_hours.saturating_mul(HOUR_MS);
        if let Some(body) = &self.picking {
            let rule = FunnelRule {
                steps: self.steps.len(),
                window_ms,
                order: self.order,
                by_value: self.by.is_some(),
                dropped: self.dropped,
            };
            return Ask::Events(OfEvents {
                body: body.clone(),
                walk: Walk::Funnel(rule),
            });
        }
        let simple = self.steps.iter().filter_map(|step| match step {
            Asking::Simple(step) => Some(step.clone()),
            _ => None,
        });
        Ask::Archive(Asked::Funnel(FunnelSpec {
            at: (self.days.from_ms(), self.days.to_ms()),
            window_ms,
            steps: simple.collect(),
        }))
    }

    fn answer(&self, found: Vec<Told<FunnelPart>>, meta: Option<Meta>) -> Answer {
        let mut all = FunnelGroup {
            users: vec![0; self.steps.len()],
            ..FunnelGroup::default()
        };
        let mut groups: Vec<(Option<String>, FunnelGroup)> = Vec::new();
        let mut places: HashMap<String, u64> = HashMap::new();
        let mut names = Vec::new();
        for told in found {
            names.extend(told.names);
            for group in &told.found.groups {
                all.unite(group);
                let value = (group.value as usize).checked_sub(1);
                let value = value.and_then(|place| told.values.get(place).cloned());
                let next = groups.len() as u64;
                let key = value.as_ref().map(|text| format!("={text}"));
                let place = *places.entry(key.unwrap_or_default()).or_insert(next);
                match groups.get_mut(place as usize) {
                    Some((_, known)) => known.unite(group),
                    None => groups.push((value, group.clone())),
                }
            }
        }
        let (groups, other_groups) = self.groups(groups);
        Answer {
            window_hours: self.window_hours,
            order: self.order,
            steps: self.reached(&all.users),
            median_ms: all.median(),
            by: self.by.clone(),
            groups,
            other_groups,
            dropped: self.dropped.map(|dropped| lost(dropped, names)),
            meta,
        }
    }
}

impl Funnel {
    fn reached(&self, users: &[i64]) -> Vec<Reached> {
        let first = users.first().copied().unwrap_or(0);
        let before = std::iter::once(first).chain(users.iter().copied());
        let steps = self.steps.iter().zip(users.iter().zip(before));
        let steps = steps.map(|(step, (users, before))| {
            let mut reached = Reached {
                event_type: None,
                page: None,
                feature: None,
                filter: None,
                goal: None,
                users: *users,
                conversion: ratio(*users, first),
                from_previous: ratio(*users, before),
            };
            match step.clone() {
                Asking::Simple(Step(event_type, page, feature)) => {
                    (reached.event_type, reached.page) = (Some(event_type), page);
                    reached.feature = feature;
                }
                Asking::Filter(filter) => reached.filter = Some(filter),
                Asking::Goal(name) => reached.goal = Some(name),
            }
            reached
        });
        steps.collect()
    }

    /// The groups that are told, and how many are not.
    fn groups(
        &self,
        mut groups: Vec<(Option<String>, FunnelGroup)>,
    ) -> (Option<Vec<Group>>, Option<i64>) {
        if self.by.is_none() {
            return (None, None);
        }
        let first = |group: &FunnelGroup| group.users.first().copied().unwrap_or(0);
        sort::sort_by(&mut groups, |(a_value, a), (b_value, b)| {
            let by_users = first(b).cmp(&first(a));
            by_users.then_with(|| a_value.cmp(b_value))
        });
        let others = groups.len().saturating_sub(MAX_GROUPS);
        groups.truncate(MAX_GROUPS);
        let told = groups.into_iter().map(|(value, group)| Group {
            value,
            conversion: ratio(group.users.last().copied().unwrap_or(0), first(&group)),
            median_ms: group.median(),
            users: group.users,
        });
        (Some(told.collect()), Some(others as i64))
    }
}

/// A page of users who were lost. Each shard tells as many as a page has.
fn lost(dropped: Dropped, mut names: Vec<(u64, Option<String>)>) -> Lost {
    sort::sort(&mut names);
    let is_full = names.len() >= dropped.limit;
    names.truncate(dropped.limit);
    let last = names.last().map(|(hash, _)| hash.to_string());
    Lost {
        after: dropped.after,
        next_cursor: last.filter(|_| is_full),
        users: names.into_iter().filter_map(|(_, name)| name).collect(),
    }
}

#[cfg(test)]
mod tests;
