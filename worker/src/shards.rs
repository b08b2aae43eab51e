//! The shards that have ever taken a batch, so that the cron wakes those and no others: an object
//! is made near its first caller, and that must be a page's collector, not the cron.

use serde::Deserialize;

use crate::sql::Statement;
use crate::tally::OWN_SITE;

/// The statement that lets the cron know of a shard.
pub fn register_shard(site: &str, shard: u32) -> Statement {
    Statement::new(
        "INSERT INTO shards (site_id, shard) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        [site.into(), i64::from(shard).into()],
    )
}

/// The statement that lists them.
pub fn list_shards() -> Statement {
    Statement::new("SELECT site_id, shard FROM shards", [])
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
    use crate::sql::Sql;
    use crate::testing::TestSql;

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
