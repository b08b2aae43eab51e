//! Which rows of the logs new archives know: those that every old one has appended. Of a row that only some had when
//! they paused, its message under way, the others' events are still to come; it is told which had theirs.

use serde::{Deserialize, Serialize};

use super::Hasher;
use super::home::home_of;
use super::ranges::Ranges;
use crate::archive::counted::Stored;
use crate::base::sort;
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};

/// - `logs`: of each log, the rows that were appended.
/// - `parts`: rows of a log of which only some of the archives had their events when these paused: `homes`, pairs of
///   the number of archives and which of them.
pub(in crate::archive) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS logs (log TEXT PRIMARY KEY, appended TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS parts (log TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, \
     homes TEXT NOT NULL, PRIMARY KEY (log, first)) WITHOUT ROWID",
];

/// Which archives of so many had appended what is theirs of a row.
pub(in crate::archive) type Homes = Vec<(u32, Vec<u32>)>;

/// Rows of a log that some archives had appended: the first and the last of them, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part(pub String, pub i64, pub i64, pub Homes);

/// What archives know of logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Of each log, the rows that were appended.
    pub whole: Vec<(String, Ranges)>,
    /// Rows of which some events were.
    pub parts: Vec<Part>,
}

/// What the logs of lines of the lake are named by: who restores these tells them again, and ids make them known.
const OF_LAKE: &str = "/lake-";

impl Logs {
    /// What an archive knows.
    pub(in crate::archive) fn load(sql: &impl Sql) -> Result<Self, SqlError> {
        let rows: Vec<[Cell; 2]> = sql.cells("SELECT log, appended FROM logs ORDER BY log", &[])?;
        let whole = rows
            .iter()
            .map(|[log, ranges]| Ok((log.text().to_owned(), json(ranges.text())?)))
            .collect::<Result<_, SqlError>>()?;
        let rows: Vec<[Cell; 4]> = sql.cells(
            "SELECT log, first, last, homes FROM parts ORDER BY log, first",
            &[],
        )?;
        let parts = rows
            .iter()
            .map(|[log, first, last, homes]| {
                let homes = json(homes.text())?;
                Ok(Part(log.text().to_owned(), first.int(), last.int(), homes))
            })
            .collect::<Result<_, SqlError>>()?;
        Ok(Self { whole, parts })
    }

    /// Writes it to an archive that knows nothing yet, inside the caller's transaction.
    pub(in crate::archive) fn save(&self, sql: &impl Sql) -> Result<(), SqlError> {
        for table in ["logs", "parts"] {
            sql.run(&format!("DELETE FROM {table}"), &[])?;
        }
        for (log, ranges) in &self.whole {
            sql.run(
                "INSERT INTO logs (log, appended) VALUES (?1, ?2)",
                &[log.as_str().into(), text(ranges).into()],
            )?;
        }
        for Part(log, first, last, homes) in &self.parts {
            sql.run(
                "INSERT INTO parts (log, first, last, homes) VALUES (?1, ?2, ?3, ?4)",
                &[
                    log.as_str().into(),
                    (*first).into(),
                    (*last).into(),
                    text(homes).into(),
                ],
            )?;
        }
        Ok(())
    }

    /// What all archives of a site know, in their order.
    pub(in crate::archive) fn united(all: &[Self]) -> Self {
        let mut logs: Map<&str, Vec<Option<&Ranges>>> = Map::new();
        for (place, one) in all.iter().enumerate() {
            for (log, ranges) in &one.whole {
                let of = logs.entry(log.as_str()).or_default();
                of.resize(all.len(), None);
                if let Some(slot) = of.get_mut(place) {
                    *slot = Some(ranges);
                }
            }
        }
        // All have the parts that they were given when they were made.
        let before = all.first().map_or(&[][..], |one| one.parts.as_slice());
        let mut united = Self::default();
        for (log, of) in &logs {
            let before: Vec<&Part> = before.iter().filter(|part| part.0 == **log).collect();
            united.add(log, of, &before);
        }
        // Of a log of which nothing came since, the parts stay as they are.
        let is_new = |part: &&Part| !logs.iter().any(|(log, _)| **log == part.0);
        united.parts.extend(before.iter().filter(is_new).cloned());
        united
    }

    fn add(&mut self, log: &str, of: &[Option<&Ranges>], before: &[&Part]) {
        // Between two neighbouring ends all rows are alike.
        let mut ends: Vec<i64> = Vec::new();
        let runs = of.iter().flatten().flat_map(|ranges| ranges.runs());
        let parts = before.iter().map(|part| (part.1, part.2));
        for (first, last) in runs.copied().chain(parts) {
            ends.extend([first, last.saturating_add(1)]);
        }
        sort::sort(&mut ends);
        ends.dedup();
        let archives = u32::try_from(of.len()).unwrap_or(u32::MAX);
        let mut whole = Ranges::default();
        for (first, next) in ends.iter().zip(ends.iter().skip(1)) {
            let last = next.saturating_sub(1);
            let has = |ranges: &Option<&Ranges>| ranges.is_some_and(|rows| rows.contains(*first));
            let have = (0..).zip(of).filter(|(_, ranges)| has(ranges));
            let have: Vec<u32> = have.map(|(place, _)| place).collect();
            if have.len() == of.len() {
                whole.insert_run(*first, last);
                continue;
            }
            let is_in = |part: &&&Part| part.1 <= *first && *first <= part.2;
            let mut homes: Homes = before
                .iter()
                .find(is_in)
                .map_or(Vec::new(), |part| part.3.clone());
            if !have.is_empty() {
                homes.push((archives, have));
            }
            if !homes.is_empty() && !log.contains(OF_LAKE) {
                self.parts.push(Part(log.to_owned(), *first, last, homes));
            }
        }
        self.whole.push((log.to_owned(), whole));
    }
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, SqlError> {
    crate::base::json::told(text).map_err(|error| SqlError(error.to_string()))
}

/// Numbers and texts always serialize.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The parts of a log among its rows from `first` to `last`.
pub(in crate::archive) fn parts_between(
    sql: &impl Sql,
    log: &str,
    (first, last): (i64, i64),
) -> Result<Vec<(i64, i64, Homes)>, SqlError> {
    let rows: Vec<[Cell; 3]> = sql.cells(
        "SELECT first, last, homes FROM parts WHERE log = ?1 AND first <= ?3 AND last >= ?2",
        &[log.into(), first.into(), last.into()],
    )?;
    rows.iter()
        .map(|[first, last, homes]| Ok((first.int(), last.int(), json(homes.text())?)))
        .collect()
}

/// Whether the archive that an event was in had appended it.
pub(in crate::archive) fn done_before(
    homes: &Homes,
    event: &Stored<'_>,
    hasher: &mut Hasher<'_>,
) -> bool {
    homes
        .iter()
        .any(|(archives, had)| had.contains(&home_of(event, *archives, hasher)))
}
