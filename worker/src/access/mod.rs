//! Who may do what, and how much of it.

pub mod auth;
pub mod grants;
pub mod policy;
pub mod privacy;
pub mod rate;
pub mod strangers;
