//! What a call does not know is refused by its name: a question with a parameter that is ignored has a wrong answer.

use form_urlencoded::parse;
use serde_json::{Map, Value};

use crate::base::json;
use crate::http::error::Fault;

/// Characters of a name that nobody knows that an answer repeats: more than any name has.
const MAX_NAME_CHARS: usize = 64;

fn unknown(name: &str, detail: &'static str) -> Fault {
    Fault::UnknownParameter {
        name: name.chars().take(MAX_NAME_CHARS).collect(),
        detail,
    }
}

/// Checks that every parameter of a query is known, and that none comes twice.
///
/// # Errors
/// [`Fault::UnknownParameter`] with the first that is not.
pub fn parameters(query: &str, known: &[&str]) -> Result<(), Fault> {
    if query.is_empty() {
        return Ok(());
    }
    let names = || parse(query.as_bytes()).map(|(name, _)| name);
    for (place, name) in names().enumerate() {
        if !known.contains(&name.as_ref()) {
            return Err(unknown(&name, "The call knows no parameter of this name."));
        }
        if names().take(place).any(|before| before == name) {
            return Err(unknown(&name, "A parameter comes once."));
        }
    }
    Ok(())
}

/// Checks that every field of a JSON body is known: see [`crate::endpoints::Endpoint::fields`].
///
/// # Errors
/// [`Fault::UnknownParameter`] with the first that is not, such as `steps[1].country`.
pub fn fields(body: &Map<String, Value>, known: &[&str]) -> Result<(), Fault> {
    within(body, "", "", known).map_or(Ok(()), |name| {
        Err(unknown(&name, "The call knows no field of this name."))
    })
}

/// As [`fields`], of a body that is read into a type afterwards, which says what else is wrong with it.
///
/// # Errors
/// As [`fields`].
pub fn fields_of(body: &[u8], known: &[&str]) -> Result<(), Fault> {
    json::read::<Map<String, Value>>(body).map_or(Ok(()), |body| fields(&body, known))
}

/// The first field of an object that is not known: `shown` is where it stands in this body, `path` in the table.
fn within(fields: &Map<String, Value>, shown: &str, path: &str, known: &[&str]) -> Option<String> {
    fields.iter().find_map(|(name, value)| {
        let (shown, path) = (format!("{shown}{name}"), format!("{path}{name}"));
        // A point is how the table goes down, and in no name.
        if name.contains('.') || !known.contains(&path.as_str()) {
            return Some(shown);
        }
        let path = path + ".";
        let goes_down = known.iter().any(|known| known.starts_with(&path));
        match value {
            Value::Object(fields) if goes_down => within(fields, &(shown + "."), &path, known),
            Value::Array(items) if goes_down => items.iter().enumerate().find_map(|(at, item)| {
                within(item.as_object()?, &format!("{shown}[{at}]."), &path, known)
            }),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(result: Result<(), Fault>) -> Option<String> {
        match result {
            Err(Fault::UnknownParameter { name, .. }) => Some(name),
            other => {
                assert_eq!(other, Ok(()));
                None
            }
        }
    }

    #[test]
    fn a_parameter_that_nobody_knows_is_named() {
        let name = |query: &str| name(parameters(query, &["limit", "cursor"]));
        assert_eq!(name(""), None);
        assert_eq!(name("limit=1&cursor="), None);
        assert_eq!(name("limit=1&Limit=2").as_deref(), Some("Limit"));
        assert_eq!(name("l%69mit=1&cursor=a&limit=2").as_deref(), Some("limit"));
        let long = "x".repeat(10_000);
        assert_eq!(name(&format!("{long}=1")), Some("x".repeat(64)));
    }

    #[test]
    fn a_field_that_nobody_knows_is_named_with_its_place() {
        let known = ["steps", "steps.page", "cursor", "cursor.key", "free"];
        for (body, want) in [
            (json!({}), None),
            (
                json!({"steps": [{"page": 1}, 7, [{"x": 1}]], "free": {"x": 1}}),
                None,
            ),
            (
                json!({"steps": [{}, {"page": 1, "country": 1}]}),
                Some("steps[1].country"),
            ),
            (json!({"steps": {"country": 1}}), Some("steps.country")),
            (
                json!({"cursor": {"key": {"x": 1}, "line": 1}}),
                Some("cursor.line"),
            ),
            (json!({"steps.page": 1}), Some("steps.page")),
            (json!({"page": 1}), Some("page")),
        ] {
            let found = name(fields(body.as_object().unwrap(), &known));
            assert_eq!(found.as_deref(), want, "{body}");
            assert_eq!(name(fields_of(body.to_string().as_bytes(), &known)), found);
        }
        assert_eq!(name(fields_of(b"[", &known)), None);
    }
}
