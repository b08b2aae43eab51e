//! Reading types from a tree of JSON, in a fraction of the code that each would take from a text.
//!
//! What serde derives for a struct finds a member of each name as the members come: 2 KB of the worker a type. Here the
//! members are first put into the order of the struct's fields, by one function for all types, and the struct is then
//! read as a list. It costs a tree, so what each event passes is read from its text, by `serde_json` itself.
//!
//! What differs from `serde_json`: lists may be longer than what is read from them; a member that is not there is `None`
//! for an `Option`, whatever the field's default says; `deny_unknown_fields`, `alias`, `flatten`
//! and raw values are not known.

mod access;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Number, Value};

use access::{Entries, Items, Members, Variant};

type Result<T> = std::result::Result<T, Error>;

/// A place in a tree, from which a type is read.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// A member that is not there.
    Missing,
    /// A value.
    Value(&'a Value),
    /// A row of a table, which is an object of its columns' names.
    Row(&'a [String], &'a [Value]),
    /// The name of a member.
    Name(&'a str),
}

impl<'a> Node<'a> {
    fn value(self) -> Option<&'a Value> {
        match self {
            Node::Value(value) => Some(value),
            _ => None,
        }
    }

    #[cold]
    fn is_not<T>(self, wanted: &str) -> Result<T> {
        let is = match self {
            Node::Missing => "nothing",
            Node::Value(Value::Null) => "null",
            Node::Value(Value::Bool(_)) => "a boolean",
            Node::Value(Value::Number(_)) => "another number",
            Node::Value(Value::String(_)) | Node::Name(_) => "a string",
            Node::Value(Value::Array(_)) => "an array",
            Node::Value(Value::Object(_)) | Node::Row(..) => "an object",
        };
        Err(Error::custom(format_args!("{is} where {wanted} should be")))
    }

    fn text(self) -> Result<&'a str> {
        match self {
            Node::Value(Value::String(text)) => Ok(text),
            Node::Name(text) => Ok(text),
            _ => self.is_not("a string"),
        }
    }

    fn number(self) -> Option<&'a Number> {
        match self {
            Node::Value(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    #[inline(never)]
    fn signed(self) -> Result<i64> {
        let found = match self {
            Node::Name(name) => name.parse().ok(),
            _ => self.number().and_then(Number::as_i64),
        };
        found.map_or_else(|| self.is_not("a whole number"), Ok)
    }

    #[inline(never)]
    fn unsigned(self) -> Result<u64> {
        let found = match self {
            Node::Name(name) => name.parse().ok(),
            _ => self.number().and_then(Number::as_u64),
        };
        found.map_or_else(|| self.is_not("a whole number that is not negative"), Ok)
    }

    #[inline(never)]
    fn float(self) -> Result<f64> {
        let found = self.number().and_then(Number::as_f64);
        found.map_or_else(|| self.is_not("a number"), Ok)
    }

    /// The items of a list.
    #[inline(never)]
    fn items(self) -> Result<Items<'a>> {
        match self {
            Node::Value(Value::Array(items)) => Ok(Items::List(items.iter())),
            _ => self.is_not("an array"),
        }
    }

    /// The members of these names, in their order.
    #[inline(never)]
    fn fields(self, names: &[&str]) -> Result<Items<'a>> {
        let nodes: Vec<Node<'a>> = match self {
            Node::Value(Value::Object(members)) => {
                let member = |name: &&str| members.get(*name).map_or(Node::Missing, Node::Value);
                names.iter().map(member).collect()
            }
            Node::Row(columns, values) => {
                let column = |(at, name): (usize, &&str)| {
                    // Most statements name the columns in the order of the fields.
                    let at = match columns.get(at).is_some_and(|column| column == name) {
                        true => Some(at),
                        false => columns.iter().position(|column| column == name),
                    };
                    at.and_then(|at| values.get(at))
                        .map_or(Node::Missing, Node::Value)
                };
                names.iter().enumerate().map(column).collect()
            }
            _ => return self.is_not("an object"),
        };
        Ok(Items::Fields(nodes.into_iter()))
    }

    /// The members of an object.
    #[inline(never)]
    fn members(self) -> Result<Members<'a>> {
        let entries = match self {
            Node::Value(Value::Object(members)) => Entries::Object(members.iter()),
            Node::Row(columns, values) => Entries::Row(columns.iter().zip(values)),
            _ => return self.is_not("an object"),
        };
        Ok(Members::new(entries))
    }

    /// The name of an enum's variant, and what it holds.
    #[inline(never)]
    fn variant(self) -> Result<Variant<'a>> {
        match self {
            Node::Value(Value::Object(members)) if members.len() == 1 => {
                let member = members.iter().next();
                member.map_or_else(
                    || self.is_not("a variant"),
                    |(name, value)| Ok(Variant(name, Node::Value(value))),
                )
            }
            _ => Ok(Variant(self.text()?, Node::Missing)),
        }
    }
}

/// Whole numbers and others, each read as the widest of its kind.
macro_rules! numbers {
    ($($method:ident: $read:ident, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            visitor.$visit(self.$read()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Node::Value(Value::Null) => visitor.visit_unit(),
            Node::Value(Value::Bool(is)) => visitor.visit_bool(*is),
            Node::Value(Value::Number(number)) => number.deserialize_any(visitor),
            Node::Value(Value::String(text)) => visitor.visit_borrowed_str(text),
            Node::Name(text) => visitor.visit_borrowed_str(text),
            Node::Value(Value::Array(_)) => visitor.visit_seq(self.items()?),
            Node::Value(Value::Object(_)) | Node::Row(..) => visitor.visit_map(self.members()?),
            Node::Missing => self.is_not("a value"),
        }
    }

    numbers! {
        deserialize_i8: signed, visit_i64;
        deserialize_i16: signed, visit_i64;
        deserialize_i32: signed, visit_i64;
        deserialize_i64: signed, visit_i64;
        deserialize_u8: unsigned, visit_u64;
        deserialize_u16: unsigned, visit_u64;
        deserialize_u32: unsigned, visit_u64;
        deserialize_u64: unsigned, visit_u64;
        deserialize_f32: float, visit_f64;
        deserialize_f64: float, visit_f64;
        deserialize_str: text, visit_borrowed_str;
        deserialize_string: text, visit_borrowed_str;
        deserialize_identifier: text, visit_borrowed_str;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Node::Value(Value::Bool(is)) => visitor.visit_bool(*is),
            _ => self.is_not("a boolean"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Node::Missing | Node::Value(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        match self {
            Node::Missing => self.is_not("a value"),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(self.members()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(self.fields(fields)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self.variant()?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Node::Missing => self.is_not("a value"),
            _ => visitor.visit_unit(),
        }
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit unit_struct }
}

#[cfg(test)]
mod tests;
