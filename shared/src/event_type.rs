//! The names of events: the tracker's own, and those of domain events.

use alloc::{borrow::ToOwned, string::String};

use crate::limits::MAX_EVENT_TYPE_CHARS;

/// [`TrackerType::PageView`], by name.
pub const PAGE_VIEW: &str = TrackerType::PageView.as_str();
/// [`TrackerType::FeatureUse`], by name.
pub const FEATURE_USE: &str = TrackerType::FeatureUse.as_str();
/// [`TrackerType::ContentCreate`], by name.
pub const CONTENT_CREATE: &str = TrackerType::ContentCreate.as_str();
/// [`TrackerType::AiRequest`], by name.
pub const AI_REQUEST: &str = TrackerType::AiRequest.as_str();
/// [`TrackerType::Identify`], by name.
pub const IDENTIFY: &str = TrackerType::Identify.as_str();
/// [`TrackerType::Error`], by name.
pub const ERROR: &str = TrackerType::Error.as_str();

/// An event type that pages send. Each needs a user, a session and metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackerType {
    /// A page was shown.
    PageView,
    /// A feature was used; `eventData.feature` says which.
    FeatureUse,
    /// Content was made.
    ContentCreate,
    /// A model was asked.
    AiRequest,
    /// Something failed.
    Error,
    /// A page was left.
    PageLeave,
    /// A measurement of how a page loaded and responded.
    WebVital,
    /// A link to another site was followed.
    Outbound,
    /// A file was downloaded.
    Download,
    /// A form was sent.
    Form,
    /// A visitor is somebody; `eventData.anonymousId` says by which id they were known before.
    Identify,
}

impl TrackerType {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::PageView,
        Self::FeatureUse,
        Self::ContentCreate,
        Self::AiRequest,
        Self::Error,
        Self::PageLeave,
        Self::WebVital,
        Self::Outbound,
        Self::Download,
        Self::Form,
        Self::Identify,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PageView => "page_view",
            Self::FeatureUse => "feature_use",
            Self::ContentCreate => "content_create",
            Self::AiRequest => "ai_request",
            Self::Error => "error",
            Self::PageLeave => "page_leave",
            Self::WebVital => "web_vital",
            Self::Outbound => "outbound",
            Self::Download => "download",
            Self::Form => "form",
            Self::Identify => "identify",
        }
    }

    /// The type of this exact name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == name)
    }
}

/// What kind of event it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// One of the tracker's.
    Tracker(TrackerType),
    /// A domain event of a service, such as `iam.user-registered`.
    Domain(String),
}

impl EventType {
    /// Reads a name: a tracker type, or any other name that [`is_domain_name`] allows a sender.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(tracker) = TrackerType::parse(name) {
            return Some(Self::Tracker(tracker));
        }
        is_domain_name(name).then(|| Self::Domain(name.to_owned()))
    }

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tracker(tracker) => tracker.as_str(),
            Self::Domain(name) => name,
        }
    }
}

/// Whether a sender may use this name for a domain event: `[A-Za-z0-9._-]{1,100}`, and none of the tracker's. Also one
/// that Shoreline's own events have (`INGEST_ANALYTICS`): these are of a site of their own.
pub fn is_domain_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_EVENT_TYPE_CHARS).contains(&name.len())
        && name.bytes().all(allowed)
        && TrackerType::parse(name).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracker_types_keep_their_names() {
        let names = TrackerType::ALL.map(TrackerType::as_str);
        assert_eq!(
            names,
            [
                "page_view",
                "feature_use",
                "content_create",
                "ai_request",
                "error",
                "page_leave",
                "web_vital",
                "outbound",
                "download",
                "form",
                "identify"
            ]
        );
        for each in TrackerType::ALL {
            assert_eq!(TrackerType::parse(each.as_str()), Some(each));
            assert_eq!(
                EventType::parse(each.as_str()),
                Some(EventType::Tracker(each))
            );
            assert!(!is_domain_name(each.as_str()));
        }
        assert_eq!(PAGE_VIEW, "page_view");
    }

    #[test]
    fn domain_names_have_a_syntax() {
        let longest = "x".repeat(100);
        for good in [
            "iam.user-registered",
            "ProductCreated",
            "com.example.order.v1",
            "PAGE_VIEW",
            "-",
            "analytics",
            "QUERY_ANALYTICS",
            &longest,
        ] {
            let parsed = EventType::parse(good);
            assert_eq!(parsed.as_ref().map(EventType::as_str), Some(good));
        }
        let too_long = "x".repeat(101);
        for bad in ["", "a b", "a/b", "é", "a\n", "<script>", &too_long] {
            assert_eq!(EventType::parse(bad), None, "{bad}");
        }
    }
}
