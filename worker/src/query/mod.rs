//! `POST /v1/analytics/query`: any question, answered by scans of the archive.
//!
//! A body becomes a checked [`Question`]; of the archive each shard scans segments for it ([`Query`]) and tells a
//! part; parts add up to the [`Answer`], for a user lives in one shard. See "Questions" in `docs/API.md`.

mod answer;
mod ask;
mod breakdown;
mod channel;
mod compared;
mod count;
mod field;
mod figures;
mod filter;
pub mod goals;
mod groups;
mod load;
mod loaded;
mod measures;
mod metric;
mod origin;
mod panel;
mod part;
mod range;
mod rows;
mod scan;
mod set;
mod spec;
mod test;
mod visits;
mod zone;

pub use answer::{Answer, Asked, Panels};
pub use ask::{FIELDS, PANELS_FIELDS, Question};
pub use breakdown::Breakdown;
pub use part::Found;
pub use range::{Compare, Range, Span};
pub use scan::Query;
pub use spec::Spec;
pub use zone::{Unit, Zone};

use crate::http::error::Fault;

/// A field of the question that is not what it must be, by its path, such as `filters[2][1]`.
fn wrong(path: &str, detail: &'static str) -> Fault {
    Fault::InvalidField {
        path: path.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests;
