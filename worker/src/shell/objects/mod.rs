//! The Durable Objects, and the parts that only they have.

pub(crate) mod alarm;
pub(crate) mod archive_do;
pub(crate) mod import_do;
pub(crate) mod live_do;
pub(crate) mod privacy_do;
pub(crate) mod sinks;
pub(crate) mod site_do;
