//! Shoreline's browser tracker.
//!
//! The **core** decides: what is a view, what belongs to a visit, who is in the sample, when a batch
//! is sealed, sent, sent again or given up. It is plain Rust over numbers, tested natively, and
//! asks nothing of anybody: time and randomness are arguments. The texts it decides about stay in
//! JavaScript (`js/`), which knows each batch by a number that the core gives it: text that never
//! crosses over needs no allocator, no decoder and no glue, which were half of the download.
//!
//! The **shell** (wasm32 only) exports the core to `js/`.
//!
//! Every visitor downloads this, so size decides where there is a choice.

#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod answer;
pub mod batch;
pub mod line;
pub mod page;
pub mod queue;
pub mod session;
pub mod tracker;

#[cfg(target_arch = "wasm32")]
mod shell;
