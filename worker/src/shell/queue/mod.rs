//! Batches of the queues.

pub(crate) mod buried;
pub(crate) mod consume;
pub(crate) mod dead_letters;
pub(crate) mod events;
