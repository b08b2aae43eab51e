//! What an event is, from the page to the lake. The wire contract in words is `docs/EVENTS.md`.
//!
//! At the collector an event goes through four stages, each a type that only the stage before it
//! can make, so that nothing unchecked or uncleaned can be published by mistake:
//!
//! `event::RawEvent` ▸ `validate::ValidEvent` ▸ `sanitize::CleanEvent` ▸ `stamp::StampedEvent`
//!
//! Nothing here does I/O, reads a clock or makes randomness: time (Unix milliseconds) and random
//! bytes are arguments. Nothing here panics on any input.
//!
//! Without the feature `pipeline` only [`limits`], [`retry`], [`event_type`] and [`id`] are left,
//! in `no_std`: what the tracker needs.
#![cfg_attr(
    feature = "pipeline",
    doc = r##"
```
use shoreline_shared::{
    event::RawEvent,
    sanitize::{Privacy, sanitize},
    stamp::{Stamp, stamp},
    validate::{Rules, Sender, validate},
};

let text = r#"{"eventType":"page_view","userId":"u-1","sessionId":"s-1",
               "eventData":{"url":"https://shop.example/a?email=bob%40x.example"},
               "metadata":{"platform":"web"}}"#;
let sender = Sender::Browser { user_agent: Some("Mozilla/5.0"), ip: Some("203.0.113.77"), adapted: false };
let rules = Rules { now_ms: 1_705_334_400_000, retention_days: 30, any_past: false };

let valid = validate(RawEvent::parse(text)?, &sender, &rules)?;
let clean = sanitize(valid, &Privacy::default());
let stamped = stamp(clean, &Stamp {
    site_id: "demo",
    source: "tracker",
    event_id: "018d0e2c-7c00-7000-8000-000000000001",
    received_at: 1_705_334_400_000,
    batch_id: None,
    country: Some("DE"),
    ..Stamp::default()
});
assert_eq!(stamped.page(), Some("/a"));
assert!(stamped.json().contains(r#""url":"https://shop.example/a""#));
assert!(stamped.json().contains(r#""ipAddress":"203.0.113.0""#));
# Ok::<(), shoreline_shared::event::Rejection>(())
```
"##
)]
#![cfg_attr(not(any(feature = "pipeline", test)), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod event_type;
pub mod id;
pub mod limits;
pub mod retry;

#[cfg(feature = "pipeline")]
pub mod bits;
#[cfg(feature = "pipeline")]
pub mod crowd;
#[cfg(feature = "pipeline")]
pub mod event;
#[cfg(feature = "pipeline")]
pub mod lines;
#[cfg(feature = "pipeline")]
pub mod pass;
#[cfg(feature = "pipeline")]
pub mod privacy;
#[cfg(feature = "pipeline")]
pub mod sanitize;
#[cfg(feature = "pipeline")]
pub mod set;
#[cfg(feature = "pipeline")]
pub mod stamp;
#[cfg(feature = "pipeline")]
pub mod stays;
#[cfg(feature = "pipeline")]
pub mod swar;
#[cfg(feature = "pipeline")]
pub mod tally;
#[cfg(feature = "pipeline")]
mod text;
#[cfg(feature = "pipeline")]
pub mod validate;
