//! The SQLite of a Durable Object behind the core's [`Sql`].

use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use worker::{SqlStorageValue, State};

use crate::sql::{Param, Sql, SqlError};

/// The SQLite of one Durable Object.
pub(super) struct DoSql {
    sql: worker::SqlStorage,
    storage: SyncStorage,
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
    pub(super) fn new(state: &State) -> Self {
        let storage = state.storage();
        Self {
            sql: storage.sql(),
            storage: JsValue::from(storage.as_raw()).unchecked_into(),
        }
    }
}

impl Sql for DoSql {
    fn rows<T: DeserializeOwned>(&self, sql: &str, params: &[Param]) -> Result<Vec<T>, SqlError> {
        let values: Vec<SqlStorageValue> = params
            .iter()
            .map(|param| match param {
                Param::Int(int) => SqlStorageValue::Integer(*int),
                Param::Text(text) => SqlStorageValue::String(text.clone()),
                Param::Null => SqlStorageValue::Null,
            })
            .collect();
        let cursor = self
            .sql
            .exec(sql, values)
            .map_err(|error| SqlError(error.to_string()))?;
        cursor
            .to_array()
            .map_err(|error| SqlError(error.to_string()))
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
