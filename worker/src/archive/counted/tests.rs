use serde_json::{Value, json};
use shoreline_shared::privacy::{session_hash, user_hash};

use super::*;
use crate::base::time::{HOUR_MS, floor_to};
use crate::testing::NOW;

fn facts(change: Value) -> Value {
    let mut event = json!({
        "eventId": "e", "eventType": "page_view", "siteId": "demo", "source": "tracker",
        "userId": "u", "sessionId": "s", "timestamp": NOW, "receivedAt": NOW + 5,
        "eventData": {}, "metadata": {"platform": "web"},
    });
    for (key, value) in change.as_object().unwrap() {
        event[key] = value.clone();
    }
    let text = event.to_string();
    let stored: Stored<'_> = serde_json::from_str(&text).unwrap();
    let event = Event::of(&stored, &mut Hasher::new("demo", b"key"));
    let mut dims: serde_json::Map<String, Value> = Column::SUMMED
        .iter()
        .filter_map(|(column, dim)| Some(((*dim).to_owned(), event.text(*column)?.into())))
        .collect();
    match event.who {
        Who::Known => dims.insert("user".to_owned(), "".into()),
        Who::Anonymous => dims.insert("anon".to_owned(), "".into()),
        _ => None,
    };
    let hash = |bits: u64| format!("{bits:016x}");
    let vital = event
        .text(Column::Vital)
        .map(|name| json!([name, event.value, event.text(Column::VitalPage)]));
    json!([
        event.at,
        event.day(),
        event.event_type(),
        event.domain_hour(),
        (event.who != Who::Nobody).then(|| hash(event.user)),
        u8::from(event.who == Who::Known),
        event.session.map(hash),
        dims,
        event.a,
        event.b,
        event.registered(),
        event.text(Column::Status).unwrap_or_default(),
        vital,
    ])
}

fn dims(change: Value) -> Value {
    let mut dims = facts(change)[7].clone();
    for always in ["type", "source", "platform", "user"] {
        assert!(dims.as_object_mut().unwrap().remove(always).is_some());
    }
    dims
}

#[test]
fn a_view_has_a_page_a_referrer_and_campaigns() {
    let view = |data: Value| dims(json!({"eventData": data}));
    assert_eq!(
        view(json!({
            "url": "https://www.shop.example/a?utm_source=x#x", "referrer": "https://search.example/",
            "referrerHost": "search.example", "referrerSource": "Search",
            "utm_source": "news", "utm_medium": "e mail", "utm_campaign": "May",
        })),
        json!({"page": "/a", "referrer": "search.example", "utm_source": "news",
               "utm_medium": "e mail", "utm_campaign": "May"})
    );
    assert_eq!(
        view(
            json!({"path": "/p", "url": "https://a.example/u", "utm_source": 1, "referrerHost": ""})
        ),
        json!({"page": "/p"})
    );
    assert_eq!(
        view(json!({"path": 7, "page": "/q\"\\"})),
        json!({"page": "/q\"\\"})
    );
    assert_eq!(view(json!({})), json!({}));
}

#[test]
fn a_path_names_no_host() {
    let page =
        |data: Value| dims(json!({"eventType": "page_view", "eventData": data}))["page"].clone();
    assert_eq!(
        page(json!({"path": "//shopx/checkout"})),
        "//shopx/checkout"
    );
    assert_eq!(
        page(json!({"page": "//shopx/checkout"})),
        "//shopx/checkout"
    );
    assert_eq!(page(json!({"url": "//shopx/checkout"})), "/checkout");
}

#[test]
fn where_it_comes_from_is_counted_where_it_is_known() {
    assert_eq!(
        dims(
            json!({"eventType": "form", "country": "DE", "browser": "Firefox", "os": "Linux",
                    "device": "desktop", "eventData": {"url": "/x"}})
        ),
        json!({"country": "DE", "browser": "Firefox", "os": "Linux", "device": "desktop"})
    );
}

#[test]
fn uses_contents_requests_and_errors_have_keys_and_measures() {
    let of = |event_type: &str, data: Value| {
        let facts = facts(json!({"eventType": event_type, "eventData": data}));
        let mut dims = facts[7].clone();
        dims.as_object_mut()
            .unwrap()
            .retain(|dim, _| ["feature", "content", "model", "error"].contains(&dim.as_str()));
        (dims, facts[8].clone(), facts[9].clone())
    };
    let (a, b, none) = (json!(12), json!(1), json!(0));
    assert_eq!(
        of("feature_use", json!({"feature": "f", "duration": 11.5})),
        (json!({"feature": "f"}), a, b.clone())
    );
    assert_eq!(
        of("feature_use", json!({"feature": "f", "duration": -1})),
        (json!({"feature": "f"}), none.clone(), none.clone())
    );
    // A video of an hour is a use, too.
    assert_eq!(
        of(
            "feature_use",
            json!({"feature": "f", "duration": 3_600_000})
        )
        .1,
        3_600_000
    );
    assert_eq!(
        of("content_create", json!({"contentType": "post"})).0,
        json!({"content": "post"})
    );
    assert_eq!(of("content_create", json!({})).0, json!({"content": NONE}));
    assert_eq!(
        of(
            "ai_request",
            json!({"model": "m", "tokens": 120, "cost": 0.1})
        ),
        (json!({"model": "m"}), json!(120), json!(100_000))
    );
    assert_eq!(
        of("ai_request", json!({})),
        (json!({"model": NONE}), none.clone(), none)
    );
    // What has an empty name is counted like what has none.
    for (event_type, name, dim) in [
        ("content_create", "contentType", "content"),
        ("ai_request", "model", "model"),
        ("error", "message", "error"),
    ] {
        for empty in [json!(""), json!(5), json!({})] {
            let found = of(event_type, json!({name: empty}));
            assert_eq!(found.0, json!({dim: NONE}), "{event_type} {empty}");
        }
    }
    assert_eq!(
        of("ai_request", json!({"model": "", "tokens": 5, "cost": 1})).1,
        5
    );
    assert_eq!(
        of("error", json!({"message": "oops"})).0,
        json!({"error": "oops"})
    );
}

#[test]
fn a_vital_has_a_name_a_value_and_perhaps_a_page() {
    let vital =
        |data: Value| facts(json!({"eventType": "web_vital", "eventData": data}))[12].clone();
    assert_eq!(
        vital(json!({"name": "LCP", "value": 1200.5, "url": "https://shop.example/a?ref=x"})),
        json!(["LCP", 1200.5, "/a"])
    );
    assert_eq!(
        vital(json!({"name": "CLS", "value": 0})),
        json!(["CLS", 0.0, null])
    );
    for data in [
        json!({"name": "FID", "value": 1}),
        json!({"name": "LCP"}),
        json!({"name": "LCP", "value": "1"}),
        json!({"name": "LCP", "value": -1}),
        json!({"name": "LCP", "value": 3_600_001}),
        json!({"name": 1, "value": 1}),
    ] {
        assert_eq!(vital(data.clone()), json!(null), "{data}");
    }
    let of_a_view = facts(json!({"eventData": {"name": "LCP", "value": 1}}));
    assert_eq!(of_a_view[12], json!(null));
    assert_eq!(
        facts(json!({"eventType": "web_vital", "eventData": {"url": "/a"}}))[7].get("page"),
        None,
        "never counted as a view"
    );
}

#[test]
fn users_are_hashes_and_day_scoped_ids_are_told_apart() {
    let known = facts(json!({}));
    assert_eq!(known[4], user_hash(b"key", "demo", "u"));
    assert_eq!((&known[5], &known[7]["user"]), (&json!(1), &json!("")));
    assert_eq!(known[6], session_hash(b"key", "demo", "s"));
    let id = format!("anon-{}", "a".repeat(32));
    let anonymous = facts(json!({"userId": id, "sessionId": id}));
    assert_eq!(
        (&anonymous[5], &anonymous[7]["anon"]),
        (&json!(0), &json!(""))
    );
    assert_eq!(
        (anonymous[7].get("user"), &anonymous[6]),
        (None, &json!(null))
    );
    let nobody = facts(json!({"userId": null, "sessionId": null, "eventType": "order"}));
    assert_eq!(
        (&nobody[4], &nobody[5], &nobody[6]),
        (&json!(null), &json!(0), &json!(null))
    );
    assert!(!nobody.to_string().contains("anon"));
}

#[test]
fn domain_events_have_an_hour_a_status_and_perhaps_a_registration() {
    let hour = floor_to(NOW, HOUR_MS);
    let status = "x".repeat(70);
    let order = facts(json!({"eventType": "order", "eventData": {"status": status}}));
    assert_eq!((&order[3], &order[10]), (&json!(hour), &json!(null)));
    assert_eq!(order[11].as_str().unwrap().len(), MAX_STATUS_CHARS);
    let registered = facts(json!({"eventType": "iam.user-registered"}));
    assert_eq!(registered[10], NOW);
    let view = facts(json!({"eventData": {"status": "x"}}));
    assert_eq!((&view[3], &view[11]), (&json!(null), &json!("")));
}

#[test]
fn long_keys_are_cut_and_days_go_back_before_1970() {
    let long = "ü".repeat(500);
    let facts = facts(json!({"eventData": {"path": long}, "timestamp": -1}));
    assert_eq!(facts[7]["page"].as_str().unwrap().chars().count(), 128);
    assert_eq!((&facts[0], &facts[1]), (&json!(-1), &json!(-1)));
    let absent = super::tests::facts(json!({"timestamp": null}));
    assert_eq!(absent[0], NOW + 5);
}
