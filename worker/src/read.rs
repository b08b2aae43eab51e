//! The dashboard API's answers, one file a query.

pub mod activity;
pub mod breakdown;
pub mod csv;
pub mod days;
pub mod engagement;
pub mod features;
pub mod funnel;
pub mod health;
pub mod hours;
pub mod journeys;
pub mod live;
pub mod metric;
pub mod outcomes;
mod params;
pub mod platform;
pub mod products;
pub mod question;
pub mod recent;
pub mod reconciliation;
pub mod retention;
pub mod summary;

pub use params::{Params, segment};

#[cfg(test)]
mod tests;
