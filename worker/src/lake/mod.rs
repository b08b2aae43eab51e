//! The part of the archive that lands every event once.
//!
//! Segments of an hour wait until they are many or old, and are then sealed into an object: a run of the
//! hour's segments, whose bytes are their gzip members one after the other. A sealed object has its name,
//! its segments and its content hash for ever, so that a put that failed, or failed and landed, is tried
//! again as the very same object. Each sink has a delivery of its own for every object, with its own state
//! and backoff. Segments stay where they are: no other part may change one that waits ([`HELD`]).

mod content;
mod delivery;
mod enroll;
mod failing;
mod held;
mod hours;
mod open_hours;
mod partition;
mod refused;
mod seal;
pub(crate) mod segments;
mod split;
mod state;
mod store;
#[cfg(test)]
pub(crate) mod testing;

pub use content::Member;
pub use delivery::Delivery;
pub use failing::{FailingSink, works_again};
pub use held::HELD;
pub use partition::{ObjectName, epoch_name, hour_of, object_key};
pub use refused::{RefusedObject, Retry};
pub use split::member_ends;
pub use state::{LakeState, SinkState};
pub use store::{LakeSettings, LakeStore, SealRule};
