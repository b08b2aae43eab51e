//! What a service sent and Shoreline could not take: kept, cleaned as an event's data is, by what was wrong with it, among
//! the dead letters.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shoreline_shared::sanitize::{Privacy, sanitize_value};

use crate::http::outcome::{EventResult, Status, UNKNOWN_SHAPE};
use crate::ingest::adapters;

/// Bytes of the items of a delivery that are kept at most: eight of the largest events.
const MAX_BYTES: usize = 256 * 1024;

/// Groups of a delivery that are kept at most: a service that is wrong is so in a few ways.
const MAX_GROUPS: usize = 5;

/// Items that are wrong in the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// The site.
    pub site_id: String,
    /// When they came, Unix milliseconds.
    pub received_at: i64,
    /// The code that the sender was told.
    pub code: String,
    /// The field that is to blame, if one is.
    pub field: String,
    /// The items, each with its place in the delivery.
    pub items: Vec<(usize, Value)>,
    /// Items that are not here: there were too many, or they are no JSON, or larger or deeper than events are.
    pub left_out: usize,
}

/// What of a delivery is to be kept: of each result that is a rejection or of an unknown shape, the item at its place.
pub fn rejected(
    (site, now_ms): (&str, i64),
    texts: &[&str],
    results: &[EventResult],
    privacy: &Privacy,
) -> Vec<Rejected> {
    let mut groups: Vec<Rejected> = Vec::new();
    let mut left = MAX_BYTES;
    for result in results {
        let is_kept = result.status == Status::Rejected || result.code == UNKNOWN_SHAPE;
        let Some(text) = texts.get(result.index).filter(|_| is_kept) else {
            continue;
        };
        let field = result.field.as_deref().unwrap_or_default();
        let known = groups
            .iter()
            .position(|group| group.code == result.code && group.field == field);
        let place = match known {
            Some(place) => place,
            None if groups.len() < MAX_GROUPS => {
                groups.push(Rejected {
                    site_id: site.to_owned(),
                    received_at: now_ms,
                    code: result.code.to_owned(),
                    field: field.to_owned(),
                    items: Vec::new(),
                    left_out: 0,
                });
                groups.len().saturating_sub(1)
            }
            None => continue,
        };
        let item = (text.len() <= left)
            .then(|| adapters::item_value(text))
            .flatten();
        let item = item.and_then(|item| sanitize_value(item, privacy));
        let Some(group) = groups.get_mut(place) else {
            continue;
        };
        match item {
            Some(item) => {
                left = left.saturating_sub(text.len());
                group.items.push((result.index, item));
            }
            None => group.left_out = group.left_out.saturating_add(1),
        }
    }
    groups
}

impl Rejected {
    /// How many items it is about.
    pub fn count(&self) -> i64 {
        i64::try_from(self.items.len().saturating_add(self.left_out)).unwrap_or(i64::MAX)
    }

    /// The items as texts, each as it would be sent.
    pub fn texts(&self) -> Vec<String> {
        let items = self.items.iter();
        items.map(|(_, item)| item.to_string()).collect()
    }

    /// What is left when those at these places of [`Rejected::texts`] were taken; none: nothing.
    pub fn without(&self, taken: &[usize]) -> Option<Self> {
        let items = self.items.iter().enumerate();
        let items: Vec<(usize, Value)> = items
            .filter(|(place, _)| !taken.contains(place))
            .map(|(_, item)| item.clone())
            .collect();
        let rest = Self {
            items,
            ..self.clone()
        };
        (rest.count() > 0 && !rest.items.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::NOW;

    fn result(
        index: usize,
        status: Status,
        code: &'static str,
        field: &'static str,
    ) -> EventResult {
        EventResult {
            index,
            event_id: None,
            status,
            code,
            field: (!field.is_empty()).then_some(field.into()),
            message: "…".into(),
        }
    }

    fn kept(texts: &[&str], results: &[EventResult]) -> Vec<Rejected> {
        rejected(("demo", NOW), texts, results, &Privacy::default())
    }

    #[test]
    fn items_are_kept_by_what_is_wrong_with_them_and_without_secrets() {
        let texts = [
            r#"{"eventType":"a.b","payload":{"mail":"bob@x.example","password":"p","ip":"203.0.113.77"}}"#,
            r#"{"eventType":"a.c","payload":{}}"#,
            r#"{"what":1}"#,
            "no json",
            r#"{"eventType":"fine"}"#,
        ];
        let results = [
            result(0, Status::Rejected, "missing_field", "source"),
            result(1, Status::Rejected, "missing_field", "source"),
            result(2, Status::Skipped, UNKNOWN_SHAPE, ""),
            result(3, Status::Rejected, "wrong_type", ""),
            result(4, Status::Duplicate, "duplicate", ""),
        ];
        let groups = kept(&texts, &results);
        assert_eq!(groups.len(), 3);
        assert_eq!(
            groups[0].items,
            [
                (
                    0,
                    json!({"eventType": "a.b", "payload": {"mail": "[redacted]", "password": "[redacted]", "ip": "203.0.113.0"}})
                ),
                (1, json!({"eventType": "a.c", "payload": {}})),
            ]
        );
        let told: Vec<(&str, &str, usize)> = groups
            .iter()
            .map(|group| (group.code.as_str(), group.field.as_str(), group.left_out))
            .collect();
        assert_eq!(
            told,
            [
                ("missing_field", "source", 0),
                (UNKNOWN_SHAPE, "", 0),
                ("wrong_type", "", 1),
            ]
        );
        let read: Rejected = serde_json::from_str(&groups[0].to_json()).unwrap();
        assert_eq!(read, groups[0]);
        assert_eq!(read.without(&[0]).unwrap().items.len(), 1);
        assert_eq!(read.without(&[0, 1]), None);
    }

    #[test]
    fn what_is_kept_of_a_delivery_is_bounded() {
        let large = format!(r#"{{"a":"{}"}}"#, "x ".repeat(15_000));
        let texts: Vec<&str> = (0..100).map(|_| large.as_str()).collect();
        let all = |field: &'static str| result(0, Status::Rejected, "wrong_type", field);
        let results: Vec<EventResult> = (0..100)
            .map(|index| EventResult { index, ..all("") })
            .collect();
        let groups = kept(&texts, &results);
        assert_eq!((groups[0].items.len(), groups[0].left_out), (8, 92));
        let fields = ["a", "b", "c", "d", "e", "f", "g"].map(all);
        assert_eq!(kept(&texts, &fields).len(), MAX_GROUPS);
    }
}
