//! The Durable Objects, and the parts that only they have.

pub(crate) mod alarm;
pub(crate) mod archive_compact;
pub(crate) mod archive_do;
pub(crate) mod archive_folds;
pub(crate) mod archive_reshard;
pub(crate) mod archive_run;
pub(crate) mod import_do;
pub(crate) mod live_do;
pub(crate) mod privacy_do;
pub(crate) mod sinks;
pub(crate) mod site_do;
