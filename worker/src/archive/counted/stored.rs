//! A stored event as the read models read it: the few fields they count, everything else skipped.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The fields of a stored event that are counted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored<'a> {
    /// Its id.
    #[serde(borrow)]
    pub event_id: Cow<'a, str>,
    /// Its type.
    #[serde(borrow)]
    pub event_type: Cow<'a, str>,
    /// Its source.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// Its user.
    #[serde(borrow, default)]
    pub user_id: Option<Cow<'a, str>>,
    /// Its session.
    #[serde(borrow, default)]
    pub session_id: Option<Cow<'a, str>>,
    /// When it happened; where nothing says so, when it was received.
    #[serde(default)]
    pub timestamp: Option<i64>,
    /// When it was received.
    pub received_at: i64,
    #[serde(borrow, default)]
    pub(super) country: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) region: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) browser: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) os: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) device: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) event_data: Data<'a>,
    #[serde(borrow, default)]
    pub(super) metadata: Metadata<'a>,
}

/// What of `eventData` is counted, of whatever JSON type it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data<'a> {
    #[serde(borrow, default)]
    pub(super) path: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) page: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) referrer_host: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "utm_source")]
    pub(super) utm_source: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "utm_medium")]
    pub(super) utm_medium: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "utm_campaign")]
    pub(super) utm_campaign: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) feature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) duration: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) cost: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) value: Option<&'a RawValue>,
}

/// What of `metadata` is counted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(super) platform: Option<&'a RawValue>,
}

/// The text of a value that is one.
pub(super) fn text<'a>(value: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    let json = value?.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}
