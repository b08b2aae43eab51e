//! `POST /v1/analytics/query`: any question, answered by the read models or by scans of the archive.
//!
//! A body becomes a checked [`Question`]. Where the read models say all that is asked, [`OfSums`] asks them. Otherwise
//! each shard of the archive scans segments for it ([`begin`]) and tells a part; parts add up to the [`Answer`], for a
//! user lives in one shard. See "Questions" in `docs/API.md`.

mod answer;
mod ask;
mod breakdown;
mod channel;
mod cohorts;
mod compared;
mod count;
mod discovered;
mod features;
mod field;
mod figures;
mod filter;
pub mod goals;
mod groups;
pub mod links;
mod load;
mod loaded;
mod measures;
mod metric;
mod origin;
mod panel;
mod part;
mod passing;
mod picked;
mod picking;
mod properties;
mod range;
mod rows;
mod scan;
mod spec;
mod sums;
mod test;
mod visits;
mod walking;
mod zone;

pub use answer::{Answer, Asked, Panels, Source};
pub use ask::{FIELDS, PANELS_FIELDS, Question, put_zone};
pub use breakdown::Breakdown;
pub use discovered::{Answer as PropertiesAnswer, PROPERTIES_PARAMS, Properties};
pub use features::{features_answer, features_body};
pub use part::Found;
pub use picking::Walked;
pub use range::{Compare, Range, Span};
pub use spec::Spec;
pub use sums::OfSums;
pub use walking::Walking;
pub use zone::{Unit, Zone};

use crate::archive::scan::Scan;
use crate::http::error::Fault;

#[cfg(test)]
use scan::Query;

/// Begins to answer what a shard is asked, from events that happened at `kept_from` (Unix milliseconds) or later.
///
/// # Errors
/// Where the body is no [`Spec`], or its question is none.
pub fn begin(body: &[u8], kept_from: i64) -> Result<Box<dyn Scan>, Fault> {
    let spec = Spec::read(body)?;
    if let Some(discovery) = properties::Discovery::of(&spec, kept_from) {
        return Ok(Box::new(discovery));
    }
    Ok(Box::new(scan::Query::of(spec, kept_from)?))
}

/// A field of the question that is not what it must be, by its path, such as `filters[2][1]`.
fn wrong(path: &str, detail: &'static str) -> Fault {
    Fault::InvalidField {
        path: path.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests;
