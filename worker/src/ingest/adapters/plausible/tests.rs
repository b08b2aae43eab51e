use serde_json::{Value, json};

use super::*;
use crate::ingest::adapters::tests::refused;

fn read(body: &Value) -> (String, Made) {
    match plausible(body.to_string().as_bytes()) {
        Ok((domain, Draft::Made(made))) => (domain, made),
        other => panic!("{other:?}"),
    }
}

fn fields(body: &Value) -> Value {
    Value::Object(read(body).1.fields)
}

#[test]
fn a_pageview_of_the_npm_tracker() {
    let body = json!({"n": "pageview", "v": 36, "u": "https://shop.example/a?utm_source=x", "d": "shop.example",
        "r": null, "p": {"author": "ada", "logged": true, "n": 5, "empty": "", "list": [1], "none": null}});
    let (domain, made) = read(&body);
    assert_eq!(domain, "shop.example");
    assert_eq!(
        Value::Object(made.fields),
        json!({
            "eventType": "page_view",
            "eventData": {"url": "https://shop.example/a?utm_source=x", "author": "ada", "logged": true, "n": 5},
            "metadata": {"platform": "web"}
        })
    );
    assert_eq!((made.foreign_id, made.sent_at), (None, None));
}

#[test]
fn long_names_and_props_as_text() {
    let body = json!({"name": "Signup", "url": "https://shop.example/", "domain": "shop.example", "referrer": "https://news.example/",
        "screen_width": 1200, "props": "{\"plan\":\"pro\",\"feature\":\"theirs\",\"url\":\"mine\"}", "revenue": {"currency": "EUR", "amount": 5}, "interactive": false});
    assert_eq!(
        fields(&body),
        json!({
            "eventType": "feature_use",
            "eventData": {"feature": "Signup", "original_feature": "theirs", "plan": "pro", "url": "https://shop.example/",
                "original_url": "mine", "referrer": "https://news.example/", "revenue": {"currency": "EUR", "amount": 5}, "interactive": false},
            "metadata": {"platform": "web", "screenWidth": 1200}
        })
    );
}

#[test]
fn leaving_a_page_clicks_and_forms_have_types() {
    let data = |body: Value| {
        let fields = fields(&body);
        (fields["eventType"].clone(), fields["eventData"].clone())
    };
    let page = "https://shop.example/a";
    assert_eq!(
        data(
            json!({"n": "engagement", "sd": 64, "d": "shop.example", "u": page, "e": 5021, "v": 36})
        ),
        (
            json!("page_leave"),
            json!({"url": page, "engagedMs": 5021, "scrollDepth": 64})
        )
    );
    let link = "https://other.example/";
    for (name, event_type) in [
        ("Outbound Link: Click", "outbound"),
        ("File Download", "download"),
    ] {
        assert_eq!(
            data(json!({"n": name, "d": "shop.example", "u": page, "p": {"url": link}})),
            (json!(event_type), json!({"url": link, "page": page}))
        );
    }
    assert_eq!(
        data(json!({"n": "Form: Submission", "d": "shop.example", "u": page, "p": {"path": "/a"}})),
        (json!("form"), json!({"url": page, "path": "/a"}))
    );
    assert_eq!(
        data(json!({"n": "404", "d": "shop.example", "u": page})),
        (json!("feature_use"), json!({"url": page, "feature": "404"}))
    );
}

#[test]
fn the_domain_names_the_site() {
    for (body, domain) in [
        (
            json!({"n": "x", "u": "https://a.example", "d": "Shop.Example"}),
            "shop.example",
        ),
        (
            json!({"n": "x", "u": "https://a.example", "domain": " www.shop.example , all.example"}),
            "shop.example",
        ),
        (
            json!({"n": "x", "u": "https://me@www.a.example:8080/x?y#z"}),
            "a.example",
        ),
    ] {
        assert_eq!(read(&body).0, domain);
    }
    for body in [
        json!({"n": "x", "u": "/a"}),
        json!({"n": "x", "u": "https:///a"}),
        json!({"n": "x", "u": "https://a.example", "d": ""}),
        json!({"n": "x", "u": "https://a.example", "d": ","}),
        json!({"n": "x", "u": "https://a.example", "d": 5}),
        json!({}),
    ] {
        let fault = plausible(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.code(), "malformed_json", "{body}");
    }
}

#[test]
fn bad_bodies_and_bad_events_are_refused() {
    let code = |body: &[u8]| plausible(body).unwrap_err().code();
    for body in ["", "[]", "5", "{", "{} x"] {
        assert_eq!(code(body.as_bytes()), "malformed_json");
    }
    assert_eq!(code(b"{\"d\":\"\xff\"}"), "malformed_json");
    assert_eq!(
        code(("{\"d\":".to_owned() + &"[".repeat(9_000)).as_bytes()),
        "malformed_json"
    );
    assert_eq!(
        code(format!("{{\"d\":\"{}\"}}", "x".repeat(40_000)).as_bytes()),
        "payload_too_large"
    );
    for (body, refusal) in [
        (
            json!({"d": "a.example", "u": "https://a.example"}),
            ("missing_field", "name"),
        ),
        (
            json!({"d": "a.example", "u": "https://a.example", "n": ""}),
            ("empty_field", "name"),
        ),
        (
            json!({"d": "a.example", "n": "x"}),
            ("missing_field", "url"),
        ),
        (
            json!({"d": "a.example", "n": "x", "u": 5}),
            ("wrong_type", "url"),
        ),
        (
            json!({"d": "a.example", "n": "x", "u": "DATA:text/html,x"}),
            ("wrong_type", "url"),
        ),
    ] {
        let (_, draft) = plausible(body.to_string().as_bytes()).unwrap();
        assert_eq!(refused(draft), (refusal.0, refusal.1.to_owned()));
    }
}

#[test]
fn a_domain_is_no_longer_than_domains_are() {
    let named = |chars: usize| json!({"n": "pageview", "u": "/", "d": "x".repeat(chars)});
    assert_eq!(read(&named(253)).0.len(), 253);
    let code = plausible(named(254).to_string().as_bytes()).map_err(|fault| fault.code());
    assert_eq!(code.unwrap_err(), "malformed_json");
}
