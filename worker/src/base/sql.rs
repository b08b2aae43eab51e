//! SQL as plain values: the core writes statements, the shell (or a native test) runs them.

mod table;

use serde::de::DeserializeOwned;

pub use table::Table;

/// A bound parameter. Integers stay below 2^53: they travel as JavaScript numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// An integer.
    Int(i64),
    /// A text, often a JSON array that the statement opens with `json_each`.
    Text(String),
    /// Bytes: of Durable Objects only, D1 hands them over as numbers.
    Blob(Vec<u8>),
    /// NULL.
    Null,
}

/// A value of a row that is read as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// NULL, or a value of another kind.
    Null,
}

impl Cell {
    /// The integer; 0 of anything else, which a column of integers does not hold.
    pub fn int(&self) -> i64 {
        match self {
            Self::Int(int) => *int,
            _ => 0,
        }
    }

    /// The text; empty of anything else.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// The bytes; none of anything else.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Blob(bytes) => bytes,
            _ => &[],
        }
    }
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&[u8]> for Param {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement with its parameters, for `?1`, `?2`, ….
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: &'static str,
    /// Its parameters in order.
    pub params: Vec<Param>,
}

impl Statement {
    /// A statement.
    pub fn new(sql: &'static str, params: impl IntoIterator<Item = Param>) -> Self {
        Self {
            sql,
            params: params.into_iter().collect(),
        }
    }
}

/// Why a statement failed, in the database's words: for logs, never for answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError(pub String);

impl std::fmt::Display for SqlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SQLite of a Durable Object: synchronous, one caller.
pub trait Sql {
    /// Runs a statement and returns its rows, without bytes, as [`Table::parse`] reads them.
    ///
    /// # Errors
    /// Whatever the database says.
    fn table(&self, sql: &str, params: &[Param]) -> Result<String, SqlError>;

    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// Whatever the database says, and where a row is not what is asked for.
    fn rows<T: DeserializeOwned>(&self, sql: &str, params: &[Param]) -> Result<Vec<T>, SqlError> {
        Table::parse(&self.table(sql, params)?)?.rows()
    }

    /// Runs a statement and returns its rows of `N` columns as they are, bytes included.
    ///
    /// # Errors
    /// Whatever the database says.
    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError>;

    /// Runs `work` in one transaction: all of its writes stay, or, where it fails, none.
    ///
    /// # Errors
    /// The error of `work`, or of the commit.
    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError>;

    /// Runs a statement that returns nothing.
    ///
    /// # Errors
    /// Whatever the database says.
    fn run(&self, sql: &str, params: &[Param]) -> Result<(), SqlError> {
        self.table(sql, params).map(drop)
    }

    /// The first row, where there is one.
    ///
    /// # Errors
    /// Whatever the database says.
    fn first<T: DeserializeOwned>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Option<T>, SqlError> {
        Ok(self.rows(sql, params)?.into_iter().next())
    }
}
