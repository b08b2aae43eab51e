//! What the collector adds to an event: who sent it, from where, and when it really was.

pub mod agent;
pub mod agents;
pub mod bots;
pub mod campaign;
pub mod skew;
