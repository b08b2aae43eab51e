//! `GET /v1/repairs`: where the hourly recount found a sum of D1 to differ from the events, and mended it.

use serde::{Deserialize, Serialize};

use crate::base::sql::Statement;
use crate::base::time::date;
use crate::http::error::Fault;
use crate::http::params::Params;

/// Query parameters.
pub const PARAMS: &[&str] = &["siteId", "limit", "cursor"];

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repairs {
    site: Option<String>,
    before: i64,
    limit: i64,
}

/// A row of D1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    id: i64,
    repaired_at: i64,
    site_id: String,
    day: i64,
    model: String,
    key: String,
    was: i64,
    is_now: i64,
}

/// A page of repairs, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Repairs))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    repairs: Vec<Repair>,
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
struct Repair {
    /// Unix milliseconds.
    repaired_at: i64,
    site_id: String,
    /// The day whose sums they were, UTC.
    date: String,
    /// The table.
    model: String,
    /// What of it.
    key: String,
    was: i64,
    is_now: i64,
}

/// After every id: no number of a statement is larger.
const LAST: i64 = 1 << 53;

impl Repairs {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for `limit` or `cursor`.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let detail = "limit must be a whole number from 1 to 500.";
        let of = "cursor must be a nextCursor of this call.";
        Ok(Self {
            site: params.get("siteId").map(str::to_owned),
            before: params.number("cursor", 1..=LAST, LAST, of)?,
            limit: params.number("limit", 1..=500, 50, detail)?,
        })
    }

    /// The statement of the page and the first row after it.
    pub fn statement(&self) -> Statement {
        Statement::new(
            "SELECT id, repaired_at, site_id, day, model, key, was, is_now FROM repairs \
             WHERE (?1 IS NULL OR site_id = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3",
            [
                self.site.as_deref().into(),
                self.before.into(),
                self.limit.saturating_add(1).into(),
            ],
        )
    }

    /// The answer.
    pub fn answer(&self, mut rows: Vec<Row>) -> Answer {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        Answer {
            next_cursor: last.map(|row| row.id.to_string()),
            repairs: rows
                .into_iter()
                .map(|row| Repair {
                    repaired_at: row.repaired_at,
                    site_id: row.site_id,
                    date: date(row.day),
                    model: row.model,
                    key: row.key,
                    was: row.was,
                    is_now: row.is_now,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::sql::Sql;
    use crate::testing::TestSql;

    #[test]
    fn repairs_are_listed_page_by_page_the_latest_first() {
        let sql = TestSql::new();
        sql.migrate();
        for n in 1..=3 {
            sql.execute_batch(&format!(
                "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
                 VALUES ({n}, 'demo', 19737, 'breakdowns', 'page /', 1, {n})"
            ));
        }
        sql.execute_batch(
            "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
             VALUES (9, 'other', 19737, 'user_days', '', 1, 2)",
        );
        let page = |query: &str| {
            let repairs = Repairs::parse(&Params::parse(query)).unwrap();
            let statement = repairs.statement();
            let rows: Vec<Row> = sql.rows(statement.sql, &statement.params).unwrap();
            serde_json::to_value(repairs.answer(rows)).unwrap()
        };
        let first = page("siteId=demo&limit=2");
        assert_eq!(
            first["repairs"][0],
            json!({"repairedAt": 3, "siteId": "demo", "date": "2024-01-15", "model": "breakdowns", "key": "page /",
                "was": 1, "isNow": 3})
        );
        assert_eq!(first["nextCursor"], "2");
        let next = page("siteId=demo&limit=2&cursor=2");
        assert_eq!(
            (&next["repairs"][0]["isNow"], &next["nextCursor"]),
            (&json!(1), &json!(null))
        );
        assert_eq!(page("")["repairs"].as_array().unwrap().len(), 4);
        for bad in ["limit=0", "cursor=x"] {
            assert!(Repairs::parse(&Params::parse(bad)).is_err(), "{bad}");
        }
    }
}
