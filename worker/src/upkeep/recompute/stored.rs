//! D1's rows of a day beside what the archive has counted.

use serde::Deserialize;

use super::Difference;
use super::mend::stand;
use crate::archive::Column;
use crate::archive::recount::{Counted, Model, Part, Row};
use crate::base::sort;
use crate::base::sql::{Param, Statement};
use crate::base::time::day_of;

/// A row of sums as D1 has it, or where D1 stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stored {
    model: String,
    dim: String,
    key: String,
    at: i64,
    n: i64,
    a: i64,
    b: i64,
}

/// Before the rows: where D1 stands; whether it has sums of a day before the one on which the youngest archive (`?3`:
/// when) was made.
macro_rules! standing {
    () => {
        concat!(
            "SELECT 'archives' AS model, '' AS dim, ",
            stand!(),
            " AS key, 0 AS at, 0 AS n, 0 AS a, EXISTS (SELECT 1 FROM daily_counts \
             WHERE site_id = ?1 AND date < date(?3 / 1000, 'unixepoch')) AS b "
        )
    };
}

/// `?4`: all dimensions.
const KEYS: &str = concat!(
    standing!(),
    "UNION ALL SELECT 'breakdowns', dim, key, 0, events, a, b FROM breakdowns \
     WHERE site_id = ?1 AND dim IN (SELECT value FROM json_each(?4)) AND day = ?2 \
     UNION ALL SELECT 'domain_hours', event_type, status, hour, n, 0, 0 FROM domain_hours \
     WHERE site_id = ?1 AND hour >= ?2 * 86400000 AND hour < (?2 + 1) * 86400000"
);

const RECEIVED: &str = concat!(
    standing!(),
    "UNION ALL SELECT 'minute_counts', event_type, source, minute, n, 0, 0 FROM minute_counts \
     WHERE site_id = ?1 AND minute >= ?2 * 86400000 AND minute < (?2 + 1) * 86400000"
);

const PEOPLE: &str = concat!(
    standing!(),
    "UNION ALL SELECT 'member_gaps', dim, key, gap, n, 0, 0 FROM member_gaps \
     WHERE site_id = ?1 AND dim IN (SELECT value FROM json_each(?4)) AND day = ?2 \
     UNION ALL SELECT 'user_days', '', '', 0, first_seen, signups, 0 FROM user_days \
     WHERE site_id = ?1 AND day = ?2 \
     UNION ALL SELECT 'session_days', '', '', 0, sessions, duration_ms, 0 FROM session_days \
     WHERE site_id = ?1 AND day = ?2"
);

/// The dimensions of breakdowns, as a JSON array.
fn dims() -> String {
    let summed = Column::SUMMED.iter().map(|(_, name)| *name);
    let all: Vec<&str> = summed.chain(["user", "anon"]).collect();
    serde_json::to_string(&all).unwrap_or_default()
}

pub(super) fn statement(site: &str, day: i64, part: Part, counted: &Counted) -> Statement {
    let (sql, dims) = match part {
        Part::Keys => (KEYS, Some(dims())),
        Part::Received => (RECEIVED, None),
        Part::People => (PEOPLE, Some(dims())),
    };
    let base: [Param; 3] = [site.into(), day.into(), counted.made_at().into()];
    Statement::new(sql, base.into_iter().chain(dims.map(Param::Text)))
}

/// What was counted and what is stored, by what tells them from others.
struct Pair {
    row: Row,
    was: [i64; 3],
}

pub(super) fn differences(day: i64, counted: &Counted, stored: Vec<Stored>) -> Vec<Difference> {
    let Some((standing, rows)) = stored.split_first() else {
        return Vec::new();
    };
    if standing.model != "archives" || standing.key != counted.stand() {
        return Vec::new();
    }
    // Of a day on which an archive was not there yet, D1 may hold what one before it has counted.
    let is_all = standing.b == 0 || day > day_of(counted.made_at());
    let counted = counted.rows.iter().map(|row| Pair {
        row: row.clone(),
        was: [0; 3],
    });
    let stored = rows.iter().filter_map(|row| {
        let model = Model::ALL
            .into_iter()
            .find(|model| model.table() == row.model)?;
        Some(Pair {
            row: Row(model, row.dim.clone(), row.key.clone(), row.at, [0; 3]),
            was: [row.n, row.a, row.b],
        })
    });
    let mut pairs: Vec<Pair> = counted.chain(stored).collect();
    sort::sort_by(&mut pairs, |a, b| a.row.key().cmp(&b.row.key()));
    pairs.dedup_by(|next, kept| {
        let is_same = next.row.key() == kept.row.key();
        if is_same {
            for (one, other) in [(&mut kept.row.4, next.row.4), (&mut kept.was, next.was)] {
                for (sum, more) in one.iter_mut().zip(other) {
                    *sum = sum.saturating_add(more);
                }
            }
        }
        is_same
    });
    if !is_all {
        for pair in &mut pairs {
            for (is, was) in pair.row.4.iter_mut().zip(pair.was) {
                *is = was.max(*is);
            }
        }
    }
    let differs = pairs.into_iter().filter(|pair| pair.row.4 != pair.was);
    differs
        .map(
            |Pair {
                 row,
                 was: [was, ..],
             }| Difference { row, was },
        )
        .collect()
}
