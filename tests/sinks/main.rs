//! The worker's requests to sinks, sent to real servers that verify them. No workerd here.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests stop at what goes wrong"
)]

mod object;
mod records;
