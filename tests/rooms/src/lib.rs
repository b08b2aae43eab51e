//! Who may know whom, read from the sources: each module of a crate, and the modules that its code names.
//!
//! Tests, and what is compiled for tests alone, are left out: a test may look everywhere.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests alone: what goes wrong here must stop them"
)]

mod crates;
mod names;
mod rules;
mod secrets;
mod sql;
mod text;
