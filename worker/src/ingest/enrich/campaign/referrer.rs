//! The page that a visitor came from.

use std::borrow::Cow;

use shoreline_shared::pass::{PAGE_KEYS, Told};

use super::url::Url;

/// Whether the referrer is the site itself and has to go, and the host of one that is not.
pub(super) fn settle<'t>(told: &'t Told<'_>) -> (bool, Option<Cow<'t, str>>) {
    let Some(referrer) = &told.referrer else {
        return (false, None);
    };
    let referrer = referrer.trim();
    let host = Url::parse(referrer).host();
    // An address without a host is one of the page's own.
    let is_internal = referrer.is_empty() || referrer.starts_with('/') && host.is_none();
    if is_internal || host.is_some() && host == page_host(told) {
        return (true, None);
    }
    (false, host)
}

fn page_host<'t>(told: &'t Told<'_>) -> Option<Cow<'t, str>> {
    let mut addresses = PAGE_KEYS.iter().zip(&told.addresses);
    addresses.find_map(|(key, address)| {
        let address = address.as_deref()?.trim();
        // A path that begins with two slashes names no host.
        let is_host_named = *key == "url" || !address.starts_with("//");
        is_host_named.then(|| Url::parse(address).host())?
    })
}
