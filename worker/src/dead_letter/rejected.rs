//! What services sent and could not be taken, among the dead letters: an object in the bucket and a row for each group
//! of a delivery's items.

use super::Reason;
use crate::base::sql::Statement;
use crate::base::time::DAY_MS;
use crate::http::outcome::UNKNOWN_SHAPE;
use crate::ingest::rejected::Rejected;

/// Groups of a site that are kept at most, so 128 MB.
const MAX_OF_SITE: i64 = 500;

/// How long one is kept, in milliseconds: what SQS keeps a message at most.
const KEPT_MS: i64 = 14 * DAY_MS;

/// Groups that a run of the cron forgets at most, each with an object of the bucket.
const MAX_FORGOTTEN: i64 = 50;

impl Rejected {
    /// Why it is a dead letter.
    pub fn reason(&self) -> Reason {
        match self.code == UNKNOWN_SHAPE {
            true => Reason::UnknownShape,
            false => Reason::Rejected,
        }
    }

    /// Where it is kept in the bucket.
    pub fn object_key(&self, id: &str) -> String {
        format!("dead-letters/{}/{id}.json", self.site_id)
    }

    /// The statement that lists it under `id`, and returns a row where the site has room for it.
    pub fn list(&self, id: &str) -> Statement {
        Statement::new(
            "INSERT INTO dead_letters (site_id, part_id, shard, code, detail, received_at, events, \
                                       first_at, last_at, tries, object_key) \
             SELECT ?1, ?2, 0, ?3, ?4, ?5, ?6, ?5, ?5, 1, ?7 \
             WHERE (SELECT count(*) FROM dead_letters WHERE site_id = ?1 \
                    AND code IN ('rejected', 'unknown_shape')) < ?8 \
             ON CONFLICT DO NOTHING RETURNING part_id",
            [
                self.site_id.as_str().into(),
                id.into(),
                self.reason().code().into(),
                format!("{} {}", self.code, self.field).trim_end().into(),
                self.received_at.into(),
                self.count().into(),
                self.object_key(id).into(),
                MAX_OF_SITE.into(),
            ],
        )
    }

    /// As JSON, for the bucket.
    pub fn to_json(&self) -> String {
        // Texts, numbers and values always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The statement that notes that a replay has taken some of it, or none.
    pub fn relist(&self, id: &str, now_ms: i64) -> Statement {
        Statement::new(
            "UPDATE dead_letters SET events = ?3, last_at = ?4, tries = tries + 1 \
             WHERE site_id = ?1 AND part_id = ?2",
            [
                self.site_id.as_str().into(),
                id.into(),
                self.count().into(),
                now_ms.into(),
            ],
        )
    }
}

/// The statement that finds what is kept for too long.
pub fn too_old(now_ms: i64) -> Statement {
    Statement::new(
        "SELECT site_id, part_id, shard, code, object_key AS key FROM dead_letters \
         WHERE first_at < ?1 AND code IN ('rejected', 'unknown_shape') \
         ORDER BY first_at LIMIT ?2",
        [now_ms.saturating_sub(KEPT_MS).into(), MAX_FORGOTTEN.into()],
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::sql::Sql;
    use crate::dead_letter::{Chosen, Selection, forget};
    use crate::read::reconciliation::{HourRow, Reconciliation};
    use crate::testing::{NOW, TestSql};

    #[test]
    fn a_site_has_room_for_some_and_none_is_kept_for_ever() {
        let sql = TestSql::new();
        sql.migrate();
        let group = Rejected {
            site_id: "demo".into(),
            received_at: NOW,
            code: UNKNOWN_SHAPE.into(),
            field: String::new(),
            items: vec![(0, json!({"a": 1}))],
            left_out: 0,
        };
        let list = |group: &Rejected, id: &str| {
            let list = group.list(id);
            let rows: Vec<serde::de::IgnoredAny> = sql.rows(list.sql, &list.params).unwrap();
            rows.len()
        };
        for n in 0..MAX_OF_SITE {
            assert_eq!(list(&group, &format!("p{n}")), 1);
        }
        assert_eq!(list(&group, "more"), 0);
        let other = Rejected {
            site_id: "other".into(),
            received_at: NOW + 1,
            ..group.clone()
        };
        assert_eq!(list(&other, "p0"), 1);
        // They were never taken: the reconciliation knows nothing of them.
        let dead = Reconciliation::DAY.dead("demo", NOW);
        let dead: Vec<HourRow> = sql.rows(dead.sql, &dead.params).unwrap();
        assert_eq!(dead, []);
        let old = |now| -> Vec<Chosen> {
            let statement = too_old(now);
            sql.rows(statement.sql, &statement.params).unwrap()
        };
        assert_eq!(old(NOW + KEPT_MS), []);
        let some = old(NOW + KEPT_MS + 1);
        assert_eq!(some.len() as i64, MAX_FORGOTTEN);
        assert_eq!(
            some[0].key,
            format!("dead-letters/demo/{}.json", some[0].part_id)
        );
        // They are replayed like all others.
        let chosen = Selection::parse(br#"{"code":"unknown_shape","siteId":"other"}"#)
            .unwrap()
            .statement();
        let chosen: Vec<Chosen> = sql.rows(chosen.sql, &chosen.params).unwrap();
        assert_eq!(chosen.len(), 1);
        let gone = forget("other", &["p0".to_owned()]);
        sql.run(gone.sql, &gone.params).unwrap();
        assert_eq!(
            sql.number("SELECT count(*) FROM dead_letters WHERE site_id = 'other'"),
            0
        );
    }
}
