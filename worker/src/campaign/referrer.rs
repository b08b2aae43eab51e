//! The page that a visitor came from.

use serde_json::{Map, Value};

use super::PAGE_KEYS;
use super::url::Url;

const REFERRER: &str = "referrer";

/// The host of the referrer, if it has one.
pub(super) fn host_of(data: &Map<String, Value>) -> Option<String> {
    Url::parse(data.get(REFERRER)?.as_str()?.trim()).host()
}

/// Drops a referrer that is the site itself, and gives the host of one that is not.
pub(super) fn settle(data: &mut Map<String, Value>) -> Option<String> {
    let referrer = data.get(REFERRER)?.as_str()?.trim();
    let host = host_of(data);
    // An address without a host is one of the page's own.
    let internal = referrer.is_empty() || referrer.starts_with('/') && host.is_none();
    if internal || host.is_some() && host == page_host(data) {
        data.remove(REFERRER);
        return None;
    }
    host
}

fn page_host(data: &Map<String, Value>) -> Option<String> {
    PAGE_KEYS
        .into_iter()
        .find_map(|key| Url::parse(data.get(key)?.as_str()?.trim()).host())
}
