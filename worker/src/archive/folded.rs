//! How far an archive is folded: a row of `folded`.

use serde::Deserialize;

use crate::base::sql::{Sql, SqlError};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Folded {
    pub(super) epoch: i64,
    pub(super) number: i64,
    pub(super) seq: i64,
    pub(super) made_at: i64,
}

pub(super) fn folded(sql: &impl Sql) -> Result<Folded, SqlError> {
    let row = sql.first("SELECT epoch, number, seq, made_at FROM folded", &[])?;
    row.ok_or_else(|| SqlError("the archive does not know how far it is folded".to_owned()))
}
