//! That a publisher is being closed, and by when it must be.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Told once, seen by the background task wherever it waits.
#[derive(Debug, Clone)]
pub(crate) struct Closing {
    until: watch::Receiver<Option<Instant>>,
    seen: bool,
}

impl Closing {
    /// Nothing is closing yet; the sender says when it must be over.
    pub(crate) fn new() -> (watch::Sender<Option<Instant>>, Self) {
        let (sender, until) = watch::channel(None);
        (sender, Self { until, seen: false })
    }

    /// Ends when closing begins, once: to a second call it never begins.
    pub(crate) async fn begins(&mut self) {
        if self.seen || self.until.wait_for(Option::is_some).await.is_err() {
            // The publisher was dropped, not closed: there is no hurry.
            std::future::pending::<()>().await;
        }
        self.seen = true;
    }

    /// Ends when the time to close is over.
    pub(crate) async fn is_over(&mut self) {
        let until = self
            .until
            .wait_for(Option::is_some)
            .await
            .map(|until| *until);
        match until {
            Ok(Some(until)) => sleep_until(until).await,
            _ => std::future::pending().await,
        }
    }
}
