//! Publishes a service's events to a Shoreline collector (`POST /v1/ingest`, with a source key).
//!
//! ```no_run
//! use shoreline_publisher::{Event, Publisher, Visit};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let publisher = Publisher::new("https://collect.example", &std::env::var("SHORELINE_KEY")?)?;
//!
//! // In the way of a request: returns at once, is sent with others.
//! publisher.queue_event(
//!     Event::domain("com.example.order.v1", "orders").user("user-123").data("total", 1250),
//! )?;
//!
//! // Where the answer matters: sent now, and answered for.
//! let visit = Visit {
//!     user_id: "user-123",
//!     session_id: "session-456",
//!     user_agent: "Mozilla/5.0",
//!     ip_address: "203.0.113.7",
//!     platform: "web",
//! };
//! publisher.track_event(&Event::feature_use(&visit, "export").data("duration", 5000)).await?;
//!
//! // Before the process ends.
//! let closure = publisher.close().await;
//! for event in &closure.undelivered {
//!     eprintln!("{}", serde_json::to_string(event)?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - **Nothing is lost in silence.** A queued event is sent again until the collector has answered for
//!   it. Every event ends once, as an [`Outcome`]: taken, rejected, refused or undelivered. Of a queued
//!   one [`Builder::on_outcome`] is told, and [`Publisher::counts`] counts it; what [`Publisher::close`]
//!   could not deliver it gives back. The queue is memory: events that must outlive a crash belong into
//!   the service's own outbox table, from where [`Publisher::track_event_batch`] sends them.
//! - **Nothing counts twice.** An [`Event`] has its id from the moment it is made, a batch is sealed under
//!   an `Idempotency-Key` of its own, and every retry sends the same bytes.
//! - **Memory is bounded**, in events and bytes. A full queue is an error
//!   ([`Publisher::queue_event`]) or a wait ([`Publisher::queue_event_wait`]); it never drops.
//! - **In order.** Queued events are sent in the order they were queued in, one batch after another.
//!
//! # What is sent again
//!
//! 429, 5xx, timeouts and failed connections, after a wait that doubles with jitter, and never before
//! `Retry-After`. A batch that is too large (413) is sent in halves. Any other 4xx is final. A 2xx
//! counts only with an answer that accounts for every event of the batch.
//!
//! It logs by the `log` crate: each failed try, and what was dropped without being closed.
#![forbid(unsafe_code)]

mod ambient;
mod answer;
mod batcher;
mod closing;
mod config;
mod courier;
mod event;
mod intake;
mod outcome;
mod publisher;
mod sealed;
mod task;
mod transport;

pub use config::{
    BATCH_EVENTS, BATCH_WAIT, CALL_TIMEOUT, CONNECT_TIMEOUT, ConfigError, MAX_BATCH_EVENTS,
    QUEUE_BYTES, QUEUE_EVENTS, REQUEST_TIMEOUT, RETRY_MAX,
};
pub use event::{Command, Event, Visit};
pub use outcome::{Closed, Counts, Outcome, Problem, PublishError, QueueError, Receipt, Report};
pub use publisher::{Builder, Closure, Publisher};
