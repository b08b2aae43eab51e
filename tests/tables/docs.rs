//! The queries that `docs/LAKE.md` shows: fenced blocks whose first line is `sql ENGINE NAME`.

use std::collections::BTreeMap;

const DOCS: &str = include_str!("../../docs/LAKE.md");

/// An engine's queries by name.
pub(crate) fn queries(engine: &str) -> BTreeMap<String, String> {
    let blocks = DOCS.split("\n```").filter_map(|block| {
        let (head, sql) = block.split_once('\n')?;
        let name = head.strip_prefix(&format!("sql {engine} "))?;
        Some((name.to_owned(), sql.to_owned()))
    });
    blocks.collect()
}

/// No query hides from the tests by a misspelt head.
#[test]
fn every_query_is_of_an_engine_that_is_tested() {
    let all = DOCS.matches("\n```sql").count();
    let found = ["duckdb", "athena", "spark"].map(|engine| queries(engine).len());
    assert_eq!(all, found.iter().sum::<usize>(), "{found:?}");
}
