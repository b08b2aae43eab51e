//! A sealed object and what became of its put.

use std::collections::HashMap;

/// An object whose name, rows and content are fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedObject {
    /// Its sequence number in the shard.
    pub sequence: i64,
    /// Its key in the lake.
    pub key: String,
    /// SHA-256 (hex) of the NDJSON before compression: gzip may differ between runtimes, the lines
    /// may not.
    pub hash: String,
    /// How many events.
    pub events: i64,
    /// How often a put was tried without its success being known.
    pub tries: u32,
}

/// The metadata key of the content hash.
pub(crate) const HASH_METADATA: &str = "sha256";

impl SealedObject {
    /// The custom metadata it is put with.
    pub fn metadata(&self) -> HashMap<String, String> {
        HashMap::from([
            (HASH_METADATA.to_owned(), self.hash.clone()),
            ("events".to_owned(), self.events.to_string()),
        ])
    }
}

/// What a sink says of a conditional put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// Written now.
    Put,
    /// The key is taken (412); the metadata of what is there.
    Taken(HashMap<String, String>),
    /// No answer, or an error: it may have landed or not.
    Unknown(String),
}

/// What is done with a sealed object after a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in the lake: its rows may go.
    Done,
    /// Try the same object again later.
    Retry,
    /// Something else lies under its key. Its rows stay, and a person must look.
    Conflict,
}

impl Landing {
    /// The fate of `object`.
    pub fn fate(&self, object: &SealedObject) -> Fate {
        match self {
            Self::Put => Fate::Done,
            Self::Taken(metadata) => fate_of_conflict(object, metadata),
            Self::Unknown(_) => Fate::Retry,
        }
    }
}

/// A taken key is our own earlier put exactly when the content hash is ours.
pub fn fate_of_conflict(object: &SealedObject, there: &HashMap<String, String>) -> Fate {
    if there.get(HASH_METADATA) == Some(&object.hash) {
        Fate::Done
    } else {
        Fate::Conflict
    }
}
