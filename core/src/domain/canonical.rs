//! Canonical bytes of typed values, so that equal values have equal keys for ever.
//!
//! Every value carries a type tag and every variable-length one its length, so no two different values share their
//! bytes (`["ab"]` is not `["a", "b"]`, `1` is not `1.0`). Floats enter as bits; maps are sorted; a field that is at its
//! default is left out, so that a field added by a later release does not change the keys of studies that ignore it.
//!
//! Whoever writes the canonical form of a struct takes it apart by `let Struct { a, b } = self`, without `..`: a field added
//! later does not compile until it enters, or is named and left out with a reason (`c: _`).

use super::Digest;
use std::{borrow::Cow, collections::BTreeMap};

/// A typed value on its way into a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Tag `b`, and a byte 0 or 1.
    Bool(bool),
    /// Tag `i`, and eight bytes, least significant first.
    Int(i64),
    /// Tag `f`, and the bits of the number: NaNs of other bits are other values.
    Float(f64),
    /// Tag `t`, the length in bytes, and UTF-8.
    Text(String),
    /// Tag `d`, and 32 bytes.
    Digest(Digest),
    /// Tag `l`, how many, and each in order.
    List(Vec<Value>),
    /// Tag `m`, how many, and each name (tag `n`) with its value, sorted by name.
    Map(BTreeMap<Cow<'static, str>, Value>),
}

impl Value {
    /// Owns the text.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    /// A count or a place. Every `usize` has an integer of its own.
    pub fn count(count: usize) -> Self {
        Value::Int(count as i64)
    }

    /// Every seed has an integer of its own.
    pub fn seed(seed: u64) -> Self {
        Value::Int(seed as i64)
    }

    /// Each item in order, by the function given.
    pub fn list<T>(items: impl IntoIterator<Item = T>, each: impl Fn(T) -> Value) -> Self {
        Value::List(items.into_iter().map(each).collect())
    }

    /// Begins a map without fields.
    pub fn map() -> Map {
        Map(BTreeMap::new())
    }

    /// BLAKE3 of the canonical bytes.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        Digest::of(&bytes)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let sized = |out: &mut Vec<u8>, tag: u8, len: usize| {
            out.push(tag);
            out.extend((len as u64).to_le_bytes());
        };
        match self {
            Value::Bool(value) => out.extend([b'b', u8::from(*value)]),
            Value::Int(value) => {
                out.push(b'i');
                out.extend(value.to_le_bytes());
            }
            Value::Float(value) => {
                out.push(b'f');
                out.extend(value.to_bits().to_le_bytes());
            }
            Value::Text(text) => {
                sized(out, b't', text.len());
                out.extend(text.as_bytes());
            }
            Value::Digest(digest) => {
                out.push(b'd');
                out.extend(digest.as_bytes());
            }
            Value::List(items) => {
                sized(out, b'l', items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Value::Map(fields) => {
                sized(out, b'm', fields.len());
                for (name, value) in fields {
                    sized(out, b'n', name.len());
                    out.extend(name.as_bytes());
                    value.write(out);
                }
            }
        }
    }
}

/// Builds [`Value::Map`] field by field.
pub struct Map(BTreeMap<Cow<'static, str>, Value>);

impl Map {
    /// Adds the field; of two with one name the later stays.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: Value) -> Self {
        self.0.insert(name.into(), value);
        self
    }

    /// Adds the field if there is a value: no value of it can be taken for its absence.
    #[must_use]
    pub fn optional(self, name: &'static str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds the field only if it differs from its default.
    #[must_use]
    pub fn unless(self, name: &'static str, value: Value, default: &Value) -> Self {
        if value == *default { self } else { self.with(name, value) }
    }

    /// The map as a value.
    pub fn done(self) -> Value {
        Value::Map(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_values_never_share_their_bytes() {
        let values = [
            Value::Int(1),
            Value::Float(1.0),
            Value::Bool(true),
            Value::text("1"),
            Value::List(vec![Value::text("ab")]),
            Value::List(vec![Value::text("a"), Value::text("b")]),
            Value::map().with("a", Value::Int(1)).done(),
            Value::List(vec![]),
            Value::map().done(),
        ];
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                assert_eq!(a.digest() == b.digest(), i == j, "{a:?} against {b:?}");
            }
        }
    }

    #[test]
    fn the_order_of_fields_and_a_default_do_not_matter() {
        let one = Value::map().with("a", Value::Int(1)).with("b", Value::Int(2)).done();
        let other = Value::map().with("b", Value::Int(2)).with("a", Value::Int(1));
        assert_eq!(one.digest(), other.unless("c", Value::Int(0), &Value::Int(0)).done().digest());
    }

    #[test]
    fn the_bytes_are_pinned() {
        let value = Value::map().with("seed", Value::Int(2019)).with("axes", Value::List(vec![Value::Float(0.5)])).done();
        assert_eq!(value.digest().short(), "51388a02", "a changed encoding would orphan every stored result");
    }
}
