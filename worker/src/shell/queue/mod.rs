//! Batches of the queues.

pub(crate) mod dead_letters;
pub(crate) mod events;
