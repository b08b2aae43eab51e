//! Requests, one file for each kind of call; `router` finds it.

pub(crate) mod admin;
pub(crate) mod archives;
pub(crate) mod asking;
pub(crate) mod calls;
pub(crate) mod commits;
pub(crate) mod dead_letters;
pub(crate) mod edge;
pub(crate) mod entry;
pub(crate) mod fresh;
pub(crate) mod health;
pub(crate) mod imports;
pub(crate) mod incoming;
pub(crate) mod ingest;
pub(crate) mod links;
pub(crate) mod live;
pub(crate) mod metrics;
pub(crate) mod prometheus;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod rebuild;
pub(crate) mod rejected_items;
pub(crate) mod reply;
pub(crate) mod router;
pub(crate) mod sdk_settings;
pub(crate) mod users;
