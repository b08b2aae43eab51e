//! Shoreline watches itself: what it knows of each call, and the events it makes of them.
//!
//! A call's event is made after its answer, kept in the isolate for some seconds ([`Buffer`]) and
//! committed with others to the outbox of Shoreline's own site, from where it goes the way of all
//! events. The commit is no call, so it makes no event of its own.

mod buffer;
mod call;
mod event;
mod histogram;
mod line;
mod route;

pub use buffer::{Buffer, EXACT_PER_SECOND, FLUSH_EVERY_MS, FLUSH_FROM, MAX_GROUPS, MAX_WITH_SITE};
pub use call::{Call, current, within};
pub use event::{Batch, Operation};
pub use histogram::{BOUNDS_MS, Histogram, bucket_of};
pub use route::{Kind, Route, method_name};
