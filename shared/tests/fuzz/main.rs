//! The fuzz target of `shared/fuzz/` on any toolchain: the kept corpus, and changes of it.
#![cfg(feature = "pipeline")]
#![allow(clippy::arithmetic_side_effects)]

#[cfg(test)]
#[path = "../../fuzz/both.rs"]
#[allow(unreachable_pub)] // The fuzz target is another crate.
mod both;
#[cfg(test)]
mod replay;
