//! The thin part that touches the platform: it translates and delegates.

mod cron;
mod http;
mod objects;
mod platform;
mod queue;
