//! The core of `archive_do`: events packed in segments, and everything that is folded from them.
//!
//! A message of the queue becomes one row: a segment, which is the events' lines as one gzip member and
//! the columns that questions filter and group by. Nothing of a segment changes but by erasure; when its
//! hour is over, small ones become one.
//! Everything else (the sums in D1, the users, the objects of the lake, answers) is a fold of segments.

mod append;
pub mod compact;
pub mod consume;
pub mod counted;
pub mod erase;
mod event;
#[cfg(test)]
pub(crate) mod filled;
pub mod fold;
mod folded;
mod folding;
pub mod home;
pub mod ids;
mod logs;
pub mod nameless;
pub mod people;
pub mod prune;
mod ranges;
pub mod recount;
pub mod reshard;
pub mod scan;
pub mod segment;
mod shard;
pub mod spread;
#[cfg(test)]
pub(crate) mod testing;

pub use append::{Appended, Draft, Packable, read};
pub(crate) use event::id_bits;
pub use event::{Column, Event, Hasher, Who};
pub use fold::{Cursor, Stand, standing};
pub use folding::{Folding, Unfolded};
pub use shard::{Archive, Look, Looked, Unlooked};
