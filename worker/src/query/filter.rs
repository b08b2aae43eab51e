//! Filters: read from JSON, and asked of the distinct values of a segment, not of each event.

use serde_json::Value;
use shoreline_shared::bits::marked;

use super::field::{Field, Fields};
use super::loaded::Loaded;
use super::test::{Op, Test, Wanted};
use super::wrong;
use crate::http::error::Fault;

/// Nodes of a filter at most, `and`, `or` and `not` among them.
const MAX_NODES: usize = 50;

/// Values of a test at most: each is compared with every distinct value of a segment.
const MAX_VALUES: usize = 100;

/// How deep they may be nested. Nobody reads a filter that is deeper.
const MAX_DEPTH: usize = 16;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// What a field is, by the place of the field.
    Is(usize, Test),
    /// Whether the event's user did what the inner filter of this place asks for.
    Did(usize),
}

const SHAPE: &str = "A filter is [\"and\" or \"or\", filter, …], [\"not\", \"did\" or \"did_not\", filter], \
    [operator, dimension, values] or [\"exists\", dimension].";
const OPERATOR: &str = "Operators are and, or, not, did, did_not, is, is_not, contains, not_contains, starts_with, \
    gt, gte, lt, lte and exists.";

/// Reads filters.
pub(super) struct Reader<'f> {
    pub(super) fields: &'f mut Fields,
    /// The inner filters of `did` and `did_not`.
    pub(super) dids: Vec<Filter>,
    /// What an event's page is, but for what a user did.
    page: Field,
    nodes: usize,
    is_in_did: bool,
}

impl<'f> Reader<'f> {
    /// That notes the fields it meets.
    pub(super) fn new(fields: &'f mut Fields, page: Field) -> Self {
        Self {
            fields,
            page,
            dids: Vec::new(),
            nodes: 0,
            is_in_did: false,
        }
    }

    /// Reads a filter that may be there; an empty list is none.
    ///
    /// # Errors
    /// With the path of what is wrong.
    pub(super) fn root(
        &mut self,
        value: Option<&Value>,
        path: &str,
    ) -> Result<Option<Filter>, Fault> {
        self.nodes = 0;
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) if list.is_empty() => Ok(None),
            Some(filter) => self.read(filter, path, 1).map(Some),
        }
    }

    /// Reads a filter that stands at `path`.
    ///
    /// # Errors
    /// With the path of what is wrong.
    fn read(&mut self, value: &Value, path: &str, depth: usize) -> Result<Filter, Fault> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err(wrong("filters", "filters have at most 50 nodes, 16 deep."));
        }
        let shape = || wrong(path, SHAPE);
        let parts = value.as_array().ok_or_else(shape)?;
        let name = parts.first().and_then(Value::as_str).ok_or_else(shape)?;
        let deeper = depth.saturating_add(1);
        match (name, parts.get(1..).unwrap_or_default()) {
            ("and" | "or", inner) => {
                let mut all = Vec::new();
                for (at, inner) in (1..).zip(inner) {
                    all.push(self.read(inner, &format!("{path}[{at}]"), deeper)?);
                }
                Ok(if name == "and" {
                    Filter::All(all)
                } else {
                    Filter::Any(all)
                })
            }
            ("not", [inner]) => {
                let inner = self.read(inner, &format!("{path}[1]"), deeper)?;
                Ok(Filter::Not(Box::new(inner)))
            }
            ("did" | "did_not", [inner]) => {
                if self.is_in_did {
                    return Err(wrong(path, "did and did_not stand in no other of them."));
                }
                self.is_in_did = true;
                let inner = self.read(inner, &format!("{path}[1]"), deeper)?;
                self.is_in_did = false;
                self.dids.push(inner);
                let did = Filter::Did(self.dids.len().saturating_sub(1));
                Ok(negated_if(name == "did_not", did))
            }
            (_, rest) => self.test(name, rest, path),
        }
    }

    fn test(&mut self, name: &str, rest: &[Value], path: &str) -> Result<Filter, Fault> {
        let (op, is_negated) = match name {
            "is" => (Op::Is, false),
            "is_not" => (Op::Is, true),
            "contains" => (Op::Contains, false),
            "not_contains" => (Op::Contains, true),
            "starts_with" => (Op::StartsWith, false),
            "gt" => (Op::Greater, false),
            "gte" => (Op::AtLeast, false),
            "lt" => (Op::Less, false),
            "lte" => (Op::AtMost, false),
            "exists" => (Op::Exists, false),
            "not" | "did" | "did_not" => return Err(wrong(path, SHAPE)),
            _ => return Err(wrong(&format!("{path}[0]"), OPERATOR)),
        };
        let dimension = rest.first().and_then(Value::as_str);
        let field = dimension.and_then(Field::of);
        let field = field.filter(|field| !matches!(field, Field::Time(_)));
        let field = field.ok_or_else(|| {
            let detail = "This is no dimension that can be filtered by; time is filtered by range.";
            wrong(&format!("{path}[1]"), detail)
        })?;
        let field = if field == Field::Page && !self.is_in_did {
            self.page.clone()
        } else {
            field
        };
        let is_of_numbers = matches!(op, Op::Greater | Op::AtLeast | Op::Less | Op::AtMost);
        if is_of_numbers && !(field.is_number() || matches!(field, Field::Property(..))) {
            let detail = "Only numbers are greater or less: those of data.<name>, hour_of_day and day_of_week.";
            return Err(wrong(&format!("{path}[1]"), detail));
        }
        let wanted = match (op, rest) {
            (Op::Exists, [_]) => Some(Vec::new()),
            (Op::Exists, _) => None,
            (_, [_, Value::Array(values)]) if values.len() > MAX_VALUES => None,
            (_, [_, Value::Array(values)]) => values.iter().map(Wanted::of).collect(),
            (_, [_, value]) => Wanted::of(value).map(|wanted| vec![wanted]),
            _ => None,
        };
        let is_good = |wanted: &Vec<Wanted>| {
            (op == Op::Exists || !wanted.is_empty())
                && (!is_of_numbers
                    || wanted.len() == 1 && wanted.iter().all(|each| each.number.is_some()))
        };
        let wanted = wanted.filter(is_good).ok_or_else(|| {
            let detail = "The values are a text, number or boolean, or a list of them; gt, gte, lt and lte take one \
                number, exists takes none.";
            wrong(&format!("{path}[2]"), detail)
        })?;
        let wanted = wanted
            .into_iter()
            .map(|wanted| wanted.kept(&field, op))
            .collect();
        let test = Filter::Is(self.fields.place(field), Test { op, wanted });
        Ok(negated_if(is_negated, test))
    }
}

fn negated_if(is_negated: bool, filter: Filter) -> Filter {
    if is_negated {
        Filter::Not(Box::new(filter))
    } else {
        filter
    }
}

impl Filter {
    /// The places of the fields that it asks for.
    pub(super) fn note_fields(&self, note: &mut dyn FnMut(usize)) {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().for_each(|each| each.note_fields(note)),
            Self::Not(inner) => inner.note_fields(note),
            Self::Is(field, _) => note(*field),
            Self::Did(_) => {}
        }
    }

    /// How many pairs of values [`Filter::mask`] compares.
    pub(super) fn work(&self, fields: &[Option<Loaded<'_>>]) -> usize {
        let of_all = |all: &[Self]| {
            let each = all.iter().map(|inner| inner.work(fields));
            each.fold(0, usize::saturating_add)
        };
        match self {
            Self::All(all) | Self::Any(all) => of_all(all),
            Self::Not(inner) => inner.work(fields),
            Self::Is(field, test) => match fields.get(*field) {
                Some(Some(loaded)) => loaded.dict.len().saturating_mul(test.wanted.len()),
                _ => 0,
            },
            Self::Did(_) => 0,
        }
    }

    /// Which events pass. `fields` has what they have of each field that the filter asks for, and `did` whether the
    /// user of each did what an inner filter asks for.
    pub(super) fn mask(
        &self,
        n: usize,
        fields: &[Option<Loaded<'_>>],
        did: &[Vec<bool>],
    ) -> Vec<bool> {
        match self {
            Self::All(all) => united(n, all, fields, did, true),
            Self::Any(all) => united(n, all, fields, did, false),
            Self::Not(inner) => {
                let mut mask = inner.mask(n, fields, did);
                mask.iter_mut().for_each(|passes| *passes = !*passes);
                mask
            }
            Self::Is(field, test) => {
                let Some(Some(loaded)) = fields.get(*field) else {
                    return vec![false; n];
                };
                let mut passing = vec![false];
                for entry in &loaded.dict {
                    passing.push(test.passes(entry));
                }
                marked(&loaded.codes, &passing)
            }
            Self::Did(place) => did.get(*place).cloned().unwrap_or_else(|| vec![false; n]),
        }
    }
}

/// The events that pass all of some filters, or any.
fn united(
    n: usize,
    all: &[Filter],
    fields: &[Option<Loaded<'_>>],
    did: &[Vec<bool>],
    is_all: bool,
) -> Vec<bool> {
    let mut mask = vec![is_all; n];
    for each in all {
        for (passes, more) in mask.iter_mut().zip(each.mask(n, fields, did)) {
            *passes = if is_all {
                *passes & more
            } else {
                *passes | more
            };
        }
    }
    mask
}
