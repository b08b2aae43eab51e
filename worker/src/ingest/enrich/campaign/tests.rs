use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What [`normalize`] makes of a page view's data.
fn normalized(data: Value) -> Value {
    let mut map = data.as_object().cloned().unwrap_or_default();
    normalize(&mut map);
    Value::Object(map)
}

#[test]
fn parameters_come_from_the_address() {
    let url = "https://shop.example/?utm_source=%20News%20&utm_medium=E-Mail&utm_campaign=Spring+Sale&utm_term=a%26b";
    assert_eq!(
        normalized(json!({ "url": url })),
        json!({
            "url": url,
            "utm_source": "news", "utm_medium": "e-mail", "utm_campaign": "Spring Sale", "utm_term": "a&b",
            "referrerSource": "news",
        })
    );
}

#[test]
fn an_events_own_parameters_come_first() {
    let data = json!({
        "url": "/?utm_source=address&utm_content=b&utm_medium=cpc",
        "utm_source": " Own ", "utm_medium": "  ", "utm_campaign": 2024,
    });
    let made = normalized(data);
    assert_eq!(made["utm_source"], "own");
    assert_eq!(made["utm_medium"], "cpc");
    assert_eq!(made["utm_campaign"], "2024");
    assert_eq!(made["utm_content"], "b");
}

#[test]
fn parameters_are_found_in_any_address_and_in_a_route() {
    for data in [
        json!({ "page": "/a?utm_source=x1" }),
        json!({ "url": "https://a.example/", "path": "/a?utm_source=x1" }),
        json!({ "url": "https://a.example/#/route?utm_source=x1" }),
        json!({ "url": "https://a.example/?utm_source=&utm_source=x1" }),
    ] {
        assert_eq!(normalized(data.clone())["utm_source"], "x1", "{data}");
    }
}

#[test]
fn an_encoded_control_character_does_not_come_back() {
    let made = normalized(json!({ "url": "/?utm_campaign=%0Aa%00b%0D" }));
    assert_eq!(made["utm_campaign"], "ab");
}

#[test]
fn empty_parameters_go_and_what_is_no_text_stays() {
    assert_eq!(normalized(json!({ "utm_source": " " })), json!({}));
    let odd = json!({ "utm_source": { "a": 1 }, "utm_term": true });
    assert_eq!(normalized(odd.clone()), odd);
}

#[test]
fn a_referrer_has_its_host_and_its_name() {
    let cases = [
        ("https://www.google.co.uk/", "google.co.uk", "Google"),
        (
            "https://L.Facebook.com:443/l.php",
            "l.facebook.com",
            "Facebook",
        ),
        (
            "http://blog.example./a?ref=x",
            "blog.example",
            "blog.example",
        ),
        (
            "android-app://com.google.android.gm/",
            "com.google.android.gm",
            "Gmail",
        ),
        (
            "//news.ycombinator.com/item",
            "news.ycombinator.com",
            "Hacker News",
        ),
    ];
    for (referrer, host, source) in cases {
        assert_eq!(
            normalized(json!({ "url": "https://shop.example/", "referrer": referrer })),
            json!({
                "url": "https://shop.example/", "referrer": referrer,
                "referrerHost": host, "referrerSource": source,
            })
        );
    }
}

#[test]
fn the_site_itself_refers_nobody() {
    for referrer in [
        "https://shop.example/before",
        "http://www.SHOP.example:8080/",
        "/before",
        " ",
    ] {
        let data = json!({ "url": "https://www.shop.example/now", "referrer": referrer });
        assert_eq!(
            normalized(data),
            json!({ "url": "https://www.shop.example/now" }),
            "{referrer}"
        );
    }
    // Another host of the same site is another host, as for everybody who counts referrers.
    let other = json!({ "url": "https://shop.example/", "referrer": "https://blog.shop.example/" });
    assert_eq!(normalized(other)["referrerHost"], "blog.shop.example");
}

#[test]
fn a_referrer_without_a_host_stays_unread() {
    let long = format!("https://{}.example/", "a".repeat(250));
    for referrer in [
        json!("not an address"),
        json!("https://"),
        json!("https://a b.example/"),
        json!("https://<script>/"),
        json!(long),
        json!(7),
    ] {
        let data = json!({ "url": "https://shop.example/", "referrer": referrer });
        assert_eq!(normalized(data.clone()), data);
    }
}

#[test]
fn a_campaign_names_the_source_before_ref_and_the_referrer() {
    let source = |query: &str| {
        let url = format!("https://shop.example/?{query}");
        normalized(json!({ "url": url, "referrer": "https://www.bing.com/" }))["referrerSource"]
            .clone()
    };
    assert_eq!(source("utm_source=fb&ref=hn"), "Facebook");
    assert_eq!(source("ref=hn"), "Hacker News");
    assert_eq!(source("ref=Our-Partner"), "Our-Partner");
    assert_eq!(source(""), "Bing");
}

#[test]
fn a_referring_host_is_spelled_in_one_way() {
    let cases = [
        (json!("https://www.Semalt.com/x"), Some("semalt.com")),
        (
            json!(" https://user:word@semalt.com:80\\x"),
            Some("semalt.com"),
        ),
        (
            json!("https://www.www.blog.example/"),
            Some("www.blog.example"),
        ),
        (json!("http://[2001:db8::1]:8080/"), Some("[2001:db8::1]")),
        (json!("/before"), None),
        (json!(""), None),
        (json!(7), None),
    ];
    for (referrer, host) in cases {
        let data = json!({ "url": "https://shop.example/", "referrer": referrer });
        assert_eq!(
            normalized(data.clone())[REFERRER_HOST].as_str(),
            host,
            "{data}"
        );
    }
}

#[test]
fn derived_keys_are_ours() {
    let data = json!({ "url": "https://shop.example/", "referrerHost": "google.com", "referrerSource": "Google" });
    assert_eq!(normalized(data), json!({ "url": "https://shop.example/" }));
}

/// Addresses and parameters, near and far from valid ones.
fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        "(https?:)?(//)?(www\\.)?(shop|google|a)\\.(example|com)(:80)?/(\\?(utm_source|ref|utm_campaign)=[ -~]{0,8})?(#/\\?utm_term=[a-zA-Z%+ ]{0,6})?",
        "[ -~]{0,30}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn twice_equals_once(
        url in address(),
        path in proptest::option::of(address()),
        referrer in proptest::option::of(address()),
        source in proptest::option::of(any::<String>()),
        medium in proptest::option::of("[A-Za-zİß ]{0,6}"),
    ) {
        let data = json!({
            "url": url, "path": path, "referrer": referrer, "utm_source": source, "utm_medium": medium,
        });
        let once = normalized(data);
        prop_assert_eq!(normalized(once.clone()), once);
    }
}
