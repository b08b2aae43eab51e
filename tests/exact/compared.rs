//! Two answers beside each other: equal, or where they differ.

use serde_json::Value;

/// Differences that are told at most.
const MAX_TOLD: usize = 12;

/// Where `got` differs from `want`.
pub(crate) fn differences(want: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(want, got, "", &mut found);
    found
}

fn walk(want: &Value, got: &Value, at: &str, found: &mut Vec<String>) {
    if want == got || found.len() >= MAX_TOLD {
        return;
    }
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a
                .keys()
                .chain(b.keys().filter(|name| !a.contains_key(*name)))
            {
                let of = |fields: &serde_json::Map<String, Value>| {
                    fields.get(name).cloned().unwrap_or(Value::Null)
                };
                walk(&of(a), &of(b), &format!("{at}.{name}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for n in 0..a.len().max(b.len()) {
                let of = |items: &[Value]| items.get(n).cloned().unwrap_or(Value::Null);
                walk(&of(a), &of(b), &format!("{at}[{n}]"), found);
            }
        }
        _ => found.push(format!("{at}: counted {want}, told {got}")),
    }
}
