//! What is private does not get through, wherever it stands.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use shoreline_shared::event::RawEvent;
use shoreline_shared::sanitize::{Privacy, sanitize_value};

use super::common::*;
use super::hostile::privacy;

/// A number with an issuer's prefix and a check digit.
fn card() -> impl Strategy<Value = String> {
    let issued = prop_oneof![
        (
            select(
                &[
                    "4", "51", "55", "2221", "2720", "6011", "65", "644", "3528", "3589", "62",
                    "81", "50", "5612", "67"
                ][..]
            ),
            14_usize..=19
        ),
        (select(&["34", "37"][..]), Just(15)),
        (select(&["300", "305", "36", "38", "39"][..]), Just(14)),
    ];
    (issued, vec(0_u8..10, 19)).prop_map(|((prefix, len), filler)| {
        let mut digits: String = prefix.to_owned();
        digits.extend(
            filler
                .iter()
                .map(u8::to_string)
                .take(len - 1 - prefix.len()),
        );
        let last = (0..10)
            .find(|last| luhn(&format!("{digits}{last}")))
            .unwrap();
        format!("{digits}{last}")
    })
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(at, c)| {
            let digit = c.to_digit(10).unwrap();
            if at % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn grouped(card: &str, separator: char) -> String {
    let digits: Vec<char> = card.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(String::from_iter).collect();
    groups.join(&separator.to_string())
}

/// Something private, and what of it must not be found afterwards.
fn secret() -> impl Strategy<Value = (String, String)> {
    let email = "[a-z0-9][a-z0-9._+-]{0,20}@[a-z0-9-]{1,10}\\.(com|de|co\\.uk|рф|io)";
    prop_oneof![
        email.prop_map(|email| (email.clone(), email)),
        email.prop_map(|email| {
            let encoded = email.replace('@', "%40");
            (encoded.clone(), encoded)
        }),
        card().prop_map(|card| (card.clone(), card)),
        (card(), select(&[' ', '-'][..])).prop_map(|(card, separator)| {
            let card = grouped(&card, separator);
            (card.clone(), card)
        }),
        (
            select(&["Bearer ", "bearer ", "BEARER  ", "Bearer: "][..]),
            "[A-Za-z0-9._~+/-]{8,60}={0,2}"
        )
            .prop_map(|(word, token)| (format!("{word}{token}"), token)),
    ]
}

/// What may stand around it: nothing that makes it part of something longer.
fn around() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        2 => select(&["(", ")", "<", ">", "\"", "'", ",", "; ", " | ", "\n", "\u{0}", "é: ", "/", "mail: ", "=\""][..])
            .prop_map(str::to_owned),
        1 => (0_usize..1200).prop_map(|len| "é ".repeat(len)),
    ]
}

proptest! {
    #[test]
    fn no_secret_survives(
        (secret, trace) in secret(),
        (before, after) in (around(), around()),
        key in select(&["a", "url", "page", "text"][..]),
        depth in 0_usize..6,
        as_key: bool,
        privacy in privacy(),
    ) {
        let text = format!("{before}{secret}{after}");
        let leaf = if as_key { json!({text: 1}) } else { json!({key: text}) };
        let data = (0..depth).fold(leaf, |inner, at| if at % 2 == 0 { json!([inner]) } else { json!({"in": inner}) });
        let event = with(event(), "eventData.data", Some(data.clone()));
        let event = with(event, "metadata.data", Some(data));
        if RawEvent::from_value(event.clone()).is_ok() {
            let stored = stamped(&event, &PAGE, &privacy);
            prop_assert!(!stored.json().contains(&trace), "{} in {}", trace, stored.json());
        }
    }

    #[test]
    fn nothing_under_a_sensitive_key_survives(
        name in select(&["password", "passwd", "secret", "token", "accesstoken", "refreshtoken", "apikey", "authorization", "cookie", "ssn", "cvv"][..]),
        upper in vec(any::<bool>(), 13),
        signs in vec(select(&["", "", "-", "_", "\u{0}"][..]), 14),
        depth in 0_usize..6,
        wrap in 0_usize..3,
    ) {
        let mut key = String::from(signs[0]);
        for ((c, upper), sign) in name.chars().zip(upper).zip(&signs[1..]) {
            key.push(if upper { c.to_ascii_uppercase() } else { c });
            key.push_str(sign);
        }
        let value = match wrap { 0 => json!("s3cr3t"), 1 => json!(["s3cr3t"]), _ => json!({"x": {"s3cr3t": 1}}) };
        let data = (0..depth).fold(json!({key: value}), |inner, at| if at % 2 == 0 { json!([inner]) } else { json!({"in": inner}) });
        let event = with(event(), "eventData.data", Some(data));
        let stored = stamped(&event, &PAGE, &Privacy::default());
        prop_assert!(!stored.json().contains("s3cr3t"), "{}", stored.json());
        prop_assert!(stored.json().contains("[redacted]"));
    }

    #[test]
    fn no_parameter_off_the_list_survives(
        base in select(&["https://x.com/a", "HTTP://x.com", "/a", "", "//x.com/"][..]),
        pairs in vec((select(&["utm_source", "ref", "gclid", "fbclid", "token", "email", "q", "access_token", "utm.x"][..]), "[a-z]{4,8}"), 0..6),
        fragment in prop_oneof![Just(String::new()), Just("#access_token=s3cr3t".to_owned()), Just("#/r?q=s3cr3t".to_owned())],
        privacy in privacy(),
    ) {
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let url = format!("{base}?{}{fragment}", query.join("&"));
        let clean = sanitize_value(json!({"url": url}), &privacy).unwrap();
        let clean = clean["url"].as_str().unwrap();
        prop_assert!(!clean.contains("s3cr3t"));
        let kept = clean.split_once('?').map_or("", |(_, query)| query);
        let kept = kept.split('#').next().unwrap();
        let expected: Vec<String> = pairs.iter().filter_map(|(name, value)| match *name {
            "utm_source" | "ref" => Some(format!("{name}={value}")),
            "gclid" | "fbclid" => Some(format!("{name}=true")),
            _ => None,
        }).collect();
        prop_assert_eq!(kept, expected.join("&"));
    }
}
