//! Plausible's events API, as its script and its npm tracker speak it.

use serde_json::Value;
use shoreline_shared::event::{Code, RawEvent, Rejection};

use super::fields::{Fields, add, first, json_value, missing, put, refuse};
use crate::http::error::Fault;
use crate::ingest::draft::{Draft, Made};

/// Names of fields, the short ones of scripts first.
const DOMAIN: [&str; 2] = ["d", "domain"];
const NAME: [&str; 2] = ["n", "name"];
const URL: [&str; 2] = ["u", "url"];
const REFERRER: [&str; 2] = ["r", "referrer"];
const PROPS: [&str; 4] = ["m", "meta", "p", "props"];
const REVENUE: [&str; 2] = ["$", "revenue"];
const INTERACTIVE: [&str; 2] = ["i", "interactive"];
const SCREEN_WIDTH: [&str; 2] = ["w", "screen_width"];

/// Characters of a domain at most (RFC 1035, 2.3.4). What is longer is looked up nowhere and
/// remembered nowhere: anybody may send it.
const MAX_DOMAIN_CHARS: usize = 253;

/// Reads a `POST /api/event`: the domain that names the site, and the event.
///
/// Of a list of domains (`a.example,b.example`) the first counts; a leading `www.` is left out, and
/// without a domain it is the host of the address. The event has neither user nor session: Plausible
/// knows visitors by a hash of a day, which only the collector can make.
///
/// # Errors
/// 400 for what is no JSON object or names no domain, 413 for over 32 KiB.
pub fn plausible(body: &[u8]) -> Result<(String, Draft<'static>), Fault> {
    let text = std::str::from_utf8(body).map_err(|_| Fault::malformed("The body is not UTF-8."))?;
    let fields = match RawEvent::parse(text) {
        Ok(raw) => raw.into_fields(),
        Err(rejection) if rejection.code == Code::EventTooLarge => {
            return Err(Fault::PayloadTooLarge(
                "An event is at most 32 KiB of JSON.",
            ));
        }
        Err(_) => {
            return Err(Fault::malformed(
                "The body must be a JSON object, within the limits of an event.",
            ));
        }
    };
    let domain = domain(&fields).ok_or(Fault::Malformed {
        field: Some("domain"),
        detail: "domain must name the site.",
    })?;
    let draft = made(&fields).map_or_else(Draft::Refused, Draft::Made);
    Ok((domain, draft))
}

fn domain(fields: &Fields) -> Option<String> {
    let listed = match first(fields, &DOMAIN) {
        Some(Value::String(list)) => list.split(',').next().unwrap_or_default(),
        Some(_) => return None,
        None => host(first(fields, &URL)?.as_str()?)?,
    };
    let domain = listed.trim().to_ascii_lowercase();
    let domain = domain.strip_prefix("www.").unwrap_or(&domain);
    (1..=MAX_DOMAIN_CHARS)
        .contains(&domain.len())
        .then(|| domain.to_owned())
}

/// The host of an address, without user and port.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    host.split(':').next()
}

fn made(fields: &Fields) -> Result<Made, Rejection> {
    let name = required(fields, &NAME, "name")?;
    let url = required(fields, &URL, "url")?;
    if url
        .trim_start()
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:"))
    {
        return Err(refuse(Code::WrongType, "url", "must not be a data: URL"));
    }
    let mut data = props(fields);
    let event_type = match name {
        "pageview" => "page_view",
        "engagement" => {
            add(&mut data, "engagedMs", fields.get("e"));
            add(&mut data, "scrollDepth", fields.get("sd"));
            "page_leave"
        }
        "Outbound Link: Click" | "Cloaked Link: Click" => "outbound",
        "File Download" => "download",
        "Form: Submission" => "form",
        custom => {
            put(&mut data, "feature", custom);
            "feature_use"
        }
    };
    // Of a click the link is the address, as in Shoreline's own tracker; the page stands beside it.
    if matches!(event_type, "outbound" | "download")
        && data.get("url").is_some_and(Value::is_string)
    {
        put(&mut data, "page", url);
    } else {
        put(&mut data, "url", url);
    }
    if let Some(referrer) = first(fields, &REFERRER).filter(|referrer| referrer.is_string()) {
        put(&mut data, "referrer", referrer.clone());
    }
    add(&mut data, "revenue", first(fields, &REVENUE));
    if first(fields, &INTERACTIVE) == Some(&Value::Bool(false)) {
        put(&mut data, "interactive", false);
    }
    let mut metadata = Fields::from_iter([("platform".to_owned(), "web".into())]);
    let width = first(fields, &SCREEN_WIDTH).filter(|width| width.is_number());
    add(&mut metadata, "screenWidth", width);
    let fields = Fields::from_iter([
        ("eventType".to_owned(), event_type.into()),
        ("eventData".to_owned(), data.into()),
        ("metadata".to_owned(), metadata.into()),
    ]);
    Ok(Made {
        fields,
        ..Made::default()
    })
}

/// The custom properties: an object, or one as JSON text, as old scripts send it. Plausible takes
/// plain values only; what else there is, is left out here as there.
fn props(fields: &Fields) -> Fields {
    let props = match first(fields, &PROPS) {
        Some(Value::String(text)) => json_value(text).and_then(Result::ok),
        props => props.cloned(),
    };
    let Some(Value::Object(mut props)) = props else {
        return Fields::new();
    };
    props.retain(|_, value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    });
    props
}

fn required<'a>(
    fields: &'a Fields,
    names: &[&str],
    field: &'static str,
) -> Result<&'a str, Rejection> {
    match first(fields, names) {
        None => Err(missing(field)),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(refuse(Code::EmptyField, field, "must not be empty"))
        }
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(refuse(Code::WrongType, field, "must be a string")),
    }
}

#[cfg(test)]
mod tests;
