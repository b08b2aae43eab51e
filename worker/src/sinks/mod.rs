//! Where the lake goes: sinks, chosen by configuration, several at once.
//!
//! A request is built as a plain value, signed, sent by a [`Transport`], and its answer judged by a
//! pure function. *What became of it* ([`Failure`], [`Entry`]) is kept apart from *how long to wait*
//! ([`wait_ms`]).
//!
//! Object sinks (`r2`, `s3`) get a sealed object whole, once. Record sinks (`firehose`,
//! `eventbridge`, `sqs`) get its events in batches, at least once.

mod aws;
mod backoff;
mod credentials;
mod deliver;
mod encode;
mod eventbridge;
mod firehose;
mod http;
mod object;
mod records;
mod s3;
mod settings;
mod sigv4;
mod sqs;
mod verdict;

use serde::{Deserialize, Serialize};

pub use aws::Service;
pub use backoff::wait_ms;
pub use credentials::{Credentials, Secret};
pub use deliver::{put_object, send_records};
pub use eventbridge::EventBridge;
pub use firehose::Firehose;
pub use http::{Answer, Method, NoAnswer, SinkRequest, Transport};
pub use object::{Landing, Outcome, SealedObject};
pub use records::{Limits, Progress, Record, RecordSink, Sent, cut_batches};
pub use s3::S3;
pub use settings::{Sink, SinksConfig};
pub use sigv4::{Signing, payload_hash};
pub use sqs::Sqs;
pub use verdict::{Entry, Failure, FailureKind, judge, short_code};

/// The kinds of sinks, of which each can be chosen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SinkKind {
    /// The embedded default: a bucket binding.
    R2,
    /// Amazon S3, or anything that speaks it.
    S3,
    /// Amazon Data Firehose.
    Firehose,
    /// Amazon EventBridge.
    EventBridge,
    /// Amazon SQS.
    Sqs,
}

impl SinkKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::R2,
        Self::S3,
        Self::Firehose,
        Self::EventBridge,
        Self::Sqs,
    ];

    /// Its name, in `SINKS` and in stored data.
    pub fn name(self) -> &'static str {
        match self {
            Self::R2 => "r2",
            Self::S3 => "s3",
            Self::Firehose => "firehose",
            Self::EventBridge => "eventbridge",
            Self::Sqs => "sqs",
        }
    }

    /// The sink of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_what_stored_data_is_under() {
        let names = SinkKind::ALL.map(SinkKind::name);
        assert_eq!(names, ["r2", "s3", "firehose", "eventbridge", "sqs"]);
        for kind in SinkKind::ALL {
            assert_eq!(SinkKind::parse(kind.name()), Some(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.name()));
        }
        assert_eq!(SinkKind::parse("S3"), None);
    }
}
