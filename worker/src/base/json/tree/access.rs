//! What a tree gives out piece by piece: items, members, variants.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Error, Value};

use super::{Node, Result};

/// Items of a list, or the fields of a struct.
pub(super) enum Items<'a> {
    List(std::slice::Iter<'a, Value>),
    Fields(std::vec::IntoIter<Node<'a>>),
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let next = match self {
            Self::List(items) => items.next().map(Node::Value),
            Self::Fields(nodes) => nodes.next(),
        };
        let Some(node) = next else {
            return Ok(None);
        };
        match seed.deserialize(node) {
            Ok(value) => Ok(Some(value)),
            // Only an option makes something of what is not there. For others it is as though the list were over: the
            // default, where there is one.
            Err(_) if matches!(node, Node::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where members come from.
pub(super) enum Entries<'a> {
    Object(serde_json::map::Iter<'a>),
    Row(std::iter::Zip<std::slice::Iter<'a, String>, std::slice::Iter<'a, Value>>),
}

/// The members of an object, of which the value of the last is still to be read.
pub(super) struct Members<'a> {
    entries: Entries<'a>,
    value: Node<'a>,
}

impl<'a> Members<'a> {
    pub(super) fn new(entries: Entries<'a>) -> Self {
        Self {
            entries,
            value: Node::Missing,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let entry = match &mut self.entries {
            Entries::Object(members) => members.next(),
            Entries::Row(columns) => columns.next(),
        };
        let Some((name, value)) = entry else {
            return Ok(None);
        };
        self.value = Node::Value(value);
        seed.deserialize(Node::Name(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(self.value)
    }
}

/// A variant of an enum: its name and what it holds.
pub(super) struct Variant<'a>(pub(super) &'a str, pub(super) Node<'a>);

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Node<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Node<'de>)> {
        let name = seed.deserialize(BorrowedStrDeserializer::new(self.0))?;
        Ok((name, self.1))
    }
}

impl<'de> VariantAccess<'de> for Node<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        match self.value() {
            None | Some(Value::Null) => Ok(()),
            Some(_) => self.is_not("a variant that holds nothing"),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.items()?)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_seq(self.fields(fields)?)
    }
}
