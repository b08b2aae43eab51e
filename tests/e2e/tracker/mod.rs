//! The tracker on pages of another origin, in Chromium, against the real collector.
//!
//! Every test ends with what the collector has: the events that were made, each once.

mod delivery;
mod faults;
mod navigation;
mod storage;
