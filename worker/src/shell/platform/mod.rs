//! The platform's services, one file each: D1, KV, objects, queues, `fetch`, the clock, gzip, the log.

pub(crate) mod alerts;
pub(crate) mod assets;
pub(crate) mod bindings;
pub(crate) mod clients;
pub(crate) mod clock;
pub(crate) mod d1;
pub(crate) mod deadline;
pub(crate) mod do_sql;
pub(crate) mod fetch;
pub(crate) mod gzip;
pub(crate) mod keys;
pub(crate) mod limiter;
pub(crate) mod log;
pub(crate) mod objects;
pub(crate) mod queue;
