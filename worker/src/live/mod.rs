//! The live stream: the core of `live_do`, the object that holds a site's WebSockets.
//!
//! A round asks all shards, unites what they say as `GET /v1/analytics/live` does, and gives every socket
//! one frame: the change since the last round to those that had it, the whole state to all others.

mod delta;
mod hub;
mod socket;
mod store;
mod ticket;

pub use delta::Delta;
pub use hub::{Frames, Hub, ROUND_DEADLINE_MS};
pub use socket::{Closing, MAX_SOCKETS, Socket, allowance};
pub use store::{Opening, TicketStore};
pub use ticket::{Presented, TICKET_MS, new_ticket};
