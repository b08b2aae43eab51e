//! What changed between two live views.

use serde::Serialize;

use crate::read::live::{Live, Minute, Top};

/// The fields of [`Live`] that changed, and `asOf` always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delta<'a> {
    as_of: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_users: Option<usize>,
    /// The minutes that changed or are new, each whole. Those before the last 60 are over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    minutes: Vec<&'a Minute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_pages: Option<&'a [Top]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_features: Option<&'a [Top]>,
}

impl<'a> Delta<'a> {
    /// What makes `next` of `last`.
    pub fn between(last: &Live, next: &'a Live) -> Self {
        // Both lists are in order of time: one walk along them finds each minute's predecessor.
        let mut before = last.minutes.iter().peekable();
        let minutes = next.minutes.iter().filter(|minute| {
            while before.next_if(|old| old.minute < minute.minute).is_some() {}
            before.peek() != Some(minute)
        });
        Self {
            as_of: next.as_of,
            active_users: (last.active_users != next.active_users).then_some(next.active_users),
            minutes: minutes.collect(),
            top_pages: (last.top_pages != next.top_pages).then_some(&next.top_pages),
            top_features: (last.top_features != next.top_features).then_some(&next.top_features),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::base::time::MINUTE_MS;
    use crate::log::Snapshot;
    use crate::protocol::hours::Entry;
    use crate::read::live::unite;
    use crate::testing::NOW;

    /// Puts a delta's data onto a state's, as docs/API.md tells clients to.
    pub(crate) fn apply(state: &mut Value, delta: &Value) {
        for (field, value) in delta.as_object().unwrap() {
            if field != "minutes" {
                state[field] = value.clone();
                continue;
            }
            let minutes = state["minutes"].as_array_mut().unwrap();
            for new in value.as_array().unwrap() {
                match minutes
                    .iter_mut()
                    .find(|old| old["minute"] == new["minute"])
                {
                    Some(old) => *old = new.clone(),
                    None => minutes.push(new.clone()),
                }
            }
            let old = minutes.len().saturating_sub(60);
            minutes.drain(..old);
        }
    }

    /// A live view `minutes` after [`NOW`]: counts of (minutes ago, type, n), pages, features, users.
    pub(crate) fn any_live() -> impl Strategy<Value = Live> {
        let entries = |name: &'static str| {
            prop::collection::vec((0_i64..62, 0_u8..3, 1_i64..3), 0..6).prop_map(move |rows| {
                rows.into_iter()
                    .map(|(ago, key, n)| (ago, format!("{name}{key}"), n))
                    .collect::<Vec<_>>()
            })
        };
        (
            0_i64..200,
            entries("t"),
            entries("p"),
            entries("f"),
            0_usize..3,
        )
            .prop_map(|(later, types, pages, features, users)| {
                let now = NOW + later * 20_000;
                let minute = crate::base::time::floor_to(now, MINUTE_MS);
                let entry = |bucket, (ago, key, n): (i64, String, i64)| Entry {
                    bucket: bucket - ago * MINUTE_MS,
                    key,
                    n,
                };
                let list =
                    |rows: Vec<_>, bucket| rows.into_iter().map(|row| entry(bucket, row)).collect();
                let snapshot = Snapshot {
                    minutes: list(types, minute),
                    pages: list(pages, 0),
                    features: list(features, 0),
                    visitors: (0..users).map(|user| user.to_string()).collect(),
                    identified: Vec::new(),
                };
                unite(vec![snapshot], now)
            })
    }

    proptest! {
        #[test]
        fn a_state_and_the_deltas_after_it_are_the_next_states(mut views in prop::collection::vec(any_live(), 1..6)) {
            views.sort_by_key(|live| live.as_of);
            let mut state = serde_json::to_value(&views[0]).unwrap();
            for pair in views.windows(2) {
                let delta = serde_json::to_value(Delta::between(&pair[0], &pair[1])).unwrap();
                apply(&mut state, &delta);
                prop_assert_eq!(&state, &serde_json::to_value(&pair[1]).unwrap());
            }
        }

        #[test]
        fn a_delta_holds_nothing_that_did_not_change(last in any_live(), next in any_live()) {
            prop_assume!(last.as_of <= next.as_of);
            let delta = Delta::between(&last, &next);
            prop_assert!(delta.minutes.iter().all(|minute| !last.minutes.contains(minute)));
            prop_assert!(delta.active_users.is_none_or(|n| n != last.active_users));
            prop_assert!(delta.top_pages.is_none_or(|top| top != last.top_pages));
            prop_assert!(delta.top_features.is_none_or(|top| top != last.top_features));
        }
    }

    #[test]
    fn where_only_time_passed_a_delta_is_its_time() {
        let last = unite(Vec::new(), NOW);
        let mut next = last.clone();
        next.as_of = NOW + 5_000;
        let delta = serde_json::to_value(Delta::between(&last, &next)).unwrap();
        assert_eq!(delta, json!({"asOf": NOW + 5_000}));
    }
}
