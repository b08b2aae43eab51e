//! What of the segments the lake still needs as it is.

use super::store::LakeStore;
use crate::base::sql::{Sql, SqlError};

/// A condition of SQL on a row of `segments`: it is open, or of an object that a sink still lacks, so it
/// must be neither deleted nor changed.
pub const HELD: &str = "(segments.landed = 0 AND (EXISTS (SELECT 1 FROM open_hours \
     WHERE open_hours.hour = segments.hour AND segments.seq >= open_hours.first_seq) \
     OR EXISTS (SELECT 1 FROM objects WHERE objects.hour = segments.hour \
     AND segments.seq BETWEEN objects.first_seq AND objects.last_seq)))";

impl<S: Sql> LakeStore<S> {
    /// Whether a segment must stay as it is: it is open, or of an object that a sink still lacks. One that
    /// is not there is not held.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn holds(&self, seq: i64) -> Result<bool, SqlError> {
        let held: Option<serde::de::IgnoredAny> = self.sql.first(
            &format!("SELECT seq FROM segments WHERE seq = ?1 AND {HELD}"),
            &[seq.into()],
        )?;
        Ok(held.is_some())
    }
}
