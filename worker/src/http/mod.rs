//! What requests and answers are made of: the head of a request, faults, outcomes.

pub mod error;
pub mod facts;
pub mod head;
pub mod known;
pub mod outcome;
pub mod turns;
