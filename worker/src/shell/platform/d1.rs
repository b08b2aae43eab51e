//! Running the core's statements on D1.

use std::time::Duration;

use js_sys::Array;
use serde::de::{DeserializeOwned, IgnoredAny};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, Result};

use crate::base::sql::{Statement, Table};
use crate::shell::platform::bindings::DB;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::deadline::within;
use crate::shell::platform::do_sql::bound;
use crate::shell::platform::log;
use crate::upkeep::jobs::{self, Job};

#[wasm_bindgen(module = "/src/shell/platform/sql.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = batch)]
    async fn run_batch(
        env: &Env,
        database: &str,
        statements: Array,
    ) -> std::result::Result<JsValue, JsValue>;
}

/// Runs one statement and returns its rows.
pub(crate) async fn rows<T: DeserializeOwned>(env: &Env, statement: &Statement) -> Result<Vec<T>> {
    transaction(env, std::slice::from_ref(statement)).await
}

/// Runs statements as one transaction and returns the rows of the last.
pub(crate) async fn transaction<T: DeserializeOwned>(
    env: &Env,
    statements: &[Statement],
) -> Result<Vec<T>> {
    match batch(env, statements).await?.last() {
        Some(last) => Ok(last.rows()?),
        None => Ok(Vec::new()),
    }
}

/// Bytes of the database, and whether it answers at all and has its tables.
pub(crate) async fn size(env: &Env) -> Result<Option<u64>> {
    let look = Statement::new("SELECT site_id FROM sites LIMIT 1", []);
    let tables = batch(env, &[look]).await?;
    Ok(tables.first().and_then(Table::size))
}

/// How long a write may take that only asks whether one is taken.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// Whether D1 takes a write: one row, which is written over each time.
pub(crate) async fn takes_writes(env: &Env) -> bool {
    let probe = Job {
        done_for: now_ms(),
        cursor: String::new(),
    };
    let statement = jobs::save("write_probe", &probe);
    match within(WRITTEN_WITHIN, rows::<IgnoredAny>(env, &statement)).await {
        Some(Ok(_)) => true,
        Some(Err(error)) => {
            log::error("d1", error);
            false
        }
        None => {
            log::error("d1", "a write was not taken in time");
            false
        }
    }
}

/// Runs statements as one transaction: the rows of each.
pub(crate) async fn batch(env: &Env, statements: &[Statement]) -> Result<Vec<Table>> {
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let all = Array::new();
    for statement in statements {
        let one = bound(&statement.params);
        one.unshift(&JsValue::from_str(statement.sql));
        all.push(&one);
    }
    let text = run_batch(env, DB, all).await?;
    Ok(Table::parse_all(&text.as_string().unwrap_or_default())?)
}
