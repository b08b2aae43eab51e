//! The built system from outside.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests stop at what goes wrong"
)]

mod archives;
mod clients;
mod commands;
mod compaction;
mod contract;
mod d1;
mod dashboard;
mod dead_letters;
mod demo;
mod demo_axe;
#[path = "../tables/docs.rs"]
mod docs;
mod duckdb;
mod faults;
mod filled;
mod folds;
mod grants;
mod hostile;
mod identity;
mod imports;
mod keys;
mod kills;
mod lake;
mod limits;
mod links;
mod live;
mod metrics;
mod operations;
mod overload;
mod pages;
mod pipeline;
mod publisher;
#[path = "../tables/python.rs"]
mod python;
mod query;
mod reads;
mod rebuild;
mod refusals;
mod retention;
mod services;
mod several;
mod sinks;
mod strict;
mod tenancy;
mod tracker;
mod traffic;
