//! What the cron and the admin have done: the recount, forgetting what is old, the way back from the lake.

pub mod jobs;
pub mod prune;
pub mod rebuild;
pub mod recompute;
pub mod repairs;
