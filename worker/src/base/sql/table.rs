//! Rows of a statement, as the platform hands them over: one text.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::SqlError;
use crate::base::json::{self, Node};

/// The rows of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    /// Arrays of a value for each column.
    rows: Vec<Value>,
    rows_read: Option<u64>,
    size: Option<u64>,
}

impl Table {
    /// Reads `[["a","b"],[[1,"x"],[2,null]]]`: the columns' names and the rows, behind which may come how many rows were
    /// read for them, and the bytes of the database.
    ///
    /// # Errors
    /// For another text.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        Self::of(json::parse(text.as_bytes()).map_err(failed)?)
    }

    /// Reads an array of these.
    ///
    /// # Errors
    /// For another text.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, SqlError> {
        match json::parse(text.as_bytes()).map_err(failed)? {
            Value::Array(tables) => tables.into_iter().map(Self::of).collect(),
            _ => Err(unreadable()),
        }
    }

    fn of(table: Value) -> Result<Self, SqlError> {
        let mut parts = match table {
            Value::Array(parts) => parts.into_iter(),
            _ => return Err(unreadable()),
        };
        match (parts.next(), parts.next()) {
            (Some(columns), Some(Value::Array(rows))) => Ok(Self {
                columns: Vec::deserialize(Node::Value(&columns)).map_err(failed)?,
                rows,
                rows_read: parts.next().and_then(|read| read.as_u64()),
                size: parts.next().and_then(|size| size.as_u64()),
            }),
            _ => Err(unreadable()),
        }
    }

    /// The rows, each read from its columns by their names.
    ///
    /// # Errors
    /// Where one is not what is asked for.
    pub fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>, SqlError> {
        self.rows
            .iter()
            .map(|row| T::deserialize(self.node(row)).map_err(failed))
            .collect()
    }

    /// How many rows were read for these, where it was told.
    pub fn rows_read(&self) -> Option<u64> {
        self.rows_read
    }

    /// Bytes of the database, where it was told.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    fn node<'a>(&'a self, row: &'a Value) -> Node<'a> {
        let values = row.as_array().map_or(&[][..], Vec::as_slice);
        Node::Row(&self.columns, values)
    }
}

fn failed(error: serde_json::Error) -> SqlError {
    SqlError(error.to_string())
}

fn unreadable() -> SqlError {
    SqlError("no table of rows".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Row {
        a: i64,
        b: Option<String>,
        #[serde(default)]
        c: f64,
    }

    const TABLE: &str = r#"[["b","a","more"],[["x",1,0],[null,-2,0]]]"#;

    #[test]
    fn rows_are_read_by_the_names_of_their_columns() {
        let rows: Vec<Row> = Table::parse(TABLE).unwrap().rows().unwrap();
        let row = |a, b: Option<&str>| Row {
            a,
            b: b.map(Into::into),
            c: 0.0,
        };
        assert_eq!(rows, [row(1, Some("x")), row(-2, None)]);
        let rows: Vec<Value> = Table::parse(TABLE).unwrap().rows().unwrap();
        assert_eq!(rows[0], serde_json::json!({"a": 1, "b": "x", "more": 0}));
    }

    #[test]
    fn what_was_read_for_them_may_be_told() {
        let table = Table::parse("[[],[],12,4096]").unwrap();
        assert_eq!((table.rows_read(), table.size()), (Some(12), Some(4096)));
        assert!(table.rows::<Row>().unwrap().is_empty());
        let table = Table::parse(r#"[["n"],[[1]],null,null]"#).unwrap();
        assert_eq!((table.rows_read(), table.size()), (None, None));
    }

    #[test]
    fn the_tables_of_several_statements_come_as_a_list() {
        let tables = Table::parse_all(&format!("[{TABLE},[[],[],7]]")).unwrap();
        let rows: Vec<i64> = tables.iter().map(|table| table.rows.len() as i64).collect();
        assert_eq!((rows, tables[1].rows_read()), (vec![2, 0], Some(7)));
        for text in ["{}", TABLE, "[1]"] {
            assert!(Table::parse_all(text).is_err(), "{text}");
        }
    }

    #[test]
    fn another_text_is_refused() {
        for text in ["", "{}", "[]", "[[]]", "[[1],[]]", "[[],{}]", "null"] {
            assert!(Table::parse(text).is_err(), "{text}");
        }
        for rows in [r#"[["a"],[["1"]]]"#, r#"[["b"],[["x"]]]"#, r#"[["a"],[1]]"#] {
            assert!(Table::parse(rows).unwrap().rows::<Row>().is_err(), "{rows}");
        }
    }
}
