//! The dashboard API's answers, one file a query.

pub mod health;
pub mod live;
pub mod outcomes;
mod params;
pub mod recent;
pub mod reconciliation;
pub mod summary;

pub use params::Params;
