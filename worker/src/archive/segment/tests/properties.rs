//! Properties against the same question to a tree of the line's JSON.

use super::*;

/// What a name stands for in a tree.
fn of_tree<'a>(data: &'a Json, name: &str) -> Option<&'a Json> {
    let mut members = data.as_object()?.iter();
    members.find_map(|(key, value)| match name.strip_prefix(key.as_str())? {
        "" => (!value.is_object() && !value.is_array() && !value.is_null()).then_some(value),
        rest => of_tree(value, rest.strip_prefix('.')?),
    })
}

fn is_same(value: Option<Value<'_>>, want: Option<&Json>) -> bool {
    match (value, want) {
        (None, None) => true,
        (Some(Value::InLine), Some(want)) => want
            .as_str()
            .is_some_and(|text| text.len() > MAX_TEXT_BYTES),
        (Some(Value::Text(text)), Some(Json::String(want))) => {
            text == want && text.len() <= MAX_TEXT_BYTES
        }
        (Some(value @ Value::Number(text)), Some(Json::Number(want))) => {
            text == want.to_string() && value.number() == want.as_f64()
        }
        (Some(Value::Bool(is)), Some(Json::Bool(want))) => is == *want,
        _ => false,
    }
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<bool>().prop_map(Json::Bool),
        (0_i64..5).prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[ab]?".prop_map(Json::from),
        ".{0,10}".prop_map(Json::from),
        "x{195,205}".prop_map(Json::from),
        Just(Json::Null),
        Just(json!(["a"])),
    ]
}

fn data() -> impl Strategy<Value = Json> {
    let object = |inner| prop::collection::btree_map("[a-e]", inner, 0..5);
    let nested = object(scalar().boxed()).prop_map(|inner| json!(inner));
    object(prop_oneof![3 => scalar(), 1 => nested].boxed()).prop_map(|outer| json!(outer))
}

proptest! {
    #[test]
    fn each_event_has_of_each_name_what_its_line_has(all in prop::collection::vec(data(), 0..40)) {
        let lines: Vec<String> = all.iter().enumerate().map(|(n, data)| line(n, "a.b", data)).collect();
        let bytes = encoded(&lines);
        let segment = Segment::parse(&bytes).unwrap();
        let stored = segment.property_names().unwrap();
        let letters = ["a", "b", "c", "d", "e"];
        let nested = letters.iter().flat_map(|a| letters.map(|b| format!("{a}.{b}")));
        for name in letters.iter().map(ToString::to_string).chain(nested) {
            let found = segment.property(&name).unwrap();
            prop_assert_eq!(found == Found::Absent, !stored.contains(&name.as_str()));
            let (dict, codes) = match found {
                Found::Stored(Property { dict, codes }) => (dict, codes),
                Found::Absent => (Vec::new(), vec![0; all.len()]),
                Found::InLines => panic!("{name} is left out"),
            };
            for (data, code) in all.iter().zip(codes) {
                let value = (code > 0).then(|| dict[code as usize - 1]);
                prop_assert!(is_same(value, of_tree(data, &name)), "{} of {}: {:?}", name, data, value);
            }
        }
    }
}

fn segment_of(all: &[(&str, Json)]) -> Vec<u8> {
    let lines = all.iter().enumerate();
    let lines: Vec<String> = lines
        .map(|(n, (event_type, data))| line(n, event_type, data))
        .collect();
    encoded(&lines)
}

/// How often a text stands in bytes.
fn times(bytes: &[u8], text: &str) -> usize {
    let windows = bytes.windows(text.len());
    windows.filter(|window| *window == text.as_bytes()).count()
}

#[test]
fn what_a_column_has_is_not_written_again() {
    let seventh = "/a/page/with/a/long/name/7";
    let all = |other: &str| -> Vec<(&str, Json)> {
        let path = |n| format!("/a/page/with/a/long/name/{n}");
        let data = |n| json!({ "path": path(n), other: path(n) });
        (0..40).map(|n| ("page_view", data(n))).collect()
    };
    let (same, other) = (segment_of(&all("path")), segment_of(&all("other")));
    assert_eq!([times(&same, seventh), times(&other, seventh)], [1, 2]);
    let segment = Segment::parse(&same).unwrap();
    let Found::Stored(Property { dict, codes }) = segment.property("path").unwrap() else {
        panic!("it is left out");
    };
    assert_eq!(dict[7], Value::Text(seventh));
    assert_eq!(codes, (1..=40).collect::<Vec<u32>>());
    // One event of another type has a path that no column has: then it is written.
    let mut more = all("path");
    more.push(("x.y", json!({"path": "/b"})));
    let bytes = segment_of(&more);
    let Found::Stored(Property { dict, .. }) =
        Segment::parse(&bytes).unwrap().property("path").unwrap()
    else {
        panic!("it is left out");
    };
    assert_eq!(dict.last(), Some(&Value::Text("/b")));
}

#[test]
fn what_is_left_to_the_lines_is_told_apart_from_what_is_absent() {
    let long = "l".repeat(MAX_NAME_BYTES + 1);
    let bytes = segment_of(&[("x", json!({ long.as_str(): 1, "a": 1 }))]);
    let segment = Segment::parse(&bytes).unwrap();
    assert_eq!(segment.property(&long), Ok(Found::InLines));
    assert_eq!(segment.property("b"), Ok(Found::Absent));
    // More names than are stored: those that most events have are.
    let name = |n: usize| format!("n{n}");
    let rare: Json = (0..MAX_PROPERTIES).map(|n| (name(n), json!(n))).collect();
    let bytes = segment_of(&[("x", rare), ("x", json!({"z": 1})), ("x", json!({"z": 2}))]);
    let segment = Segment::parse(&bytes).unwrap();
    assert_eq!(segment.property_names().unwrap().len(), MAX_PROPERTIES);
    assert_eq!(segment.property_names().unwrap()[0], "z");
    // Keys of a line are in order here, so this is the last.
    for unknown in ["n9", "b"] {
        assert_eq!(segment.property(unknown), Ok(Found::InLines), "{unknown}");
    }
    assert_eq!(segment.property(&long), Ok(Found::Absent));
}

#[test]
fn ids_that_never_come_again_are_left_to_the_lines() {
    let ids = |n: u64| (0..n).map(|n| ("x", json!({"order": format!("{:064x}", n), "n": 1})));
    let few = segment_of(&ids(50).collect::<Vec<_>>());
    let many = segment_of(&ids(1_000).collect::<Vec<_>>());
    let stored =
        |bytes| Segment::parse(bytes).unwrap().property("order").unwrap() != Found::InLines;
    assert_eq!([stored(&few), stored(&many)], [true, false]);
    assert_eq!(
        Segment::parse(&many).unwrap().property_names().unwrap(),
        ["n", "order"]
    );
}

#[test]
fn where_a_line_cannot_be_read_all_is_left_to_the_lines() {
    let text = line(0, "x", &json!({"a": 1}));
    let stored: Stored<'_> = serde_json::from_str(&text).unwrap();
    let event = Event::of(&stored, &mut Hasher::new("demo", b"key"));
    let bytes = encode(&[(event.clone(), &text), (event, "{")]);
    let segment = Segment::parse(&bytes).unwrap();
    assert_eq!(segment.property("a"), Ok(Found::InLines));
    assert_eq!(segment.property_names(), Ok(Vec::new()));
}

#[test]
fn of_a_name_that_comes_twice_the_last_counts() {
    let text = line(0, "x", &json!({}))
        .replace("\"eventData\":{}", r#""eventData":{"a.b":1,"a":{"b":"2"}}"#);
    let bytes = encoded(&[text]);
    let segment = Segment::parse(&bytes).unwrap();
    let Found::Stored(property) = segment.property("a.b").unwrap() else {
        panic!("it is left out");
    };
    assert_eq!(
        property.dict[property.codes[0] as usize - 1],
        Value::Text("2")
    );
}
