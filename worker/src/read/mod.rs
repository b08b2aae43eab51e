//! The dashboard API's answers, one file a query.

pub mod activity;
pub mod breakdown;
pub mod engagement;
pub mod exposition;
pub mod features;
pub mod fresh;
pub mod funnel;
pub mod health;
pub mod hours;
pub mod journeys;
pub mod live;
pub mod metric;
pub mod operations;
pub mod outcomes;
pub mod platform;
pub mod products;
pub mod prometheus;
pub mod question;
pub mod recent;
pub mod reconciliation;
pub mod retention;
pub mod summary;
pub mod vitals;

#[cfg(test)]
pub(crate) mod brute;
#[cfg(test)]
mod tests;
