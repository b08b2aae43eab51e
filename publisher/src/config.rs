//! What can be set, and what each is when it is not.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::outcome::Outcome;

/// Events in a batch: 25, the batch of the system that Shoreline replaces.
pub const BATCH_EVENTS: usize = 25;

/// Events in a batch at most: the collector's own limit for `/v1/ingest`.
pub const MAX_BATCH_EVENTS: usize = 1_000;

/// How long a queued event waits for others: 5 seconds, likewise from before.
pub const BATCH_WAIT: Duration = Duration::from_secs(5);

/// Events that are queued or on their way at most: what a collector's absence of some minutes brings,
/// and tens of megabytes at most of usual events.
pub const QUEUE_EVENTS: usize = 10_000;

/// Bytes of JSON that are queued or on their way at most: 16 MiB. In memory an event takes two to
/// four times its JSON.
pub const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// The longest wait of this sender's own backoff: a minute, so that a service's queue, which is in
/// memory, empties soon after the collector is back. What a collector asks for can be longer.
pub const RETRY_MAX: Duration = Duration::from_secs(60);

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one try may take, from connecting to the end of the answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How long `track_event` and `track_event_batch` try, and how long `close` takes at most.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Is told how each queued event ended.
pub(crate) type Handler = Arc<dyn Fn(&Event, &Outcome) + Send + Sync>;

/// Why a publisher cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The endpoint is no base URL such as `https://collect.example`.
    #[error("the endpoint must be a URL such as https://collect.example")]
    Endpoint,
    /// The key would be sent in the clear over a network.
    #[error("the endpoint must be https: the source key is a secret")]
    NotHttps,
    /// The key is empty, or holds what no header can.
    #[error("the source key must be printable and not empty")]
    Key,
    /// A number is out of its range.
    #[error("{0} is out of its range")]
    OutOfRange(&'static str),
    /// There is no Tokio runtime that the background task could run on.
    #[error("a publisher must be made within a Tokio runtime")]
    NoRuntime,
    /// The TLS of this machine cannot be used; it has no root certificates, say.
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
}
