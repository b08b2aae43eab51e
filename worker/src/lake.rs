//! The core of `lake_do`: what makes every event land once.
//!
//! Events are appended by part, a part once. Open rows are sealed into objects by size or age; a
//! sealed object has its name, its rows and its content hash for ever, so that a put that failed,
//! or failed and landed, is tried again as the very same object. Rows go only after the put is
//! known to be done.

mod hours;
mod object;
mod partition;
mod seal;
mod state;
mod store;

pub use object::{Fate, Landing, SealedObject, fate_of_conflict};
pub use partition::{epoch_name, hour_of, object_key};
pub use state::LakeState;
pub use store::{Append, AppendPart, LakeStore, SealRule};
