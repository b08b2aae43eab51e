//! Reading JSON.

mod tree;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use serde_json::Value;

pub use tree::Node;

/// Reads JSON of bytes, as a text: `serde_json::from_slice` would bring a second parser of everything, 10 KB of the
/// worker.
///
/// # Errors
/// Where it is not UTF-8, no JSON, or not what is asked for.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text)
}

/// Reads what programs tell each other, and not with each event: through a tree, slower than [`read`] and, for each
/// type, a fraction of its code. `tree` tells where it differs.
///
/// # Errors
/// Where it is not UTF-8, no JSON, or not what is asked for.
pub fn told<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> serde_json::Result<T> {
    T::deserialize(Node::Value(&parse(text.as_ref())?))
}

/// A tree: one parser of it, whatever it is read for.
#[inline(never)]
pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Value> {
    read(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_a_text_is() {
        assert_eq!(read::<Vec<&str>>(br#"["a","b"]"#).unwrap(), ["a", "b"]);
        for wrong in [&b"[\"\xff\"]"[..], b"\xff", b"[", b"", b"{}"] {
            assert!(read::<Vec<String>>(wrong).is_err(), "{wrong:?}");
        }
    }
}
