//! Which of the sums a question needs.

use serde::{Deserialize, Serialize};

use super::sums::Sums;
use super::table::{Kind, Table, dim_name};

/// Rows of a table that a question needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// The table.
    pub table: Table,
    /// What the first name in a row's key (its dimension, type, site) must be one of; any where there is none.
    pub of: Vec<String>,
    /// The first and the last moment of the rows, as their table has it: a day since 1970, or Unix milliseconds.
    /// Outcomes have none.
    pub between: (i64, i64),
}

impl Want {
    /// Of the rows between two moments, both included, those whose first name is one of these.
    pub fn new(table: Table, of: &[&str], between: (i64, i64)) -> Self {
        Self {
            table,
            of: of.iter().map(|name| (*name).to_owned()).collect(),
            between,
        }
    }

    fn has(&self, sums: &Sums, row: &[i64]) -> bool {
        let (mut name, mut moment) = (None, None);
        for (value, kind) in row.iter().zip(self.table.keys()) {
            match kind {
                Kind::Number => moment = moment.or(Some(*value)),
                Kind::Text => name = name.or(Some(sums.text(*value))),
                Kind::Dim => name = name.or(Some(dim_name(*value))),
            }
        }
        let (first, last) = self.between;
        moment.is_none_or(|moment| (first..=last).contains(&moment))
            && (self.of.is_empty() || self.of.iter().any(|of| Some(of.as_str()) == name))
    }
}

impl Sums {
    /// Takes what is wanted of others. What both have comes twice: whoever reads the rows adds them.
    pub fn take(&mut self, other: &Self, wants: &[Want]) {
        let mut numbers: Vec<Option<i64>> = vec![None; other.texts.len()];
        for table in Table::ALL {
            let wants = || wants.iter().filter(|want| want.table == table);
            for row in other.rows(table) {
                if !wants().any(|want| want.has(other, row)) {
                    continue;
                }
                let kinds = table.keys().iter().map(Some).chain(std::iter::repeat(None));
                for (value, kind) in row.iter().zip(kinds) {
                    let value = match kind {
                        Some(Kind::Text) => self.number(other, *value, &mut numbers),
                        _ => *value,
                    };
                    if let Some(rows) = self.tables.get_mut(table as usize) {
                        rows.push(value);
                    }
                }
            }
        }
    }

    /// The number here of another's text; `numbers` are those that are known.
    fn number(&mut self, other: &Self, text: i64, numbers: &mut [Option<i64>]) -> i64 {
        let slot = usize::try_from(text)
            .ok()
            .and_then(|text| numbers.get_mut(text));
        let next = i64::try_from(self.texts.len()).unwrap_or(i64::MAX);
        let number = slot.as_ref().and_then(|slot| **slot).unwrap_or(next);
        if number == next {
            self.texts.push(other.text(text).to_owned());
        }
        if let Some(slot) = slot {
            *slot = Some(number);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Event;
    use crate::archive::fold::brute::{DAY, event};
    use crate::archive::fold::{create, fold};
    use crate::archive::people::Mode;
    use crate::testing::TestSql;

    #[test]
    fn what_is_wanted_is_taken_with_its_texts() {
        let sql = TestSql::new();
        create(&sql).unwrap();
        let events: Vec<Event<'_>> = (0..200).map(event).collect();
        let folds: Vec<Sums> = events
            .chunks(100)
            .map(|some| fold(&sql, some, DAY, Mode::Write).unwrap())
            .collect();
        let all = |table| Want::new(table, &[], (i64::MIN, i64::MAX));
        let mut taken = Sums::default();
        for sums in &folds {
            taken.take(sums, &Table::ALL.map(all));
        }
        let rows = |sums: &Sums, table| -> Vec<String> {
            let rows = sums.rows(table).map(|row| sums.json(table, row));
            rows.collect()
        };
        for table in Table::ALL {
            let both: Vec<String> = folds.iter().flat_map(|sums| rows(sums, table)).collect();
            assert_eq!(rows(&taken, table), both);
        }
        let days: Vec<i64> = taken.keys().map(|row| row.day).collect();
        let day = days[days.len() / 2];
        let want = Want::new(Table::Keys, &["page", "user"], (day, day + 1));
        let mut some = Sums::default();
        some.take(&taken, std::slice::from_ref(&want));
        let wanted = taken.keys().filter(|row| {
            ["page", "user"].contains(&row.dim) && (day..=day + 1).contains(&row.day)
        });
        let wanted: Vec<_> = wanted.collect();
        assert!(!wanted.is_empty() && wanted.len() < days.len());
        assert_eq!(some.keys().collect::<Vec<_>>(), wanted);
        assert_eq!(some.gaps().count(), 0);
        // What was taken crosses to the worker.
        let text = serde_json::to_string(&some).unwrap();
        assert_eq!(serde_json::from_str::<Sums>(&text).unwrap(), some);
    }
}
