//! Shoreline watching itself: calls and their events, traces, alerts, what was refused unread.

pub mod alert;
pub mod operations;
pub mod tally;
pub mod trace;
