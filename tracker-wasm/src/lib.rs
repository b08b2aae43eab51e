//! Shoreline's browser tracker.
//!
//! The **core** decides: what is a view, what belongs to a visit, when a batch is sealed, sent,
//! sent again or given up. It is plain Rust, tested natively, and sees the page through
//! [`port::Port`] only. The **shell** (wasm32 only) implements that port over the browser and
//! exports the core to `js/`, the small script that a page loads.
//!
//! Every visitor downloads this, so size decides where there is a choice.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod batch;
pub mod line;
pub mod page;
pub mod port;
pub mod queue;
pub mod session;
pub mod text;
pub mod tracker;

#[cfg(target_arch = "wasm32")]
mod shell;
