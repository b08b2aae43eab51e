//! The stages of an event, from text to the stored line, seen from outside.
#![cfg(feature = "pipeline")]
#![allow(clippy::arithmetic_side_effects)]

#[cfg(test)]
mod common;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sanitization;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod senders;
#[cfg(test)]
mod stamping;
#[cfg(test)]
mod timestamps;
#[cfg(test)]
mod validation;
