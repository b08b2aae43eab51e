use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::base::json::told;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct All {
    whole: i64,
    #[serde(rename = "n")]
    unsigned: u32,
    float: f64,
    is_so: bool,
    text_of: String,
    maybe: Option<String>,
    #[serde(default)]
    left_out: Vec<u8>,
    #[serde(skip)]
    skipped: i64,
    #[serde(default = "seven")]
    seven: u64,
    pair: (i64, String),
    inner: Option<Inner>,
    by_number: BTreeMap<i64, Inner>,
    kinds: Vec<Kind>,
}

fn seven() -> u64 {
    7
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Inner {
    a: i64,
    b: Vec<Option<f64>>,
    c: Wrapped,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Wrapped(u8);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    OneOf(i64),
    TwoOf(i64, Inner),
    Named { first: i64, second: Option<i64> },
}

/// Read from a text by serde itself, and through a tree.
fn both<T: for<'de> Deserialize<'de>>(value: &Value) -> [Option<T>; 2] {
    let text = value.to_string();
    [serde_json::from_str(&text).ok(), told(&text).ok()]
}

fn some() -> Value {
    json!({
        "whole": -3, "n": 4, "float": 2, "isSo": true, "textOf": "é\u{1}", "maybe": null, "leftOut": [1, 255],
        "seven": 8, "pair": [9, "p"], "inner": {"b": [null, 0.1], "c": 5, "a": 6},
        "byNumber": {"-2": {}, "30": {"a": 1}}, "unknown": {"whole": 0},
        "kinds": ["plain", {"one_of": 1}, {"two_of": [2, {"a": 3}]}, {"named": {"second": 4, "first": 5}}],
    })
}

#[test]
fn a_struct_is_read_as_serde_reads_it() {
    let [text, tree] = both::<All>(&some());
    assert!(text.is_some());
    assert_eq!(tree, text);
}

#[test]
fn each_member_may_be_missing_null_or_another_as_with_serde() {
    let others = [
        json!(null),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!([]),
        json!({}),
        json!(1e300),
        json!(300),
    ];
    let members = some().as_object().unwrap().clone();
    for name in members.keys() {
        let mut without = members.clone();
        without.remove(name);
        let [text, tree] = both::<All>(&Value::Object(without));
        assert_eq!(tree, text, "without {name}");
        for other in &others {
            let mut with = members.clone();
            with.insert(name.clone(), other.clone());
            let [text, tree] = both::<All>(&Value::Object(with));
            // A list in the place of a struct is what a struct is not written as.
            if text.is_some() && other.is_array() {
                continue;
            }
            assert_eq!(tree, text, "{name} is {other}");
        }
    }
}

#[test]
fn an_option_that_is_not_there_is_none_whatever_its_default() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct Chosen {
        first: Option<i64>,
        second: i64,
    }
    impl Default for Chosen {
        fn default() -> Self {
            Self {
                first: Some(1),
                second: 2,
            }
        }
    }
    let [text, tree] = both::<Chosen>(&json!({}));
    assert_eq!(text, Some(Chosen::default()));
    let none = Chosen {
        first: None,
        second: 2,
    };
    assert_eq!(tree, Some(none));
}

#[test]
fn texts_are_borrowed_where_they_can_be() {
    let value = json!(["a", "b\n"]);
    let texts = Vec::<&str>::deserialize(Node::Value(&value)).unwrap();
    assert_eq!(texts, ["a", "b\n"]);
    let texts = Vec::<Cow<'_, str>>::deserialize(Node::Value(&value)).unwrap();
    assert_eq!(texts, ["a", "b\n"]);
}

#[test]
fn what_is_wrong_is_said() {
    let error = |text: &str| told::<All>(text).unwrap_err().to_string();
    assert_eq!(error("[]"), "an array where an object should be");
    assert!(
        error("{").starts_with("EOF while parsing"),
        "{}",
        error("{")
    );
    let mut wrong = some();
    wrong["whole"] = json!("3");
    assert_eq!(
        error(&wrong.to_string()),
        "a string where a whole number should be"
    );
    wrong.as_object_mut().unwrap().remove("whole");
    assert!(error(&wrong.to_string()).contains("struct All"));
    assert!(told::<()>("1").is_err());
    assert!(told::<()>("null").is_ok());
    assert!(told::<Kind>(r#""other""#).is_err());
    assert!(told::<Kind>(r#"{"plain":1}"#).is_err());
    assert!(told::<Kind>(r#"{"plain":null,"one_of":1}"#).is_err());
}

/// Any JSON, of numbers that a program writes.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,3}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_inner() -> impl Strategy<Value = Inner> {
    let b = prop::collection::vec(prop::option::of(prop::num::f64::NORMAL), 0..3);
    (any::<i64>(), b, any::<u8>()).prop_map(|(a, b, c)| Inner {
        a,
        b,
        c: Wrapped(c),
    })
}

proptest! {
    #[test]
    fn any_json_is_read_as_it_is(value in any_json()) {
        prop_assert_eq!(Value::deserialize(Node::Value(&value)).unwrap(), value.clone());
        prop_assert!(told::<serde::de::IgnoredAny>(value.to_string()).is_ok());
    }

    #[test]
    fn numbers_are_exact(
        whole in any::<i64>(), unsigned in any::<u32>(), float in prop::num::f64::NORMAL, maybe in any::<Option<String>>(),
        by_number in prop::collection::btree_map(any::<i64>(), any_inner(), 0..3),
    ) {
        let all = All { whole, unsigned, float, maybe, by_number, ..All::default() };
        let text = serde_json::to_string(&all).unwrap();
        prop_assert_eq!(told::<All>(&text).unwrap(), all);
    }
}
