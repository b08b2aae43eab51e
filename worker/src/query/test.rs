//! What a filter asks of a value.

use serde_json::Value;
use shoreline_shared::privacy::spelled;

use super::field::Field;
use super::loaded::Entry;
use crate::protocol::counters::live_key;

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test {
    pub(super) op: Op,
    pub(super) wanted: Vec<Wanted>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Is,
    Contains,
    StartsWith,
    Greater,
    AtLeast,
    Less,
    AtMost,
    Exists,
}

/// A value as it was written: one that is a number also equals numbers that are written otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    text: String,
    pub(super) number: Option<f64>,
}

impl Wanted {
    /// Spelled as pages are, which are asked for in any spelling, and cut as keys are.
    pub(super) fn kept(mut self, field: &Field, op: Op) -> Self {
        let is_page = matches!(field, Field::Page | Field::EntryPage | Field::ExitPage);
        if is_page || *field == Field::MEASURED {
            self.text = spelled(&self.text).into_owned();
        }
        if op == Op::Is && !matches!(field, Field::Property(..)) {
            self.text = live_key(&self.text).into_owned();
        }
        self
    }

    pub(super) fn of(value: &Value) -> Option<Self> {
        let (text, number) = match value {
            Value::String(text) => (text.clone(), None),
            Value::Number(number) => (number.to_string(), number.as_f64()),
            Value::Bool(is_true) => (is_true.to_string(), None),
            _ => return None,
        };
        Some(Self { text, number })
    }
}

impl Test {
    /// Whether a value passes.
    pub(super) fn passes(&self, entry: &Entry<'_>) -> bool {
        let text = entry.text.as_ref();
        let number = || entry.number();
        let mut wanted = self.wanted.iter();
        match self.op {
            Op::Exists => true,
            Op::Is => wanted
                .any(|each| each.text == text || each.number.is_some() && each.number == number()),
            Op::Contains => wanted.any(|each| text.contains(&each.text)),
            Op::StartsWith => wanted.any(|each| text.starts_with(&each.text)),
            _ => {
                let wanted = wanted.next().and_then(|each| each.number);
                number()
                    .zip(wanted)
                    .is_some_and(|(number, wanted)| match self.op {
                        Op::Greater => number > wanted,
                        Op::AtLeast => number >= wanted,
                        Op::Less => number < wanted,
                        _ => number <= wanted,
                    })
            }
        }
    }
}
