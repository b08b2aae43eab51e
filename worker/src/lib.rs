//! Shoreline's worker: collector, live counts, queue consumer, lake writer and dashboard API.
//!
//! The core (everything but `shell`) is pure: it takes time and randomness as arguments, writes
//! requests and statements as plain values, and is tested natively. The shell translates between
//! it and the platform, and is compiled for wasm alone.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod adapters;
pub mod admin;
pub mod admit;
pub mod agent;
pub mod agents;
pub mod alarm;
pub mod alert;
pub mod archive;
pub mod auth;
pub mod batch;
pub mod bots;
pub mod campaign;
pub mod config;
pub mod consume;
pub mod counted;
pub mod dead_letter;
pub mod draft;
pub mod endpoints;
pub mod erase;
pub mod error;
pub mod facts;
pub mod grants;
pub mod gunzip;
pub mod head;
pub mod import;
pub mod ingest;
pub mod jobs;
pub mod json;
pub mod judge;
pub mod known;
pub mod lake;
pub mod live;
pub mod log;
pub mod operations;
pub mod outcome;
pub mod policy;
pub mod privacy;
pub mod protocol;
pub mod prune;
pub mod publish;
pub mod query;
pub mod rate;
pub mod read;
pub mod rebuild;
pub mod recompute;
pub mod rejected;
pub mod routes;
pub mod sdk_settings;
pub mod serial;
pub mod shards;
pub mod sinks;
pub mod skew;
pub mod sort;
pub mod sorted;
pub mod sql;
pub mod stream;
pub mod tally;
pub mod together;
pub mod trace;
pub mod turns;
pub mod whole;

#[cfg(test)]
mod openapi;
#[cfg(target_arch = "wasm32")]
mod shell;
#[cfg(test)]
mod testing;
