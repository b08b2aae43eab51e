//! The imports that are under way, so that the cron wakes them should an alarm be lost.

use serde::Deserialize;

use crate::base::sql::Statement;

/// The statement that lets the cron know of an import.
pub fn register_import(site: &str, import_id: &str) -> Statement {
    Statement::new(
        "INSERT INTO imports (site_id, import_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        [site.into(), import_id.into()],
    )
}

/// The statement that lets the cron forget it: it is done.
pub fn forget_import(site: &str, import_id: &str) -> Statement {
    Statement::new(
        "DELETE FROM imports WHERE site_id = ?1 AND import_id = ?2",
        [site.into(), import_id.into()],
    )
}

/// Imports that one run of the cron wakes at most; they have alarms of their own, and seldom need it.
const MAX_WOKEN: i64 = 100;

/// The statement that lists some of them, others each time where there are many.
pub fn list_imports() -> Statement {
    Statement::new(
        "SELECT site_id, import_id FROM imports ORDER BY random() LIMIT ?1",
        [MAX_WOKEN.into()],
    )
}

/// A row of [`list_imports`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImportRow {
    /// The site.
    pub site_id: String,
    /// The import.
    pub import_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSql;

    #[test]
    fn an_import_is_known_until_it_is_done() {
        let sql = TestSql::new();
        sql.migrate();
        let list = || sql.batch::<ImportRow>(&[list_imports()]).unwrap();
        for _ in 0..2 {
            sql.batch::<ImportRow>(&[register_import("a", "1")])
                .unwrap();
        }
        sql.batch::<ImportRow>(&[register_import("b", "1")])
            .unwrap();
        assert_eq!(list().len(), 2);
        sql.batch::<ImportRow>(&[forget_import("a", "1")]).unwrap();
        assert_eq!(list()[0].site_id, "b");
    }
}
