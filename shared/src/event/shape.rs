//! Size, nesting and keys, before anything is built or walked by recursion.

use serde_json::{Map, Value};

use super::Rejection;
use crate::limits::{MAX_DEPTH, MAX_EVENT_BYTES, MAX_KEYS};

/// Looks at nesting and keys in one scan of the text, which need not be well-formed: a colon
/// outside a string stands for a key.
pub(super) fn check_text(text: &str) -> Result<(), Rejection> {
    let mut keys = [0_usize; MAX_DEPTH];
    let mut depth = 0_usize;
    let mut too_many_keys = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                let Some(count) = keys.get_mut(depth) else {
                    return Err(Rejection::too_deep());
                };
                *count = 0;
                depth = depth.saturating_add(1);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' => {
                if let Some(count) = keys.get_mut(depth.saturating_sub(1)) {
                    *count = count.saturating_add(1);
                    too_many_keys |= *count > MAX_KEYS;
                }
            }
            _ => {}
        }
    }
    if too_many_keys {
        return Err(Rejection::too_many_keys());
    }
    Ok(())
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

/// The same of an object, and its size.
pub(super) fn check_fields(fields: &Map<String, Value>) -> Result<(), Rejection> {
    let mut too_many_keys = false;
    // Before the size: writing recurses, and must not do so without bound.
    if !fields_within(fields, MAX_DEPTH, &mut too_many_keys) {
        return Err(Rejection::too_deep());
    }
    let mut size = Size(0);
    if serde_json::to_writer(&mut size, fields).is_err() || size.0 > MAX_EVENT_BYTES {
        return Err(Rejection::too_large());
    }
    if too_many_keys {
        return Err(Rejection::too_many_keys());
    }
    Ok(())
}

/// Whether an object has at most this many levels; notes an object with too many keys.
fn fields_within(fields: &Map<String, Value>, levels: usize, too_many_keys: &mut bool) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return false;
    };
    *too_many_keys |= fields.len() > MAX_KEYS;
    fields
        .values()
        .all(|value| value_within(value, below, too_many_keys))
}

fn value_within(value: &Value, levels: usize, too_many_keys: &mut bool) -> bool {
    match value {
        Value::Object(fields) => fields_within(fields, levels, too_many_keys),
        Value::Array(items) => levels.checked_sub(1).is_some_and(|below| {
            let mut items = items.iter();
            items.all(|item| value_within(item, below, too_many_keys))
        }),
        _ => true,
    }
}

/// Counts what is written to it.
struct Size(usize);

impl std::io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
