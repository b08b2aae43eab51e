//! Where a page view's visitor came from: campaign parameters and referrer, in one spelling.

mod names;
mod referrer;
mod url;

use std::borrow::Cow;

use serde_json::{Map, Value};
use shoreline_shared::pass::{Change, Origin, Own, PARAMETERS, Told, parameter};
pub use shoreline_shared::pass::{REFERRER_HOST, REFERRER_SOURCE};
use shoreline_shared::swar::{equal, find};

use names::{name_of_host, name_of_tag};
use url::{Url, plain};

/// Whether case says nothing in a campaign parameter: in the source and the medium.
/// `utm_source=Google` and `google` are one source; the name of a campaign is whatever its author
/// calls it.
const FOLDS: [bool; PARAMETERS.len()] = [true, true, false, false, false];

/// The parameter that names a source where no campaign does.
const REF: &str = "ref";

/// What addresses say of the campaign: [`PARAMETERS`], and `ref`.
#[derive(Default)]
struct Parameters<'a> {
    campaign: [Option<Cow<'a, str>>; PARAMETERS.len()],
    reference: Option<Cow<'a, str>>,
}

/// Puts a page view's origin into one spelling. `data` is its `eventData`, cleaned or not: what is
/// made here is made of what stands there, so whoever cleans it later cleans this too. It is meant
/// for page views: in what a service sends, a `referrer` can be anything. Doing it twice equals
/// doing it once. [`origin`] says what is made.
pub fn normalize(data: &mut Map<String, Value>) {
    let origin = origin(&Told::of(data)).into_owned();
    origin.put_into(data);
}

/// A page view's origin, in one spelling.
///
/// - `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`: the event's own, else
///   the page address's parameter; trimmed, source and medium in lowercase. Numbers become text.
/// - `referrer`: dropped where it is of the page's own host, `www.` or not; else it stays.
/// - `referrerHost`: the referrer's host; absent without one.
/// - `referrerSource`: `utm_source`, else the parameter `ref`, else `referrerHost`, by its usual
///   name where it is a well-known one (`Google`, `Facebook`, …); absent for direct visits.
///
/// What a sender puts under the last two keys is replaced.
pub fn origin<'t>(told: &'t Told<'_>) -> Origin<'t> {
    if says_nothing(told) {
        return Origin::default();
    }
    let Parameters {
        campaign,
        reference,
    } = parameters(told);
    let mut found = Origin::default();
    for (((change, own), folds), parameter) in found
        .parameters
        .iter_mut()
        .zip(&told.own)
        .zip(FOLDS)
        .zip(campaign)
    {
        *change = match (text_of(own, folds).or(parameter), own) {
            (Some(value), _) => Change::Set(value),
            (None, Own::Text(_)) => Change::Remove,
            // What is no text stays as it is: it is the sender's own.
            (None, _) => Change::Keep,
        };
    }
    (found.drops_referrer, found.host) = referrer::settle(told);
    let [utm_source, ..] = &found.parameters;
    let tag = match utm_source {
        Change::Set(text) => plain(text.clone(), true),
        Change::Keep | Change::Remove => None,
    };
    found.source = match (tag.or(reference), &found.host) {
        (Some(tag), _) => Some(name_of_tag(&tag).map_or(tag, Cow::Borrowed)),
        (None, Some(host)) => Some(name_of_host(host).map_or_else(|| host.clone(), Cow::Borrowed)),
        (None, None) => None,
    };
    found
}

/// Whether there is neither a parameter nor a referrer.
fn says_nothing(told: &Told<'_>) -> bool {
    let has_query = |address: &str| find(address.as_bytes(), |word| equal(word, b'?')).is_some();
    told.referrer.is_none()
        && told.own.iter().all(|own| *own == Own::Absent)
        && !told
            .addresses
            .iter()
            .flatten()
            .any(|address| has_query(address))
}

/// A text or number in its one spelling; `None` if that is empty.
fn text_of<'t>(own: &'t Own<'_>, folds: bool) -> Option<Cow<'t, str>> {
    match own {
        Own::Text(text) => plain(Cow::Borrowed(text), folds),
        Own::Number(number) => Some(Cow::Borrowed(number)),
        Own::Absent | Own::Other => None,
    }
}

/// What the page's addresses say, each parameter the first time that it says something.
fn parameters<'t>(told: &'t Told<'_>) -> Parameters<'t> {
    let mut found = Parameters::default();
    for address in told.addresses.iter().flatten() {
        Url::parse(address).each_parameter(|name, value| {
            let (place, folds) = match parameter(name) {
                Some(at) => (found.campaign.get_mut(at), FOLDS.get(at)),
                None if name == REF => (Some(&mut found.reference), Some(&false)),
                None => return,
            };
            if let (Some(place @ None), Some(folds)) = (place, folds) {
                *place = plain(value(), *folds);
            }
        });
    }
    found
}

#[cfg(test)]
mod tests;
