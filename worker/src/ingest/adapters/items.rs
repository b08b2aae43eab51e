//! The items of a body, none of them looked at yet: each stays text.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::MAX_ITEMS;
use crate::http::error::Fault;
use crate::ingest::draft::{Delivery, Draft};

/// An item that stands for itself.
pub(super) fn same(text: &str) -> &str {
    text
}

/// Makes one draft of each item, and notes its text.
pub(super) fn delivery<'a, T: Copy>(
    items: Vec<T>,
    text: impl Fn(T) -> &'a str,
    draft: impl Fn(T) -> Draft<'a>,
) -> Result<Delivery<'a>, Fault> {
    if items.len() > MAX_ITEMS {
        return Err(Fault::PayloadTooLarge(
            "A request holds at most 1,000 items; split it.",
        ));
    }
    if items.is_empty() {
        return Err(Fault::NoValidEvent(Vec::new()));
    }
    Ok(Delivery {
        texts: items.iter().map(|item| text(*item)).collect(),
        drafts: items.into_iter().map(draft).collect(),
        ..Delivery::default()
    })
}

pub(super) fn utf8(body: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(body).map_err(|_| Fault::malformed("The body is not UTF-8."))
}

/// The body's one JSON value, without the white space around it.
pub(super) fn one(text: &str) -> Result<&str, Fault> {
    serde_json::from_str::<&RawValue>(text)
        .map(RawValue::get)
        .map_err(|_| Fault::malformed("The body is not well-formed JSON."))
}

/// The items of an array's text. Of more than [`MAX_ITEMS`] one more is kept, to tell: a body of
/// millions of empty arrays must not become a list of millions.
pub(super) fn split(array: &str) -> Result<Vec<&str>, Fault> {
    struct Items;

    impl<'de> Visitor<'de> for Items {
        type Value = Vec<&'de str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while items.len() <= MAX_ITEMS {
                match seq.next_element::<&'de RawValue>()? {
                    Some(item) => items.push(item.get()),
                    None => return Ok(items),
                }
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(items)
        }
    }

    serde_json::Deserializer::from_str(array)
        .deserialize_seq(Items)
        .map_err(|_| Fault::malformed("The body must be a JSON array."))
}
