//! The publisher over real connections to a scripted collector.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests stop at what goes wrong"
)]

mod collector;
mod faults;
mod protocol;

use std::time::Duration;

use collector::{Collector, PATIENCE};
use shoreline_publisher::{Builder, Event, Publisher};

/// No key of any site.
const KEY: &str = "sls_demo_abcdefghijklmnopqrstuvwxyz";

/// A publisher that waits for nothing longer than it must.
fn builder(collector: &Collector) -> Builder {
    Publisher::builder(&collector.url(), KEY)
        .retry(Duration::from_millis(1), Duration::from_millis(5))
        .timeouts(PATIENCE, PATIENCE)
}

fn events(count: usize) -> Vec<Event> {
    (0..count)
        .map(|n| Event::domain("a.b", "test").data("n", n))
        .collect()
}

fn ids(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| event.event_id().to_owned())
        .collect()
}

fn queue(publisher: &Publisher, events: &[Event]) {
    for event in events {
        publisher.queue_event(event.clone()).unwrap();
    }
}
