use serde_json::json;

use super::*;

fn code_of(result: Result<RawEvent, Rejection>) -> Option<&'static str> {
    result.err().map(|rejection| {
        assert_eq!(rejection.field, "");
        assert!(rejection.message.ends_with('.'));
        rejection.code.as_str()
    })
}

fn value_of(text: &str) -> Value {
    Value::Object(RawEvent::parse(text).unwrap().into_fields())
}

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn only_objects_are_events() {
    for text in [
        "",
        " ",
        "null",
        "true",
        "42",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "{]",
        "{\"a\"}",
        "{\"a\":1}}",
        "{} {}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\\",
        "{\"a\":\"\\u12",
        "{\"a\":\"\\é\"}",
        "\u{feff}{}",
    ] {
        assert_eq!(code_of(RawEvent::parse(text)), Some("wrong_type"), "{text}");
    }
    for value in [json!(null), json!([1]), json!("x"), json!(1)] {
        assert_eq!(code_of(RawEvent::from_value(value)), Some("wrong_type"));
    }
    assert_eq!(value_of(" \n{ \"a\" : [1] }\t"), json!({"a": [1]}));
}

#[test]
fn an_event_is_at_most_32_kib() {
    let text = |len: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(len - 8));
    assert!(RawEvent::parse(&text(MAX_EVENT_BYTES)).is_ok());
    assert_eq!(
        code_of(RawEvent::parse(&text(MAX_EVENT_BYTES + 1))),
        Some("event_too_large")
    );
    let value = |len| serde_json::from_str::<Value>(&text(len)).unwrap();
    assert!(RawEvent::from_value(value(MAX_EVENT_BYTES)).is_ok());
    assert_eq!(
        code_of(RawEvent::from_value(value(MAX_EVENT_BYTES + 1))),
        Some("event_too_large")
    );
    assert_eq!(
        code_of(Err(Rejection::too_large())),
        Some("event_too_large")
    );
}

#[test]
fn an_event_has_at_most_16_levels() {
    for (open, close) in [("{\"a\":", "}"), ("{\"a\":[", "]}")] {
        let per_step = open.matches(['{', '[']).count();
        let deepest = nested(open, close, 16 / per_step);
        assert!(RawEvent::parse(&deepest).is_ok(), "{deepest}");
        assert!(RawEvent::from_value(serde_json::from_str(&deepest).unwrap()).is_ok());
        let deeper = nested(open, close, 16 / per_step + 1);
        assert_eq!(
            code_of(RawEvent::parse(&deeper)),
            Some("too_deep"),
            "{deeper}"
        );
        let value = serde_json::from_str(&deeper).unwrap();
        assert_eq!(code_of(RawEvent::from_value(value)), Some("too_deep"));
    }
    // Brackets in strings are text.
    let quoted = format!("{{\"a\":\"{}\\\"{{\"}}", "[".repeat(100));
    assert!(RawEvent::parse(&quoted).is_ok());
    // Siblings are not levels.
    let wide = format!("{{\"a\":[{}]}}", vec!["[[]]"; 1000].join(","));
    assert!(RawEvent::parse(&wide).is_ok());
}

#[test]
fn hostile_nesting_is_refused_cheaply() {
    for hostile in [
        "[".repeat(10_000),
        format!("{{\"a\":{}", "[".repeat(10_000)),
        "{\"a\":".repeat(5_000),
        format!("{{\"a\":{}", "[{\"a\":".repeat(5_000)),
    ] {
        let code = code_of(RawEvent::parse(&hostile)).unwrap();
        assert!(["too_deep", "wrong_type"].contains(&code), "{code}");
    }
    let nested = nested("{\"a\":", "}", 5_000);
    assert_eq!(code_of(RawEvent::parse(&nested)), Some("too_deep"));
}

#[test]
fn an_object_has_at_most_256_keys() {
    let object = |keys: usize| {
        let pairs: Vec<String> = (0..keys)
            .map(|n| format!("\"k{n}\":{{\"x\":\":\"}}"))
            .collect();
        format!("{{{}}}", pairs.join(","))
    };
    for wrap in [
        "{\"eventData\":X}",
        "{\"a\":[1,[X],{\"b\":2}],\"c\":3}",
        "X",
    ] {
        let (fits, over) = (
            wrap.replace('X', &object(256)),
            wrap.replace('X', &object(257)),
        );
        assert!(RawEvent::parse(&fits).is_ok());
        assert_eq!(
            code_of(RawEvent::parse(&over)),
            Some("too_many_keys"),
            "{wrap}"
        );
        let value = |text| serde_json::from_str(text).unwrap();
        assert!(RawEvent::from_value(value(&fits)).is_ok());
        assert_eq!(
            code_of(RawEvent::from_value(value(&over))),
            Some("too_many_keys")
        );
    }
}

#[test]
fn numbers_beyond_a_double_count_as_null() {
    assert_eq!(
        value_of(r#"{"a":1e999,"b":-1E+400,"c":[1e308,1e309],"d":"1e999","e":1e-999}"#),
        json!({"a": null, "b": null, "c": [1e308, null], "d": "1e999", "e": 0.0})
    );
    let long = "9".repeat(400);
    assert_eq!(
        value_of(&format!("{{\"a\":{long},\"b\":1.5}}")),
        json!({"a": null, "b": 1.5})
    );
}

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character() {
    for (text, expected) in [
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""a\uD83Db""#, "a\u{fffd}b"),
        (r#""\ude00""#, "\u{fffd}"),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ud83d\n\u00e9""#, "\u{fffd}\né"),
        (r#""\\ud83d\ud83d""#, "\\ud83d\u{fffd}"),
        (r#""\\\ud83d\"""#, "\\\u{fffd}\""),
        (r#""é\ud83dé""#, "é\u{fffd}é"),
    ] {
        let event = value_of(&format!("{{\"a\":{text},\"b\":\"\\ud83d\"}}"));
        assert_eq!(event["a"], expected, "{text}");
    }
    assert_eq!(value_of(r#"{"\ud83d":1e999}"#), json!({"\u{fffd}": null}));
}

#[test]
fn numbers_stay_the_same() {
    let text =
        r#"{"a":0.1,"b":1705334400000,"c":-7,"d":18446744073709551615,"e":2.5e-9,"f":0.000001}"#;
    assert_eq!(
        serde_json::to_string(&value_of(text)).unwrap(),
        text.replace("0.000001", "1e-6")
    );
}

#[test]
fn every_code_has_a_name_of_its_own() {
    let names = Code::ALL.map(Code::as_str);
    for (at, name) in names.iter().enumerate() {
        assert!(!names[..at].contains(name));
    }
}
