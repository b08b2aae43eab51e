//! What has no index by time, which would cost a row written an event: a run looks at some rows and
//! goes on where the last one ended, and begins again at the end.

use serde::Deserialize;

use crate::privacy::day_of;
use crate::sql::Statement;

/// Rows that one run looks at.
pub const MAX_LOOKED_AT: i64 = 2_000;

/// Days that it is known who was there: over the 366 of the longest range and the 30 of the month
/// before it. Whoever comes back later has a gap over any range either way.
const MEMBER_DAYS: i64 = 400;

/// A table whose rows are swept by a cursor: the key of the last row that was looked at, as a JSON
/// array; empty at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Ids of events.
    Ids,
    /// Sessions.
    Sessions,
    /// Who was there on which day.
    Members,
}

/// Where a run of a sweep ends: a row of [`Sweep::end`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// The cursor for the next run.
    pub cursor: String,
}

/// Before every key of every table.
const BEGIN: &str = r#"["","","","",-1000000]"#;

/// After every site's id, which is of a-z, 0-9 and -, or begins with _.
const AFTER: &str = r#"["~","","","",0]"#;

impl Sweep {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ids, Self::Sessions, Self::Members];

    /// The name of its job.
    pub fn job(self) -> &'static str {
        match self {
            Self::Ids => "sweep_ids",
            Self::Sessions => "sweep_sessions",
            Self::Members => "sweep_members",
        }
    }

    /// The statement that finds where the run that begins after `cursor` ends; none: at the end.
    pub fn end(self, cursor: &str) -> Statement {
        let sql = match self {
            Self::Ids => {
                "SELECT json_array(site_id, event_id) AS cursor FROM event_ids \
                 WHERE (site_id, event_id) > (?1->>0, ?1->>1) \
                 ORDER BY site_id, event_id LIMIT 1 OFFSET ?2"
            }
            Self::Sessions => {
                "SELECT json_array(site_id, session_hash) AS cursor FROM sessions \
                 WHERE (site_id, session_hash) > (?1->>0, ?1->>1) \
                 ORDER BY site_id, session_hash LIMIT 1 OFFSET ?2"
            }
            Self::Members => {
                "SELECT json_array(site_id, dim, key, user_hash, day) AS cursor FROM members \
                 WHERE (site_id, dim, key, user_hash, day) > \
                 (?1->>0, ?1->>1, ?1->>2, ?1->>3, ?1->>4) \
                 ORDER BY site_id, dim, key, user_hash, day LIMIT 1 OFFSET ?2"
            }
        };
        let offset = MAX_LOOKED_AT.saturating_sub(1);
        Statement::new(sql, [begin(cursor).into(), offset.into()])
    }

    /// The statement that deletes what is too old after `cursor` up to `end`; `default_days` is the
    /// retention of sites that set none.
    pub fn delete(
        self,
        cursor: &str,
        end: Option<&End>,
        default_days: u32,
        now_ms: i64,
    ) -> Statement {
        let sql = match self {
            Self::Ids => concat!(
                "DELETE FROM event_ids WHERE (site_id, event_id) > (?1->>0, ?1->>1) \
                 AND (site_id, event_id) <= (?2->>0, ?2->>1) AND received_at < ?3 - 86400000 * ",
                ids_days!(
                    "coalesce((SELECT s.retention_days FROM sites AS s \
                     WHERE s.site_id = event_ids.site_id), ?4)"
                )
            ),
            Self::Sessions => concat!(
                "DELETE FROM sessions WHERE (site_id, session_hash) > (?1->>0, ?1->>1) \
                 AND (site_id, session_hash) <= (?2->>0, ?2->>1) AND seen_at < ?3 - 86400000 * ",
                ids_days!(
                    "coalesce((SELECT s.retention_days FROM sites AS s \
                     WHERE s.site_id = sessions.site_id), ?4)"
                )
            ),
            Self::Members => {
                "DELETE FROM members WHERE (site_id, dim, key, user_hash, day) > \
                 (?1->>0, ?1->>1, ?1->>2, ?1->>3, ?1->>4) \
                 AND (site_id, dim, key, user_hash, day) <= \
                 (?2->>0, ?2->>1, ?2->>2, ?2->>3, ?2->>4) AND day < ?3"
            }
        };
        let (from, days) = match self {
            Self::Ids | Self::Sessions => (now_ms, Some(default_days)),
            Self::Members => (day_of(now_ms).saturating_sub(MEMBER_DAYS), None),
        };
        let end = end.map_or(AFTER, |end| &end.cursor);
        let base = [begin(cursor).into(), end.into(), from.into()];
        let days = days.map(|days| i64::from(days).into());
        Statement::new(sql, base.into_iter().chain(days))
    }
}

fn begin(cursor: &str) -> &str {
    if cursor.is_empty() { BEGIN } else { cursor }
}
