//! What the events of a segment have of a field, as it was loaded.

use std::borrow::Cow;

use crate::archive::segment::{Coded, Value};

/// A distinct value.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// As a text: a number as it was written, booleans as `true` and `false`.
    pub(super) text: Cow<'a, str>,
    pub(super) kind: Kind,
}

/// What a value was before it was a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
}

/// What events have of a field.
#[derive(Debug)]
pub(super) struct Loaded<'a> {
    /// The distinct values; some may come twice.
    pub(super) dict: Vec<Entry<'a>>,
    /// Of each event 0 for none, or k for `dict[k - 1]`.
    pub(super) codes: Vec<u32>,
}

impl<'a> Entry<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            text: text.into(),
            kind: Kind::Text,
        }
    }

    /// Of a value that stands in the columns.
    pub(super) fn parts(value: Value<'a>) -> Option<(Kind, &'a str)> {
        Some(match value {
            Value::Text(text) => (Kind::Text, text),
            Value::Number(text) => (Kind::Number, text),
            Value::Bool(true) => (Kind::Bool, "true"),
            Value::Bool(false) => (Kind::Bool, "false"),
            Value::InLine => return None,
        })
    }

    pub(super) fn of(value: Value<'a>) -> Option<Self> {
        let (kind, text) = Self::parts(value)?;
        Some(Self {
            text: text.into(),
            kind,
        })
    }

    /// Whether it was a text, and no number or boolean.
    pub(super) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    /// The number, as near as a `f64` comes to it, where it is one.
    pub(super) fn number(&self) -> Option<f64> {
        // Not `f64::from_str`: that is 20 KB of the worker, and its tables do not pack.
        let number = (self.kind == Kind::Number).then(|| serde_json::from_str(&self.text).ok())?;
        number.filter(|number: &f64| number.is_finite())
    }
}

/// Of each code what it stands for in a table, whose first entry is for 0.
pub(super) fn by_code<T: Copy>(codes: &[u32], table: &[T], none: T) -> Vec<T> {
    let mut all = Vec::with_capacity(codes.len());
    for code in codes {
        all.push(table.get(*code as usize).copied().unwrap_or(none));
    }
    all
}

impl<'a> From<Coded<'a>> for Loaded<'a> {
    fn from(coded: Coded<'a>) -> Self {
        Self {
            dict: coded.dict.into_iter().map(Entry::text).collect(),
            codes: coded.codes,
        }
    }
}
