use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

/// 1994-11-06T08:49:37Z.
const NOW_MS: i64 = 784_111_777_000;

fn answer(status: u16, body: &Value) -> Result<Answer, NoAnswer> {
    Ok(Answer {
        status,
        retry_after: None,
        body: body.to_string().into(),
    })
}

fn code(outcome: &Outcome) -> &str {
    match outcome {
        Ok(Receipt::Accepted) => "accepted",
        Ok(Receipt::Duplicate) => "duplicate",
        Ok(Receipt::Skipped { code }) => code,
        Err(PublishError::Rejected(problem) | PublishError::Refused { problem, .. }) => {
            &problem.code
        }
        Err(PublishError::Undelivered { .. }) => "undelivered",
    }
}

fn codes(verdict: &Verdict) -> Vec<&str> {
    match verdict {
        Verdict::Ended(outcomes) | Verdict::Split(outcomes) => outcomes.iter().map(code).collect(),
        Verdict::Retry { .. } => vec!["retry"],
    }
}

#[test]
fn a_202_says_what_became_of_each_event() {
    let body = json!({"accepted": 1, "duplicate": 1, "rejected": 1, "skipped": 1, "results": [
        {"index": 0, "status": "rejected", "code": "missing_field", "field": "userId", "message": "userId is required."},
        {"index": 2, "eventId": "x", "status": "duplicate", "code": "duplicate", "message": "Seen."},
        {"index": 3, "status": "skipped", "code": "bot", "message": "A bot."},
    ]});
    let verdict = read(answer(202, &body), 4, NOW_MS);
    assert_eq!(
        codes(&verdict),
        ["missing_field", "accepted", "duplicate", "bot"]
    );
    let Verdict::Ended(outcomes) = verdict else {
        panic!("{verdict:?}")
    };
    let error = outcomes[0].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "rejected: missing_field: userId is required."
    );
    assert!(matches!(error, PublishError::Rejected(problem) if problem.field == "userId"));
}

#[test]
fn a_2xx_that_does_not_account_for_every_event_is_no_answer() {
    let line = |index: usize| json!({"index": index, "status": "duplicate"});
    for body in [
        json!("<html>"),
        json!({}),
        json!({"accepted": 1, "results": []}),
        json!({"accepted": 3, "results": []}),
        json!({"accepted": 2, "results": [line(0)]}),
        json!({"accepted": 0, "results": [line(0), line(0)]}),
        json!({"accepted": 1, "results": [line(2)]}),
        json!({"accepted": -1, "results": []}),
    ] {
        assert_eq!(
            codes(&read(answer(202, &body), 2, NOW_MS)),
            ["retry"],
            "{body}"
        );
    }
    for status in [200, 204, 301, 304] {
        assert_eq!(
            codes(&read(answer(status, &json!(null)), 2, NOW_MS)),
            ["retry"]
        );
    }
}

#[test]
fn a_refusal_ends_every_event_with_its_code() {
    for (status, name) in [
        (400, "malformed_json"),
        (401, "unknown_key"),
        (403, "wrong_scope"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (415, "unsupported_media_type"),
    ] {
        let body = json!({"status": status, "code": name, "detail": "So it is."});
        let verdict = read(answer(status, &body), 2, NOW_MS);
        assert_eq!(codes(&verdict), [name, name]);
        let Verdict::Ended(outcomes) = verdict else {
            panic!("{verdict:?}")
        };
        let text = outcomes[0].as_ref().unwrap_err().to_string();
        assert_eq!(
            text,
            format!("refused with status {status}: {name}: So it is.")
        );
    }
    let html = read(answer(403, &json!("<html>")), 1, NOW_MS);
    assert_eq!(codes(&html), ["unknown"]);
}

#[test]
fn a_422_names_each_event_and_what_it_leaves_out_is_refused() {
    let body = json!({"code": "no_valid_event", "results": [
        {"index": 1, "status": "rejected", "code": "empty_field", "field": "source", "message": "…"},
    ]});
    let verdict = read(answer(422, &body), 2, NOW_MS);
    assert_eq!(codes(&verdict), ["no_valid_event", "empty_field"]);
    let odd = json!({"code": "no_valid_event", "results": [{"index": 9, "status": "rejected"}]});
    assert_eq!(
        codes(&read(answer(422, &odd), 1, NOW_MS)),
        ["no_valid_event"]
    );
}

#[test]
fn too_large_is_split_and_the_rest_is_tried_again() {
    let body = json!({"code": "payload_too_large", "detail": "…"});
    let split = read(answer(413, &body), 2, NOW_MS);
    assert!(matches!(split, Verdict::Split(_)));
    assert_eq!(codes(&split), ["payload_too_large", "payload_too_large"]);
    for status in [429, 500, 502, 503, 504] {
        let verdict = read(answer(status, &body), 2, NOW_MS);
        assert_eq!(codes(&verdict), ["retry"], "{status}");
    }
    let none = read(Err("no answer in time".into()), 2, NOW_MS);
    assert_eq!(none, retry("no answer in time".into(), None));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    for (text, ms) in [
        ("0", Some(0)),
        (" 120 ", Some(120_000)),
        ("99999999999999999999", None),
        ("18446744073709551615", Some(u64::MAX)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(retry_after_ms(text, NOW_MS), ms, "{text}");
    }
    let busy = Ok(Answer {
        status: 503,
        retry_after: Some("7".to_owned()),
        body: Bytes::new(),
    });
    let verdict = read(busy, 1, NOW_MS);
    assert_eq!(
        verdict,
        retry("answered with status 503".into(), Some(7_000))
    );
}
