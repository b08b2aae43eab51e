//! Plain tools, which know nothing of events or requests.

pub mod alarm;
pub mod gunzip;
pub mod hash;
pub mod json;
pub mod json_rows;
pub mod serial;
pub mod settings;
pub mod sort;
pub mod sorted;
pub mod sql;
pub mod time;
pub mod together;
pub mod whole;
