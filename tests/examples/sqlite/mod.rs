//! A SQLite for the tools beside it, and for tests.
#![allow(dead_code, reason = "each uses some of it")]

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rusqlite::types::{Value as Sqlite, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shoreline_worker::base::sql::{Cell, Param, Sql, SqlError, Statement};

/// A text as one gzip member.
pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What a gzip member holds.
pub(crate) fn gunzip(packed: &[u8]) -> Option<String> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A SQLite behind the core's [`Sql`].
pub(crate) struct Database(pub(crate) Connection);

impl Database {
    /// One number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Runs statements in one transaction; the rows of the last.
    pub(crate) fn batch<T: DeserializeOwned>(&self, statements: &[Statement]) -> Vec<T> {
        self.0.execute_batch("BEGIN").unwrap();
        let mut last = Vec::new();
        for statement in statements {
            last = self.rows(statement.sql, &statement.params).unwrap();
        }
        self.0.execute_batch("COMMIT").unwrap();
        last.into_iter()
            .map(|row: Value| serde_json::from_value(row).unwrap())
            .collect()
    }
}

fn bound(params: &[Param]) -> impl rusqlite::Params {
    params_from_iter(params.iter().map(|param| match param {
        Param::Int(int) => Sqlite::Integer(*int),
        Param::Text(text) => Sqlite::Text(text.clone()),
        Param::Blob(bytes) => Sqlite::Blob(bytes.clone()),
        Param::Null => Sqlite::Null,
    }))
}

fn failed(error: rusqlite::Error) -> SqlError {
    SqlError(error.to_string())
}

impl Sql for &Database {
    fn table(&self, sql: &str, params: &[Param]) -> Result<String, SqlError> {
        (**self).table(sql, params)
    }

    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError> {
        (**self).cells(sql, params)
    }

    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError> {
        (**self).transaction(work)
    }
}

impl Sql for Database {
    fn table(&self, sql: &str, params: &[Param]) -> Result<String, SqlError> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        let columns: Vec<String> = statement
            .column_names()
            .iter()
            .map(|n| (*n).into())
            .collect();
        let mut rows = statement.query(bound(params)).map_err(failed)?;
        let mut out: Vec<Vec<Value>> = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let value = |index| match row.get_ref(index).unwrap() {
                ValueRef::Integer(int) => int.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
                _ => Value::Null,
            };
            out.push((0..columns.len()).map(value).collect());
        }
        Ok(serde_json::to_string(&(columns, out)).unwrap())
    }

    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(bound(params)).map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            out.push(std::array::from_fn(|index| {
                match row.get_ref(index).unwrap() {
                    ValueRef::Integer(int) => Cell::Int(int),
                    ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
                    _ => Cell::Null,
                }
            }));
        }
        Ok(out)
    }

    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError> {
        self.0.execute_batch("SAVEPOINT t").map_err(failed)?;
        let result = work();
        let end = if result.is_ok() {
            "RELEASE t"
        } else {
            "ROLLBACK TO t; RELEASE t"
        };
        self.0.execute_batch(end).map_err(failed)?;
        result
    }
}
