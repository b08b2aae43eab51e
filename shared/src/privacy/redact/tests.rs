use proptest::prelude::*;

use super::*;

fn redacted(text: &str) -> String {
    redact(text).unwrap_or_else(|| text.to_owned())
}

#[track_caller]
fn survives(text: &str) {
    assert_eq!(redact(text), None, "{text}");
}

#[test]
fn email_addresses_are_redacted_in_place() {
    for (text, expected) in [
        ("bob@example.com", "[redacted]"),
        (
            "mail bob.o'neil+news@mail.example.co.uk.",
            "mail [redacted].",
        ),
        (
            "<bob_1@example.com>, \"x-y@z.io\"",
            "<[redacted]>, \"[redacted]\"",
        ),
        ("a=bob@x.com&b=1", "a=[redacted]&b=1"),
        ("bob%40example.com/x", "[redacted]/x"),
        ("bob%2540example.com", "[redacted]"),
        ("/u/bob@x.com/edit", "/u/[redacted]/edit"),
        ("jürgen@müller.de", "[redacted]"),
        ("ivan@почта.рф", "[redacted]"),
        ("a@b.co@c.de", "[redacted]"),
        ("a@b.co, c@d.eu", "[redacted], [redacted]"),
        ("a@xn--mller-kva.xn--p1ai", "[redacted]"),
        ("bob@example.com.42", "[redacted]"),
        ("x@y.museum-", "[redacted]-"),
    ] {
        assert_eq!(redacted(text), expected, "{text}");
    }
}

#[test]
fn not_every_at_is_an_address() {
    for text in [
        "@",
        "a@",
        "@b.co",
        "a@b",
        "a @ b.co",
        "bob@localhost",
        "vue@3.2.1/dist/vue.js",
        "lodash@4.17.21",
        "logo@2x.png",
        "render@https://shop.example/app.js:10:5",
        "@media",
        "a@b.c",
        "100%40",
        "a@.co",
        "me @you",
    ] {
        survives(text);
    }
}

#[test]
fn bearer_tokens_are_redacted_in_place() {
    for (text, expected) in [
        ("Bearer abc123", "[redacted]"),
        (
            "Authorization: bearer eyJhbGciOi.eyJzdWIi.sIg-_~+/== x",
            "Authorization: [redacted] x",
        ),
        ("BEARER  x", "[redacted]"),
        ("'Bearer\tabc'", "'[redacted]'"),
        ("Bearer%20abc%3D", "[redacted]"),
        ("bearer: abc", "[redacted]"),
        ("Bearer Bearer abc", "[redacted]"),
        ("bearer bearer bearer", "[redacted]"),
        ("Bearer a@b.co", "[redacted]"),
        ("Bearer 4111 1111 1111 1111", "[redacted]"),
        ("Bearer abc4111111111111111def.sig", "[redacted]"),
        ("BearerBearer abc", "Bearer[redacted]"),
    ] {
        assert_eq!(redacted(text), expected, "{text}");
    }
    for text in [
        "Bearer",
        "bearer ",
        "Bearer [redacted]",
        "bearers abc",
        "a bear",
        "Bearer \"abc\"",
    ] {
        survives(text);
    }
}

#[test]
fn card_numbers_are_redacted_in_place() {
    for card in [
        "4111111111111111",    // Visa
        "4012888888881881",    // Visa
        "4000000000000000006", // Visa, 19
        "5555555555554444",    // Mastercard
        "2223003122003222",    // Mastercard, second range
        "378282246310005",     // American Express
        "6011111111111117",    // Discover
        "6445644564456445",    // Discover
        "30569309025904",      // Diners Club
        "38520000023237",      // Diners Club
        "3530111333300000",    // JCB
        "6200000000000005",    // UnionPay
        "8171999927660000",    // UnionPay
        "6759649826438453",    // Maestro
        "5018000000000009",    // Maestro
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111-1111 1111-1111",
        "3782 822463 10005",
        "3056 930902 5904",
        "4000-0000-0000-0000-006",
    ] {
        assert_eq!(redacted(card), "[redacted]", "{card}");
        assert_eq!(
            redacted(&format!("card:{card}.")),
            "card:[redacted].",
            "{card}"
        );
        assert_eq!(redacted(&format!("a{card}z")), "a[redacted]z", "{card}");
        assert_eq!(
            redacted(&format!("12 {card} 2031")),
            "12 [redacted] 2031",
            "{card}"
        );
    }
}

#[test]
fn other_numbers_survive() {
    for text in [
        "1705334400000",        // milliseconds
        "1705334400000000",     // microseconds
        "1705334400000000000",  // nanoseconds
        "4111111111111112",     // no Luhn
        "41111111111111114",    // no Luhn
        "7111111111111114",     // no issuer
        "411111111111117",      // no Luhn
        "37828224631003",       // too short for its issuer
        "41111111111111111115", // 20 digits
        "4111  1111 1111 1111", // no separator is two spaces
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "ORD-2024-0012345678",
        "2024-01-15 16:00:00",
        "+49 30 901820 1234",
        "018d0de9-1c00-7fff-bfff-ffffffffffff",
        "41111111-1111-4111-8111-111111111111",
        "id:4111 41111111-1111-4111-8111-111111111111/x",
        "4111111111111111abcdefabcdefabcd",
        "9007199254740991",
    ] {
        survives(text);
    }
}

#[test]
fn all_it_redacts_is_suspected_at_first_sight() {
    for text in [
        "a@b.co",
        "a%40b.co",
        "a%2540b.co",
        "xBeArEr y",
        "4111-1111-1111-1111",
        "\u{7f}",
        "\u{85}",
    ] {
        assert!(suspicion(text, false).private, "{text}");
    }
    for text in [
        "",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "1705334400000",
        "100% £5 – é",
        "a b-c",
        "blog-post",
    ] {
        assert!(!suspicion(text, false).private, "{text}");
    }
}

proptest! {
    /// The quick look may suspect too much, never too little.
    #[test]
    fn all_that_is_found_was_suspected(
        pieces in prop::collection::vec("@|%40|%2540|a|b\\.co|[Bb]earer|[ :=+-]|[0-9]{1,16}|\\PC", 0..20),
    ) {
        let text = pieces.concat();
        let mut found = Vec::new();
        contact::find_emails(&text, &mut found);
        contact::find_bearers(&text, &mut found);
        card::find(&text, &mut found);
        prop_assert!(found.is_empty() || suspicion(&text, true).private);
        for range in found {
            prop_assert!(text.get(range.clone()).is_some_and(|piece| !piece.is_empty()));
        }
    }
}
