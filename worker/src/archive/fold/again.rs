//! What was gathered as D1 must have it already, without a look at people: for the recount.

use super::Gathered;
use super::counts::Counts;
use super::keys;
use super::sums::Sums;
use super::table::Table;
use crate::archive::people::Mode;
use crate::base::sql::{Sql, SqlError};

impl Gathered {
    /// Events by the minute of their receipt.
    pub(crate) fn by_receipt(&self) -> Sums {
        let tables = Table::ALL.map(|table| match table {
            Table::Minutes => self.minutes.table(3, 1),
            _ => Vec::new(),
        });
        Sums::of(&self.texts, tables)
    }

    /// Events by key, as the folds before have admitted keys, and domain events by hour.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn by_key(&self, sql: &impl Sql) -> Result<Sums, SqlError> {
        let counted = keys::admit(sql, &self.texts.list(), self.keys.rows(), Mode::Look)?;
        let mut sums = Counts::default();
        for (counted, (_, amounts)) in counted.iter().zip(self.keys.rows()) {
            sums.add([counted.dim, counted.day, counted.text, 0], *amounts);
        }
        let tables = Table::ALL.map(|table| match table {
            Table::DomainHours => self.domain_hours.table(3, 1),
            Table::Keys => sums.table(3, 3),
            _ => Vec::new(),
        });
        Ok(Sums::of(&self.texts, tables))
    }
}
