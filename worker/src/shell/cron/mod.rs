//! What runs by a schedule.

pub(crate) mod upkeep;
pub(crate) mod wake;
