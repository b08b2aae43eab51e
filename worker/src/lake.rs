//! The core of `lake_do`: what makes every event land once.
//!
//! Events are appended by part, a part once. Open rows are sealed into objects by size or age; a
//! sealed object has its name, its rows and its content hash for ever, so that a put that failed,
//! or failed and landed, is tried again as the very same object. Each sink has a delivery of its own
//! for every object, with its own state and backoff; rows go only after every sink is known to be
//! done with them.

mod append;
mod delivery;
mod enroll;
mod failing;
mod hours;
mod lines;
mod object;
mod open_hours;
mod partition;
mod refused;
mod seal;
mod state;
mod store;

pub use append::{Append, AppendPart};
pub use delivery::Delivery;
pub use failing::FailingSink;
pub use object::{Landing, Outcome, SealedObject};
pub use partition::{ObjectName, epoch_name, hour_of, object_key};
pub use refused::{RefusedObject, Retry};
pub use state::{LakeState, SinkState};
pub(crate) use store::PART_MEMORY_MS;
pub use store::{LakeSettings, LakeStore, SealRule};
