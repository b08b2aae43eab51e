//! The transaction that has D1's rows say what the archive has counted.

use super::Difference;
use crate::archive::recount::{Counted, Model};
use crate::base::json_rows::json_rows;
use crate::base::sql::{Param, Statement};

/// Where D1 stands, as [`Counted::stand`] tells it.
macro_rules! stand {
    () => {
        "(SELECT coalesce(group_concat(at, ''), '') FROM (SELECT shard || ' ' || epoch || ' ' || fold || ',' \
         AS at FROM archives WHERE site_id = ?1 ORDER BY shard))"
    };
}

pub(super) use stand;

/// Whether D1 stands at `?3`, and so holds the sums of no other archive.
macro_rules! guard {
    () => {
        concat!(stand!(), " = ?3")
    };
}

/// A statement that writes rows `[text, text, number, amount, amount, amount]` (`?4`).
macro_rules! set {
    ($insert:expr, $select:expr, $set:expr) => {
        concat!(
            "INSERT INTO ",
            $insert,
            " SELECT ",
            $select,
            " FROM json_each(?4) WHERE ",
            guard!(),
            " ON CONFLICT DO UPDATE SET ",
            $set
        )
    };
}

/// Of rows `[model, key, was, is]` (`?4`).
const NOTE: &str = concat!(
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?5, ?1, ?2, value->>0, value->>1, value->>2, value->>3 FROM json_each(?4) WHERE ",
    guard!()
);

impl Model {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Breakdowns,
        Self::DomainHours,
        Self::MinuteCounts,
        Self::MemberGaps,
        Self::UserDays,
        Self::SessionDays,
    ];

    /// The table's name.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Breakdowns => "breakdowns",
            Self::DomainHours => "domain_hours",
            Self::MinuteCounts => "minute_counts",
            Self::MemberGaps => "member_gaps",
            Self::UserDays => "user_days",
            Self::SessionDays => "session_days",
        }
    }

    fn set(self) -> &'static str {
        match self {
            Self::Breakdowns => set!(
                "breakdowns (site_id, dim, day, key, events, a, b)",
                "?1, value->>0, ?2, value->>1, value->>3, value->>4, value->>5",
                "events = excluded.events, a = excluded.a, b = excluded.b"
            ),
            Self::DomainHours => set!(
                "domain_hours (site_id, hour, event_type, status, n)",
                "?1, value->>2, value->>0, value->>1, value->>3",
                "n = excluded.n"
            ),
            Self::MinuteCounts => set!(
                "minute_counts (site_id, minute, event_type, source, n)",
                "?1, value->>2, value->>0, value->>1, value->>3",
                "n = excluded.n"
            ),
            Self::MemberGaps => set!(
                "member_gaps (site_id, dim, day, key, gap, n)",
                "?1, value->>0, ?2, value->>1, value->>2, value->>3",
                "n = excluded.n"
            ),
            Self::UserDays => set!(
                "user_days (site_id, day, first_seen, signups)",
                "?1, ?2, value->>3, value->>4",
                "first_seen = excluded.first_seen, signups = excluded.signups"
            ),
            Self::SessionDays => set!(
                "session_days (site_id, day, sessions, duration_ms)",
                "?1, ?2, value->>3, value->>4",
                "sessions = excluded.sessions, duration_ms = excluded.duration_ms"
            ),
        }
    }

    /// What forgets rows that count nothing, where an answer would name them.
    fn clear(self) -> Option<&'static str> {
        match self {
            Self::DomainHours => Some(concat!(
                "DELETE FROM domain_hours WHERE site_id = ?1 AND hour >= ?2 * 86400000 \
                 AND hour < (?2 + 1) * 86400000 AND n = 0 AND ",
                guard!()
            )),
            Self::MinuteCounts => Some(concat!(
                "DELETE FROM minute_counts WHERE site_id = ?1 AND minute >= ?2 * 86400000 \
                 AND minute < (?2 + 1) * 86400000 AND n = 0 AND ",
                guard!()
            )),
            _ => None,
        }
    }
}

/// The statements, all but the report.
pub(super) fn statements(
    site: &str,
    day: i64,
    counted: &Counted,
    found: &[Difference],
    now_ms: i64,
) -> Vec<Statement> {
    let base = || -> [Param; 3] { [site.into(), day.into(), counted.stand().into()] };
    let of = |sql, rows: String, now: Option<i64>| {
        let rows = [Param::Text(rows)].into_iter();
        Statement::new(
            sql,
            base().into_iter().chain(rows).chain(now.map(Param::Int)),
        )
    };
    let mut statements: Vec<Statement> = json_rows(found.iter().map(note))
        .into_iter()
        .map(|rows| of(NOTE, rows, Some(now_ms)))
        .collect();
    for model in Model::ALL {
        let rows = found
            .iter()
            .filter(|found| found.row.0 == model)
            .map(amounts);
        let texts = json_rows(rows);
        let clear = model.clear().filter(|_| !texts.is_empty());
        statements.extend(texts.into_iter().map(|rows| of(model.set(), rows, None)));
        statements.extend(clear.map(|sql| Statement::new(sql, base())));
    }
    statements
}

/// A row of the report.
fn note(found: &Difference) -> String {
    let key = match found.row.0 {
        Model::Breakdowns | Model::MemberGaps => &found.row.2,
        _ => &found.row.1,
    };
    let [is_now, ..] = found.row.4;
    // Texts and numbers always serialize.
    serde_json::to_string(&(found.model(), key, found.was, is_now)).unwrap_or_default()
}

fn amounts(found: &Difference) -> String {
    let row = &found.row;
    let [n, a, b] = row.4;
    serde_json::to_string(&(&row.1, &row.2, row.3, n, a, b)).unwrap_or_default()
}
