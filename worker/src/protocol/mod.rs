//! What crosses between the worker, its objects and the queue: each body has its writer beside its
//! reader.
//!
//! A body is a line of JSON that says what follows, and then lines of stored events as they came out
//! of the ingest pass. Nobody on the way takes the events apart.

pub mod commit;
pub mod confirmation;
pub mod counters;
pub mod hours;
mod identified;
pub mod message;
pub mod names;

pub use commit::{BatchName, Commit, Head, Row};
pub use confirmation::Confirmation;
pub use identified::{Identified, identifies};
pub use message::{Message, RowId};

/// A body that no writer of this version made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cuts a body behind its first line, which is left out its line break.
fn first_line(body: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let end = body
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| Unreadable("a body without a first line".to_owned()))?;
    let (line, rest) = body.split_at_checked(end).unwrap_or((body, &[]));
    Ok((line, rest.get(1..).unwrap_or_default()))
}

/// Takes as many bytes as its head promised off the front of a body.
fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Result<&'a [u8], Unreadable> {
    let (taken, left) = rest
        .split_at_checked(bytes)
        .ok_or_else(|| Unreadable("a body that ends too soon".to_owned()))?;
    *rest = left;
    Ok(taken)
}
