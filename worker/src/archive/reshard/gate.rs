//! What an archive does as long as its site gets another number of archives.

use crate::base::sql::{Cell, Sql, SqlError};

/// What is said where nothing is appended for now. The queue brings the message again.
pub const PAUSED: &str = "the site gets another number of archives, and appends nothing meanwhile";

/// What is said to who believes in an older generation, and is to ask which one it is now.
pub const MOVED: &str = "this archive is none of the site's";

/// How an archive is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gate {
    /// As ever.
    #[default]
    Open,
    /// It answers, and changes nothing of what it holds but by folds.
    Paused,
    /// It takes slices, and nothing else.
    Filling,
    /// It is none of the site's any more: it refuses every call.
    Moved,
}

impl Gate {
    const ALL: [Self; 4] = [Self::Open, Self::Paused, Self::Filling, Self::Moved];

    fn of(number: i64) -> Self {
        let place = usize::try_from(number).ok();
        place
            .and_then(|place| Self::ALL.get(place).copied())
            .unwrap_or(Self::Moved)
    }

    /// Whether it answers questions.
    pub fn answers(self) -> bool {
        matches!(self, Self::Open | Self::Paused)
    }
}

/// What an archive knows of its place among the site's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) struct Place {
    pub(in crate::archive) gate: Gate,
    pub(in crate::archive) archives: u32,
    /// Whether a session is of one user.
    pub(in crate::archive) is_spread: bool,
    /// The latest order that it obeyed.
    pub(in crate::archive) seen: i64,
}

impl Place {
    /// That of an archive that was never part of a reshard, of so many.
    pub(in crate::archive) fn first(archives: u32) -> Self {
        Self {
            gate: Gate::Open,
            archives,
            is_spread: archives > 1,
            seen: 0,
        }
    }

    /// The stored one; none of an archive that was never part of a reshard.
    pub(in crate::archive) fn load(sql: &impl Sql) -> Result<Option<Self>, SqlError> {
        let rows: Vec<[Cell; 4]> =
            sql.cells("SELECT gate, archives, is_spread, seen FROM place", &[])?;
        Ok(rows.first().map(|[gate, archives, is_spread, seen]| Self {
            gate: Gate::of(gate.int()),
            archives: u32::try_from(archives.int()).unwrap_or(1),
            is_spread: is_spread.int() != 0,
            seen: seen.int(),
        }))
    }

    pub(in crate::archive) fn save(self, sql: &impl Sql) -> Result<(), SqlError> {
        sql.run(
            "INSERT INTO place (id, gate, archives, is_spread, seen) VALUES (1, ?1, ?2, ?3, ?4) \
             ON CONFLICT (id) DO UPDATE SET gate = excluded.gate, archives = excluded.archives, \
             is_spread = excluded.is_spread, seen = excluded.seen",
            &[
                i64::from(self.gate as u8).into(),
                i64::from(self.archives).into(),
                i64::from(self.is_spread).into(),
                self.seen.into(),
            ],
        )
    }
}
