//! Where a page view's visitor came from: campaign parameters and referrer, in one spelling.

mod names;
mod referrer;
mod url;

use serde_json::{Map, Value};

use names::{name_of_host, name_of_tag};
use url::{Url, plain};

/// Campaign parameters, and whether case says nothing in them. `utm_source=Google` and `google`
/// are one source; the name of a campaign is whatever its author calls it.
const PARAMETERS: [(&str, bool); 5] = [
    ("utm_source", true),
    ("utm_medium", true),
    ("utm_campaign", false),
    ("utm_term", false),
    ("utm_content", false),
];

/// Where a page's address stands, the first that has what is looked for.
const PAGE_KEYS: [&str; 3] = ["url", "page", "path"];

/// The key of the referring host: without `www.`, port and case.
pub const REFERRER_HOST: &str = "referrerHost";

/// The key of the source as people name it.
pub const REFERRER_SOURCE: &str = "referrerSource";

/// The host that a page view's visitor came from, the site's own too: to be held against a list
/// of spammers. It is spelled as [`REFERRER_HOST`].
pub fn referrer_host(data: &Map<String, Value>) -> Option<String> {
    referrer::host_of(data)
}

/// Puts a page view's origin into one spelling. `data` is its `eventData`, cleaned or not: what is
/// made here is made of what stands there, so whoever cleans it later cleans this too. It is meant
/// for page views: in what a service sends, a `referrer` can be anything.
///
/// - `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`: the event's own, else
///   the page address's parameter; trimmed, source and medium in lowercase. Numbers become text.
/// - `referrer`: dropped where it is of the page's own host, `www.` or not; else it stays.
/// - `referrerHost`: the referrer's host; absent without one.
/// - `referrerSource`: `utm_source`, else the parameter `ref`, else `referrerHost`, by its usual
///   name where it is a well-known one (`Google`, `Facebook`, …); absent for direct visits.
///
/// What a sender puts under the last two keys is replaced. Doing it twice equals doing it once.
pub fn normalize(data: &mut Map<String, Value>) {
    for (key, folds) in PARAMETERS {
        let value = text_of(data.get(key), folds).or_else(|| parameter(data, key, folds));
        // What is no text stays as it is: it is the sender's own.
        match value {
            Some(value) => _ = data.insert(key.to_owned(), Value::String(value)),
            None if data.get(key).is_some_and(Value::is_string) => _ = data.remove(key),
            None => {}
        }
    }
    let host = referrer::settle(data);
    let source = text_of(data.get("utm_source"), true)
        .or_else(|| parameter(data, "ref", false))
        .map(|tag| name_of_tag(&tag).map_or(tag, str::to_owned))
        .or_else(|| {
            let host = host.as_deref()?;
            Some(name_of_host(host).unwrap_or(host).to_owned())
        });
    set(data, REFERRER_HOST, host);
    set(data, REFERRER_SOURCE, source);
}

/// A text or number in its one spelling; `None` if that is empty.
fn text_of(value: Option<&Value>, folds: bool) -> Option<String> {
    match value? {
        Value::String(text) => plain(text, folds),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A parameter of the page's address.
fn parameter(data: &Map<String, Value>, name: &str, folds: bool) -> Option<String> {
    PAGE_KEYS
        .into_iter()
        .filter_map(|key| data.get(key)?.as_str())
        .find_map(|address| Url::parse(address).parameter(name, folds))
}

fn set(data: &mut Map<String, Value>, key: &str, value: Option<String>) {
    match value {
        Some(value) => data.insert(key.to_owned(), Value::String(value)),
        None => data.remove(key),
    };
}

#[cfg(test)]
mod tests;
