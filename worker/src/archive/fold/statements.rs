//! The transaction that has D1 take a fold, once: every statement changes something only as long as D1 stands at
//! the fold before, and the last but one moves D1 on. So what comes twice, or late, or after an answer that
//! was lost, changes nothing.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::sums::Sums;
use super::table::Table;
use crate::base::json_rows::json_rows;
use crate::base::sql::{Param, Statement};
use crate::base::time::{HOUR_MS, floor_to};

/// A fold of an archive: which of its folds, from 1 on, and which archive it is.
///
/// An archive whose storage was lost is made anew and begins at fold 1 under a later epoch. D1 then counts
/// what that one brings on top of what it has: the sums of the lost one are of events that were stored and
/// landed, so they stay. What the lost one had not folded comes again, as far as the logs have not heard
/// that it was stored. D1 takes nothing more of an epoch after it took something of a later one: a request
/// that was on its way when the storage was lost cannot come in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// When the archive's storage was made, Unix milliseconds.
    pub epoch: i64,
    /// The fold's number.
    pub fold: i64,
}

impl Cursor {
    /// Whether D1, which stands at `at`, has taken this fold.
    pub fn is_taken(self, at: Option<Self>) -> bool {
        at.is_some_and(|at| at.epoch == self.epoch && at.fold >= self.fold)
    }

    /// Whether D1, which stands at `at`, takes this archive's next fold next: all folds up to this one are in its
    /// sums, and no later one. An archive that was made anew counts on top of what D1 has of an earlier one.
    pub fn is_last(self, at: Option<Self>) -> bool {
        let fold = match at {
            Some(at) if at.epoch == self.epoch => Some(at.fold),
            Some(at) if at.epoch > self.epoch => None,
            _ => Some(0),
        };
        fold == Some(self.fold)
    }

    /// Whether D1, which stands at `at`, will never take it: a later archive of this shard was there.
    pub fn is_outlived(self, at: Option<Self>) -> bool {
        at.is_some_and(|at| at.epoch > self.epoch)
    }
}

/// The fold that D1 has taken last of one of a site's archives: a row of [`standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// Which archive.
    pub shard: u32,
    /// See [`Cursor`].
    pub epoch: i64,
    /// See [`Cursor`].
    pub fold: i64,
}

impl Cursor {
    /// Where D1 stands with an archive; nowhere, where it has taken nothing of it.
    pub fn of(stands: &[Stand], shard: u32) -> Option<Self> {
        let stand = stands.iter().find(|stand| stand.shard == shard)?;
        Some(Self {
            epoch: stand.epoch,
            fold: stand.fold,
        })
    }
}

/// Whether D1 stands at the fold before `?4` of the epoch `?3`. No archive, or one of an earlier epoch: at 0.
macro_rules! guard {
    () => {
        "?4 - 1 = coalesce((SELECT CASE WHEN epoch = ?3 THEN fold WHEN epoch < ?3 THEN 0 ELSE -2 END \
         FROM archives WHERE site_id = ?1 AND shard = ?2), 0)"
    };
}

/// A statement that adds rows (`?5`): what is inserted, what is selected of `json_each`, what follows the guard.
macro_rules! add {
    ($insert:expr, $select:expr, $rest:expr) => {
        concat!(
            "INSERT INTO ",
            $insert,
            " SELECT ",
            $select,
            " FROM json_each(?5) WHERE ",
            guard!(),
            " ",
            $rest
        )
    };
}

/// The columns of a histogram.
macro_rules! columns {
    () => {
        "n, duration_ms, le_1, le_2, le_5, le_10, le_20, le_50, le_100, le_200, le_500, le_1000, \
         le_2000, le_5000, le_10000"
    };
}

/// What is added to the columns of a histogram that is there.
macro_rules! added {
    () => {
        "n = n + excluded.n, duration_ms = duration_ms + excluded.duration_ms, \
         le_1 = le_1 + excluded.le_1, le_2 = le_2 + excluded.le_2, le_5 = le_5 + excluded.le_5, \
         le_10 = le_10 + excluded.le_10, le_20 = le_20 + excluded.le_20, \
         le_50 = le_50 + excluded.le_50, le_100 = le_100 + excluded.le_100, \
         le_200 = le_200 + excluded.le_200, le_500 = le_500 + excluded.le_500, \
         le_1000 = le_1000 + excluded.le_1000, le_2000 = le_2000 + excluded.le_2000, \
         le_5000 = le_5000 + excluded.le_5000, le_10000 = le_10000 + excluded.le_10000"
    };
}

const MINUTES: &str = add!(
    "minute_counts (site_id, minute, event_type, source, n)",
    "?1, value->>0, value->>1, value->>2, value->>3",
    "ON CONFLICT (site_id, minute, event_type, source) DO UPDATE SET n = n + excluded.n"
);

/// Of rows as those of minutes, by the hour.
const HOURS: &str = add!(
    "hour_counts (site_id, hour, event_type, source, n)",
    "?1, value->>0, value->>1, value->>2, value->>3",
    "ON CONFLICT (site_id, hour, event_type, source) DO UPDATE SET n = n + excluded.n"
);

/// Of the rows of [`HOURS`].
const DAYS: &str = add!(
    "daily_counts (site_id, date, event_type, n)",
    "?1, date(value->>0 / 1000, 'unixepoch'), value->>1, sum(value->>3)",
    "GROUP BY 2, 3 ON CONFLICT (site_id, date, event_type) DO UPDATE SET n = n + excluded.n"
);

const DOMAIN_HOURS: &str = add!(
    "domain_hours (site_id, hour, event_type, status, n)",
    "?1, value->>0, value->>1, value->>2, value->>3",
    "ON CONFLICT (site_id, hour, event_type, status) DO UPDATE SET n = n + excluded.n"
);

const KEYS: &str = add!(
    "breakdowns (site_id, dim, day, key, events, a, b)",
    "?1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5",
    "ON CONFLICT (site_id, dim, day, key) DO UPDATE SET \
     events = events + excluded.events, a = a + excluded.a, b = b + excluded.b"
);

const GAPS: &str = add!(
    "member_gaps (site_id, dim, day, key, gap, n)",
    "?1, value->>0, value->>1, value->>2, value->>3, value->>4",
    "ON CONFLICT (site_id, dim, day, key, gap) DO UPDATE SET n = n + excluded.n"
);

const USER_DAYS: &str = add!(
    "user_days (site_id, day, first_seen, signups)",
    "?1, value->>0, value->>1, value->>2",
    "ON CONFLICT (site_id, day) DO UPDATE SET \
     first_seen = first_seen + excluded.first_seen, signups = signups + excluded.signups"
);

const SESSION_DAYS: &str = add!(
    "session_days (site_id, day, sessions, duration_ms)",
    "?1, value->>0, value->>1, value->>2",
    "ON CONFLICT (site_id, day) DO UPDATE SET \
     sessions = sessions + excluded.sessions, duration_ms = duration_ms + excluded.duration_ms"
);

const OPERATION_MINUTES: &str = add!(
    concat!(
        "operation_minutes (site_id, minute, action, status, ",
        columns!(),
        ")"
    ),
    "value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
     value->>8, value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, \
     value->>16, value->>17, value->>18",
    concat!(
        "ON CONFLICT (site_id, minute, action, status) DO UPDATE SET ",
        added!()
    )
);

/// Of the rows of [`OPERATION_MINUTES`].
const OPERATION_TOTALS: &str = add!(
    concat!("operation_totals (action, status, ", columns!(), ")"),
    "value->>2, value->>3, sum(value->>4), sum(value->>5), sum(value->>6), sum(value->>7), \
     sum(value->>8), sum(value->>9), sum(value->>10), sum(value->>11), sum(value->>12), \
     sum(value->>13), sum(value->>14), sum(value->>15), sum(value->>16), sum(value->>17), \
     sum(value->>18)",
    concat!(
        "GROUP BY 1, 2 ON CONFLICT (action, status) DO UPDATE SET ",
        added!()
    )
);

const OUTCOMES: &str = add!(
    "operation_outcomes (outcome, n)",
    "value->>0, value->>1",
    "ON CONFLICT (outcome) DO UPDATE SET n = n + excluded.n"
);

const MOVE: &str = concat!(
    "INSERT INTO archives (site_id, shard, epoch, fold) SELECT ?1, ?2, ?3, ?4 WHERE ",
    guard!(),
    " ON CONFLICT (site_id, shard) DO UPDATE SET epoch = excluded.epoch, fold = excluded.fold"
);

/// Where D1 stands with an archive.
const AT: &str = "SELECT epoch, fold FROM archives WHERE site_id = ?1 AND shard = ?2";

/// Where it stands with all of a site's.
const ALL_AT: &str = "SELECT shard, epoch, fold FROM archives WHERE site_id = ?1";

/// What takes the rows of a table.
fn tasks(table: Table) -> &'static [&'static str] {
    match table {
        Table::Minutes => &[MINUTES],
        Table::DomainHours => &[DOMAIN_HOURS],
        Table::Keys => &[KEYS],
        Table::Gaps => &[GAPS],
        Table::UserDays => &[USER_DAYS],
        Table::SessionDays => &[SESSION_DAYS],
        Table::Operations => &[OPERATION_MINUTES, OPERATION_TOTALS],
        Table::Outcomes => &[OUTCOMES],
    }
}

/// The statement that asks where D1 stands with a site's archives: of each of which it has taken a fold, a
/// [`Stand`].
pub fn standing(site: &str) -> Statement {
    Statement::new(ALL_AT, [site.into()])
}

impl Sums {
    /// The statements that have D1 take these sums as a fold, to be run as one transaction. The last one
    /// answers where D1 stands then, as a [`Cursor`].
    pub fn statements(&self, site: &str, shard: u32, cursor: Cursor) -> Vec<Statement> {
        let of = |sql, rows: Option<String>| {
            let params: [Param; 4] = [
                site.into(),
                i64::from(shard).into(),
                cursor.epoch.into(),
                cursor.fold.into(),
            ];
            Statement::new(sql, params.into_iter().chain(rows.map(Param::Text)))
        };
        let mut statements = Vec::new();
        for table in Table::ALL {
            let rows = self.rows(table).map(|row| self.json(table, row));
            for text in json_rows(rows) {
                statements.extend(tasks(table).iter().map(|sql| of(sql, Some(text.clone()))));
            }
        }
        for text in json_rows(self.hours().into_iter()) {
            statements.extend([HOURS, DAYS].map(|sql| of(sql, Some(text.clone()))));
        }
        statements.push(of(MOVE, None));
        statements.push(Statement::new(AT, [site.into(), i64::from(shard).into()]));
        statements
    }

    /// The minutes' rows by the hour.
    fn hours(&self) -> Vec<String> {
        let mut hours: Counts<1> = Counts::default();
        for row in self.rows(Table::Minutes) {
            if let [minute, event_type, source, n] = row {
                hours.add([floor_to(*minute, HOUR_MS), *event_type, *source, 0], [*n]);
            }
        }
        let row = |([hour, event_type, source, _], [n]): &([i64; 4], [i64; 1])| {
            self.json(Table::Minutes, &[*hour, *event_type, *source, *n])
        };
        hours.rows().iter().map(row).collect()
    }
}
