//! Sets up a publisher.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shoreline_shared::limits::{MAX_BATCH_BYTES, MAX_EVENT_BYTES, RETRY_BASE_MS};
use shoreline_shared::retry::RetryPolicy;

use super::Publisher;
use crate::batcher::BatchLimits;
use crate::config::{
    BATCH_EVENTS, BATCH_WAIT, CALL_TIMEOUT, CONNECT_TIMEOUT, ConfigError, Handler,
    MAX_BATCH_EVENTS, QUEUE_BYTES, QUEUE_EVENTS, REQUEST_TIMEOUT, RETRY_MAX,
};
use crate::courier::Courier;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::transport::{Http, Transport};

/// Who sets a longer wait than a year means to wait for ever, which clocks cannot add up.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Sets up a [`Publisher`]; made by [`Publisher::builder`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), shoreline_publisher::ConfigError> {
/// use std::time::Duration;
/// use shoreline_publisher::Publisher;
///
/// let publisher = Publisher::builder("https://collect.example", "sls_shop_0123456789")
///     .batch_wait(Duration::from_secs(1))
///     .queue_events(50_000)
///     .on_outcome(|event, outcome| {
///         if let Err(error) = outcome {
///             eprintln!("event {}: {error}", event.event_id());
///         }
///     })
///     .build()?;
/// # assert_eq!(publisher.pending(), 0);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is made before build()"]
pub struct Builder {
    endpoint: String,
    source_key: String,
    pub(crate) limits: BatchLimits,
    pub(crate) queue_events: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) call_timeout: Duration,
    pub(crate) handler: Option<Handler>,
    retry_base: Duration,
    retry_max: Duration,
    connect_timeout: Duration,
    request_timeout: Duration,
    allow_http: bool,
}

impl fmt::Debug for Builder {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(endpoint: &str, source_key: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            source_key: source_key.to_owned(),
            limits: BatchLimits {
                events: BATCH_EVENTS,
                bytes: MAX_BATCH_BYTES,
                wait: BATCH_WAIT,
            },
            queue_events: QUEUE_EVENTS,
            queue_bytes: QUEUE_BYTES,
            call_timeout: CALL_TIMEOUT,
            handler: None,
            retry_base: Duration::from_millis(RETRY_BASE_MS),
            retry_max: RETRY_MAX,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            allow_http: false,
        }
    }

    /// Events in a batch: 1 to [`MAX_BATCH_EVENTS`], else [`BATCH_EVENTS`]. Batches are sent one after
    /// another, so larger ones carry more.
    pub fn batch_events(mut self, events: usize) -> Self {
        self.limits.events = events;
        self
    }

    /// How long a queued event waits for others; else [`BATCH_WAIT`].
    pub fn batch_wait(mut self, wait: Duration) -> Self {
        self.limits.wait = wait;
        self
    }

    /// Bytes of a batch's body at most: what one event can have (32 KiB and its brackets) to 4 MiB,
    /// the collector's limit; else 512 KiB.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Events that are queued or on their way at most; else [`QUEUE_EVENTS`].
    pub fn queue_events(mut self, events: usize) -> Self {
        self.queue_events = events;
        self
    }

    /// Bytes of JSON that are queued or on their way at most, 32 KiB to 2 GiB; else [`QUEUE_BYTES`].
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// The first wait after a failure, and the longest; else a second and [`RETRY_MAX`]. Waits double
    /// from the one to the other, up to half of each left to chance.
    pub fn retry(mut self, first: Duration, longest: Duration) -> Self {
        self.retry_base = first;
        self.retry_max = longest;
        self
    }

    /// How long one try may take, and the connecting in it; else [`REQUEST_TIMEOUT`] and
    /// [`CONNECT_TIMEOUT`].
    pub fn timeouts(mut self, request: Duration, connect: Duration) -> Self {
        self.request_timeout = request;
        self.connect_timeout = connect;
        self
    }

    /// How long [`Publisher::track_event`], [`Publisher::track_event_batch`] and [`Publisher::close`]
    /// try; else [`CALL_TIMEOUT`].
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Is told how each **queued** event ended, once each: the place to keep what was refused or not
    /// delivered. It is called by the background task and should be quick; a panic in it is logged.
    /// Without it, what was not taken is logged as a warning, by id.
    pub fn on_outcome(
        mut self,
        handler: impl Fn(&Event, &Outcome) + Send + Sync + 'static,
    ) -> Self {
        self.handler = Some(Arc::new(handler));
        self
    }

    /// Allows `http://` to other machines too: inside a network that is itself encrypted. To this
    /// machine it is always allowed.
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Starts the publisher.
    ///
    /// # Errors
    /// What is set does not fit, or there is no Tokio runtime. Nothing is sent yet, so a wrong key shows
    /// with the first batch.
    pub fn build(self) -> Result<Publisher, ConfigError> {
        let http = Http::new(
            &self.endpoint,
            &self.source_key,
            self.connect_timeout,
            self.request_timeout,
            self.allow_http,
        )?;
        self.build_with(Arc::new(http))
    }

    /// Starts the publisher with a transport of its own.
    pub(crate) fn build_with(
        mut self,
        transport: Arc<dyn Transport>,
    ) -> Result<Publisher, ConfigError> {
        self.check()?;
        for duration in [&mut self.limits.wait, &mut self.call_timeout] {
            *duration = (*duration).min(FAR);
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let courier = Courier {
            transport,
            retry: RetryPolicy {
                base_ms: milliseconds(self.retry_base),
                max_ms: milliseconds(self.retry_max),
            },
        };
        Ok(Publisher::start(self, courier, &runtime))
    }

    fn check(&self) -> Result<(), ConfigError> {
        // An event and the two brackets around it.
        let one_event = MAX_EVENT_BYTES.saturating_add(2);
        for (name, is, range) in [
            ("batch_events", self.limits.events, 1..=MAX_BATCH_EVENTS),
            ("batch_bytes", self.limits.bytes, one_event..=MAX_BODY_BYTES),
            ("queue_events", self.queue_events, 1..=MAX_QUEUE),
            ("queue_bytes", self.queue_bytes, MAX_EVENT_BYTES..=MAX_QUEUE),
        ] {
            if !range.contains(&is) {
                return Err(ConfigError::OutOfRange(name));
            }
        }
        Ok(())
    }
}

/// Bytes of a body at most: the collector's own limit for `/v1/ingest`.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// What a queue can be set to at most, in events or bytes: 2³¹, far from where semaphores end.
const MAX_QUEUE: usize = 1 << 31;

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
