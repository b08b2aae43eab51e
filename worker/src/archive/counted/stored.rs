//! A stored event as the read models read it: the few fields they count, everything else skipped.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use shoreline_shared::limits::MAX_DEPTH;
use shoreline_shared::pass::{Kind, Scanned, Tape};

/// The fields of a stored event that are counted.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq))]
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
    #[serde(borrow, default)]
    pub(super) tenant_id: Option<Cow<'a, str>>,
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
#[cfg_attr(test, derive(PartialEq))]
#[serde(rename_all = "camelCase")]
pub(super) struct Data<'a> {
    #[serde(borrow, default)]
    pub(super) path: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) url: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) page: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) referrer_host: Option<Raw<'a>>,
    #[serde(borrow, default, rename = "utm_source")]
    pub(super) utm_source: Option<Raw<'a>>,
    #[serde(borrow, default, rename = "utm_medium")]
    pub(super) utm_medium: Option<Raw<'a>>,
    #[serde(borrow, default, rename = "utm_campaign")]
    pub(super) utm_campaign: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) feature: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) duration: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) content_type: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) model: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) tokens: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) cost: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) message: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) status: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) value: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub(super) anonymous_id: Option<Raw<'a>>,
}

/// What of `metadata` is counted.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(super) platform: Option<Raw<'a>>,
}

/// The JSON text of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw<'a>(pub(super) &'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(from).map(|raw| Raw(raw.get()))
    }
}

/// The text of a value that is one.
pub(super) fn text(value: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    let Raw(json) = value?;
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

impl<'a> Stored<'a> {
    /// Reads a line. What the tape does not take, or has some name twice, is left to serde, which takes three times
    /// as long and says what is wrong.
    ///
    /// # Errors
    /// Where the line is no stored event.
    pub fn read(line: &'a str, tape: &mut Tape) -> serde_json::Result<Self> {
        let scanned = tape.scan(line, MAX_DEPTH);
        match scanned.and_then(|()| Self::of(tape.root(line))) {
            Some(stored) => Ok(stored),
            None => serde_json::from_str(line),
        }
    }

    fn of(root: Scanned<'a, '_>) -> Option<Self> {
        let (mut id, mut kind, mut source, mut received) = (None, None, None, None);
        let (mut data, mut metadata) = (None, None);
        let mut stored = Stored {
            event_id: Cow::Borrowed(""),
            event_type: Cow::Borrowed(""),
            source: Cow::Borrowed(""),
            tenant_id: None,
            user_id: None,
            session_id: None,
            timestamp: None,
            received_at: 0,
            country: None,
            region: None,
            browser: None,
            os: None,
            device: None,
            event_data: Data::default(),
            metadata: Metadata::default(),
        };
        for member in object(root)? {
            let slot = match member.key()? {
                "eventId" => &mut id,
                "eventType" => &mut kind,
                "source" => &mut source,
                "tenantId" => &mut stored.tenant_id,
                "userId" => &mut stored.user_id,
                "sessionId" => &mut stored.session_id,
                "country" => &mut stored.country,
                "region" => &mut stored.region,
                "browser" => &mut stored.browser,
                "os" => &mut stored.os,
                "device" => &mut stored.device,
                "timestamp" => {
                    put(&mut stored.timestamp, whole(member)?)?;
                    continue;
                }
                "receivedAt" => {
                    put(&mut received, whole(member)?)?;
                    continue;
                }
                "eventData" => {
                    put(&mut data, Data::of(member)?)?;
                    continue;
                }
                "metadata" => {
                    put(&mut metadata, Metadata::of(member)?)?;
                    continue;
                }
                _ => continue,
            };
            match member.kind() {
                Kind::Text => put(slot, Cow::Borrowed(member.plain()?))?,
                Kind::Escaped => put(slot, serde_json::from_str(member.raw()).ok()?)?,
                // Null is none, but it counts as the one that there may be.
                _ => return None,
            }
        }
        stored.event_id = id?;
        stored.event_type = kind?;
        stored.source = source?;
        stored.received_at = received?;
        stored.event_data = data.unwrap_or_default();
        stored.metadata = metadata.unwrap_or_default();
        Some(stored)
    }
}

impl<'a> Data<'a> {
    fn of(data: Scanned<'a, '_>) -> Option<Self> {
        let mut read = Self::default();
        for member in object(data)? {
            let slot = match member.key()? {
                "path" => &mut read.path,
                "url" => &mut read.url,
                "page" => &mut read.page,
                "referrerHost" => &mut read.referrer_host,
                "utm_source" => &mut read.utm_source,
                "utm_medium" => &mut read.utm_medium,
                "utm_campaign" => &mut read.utm_campaign,
                "feature" => &mut read.feature,
                "duration" => &mut read.duration,
                "contentType" => &mut read.content_type,
                "model" => &mut read.model,
                "tokens" => &mut read.tokens,
                "cost" => &mut read.cost,
                "message" => &mut read.message,
                "status" => &mut read.status,
                "name" => &mut read.name,
                "value" => &mut read.value,
                "anonymousId" => &mut read.anonymous_id,
                _ => continue,
            };
            put(slot, raw(member)?)?;
        }
        Some(read)
    }
}

impl<'a> Metadata<'a> {
    fn of(metadata: Scanned<'a, '_>) -> Option<Self> {
        let mut read = Self::default();
        for member in object(metadata)? {
            if member.key()? == "platform" {
                put(&mut read.platform, raw(member)?)?;
            }
        }
        Some(read)
    }
}

fn object<'t, 'n>(value: Scanned<'t, 'n>) -> Option<impl Iterator<Item = Scanned<'t, 'n>>> {
    (value.kind() == Kind::Object).then(|| value.children())
}

/// A value for the first time.
fn put<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn whole(member: Scanned<'_, '_>) -> Option<i64> {
    member.raw().parse().ok()
}

/// What is there and not null.
fn raw<'a>(member: Scanned<'a, '_>) -> Option<Raw<'a>> {
    (member.kind() != Kind::Null).then(|| Raw(member.raw()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Both ways read the same, or neither reads it.
    fn both(line: &str) -> Result<(), TestCaseError> {
        let slow = serde_json::from_str::<Stored<'_>>(line);
        let fast = Stored::read(line, &mut Tape::default());
        match (fast, slow) {
            (Ok(fast), Ok(slow)) => prop_assert_eq!(fast, slow, "{}", line),
            (fast, slow) => prop_assert!(fast.is_err() && slow.is_err(), "{}", line),
        }
        Ok(())
    }

    /// A line, and whether the tape reads it.
    fn is_fast(line: &str) -> bool {
        let mut tape = Tape::default();
        let scanned = tape.scan(line, MAX_DEPTH);
        scanned.and_then(|()| Stored::of(tape.root(line))).is_some()
    }

    const USUAL: &str = r#"{"eventId":"a","eventType":"page_view","source":"tracker","userId":"u\u00e4",
        "timestamp":-5,"receivedAt":7,"country":"DE","eventData":{"path":"/a\"","tokens":3,"deep":{"url":1}},
        "metadata":{"platform":"web"}}"#;

    #[test]
    fn usual_lines_are_read_by_the_tape() {
        assert!(is_fast(USUAL));
        both(USUAL).unwrap();
    }

    #[test]
    fn odd_lines_are_read_as_by_serde() {
        let with = |members: &str| {
            format!(r#"{{"eventId":"a","eventType":"b","source":"c","receivedAt":7,{members}}}"#)
        };
        for members in [
            r#""userId":null"#,
            r#""userId":7"#,
            r#""userId":"a","userId":"b""#,
            r#""userId":null,"userId":"b""#,
            r#""timestamp":1.5"#,
            r#""timestamp":null"#,
            r#""timestamp":99999999999999999999"#,
            r#""eventData":null"#,
            r#""eventData":[1]"#,
            r#""eventData":{"path":null,"path":"x"}"#,
            r#""eventData":{"p\u0061th":"x"}"#,
            r#""country":"\ud800""#,
            r#""eventData":{"path":"\ud800"}"#,
            r#""receivedAt":8"#,
        ] {
            both(&with(members)).unwrap();
        }
        let deep = format!(
            "\"eventData\":{{\"x\":{}{}}}",
            "[".repeat(40),
            "]".repeat(40)
        );
        both(&with(&deep)).unwrap();
        let keys: Vec<String> = (0..300).map(|n| format!("\"k{n}\":1")).collect();
        both(&with(&format!(
            "\"eventData\":{{\"path\":\"/\",{}}}",
            keys.join(",")
        )))
        .unwrap();
        both("7").unwrap();
        both("{").unwrap();
    }

    proptest! {
        #[test]
        fn both_ways_read_what_is_mutated_the_same(
            from in 0..USUAL.len(),
            length in 0..6_usize,
            with in "[\\[\\]{}\",:0-9a-z\\\\ ]{0,4}",
        ) {
            let to = from.saturating_add(length).min(USUAL.len());
            if USUAL.is_char_boundary(from) && USUAL.is_char_boundary(to) {
                both(&format!("{}{with}{}", &USUAL[..from], &USUAL[to..]))?;
            }
        }
    }
}
