//! Shoreline watches itself: what it knows of each call, and the events it makes of them.
//!
//! A call is counted after its answer in the isolate ([`Buffer`]): calls that are alike have one
//! event, which names the first of them and has the counts and durations of all. Those that failed,
//! and those whose caller asks for it by `traceparent`, have an event each. Every call is in exactly
//! one event, so sums over events are exact. Some seconds of them are committed together to the
//! log of Shoreline's own site, from where they go the way of all events. The commit is no call,
//! so it makes no event of its own.

mod buffer;
mod call;
mod call_id;
mod event;
mod histogram;
mod line;
mod outcomes;
mod request_logs;
mod route;
mod site_name;
mod stored;

pub use buffer::{Added, Buffer, FLUSH_EVERY_MS, Taken};
pub use call::{Call, current, within};
pub use call_id::CallId;
pub use event::Operation;
pub use histogram::{BOUNDS_MS, Histogram, bucket_of};
pub use outcomes::Outcomes;
pub use request_logs::RequestLogs;
pub use route::{Background, Kind, Route, method_name};
pub use site_name::SiteName;
pub use stored::Batch;
