//! The shards that have ever taken a batch, so that the cron wakes those and no others: an object
//! is made near its first caller, and that must be a page's collector, not the cron.

use serde::Deserialize;

use crate::base::sql::Statement;
use crate::protocol::names::OWN_SITE;

/// The statement that lets the cron know of a shard.
pub fn register_shard(site: &str, shard: u32) -> Statement {
    Statement::new(
        "INSERT INTO shards (site_id, shard) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        [site.into(), i64::from(shard).into()],
    )
}

/// Shards that one run of the cron wakes at most. Each is two calls of some milliseconds, of the
/// 1,000 that the smaller plans allow an invocation; where there are more, they take turns.
pub const MAX_WOKEN: i64 = 300;

/// The name of the job that wakes them.
pub const WAKE_JOB: &str = "wake";

/// The statement that lists those that are to be woken now: after `cursor`, the [`cursor`] of the run
/// before.
pub fn list_shards(cursor: &str) -> Statement {
    let begin = if cursor.is_empty() {
        r#"["",-1]"#
    } else {
        cursor
    };
    Statement::new(
        "SELECT site_id, shard FROM shards WHERE (site_id, shard) > (?1->>0, ?1->>1) \
         ORDER BY site_id, shard LIMIT ?2",
        [begin.into(), MAX_WOKEN.into()],
    )
}

/// The statement that counts them: one [`Count`].
pub fn count_shards() -> Statement {
    Statement::new("SELECT count(*) AS n FROM shards", [])
}

/// A row of [`count_shards`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// How many.
    pub n: i64,
}

/// Where the next run goes on: after the last of `woken`, if so many were `listed` that there may be
/// more, or not all of these were woken; else at the beginning.
pub fn cursor(listed: usize, woken: &[ShardRow]) -> String {
    let is_all = woken.len() >= listed && i64::try_from(listed).is_ok_and(|n| n < MAX_WOKEN);
    let last = woken.last().filter(|_| !is_all);
    last.map(|row| serde_json::json!([row.site_id, row.shard]).to_string())
        .unwrap_or_default()
}

/// The statement that lists them, and those that all sites (Shoreline's own too) may have with so
/// many `shards`: D1 may have been lost since they took a batch.
pub fn possible_shards(shards: u32) -> Statement {
    let all: Vec<u32> = (0..shards).collect();
    Statement::new(
        "SELECT site_id, shard FROM shards \
         UNION SELECT s.site_id, n.value \
         FROM (SELECT site_id FROM sites UNION SELECT ?2) AS s, json_each(?1) AS n",
        [
            serde_json::to_string(&all).unwrap_or_default().into(),
            OWN_SITE.into(),
        ],
    )
}

/// A row of [`list_shards`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShardRow {
    /// The site.
    pub site_id: String,
    /// The shard.
    pub shard: u32,
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;
    use crate::base::sql::Sql;
    use crate::testing::TestSql;

    #[test]
    fn shards_are_woken_in_turns() {
        let sql = TestSql::new();
        sql.migrate();
        sql.execute_batch(
            "WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 699)
             INSERT INTO shards SELECT 'site-' || (n / 7), n % 7 + 5 FROM n",
        );
        let list = |at: &str| {
            let Statement { sql: text, params } = list_shards(at);
            let plan: Vec<serde_json::Value> = sql
                .rows(&format!("EXPLAIN QUERY PLAN {text}"), &params)
                .unwrap();
            let step = plan[0]["detail"].as_str().unwrap().to_owned();
            assert!(step.starts_with("SEARCH"), "{step}");
            sql.rows::<ShardRow>(text, &params).unwrap()
        };
        let (mut at, mut sizes, mut seen) = (String::new(), Vec::new(), Vec::new());
        loop {
            let rows = list(&at);
            sizes.push(rows.len());
            at = cursor(rows.len(), &rows);
            seen.extend(rows.into_iter().map(|row| (row.site_id, row.shard)));
            if at.is_empty() {
                break;
            }
        }
        assert_eq!(sizes, [300, 300, 100]);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 700);
        // A run whose time was over goes on where it ended, and one that woke none begins again.
        let rows = list("");
        let second = list(&cursor(rows.len(), &rows[..4]));
        assert_eq!(second[0], rows[4]);
        assert_eq!(cursor(rows.len(), &[]), "");
    }

    #[test]
    fn possible_shards_are_those_of_all_sites_and_what_ever_took_a_batch() {
        let sql = TestSql::new();
        sql.migrate();
        sql.execute_batch(
            "INSERT INTO sites (site_id, name, origins, created_at) \
             VALUES ('a', '', '[]', 0), ('b', '', '[]', 0)",
        );
        for (site, shard) in [("a", 1), ("a", 7), ("gone", 0), ("gone", 0)] {
            let Statement { sql: text, params } = register_shard(site, shard);
            sql.rows::<IgnoredAny>(text, &params).unwrap();
        }
        let possible = possible_shards(2);
        let mut rows: Vec<(String, u32)> = sql
            .rows::<ShardRow>(possible.sql, &possible.params)
            .unwrap()
            .into_iter()
            .map(|row| (row.site_id, row.shard))
            .collect();
        rows.sort();
        let want = [
            (OWN_SITE, 0),
            (OWN_SITE, 1),
            ("a", 0),
            ("a", 1),
            ("a", 7),
            ("b", 0),
            ("b", 1),
            ("gone", 0),
        ];
        assert_eq!(rows, want.map(|(site, shard)| (site.to_owned(), shard)));
    }
}
