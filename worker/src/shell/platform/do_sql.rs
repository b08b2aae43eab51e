//! The SQLite of a Durable Object behind the core's [`Sql`].

use js_sys::{Array, Uint8Array};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use worker::State;

use crate::base::json;
use crate::base::sql::{Cell, Param, Sql, SqlError};

/// The SQLite of one Durable Object.
pub(crate) struct DoSql {
    sql: worker::SqlStorage,
    storage: SyncStorage,
}

#[wasm_bindgen(module = "/src/shell/platform/sql.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = table)]
    fn run_table(storage: &JsValue, sql: &str, params: Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = cells)]
    fn run_cells(storage: &JsValue, sql: &str, params: Array) -> Result<Array, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    // `storage.transactionSync`, which the worker crate does not bind: without it the writes before
    // a failing statement would stay.
    type SyncStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &SyncStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

impl DoSql {
    pub(crate) fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            sql: storage.sql(),
            storage: JsValue::from(storage.as_raw()).unchecked_into(),
        }
    }
}

impl DoSql {
    /// The rows of a statement: one crossing for all of them, and one for each value that is bytes.
    fn rows(&self, sql: &str, params: &[Param]) -> Result<Vec<Vec<Cell>>, SqlError> {
        let parts = run_cells(self.sql.as_ref(), sql, bound(params));
        let mut parts = parts.map_err(|error| failed(error.into()))?.into_iter();
        let text = parts.next().and_then(|text| text.as_string());
        let rows = json::parse(text.unwrap_or_default().as_bytes());
        let rows = rows.map_err(|error| SqlError(error.to_string()))?;
        let mut cell = |value: &Value| match value {
            Value::Number(number) => number.as_i64().map_or(Cell::Null, Cell::Int),
            Value::String(text) => Cell::Text(text.clone()),
            Value::Array(_) => {
                let bytes = parts.next().map(JsCast::unchecked_into::<Uint8Array>);
                bytes.map_or(Cell::Null, |bytes| Cell::Blob(bytes.to_vec()))
            }
            _ => Cell::Null,
        };
        let rows = rows.as_array().into_iter().flatten();
        let rows = rows.map(|row| {
            let values = row.as_array().into_iter().flatten();
            values.map(&mut cell).collect()
        });
        Ok(rows.collect())
    }
}

/// Parameters as JavaScript's values.
pub(crate) fn bound(params: &[Param]) -> Array {
    params.iter().map(value).collect()
}

/// Every integer here is below 2^53, so a double holds it; a statement takes no `BigInt`.
fn value(param: &Param) -> JsValue {
    match param {
        Param::Int(int) => JsValue::from_f64(*int as f64),
        Param::Text(text) => JsValue::from_str(text),
        Param::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        Param::Null => JsValue::NULL,
    }
}

fn failed(error: worker::Error) -> SqlError {
    SqlError(error.to_string())
}

impl Sql for DoSql {
    fn table(&self, sql: &str, params: &[Param]) -> Result<String, SqlError> {
        let table = run_table(self.sql.as_ref(), sql, bound(params));
        let table = table.map_err(|error| failed(error.into()))?;
        Ok(table.as_string().unwrap_or_default())
    }

    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError> {
        let rows = self.rows(sql, params)?.into_iter();
        let rows = rows.map(|row| {
            let mut cells = row.into_iter();
            std::array::from_fn(|_| cells.next().unwrap_or(Cell::Null))
        });
        Ok(rows.collect())
    }

    fn run(&self, sql: &str, params: &[Param]) -> Result<(), SqlError> {
        let params: Vec<JsValue> = params.iter().map(value).collect();
        self.sql.exec_raw(sql, params).map(drop).map_err(failed)
    }

    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError> {
        let mut result = None;
        let outcome = self.storage.transaction_sync(&mut || match work() {
            Ok(value) => {
                result = Some(value);
                Ok(JsValue::UNDEFINED)
            }
            // What is thrown rolls back.
            Err(error) => Err(JsValue::from_str(&error.0)),
        });
        match (outcome, result) {
            (Ok(_), Some(value)) => Ok(value),
            (Err(error), _) => Err(SqlError(format!("{error:?}"))),
            (Ok(_), None) => Err(SqlError("the transaction did not run".to_owned())),
        }
    }
}

impl From<SqlError> for worker::Error {
    fn from(error: SqlError) -> Self {
        Self::RustError(error.0)
    }
}
