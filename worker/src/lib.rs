//! Shoreline's worker: collector, live counts, queue consumer, lake writer and dashboard API.
//!
//! The core (everything but `shell`) is pure: it takes time and randomness as arguments, writes
//! requests and statements as plain values, and is tested natively. The shell translates between
//! it and the platform, and is compiled for wasm alone.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod access;
pub mod admin;
pub mod archive;
pub mod base;
pub mod config;
pub mod dead_letter;
pub mod endpoints;
pub mod http;
pub mod import;
pub mod ingest;
pub mod lake;
pub mod live;
pub mod log;
pub mod observe;
pub mod protocol;
pub mod query;
pub mod read;
pub mod sinks;
pub mod upkeep;

#[cfg(test)]
mod openapi;
#[cfg(target_arch = "wasm32")]
mod shell;
#[cfg(test)]
mod testing;
