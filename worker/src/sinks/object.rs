//! A sealed object and what became of its put.

use std::collections::HashMap;

use crate::sinks::{Failure, Sent};

/// An object whose name, segments and content are fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedObject {
    /// Its sequence number in the shard.
    pub sequence: i64,
    /// Its key in the lake.
    pub key: String,
    /// SHA-256 (hex) of its bytes, which are stored as they will be put: every sink and every try gets
    /// the same.
    pub hash: String,
    /// How many events.
    pub events: i64,
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
    Failed(Failure),
}

/// What became of an attempt to deliver an object to a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The sink has all of it.
    Done,
    /// Something else lies under its key. It stays here, and a person must look.
    Conflict,
    /// Try the same object again later.
    Failed(Failure),
    /// A record sink got some of its events, or all.
    Sent(Sent),
}

impl Landing {
    /// The outcome for `object`.
    pub fn outcome(self, object: &SealedObject) -> Outcome {
        match self {
            Self::Put => Outcome::Done,
            Self::Taken(metadata) => outcome_of_conflict(object, &metadata),
            Self::Failed(failure) => Outcome::Failed(failure),
        }
    }
}

/// A taken key is our own earlier put exactly when the content hash is ours.
fn outcome_of_conflict(object: &SealedObject, there: &HashMap<String, String>) -> Outcome {
    if there.get(HASH_METADATA) == Some(&object.hash) {
        Outcome::Done
    } else {
        Outcome::Conflict
    }
}
