//! Kafka: the records of the REST proxy's v2 API. Connectors that post values alone need no adapter.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{items, recognize};
use crate::http::error::Fault;
use crate::ingest::draft::{Delivery, Draft};

#[derive(Deserialize)]
struct Records<'a> {
    #[serde(borrow)]
    records: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// `{"records": [{"key"?, "value"}, …]}`.
pub(super) fn records(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    let text = items::one(items::utf8(body)?)?;
    let records = serde_json::from_str::<Records<'_>>(text)
        .ok()
        .filter(|_| text.starts_with('{'))
        .and_then(|records| records.records)
        .filter(|records| records.get().starts_with('['))
        .ok_or(Fault::Malformed {
            field: Some("records"),
            detail: "records must be an array.",
        })?;
    items::delivery(items::split(records.get())?, value, record)
}

/// What a record tells: the text of its value, or of the record where it has none.
pub(super) fn value(text: &str) -> &str {
    match serde_json::from_str::<Record<'_>>(text) {
        Ok(Record { value: Some(value) }) if text.starts_with('{') => value.get(),
        _ => text,
    }
}

/// One record: its value is the item. A tombstone (a null value) deletes a key and tells nothing.
pub(super) fn record(text: &str) -> Draft<'_> {
    // A derived struct would take an array of its fields too.
    if !text.starts_with('{') {
        return Draft::Text(text);
    }
    match serde_json::from_str::<Record<'_>>(text) {
        Ok(Record { value: Some(value) }) => recognize::item(value.get()),
        _ => recognize::unknown(text),
    }
}

#[cfg(test)]
mod tests;
