use serde_json::{Value, json};

use crate::ingest::adapters::tests::{draft, drafts, made, refused, stored_one};
use crate::ingest::draft::Draft;

fn check(
    item: &Value,
    name: &str,
    source: &str,
    user: Option<&str>,
    timestamp: i64,
    iso: Option<(&str, &str)>,
) {
    let stored = stored_one(item);
    assert_eq!(stored["eventType"], name);
    assert_eq!(stored["source"], source);
    assert_eq!(stored.get("userId").and_then(Value::as_str), user);
    assert_eq!(stored["timestamp"], timestamp);
    if let Some((field, text)) = iso {
        assert_eq!(stored["eventData"][field], text);
    }
}

#[test]
fn iam_registered() {
    let item = json!({"id": 42, "username": "ada", "email": "ada@mail.example", "registeredAt": [2025, 11, 16, 18, 14, 0, 123_456_789]});
    let iso = ("registeredAtIso", "2025-11-16T18:14:00.123456Z");
    check(
        &item,
        "iam.user-registered",
        "iam-service",
        Some("42"),
        1_763_316_840_123,
        Some(iso),
    );
    let data = stored_one(&item)["eventData"].clone();
    assert_eq!(
        data["registeredAt"],
        json!([2025, 11, 16, 18, 14, 0, 123_456_789])
    );
    assert_eq!(data["id"], 42);
    assert_eq!(data["email"], "[redacted]");
    let other = json!({"userId": "u-1", "id": 42, "username": "ada", "registeredAt": [2025, 11, 16, 18, 14]});
    check(
        &other,
        "iam.user-registered",
        "iam-service",
        Some("u-1"),
        1_763_316_840_000,
        None,
    );
}

#[test]
fn guides_challenges() {
    let body = r#"{"guideId":"g-1","challengeId":"c-1","occurredAt":1731780840.1239999999}"#;
    let drafts = drafts("application/json", body);
    let Draft::Made(made) = &drafts[0] else {
        panic!()
    };
    assert_eq!(made.fields["occurredAt"], "2024-11-16T18:14:00.123999Z");
    let item = json!({"guideId": "g-1", "challengeId": "c-1", "occurredAt": 1_731_780_840.123_456});
    let iso = ("occurredAtIso", "2024-11-16T18:14:00.123456Z");
    check(
        &item,
        "guides.challenge-linked",
        "guides-service",
        None,
        1_731_780_840_123,
        Some(iso),
    );
    assert_eq!(
        stored_one(&item)["eventData"]["occurredAt"],
        1_731_780_840.123_456
    );
    let text = json!({"guideId": "g-1", "challengeId": "c-1", "occurredAt": "2024-11-16T18:14:00.123456Z"});
    check(
        &text,
        "guides.challenge-linked",
        "guides-service",
        None,
        1_731_780_840_123,
        Some(iso),
    );
}

#[test]
fn execution_analytics() {
    let item = json!({"executionId": "x-1", "language": "java", "status": "OK", "executedAt": "2025-11-16T18:14:00.123456789Z"});
    let iso = ("executedAtIso", "2025-11-16T18:14:00.123456Z");
    check(
        &item,
        "execution.analytics",
        "execution-service",
        None,
        1_763_316_840_123,
        Some(iso),
    );
    assert_eq!(stored_one(&item)["eventData"]["status"], "OK");
}

#[test]
fn community() {
    let now = 1_763_337_600_000;
    let item = json!({"userId": "u-1", "username": "ada", "profileUrl": null});
    check(
        &item,
        "community.user-registered",
        "community-service",
        Some("u-1"),
        now,
        None,
    );
    let item = json!({"userId": "u-1", "username": "ada", "profileUrl": "https://community.example/u/ada"});
    check(
        &item,
        "community.profile-updated",
        "community-service",
        Some("u-1"),
        now,
        None,
    );
    // Nothing tells one from the next.
    assert_eq!(made(&item).foreign_id, None);
    let item = json!({"type": "community registration", "userId": "u-1", "username": "ada"});
    check(
        &item,
        "community.user-registered",
        "community-service",
        Some("u-1"),
        now,
        None,
    );
    let item = json!({"type": "community profile updated", "userId": "u-1", "username": "ada", "profileUrl": null});
    assert_eq!(
        refused(draft(&item)),
        ("missing_field", "profileUrl".to_owned())
    );
    let item = json!({"userId": "u-1", "username": "ada", "profileUrl": 5});
    assert_eq!(
        refused(draft(&item)),
        ("wrong_type", "profileUrl".to_owned())
    );
}

#[test]
fn challenges_completion() {
    for (item, user) in [
        (
            json!({"challengeId": "c-1", "userId": "u-1", "experience": 50, "occurredOn": "2025-11-16T18:14:00.5Z"}),
            "u-1",
        ),
        (
            json!({"challengeId": "c-1", "studentId": 9, "score": 97.5, "occurredOn": [2025, 11, 16, 18, 14, 0, 500_000_000]}),
            "9",
        ),
        (
            json!({"challengeId": "c-1", "studentId": 9, "score": 97.5, "occurredOn": 1_763_316_840.5}),
            "9",
        ),
    ] {
        let iso = ("occurredOnIso", "2025-11-16T18:14:00.500000Z");
        check(
            &item,
            "challenges.solution-completed",
            "challenges-service",
            Some(user),
            1_763_316_840_500,
            Some(iso),
        );
        let data = &stored_one(&item)["eventData"];
        for (key, value) in item.as_object().unwrap() {
            assert_eq!(&data[key], value, "{key} as it is");
        }
    }
}

#[test]
fn a_name_tells_the_emission_however_it_is_written() {
    let told = json!({"executionId": "x-1", "executedAt": "2025-11-16T18:14:00Z"});
    for name in [
        "execution analytics",
        "excecution analytics",
        "execution.analytics",
        "Execution-Analytics",
    ] {
        let mut flat = told.clone();
        flat["topic"] = json!(name);
        for item in [
            flat,
            json!({"type": name, "data": told}),
            json!({"topic": name, "value": told, "partition": 3}),
            json!({"type": name, "payload": told}),
        ] {
            let stored = stored_one(&item);
            assert_eq!(stored["eventType"], "execution.analytics");
            assert_eq!(stored["eventData"]["executionId"], "x-1");
        }
    }
    let mut bare = told.clone();
    bare["eventType"] = json!("execution.analytics");
    assert_eq!(stored_one(&bare)["eventData"]["executionId"], "x-1");
    // An event of our own form is one, whatever it holds.
    let own = json!({"eventType": "execution.analytics", "source": "mine", "eventData": {"a": 1}, "executionId": 1, "executedAt": 1});
    assert_eq!(stored_one(&own)["source"], "mine");
    let plain = json!({"eventType": "iam.user-registered", "source": "mine", "userId": "u-1"});
    assert_eq!(stored_one(&plain)["source"], "mine");
    for (name, item) in [
        (
            "iam registered",
            json!({"id": 1, "registeredAt": [2025, 11, 16]}),
        ),
        (
            "guides.challenges",
            json!({"guideId": 1, "challengeId": 2, "occurredAt": 1_731_780_840}),
        ),
        (
            "challenges completion analytics",
            json!({"challengeId": 2, "userId": 1, "score": 0, "occurredOn": [2025, 11, 16]}),
        ),
    ] {
        let item = json!({"type": name, "data": item});
        assert!(matches!(draft(&item), Draft::Made(_)), "{name}");
    }
}

#[test]
fn a_broken_emission_is_refused_by_its_field() {
    let cases = [
        (
            json!({"id": 1, "username": "a", "registeredAt": [2025, 13, 1]}),
            "invalid_timestamp",
            "registeredAt",
        ),
        (
            json!({"id": 1, "username": "a", "registeredAt": null}),
            "missing_field",
            "registeredAt",
        ),
        (
            json!({"id": null, "username": "a", "registeredAt": [2025, 1, 1]}),
            "missing_field",
            "id",
        ),
        (
            json!({"id": " ", "username": "a", "registeredAt": [2025, 1, 1]}),
            "empty_field",
            "id",
        ),
        (
            json!({"id": 1.5, "username": "a", "registeredAt": [2025, 1, 1]}),
            "wrong_type",
            "id",
        ),
        (
            json!({"guideId": 1, "challengeId": 2, "occurredAt": true}),
            "invalid_timestamp",
            "occurredAt",
        ),
        (
            json!({"guideId": 1, "challengeId": {}, "occurredAt": 1}),
            "wrong_type",
            "challengeId",
        ),
        (
            json!({"executionId": 1, "executedAt": "yesterday"}),
            "invalid_timestamp",
            "executedAt",
        ),
        (
            json!({"challengeId": 1, "userId": 1, "score": 1, "occurredOn": [2025]}),
            "invalid_timestamp",
            "occurredOn",
        ),
        (
            json!({"challengeId": 1, "userId": 1, "score": null, "occurredOn": 1}),
            "missing_field",
            "score",
        ),
    ];
    for (item, code, field) in cases {
        assert_eq!(refused(draft(&item)), (code, field.to_owned()), "{item}");
    }
}

#[test]
fn a_message_delivered_twice_has_one_name() {
    let item = json!({"executionId": "x-1", "status": "OK", "executedAt": "2025-11-16T18:14:00Z"});
    let name = made(&item).foreign_id;
    assert_eq!(
        name.as_deref(),
        Some("upstream:execution.analytics\nx-1\nOK\n2025-11-16T18:14:00Z")
    );
    for (field, value) in [
        ("executionId", "x-2"),
        ("status", "FAILED"),
        ("executedAt", "2025-11-16T18:14:01Z"),
    ] {
        let mut other = item.clone();
        other[field] = json!(value);
        assert_ne!(made(&other).foreign_id, name);
    }
}
