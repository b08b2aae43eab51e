//! The scalars of an event's `eventData`, by name, from its line.

use shoreline_shared::limits::MAX_DEPTH;
use shoreline_shared::pass::{Kind, Scanned, Tape};

use super::Value;

/// Reads scalars. To be used for many lines, so that its memory is.
///
/// ```
/// use shoreline_worker::archive::segment::{Scalars, Value};
///
/// let line = r#"{"eventData":{"cart":{"total":9.50,"items":["a"]},"paid":true}}"#;
/// let mut found = Vec::new();
/// let is_read = Scalars::default().each(line, &mut |name, value| {
///     found.push((name.to_owned(), value == Value::Number("9.50") || value == Value::Bool(true)));
/// });
/// assert!(is_read);
/// assert_eq!(found, [("cart.total".to_owned(), true), ("paid".to_owned(), true)]);
/// ```
#[derive(Debug, Default)]
pub struct Scalars {
    tape: Tape,
    name: String,
}

impl Scalars {
    /// Each string, number and boolean of the line's `eventData`, in their order. Names of nested objects are
    /// joined by dots; what arrays hold and what stands under a key with an escape is none. Of a name that
    /// comes twice, the last counts. False where the line is no stored event: then nothing was read.
    pub fn each(&mut self, line: &str, visit: &mut dyn FnMut(&str, Value<'_>)) -> bool {
        let Self { tape, name } = self;
        if tape.scan(line, MAX_DEPTH).is_none() {
            return false;
        }
        let root = tape.root(line);
        if root.kind() != Kind::Object {
            return false;
        }
        let mut members = root.children();
        if let Some(data) = members.find(|member| member.key() == Some("eventData")) {
            name.clear();
            object(data, name, visit);
        }
        true
    }
}

/// At most [`MAX_DEPTH`] deep: the tape takes no more.
fn object(object: Scanned<'_, '_>, name: &mut String, visit: &mut dyn FnMut(&str, Value<'_>)) {
    if object.kind() != Kind::Object {
        return;
    }
    let outer = name.len();
    for member in object.children() {
        let Some(key) = member.key() else {
            continue;
        };
        if outer > 0 {
            name.push('.');
        }
        name.push_str(key);
        let raw = member.raw();
        match member.kind() {
            Kind::Object => self::object(member, name, visit),
            Kind::Number => visit(name, Value::Number(raw)),
            Kind::Bool => visit(name, Value::Bool(raw == "true")),
            Kind::Text => visit(name, Value::Text(member.plain().unwrap_or_default())),
            Kind::Escaped => {
                if let Ok(text) = serde_json::from_str::<String>(raw) {
                    visit(name, Value::Text(&text));
                }
            }
            Kind::Array | Kind::Null => {}
        }
        name.truncate(outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(line: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let is_read = Scalars::default().each(line, &mut |name, value| {
            found.push(format!("{name}={value:?}"));
        });
        is_read.then_some(found)
    }

    #[test]
    fn strings_numbers_and_booleans_are_read_as_they_stand() {
        let line = r#"{"eventType":"x","eventData":{"a":"b\"\u00e4","n":-1.50e3,"t":true,"f":false,"z":null,
            "l":[1,{"x":2}],"o":{"p":{"q":"r"},"":1},"k\"":"s","é":""},"metadata":{"platform":"web"}}"#;
        let want = [
            r#"a=Text("b\"ä")"#,
            r#"n=Number("-1.50e3")"#,
            "t=Bool(true)",
            "f=Bool(false)",
            r#"o.p.q=Text("r")"#,
            r#"o.=Number("1")"#,
            r#"é=Text("")"#,
        ];
        assert_eq!(scalars(line).unwrap(), want);
    }

    #[test]
    fn what_is_no_event_is_told_apart_from_one_without_scalars() {
        for (line, read) in [
            ("{}", true),
            (r#"{"eventData":[1]}"#, true),
            (r#"{"eventData":{"s":"\ud800"}}"#, true),
            ("", false),
            ("7", false),
            (r#"{"eventData":{"a":1}"#, false),
        ] {
            assert_eq!(
                scalars(line).map(|found| found.len()),
                read.then_some(0),
                "{line}"
            );
        }
    }
}
