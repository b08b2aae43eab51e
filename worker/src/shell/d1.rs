//! Running the core's statements on D1.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Env, Result};

use super::bindings::DB;
use crate::sql::{Param, Statement};

/// The database.
pub(super) fn database(env: &Env) -> Result<D1Database> {
    env.d1(DB)
}

/// Runs one statement and returns its rows.
pub(super) async fn rows<T: DeserializeOwned>(env: &Env, statement: &Statement) -> Result<Vec<T>> {
    let database = database(env)?;
    prepare(&database, statement)?.all().await?.results()
}

/// How many rows D1 read for a statement, where it tells.
pub(super) fn cost(result: &D1Result) -> Option<usize> {
    result.meta().ok().flatten().and_then(|meta| meta.rows_read)
}

/// Runs statements as one transaction and returns the rows of the last.
pub(super) async fn transaction<T: DeserializeOwned>(
    env: &Env,
    statements: &[Statement],
) -> Result<Vec<T>> {
    match batch(env, statements).await?.last() {
        Some(last) => last.results(),
        None => Ok(Vec::new()),
    }
}

/// Runs statements as one transaction.
pub(super) async fn batch(env: &Env, statements: &[Statement]) -> Result<Vec<D1Result>> {
    let database = database(env)?;
    let prepared = statements
        .iter()
        .map(|statement| prepare(&database, statement))
        .collect::<Result<Vec<_>>>()?;
    database.batch(prepared).await
}

/// Bytes of the database, and whether it answers at all.
pub(super) async fn size(env: &Env) -> Result<Option<u64>> {
    #[derive(Deserialize)]
    struct One {}
    let database = database(env)?;
    let result = database.prepare("SELECT 1").all().await?;
    result.results::<One>()?;
    let meta = result.meta()?;
    Ok(meta
        .and_then(|meta| meta.size_after)
        .map(|size| size as u64))
}

fn prepare(database: &D1Database, statement: &Statement) -> Result<D1PreparedStatement> {
    let values: Vec<JsValue> = statement
        .params
        .iter()
        .map(|param| match param {
            // D1 takes no BigInt; every integer here is below 2^53, so f64 holds it.
            Param::Int(int) => JsValue::from_f64(*int as f64),
            Param::Text(text) => JsValue::from_str(text),
            Param::Blob(bytes) => js_sys::Uint8Array::from(bytes.as_slice()).into(),
            Param::Null => JsValue::NULL,
        })
        .collect();
    database.prepare(statement.sql).bind(&values)
}
