//! What requests and answers are made of: the head of a request, faults, outcomes.

pub mod cloud_event;
pub mod csv;
pub mod days;
pub mod error;
pub mod facts;
pub mod fields;
pub mod head;
pub mod known;
pub mod outcome;
pub mod params;
pub mod turns;
