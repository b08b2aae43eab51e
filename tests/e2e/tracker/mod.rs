//! The tracker on pages of another origin, in Chromium, against the real collector.
//!
//! Every test ends with what the collector has: the events that were made, each once.

mod calls;
mod capture;
mod console;
mod cost;
mod delivery;
mod faults;
mod left;
mod long;
mod named;
mod navigation;
mod package;
mod policy;
mod privacy;
mod storage;
mod titles;
mod visits;
