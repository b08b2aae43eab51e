//! The tracker on pages of another origin, in Chromium, against the real collector.
//!
//! Every test ends with what the collector has: the events that were made, each once.

mod calls;
mod capture;
mod cost;
mod delivery;
mod faults;
mod navigation;
mod package;
mod policy;
mod privacy;
mod storage;
mod visits;
