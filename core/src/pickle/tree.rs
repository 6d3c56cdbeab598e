//! The values of a pickle: what its nodes say, with what is shared written out, within limits.

use super::{
    MOST_DEPTH, MOST_VALUES,
    machine::Pickled,
    node::{ArrayNode, Id, Node, TensorNode},
    source::Span,
    value::{Data, Key, TensorRef, Value},
};
use crate::domain::{
    Fault, Result,
    text::{printable, shorten},
};
use std::collections::HashMap;

/// A list or dict that is being written out.
struct Open {
    /// What is left to do, the next one last.
    left: Vec<(Option<Key>, Id)>,
    done: Filled,
}

enum Filled {
    List(Vec<Value>),
    /// With the place of each key.
    Dict(Vec<(Key, Value)>, HashMap<Key, usize>),
}

impl Filled {
    fn take(&mut self, key: Option<Key>, value: Value) {
        match (self, key) {
            (Filled::Dict(entries, places), Some(key)) => match places.get(&key) {
                // As in Python, the last value of a key counts.
                Some(place) => entries[*place].1 = value,
                None => {
                    places.insert(key.clone(), entries.len());
                    entries.push((key, value));
                }
            },
            (Filled::List(items), _) => items.push(value),
            (Filled::Dict(..), None) => unreachable!("what is left of a dict has keys"),
        }
    }
}

impl Pickled {
    /// The value that the pickle is of. `spans[i]`: where storage `i` is in the file.
    ///
    /// # Errors
    /// Dicts and lists that nest too deep (or in circles), too many values, and tensors that reach beyond their storage.
    pub(crate) fn value(&self, spans: &[Span]) -> Result<Value> {
        let mut open: Vec<(Option<Key>, Open)> = Vec::new();
        let mut values = 0usize;
        let mut next = (None, self.root);
        loop {
            let (key, id) = next;
            values += 1;
            if values > MOST_VALUES {
                return Err(Fault::asked(format!("the pickle unfolds to more than {MOST_VALUES} values"))
                    .next("no file of weights needs that: save the state_dict by itself"));
            }
            let mut finished = match self.begin(id, key.as_ref(), spans)? {
                Begun::Value(value) => Some((key, value)),
                Begun::Open(begun) => {
                    if open.len() >= MOST_DEPTH {
                        return Err(Fault::asked(format!("the pickle nests dicts and lists more than {MOST_DEPTH} deep"))
                            .next("no file of weights needs that: save the state_dict by itself"));
                    }
                    values = values.saturating_add(begun.left.len() / 2);
                    open.push((key, begun));
                    None
                }
            };
            // Hand on what is finished, as far up as that finishes something.
            next = loop {
                if let Some((key, value)) = finished.take() {
                    match open.last_mut() {
                        Some((_, parent)) => parent.done.take(key, value),
                        None => return Ok(value),
                    }
                }
                let Some((_, parent)) = open.last_mut() else { unreachable!("the root is open until it is finished") };
                if let Some(next) = parent.left.pop() {
                    break next;
                }
                let Some((key, parent)) = open.pop() else { unreachable!("there was a last one") };
                finished = Some((
                    key,
                    match parent.done {
                        Filled::List(items) => Value::List(items),
                        Filled::Dict(entries, _) => Value::Dict(entries),
                    },
                ));
            };
        }
    }

    fn begin(&self, id: Id, key: Option<&Key>, spans: &[Span]) -> Result<Begun> {
        let named = |fault: Fault| match key {
            Some(Key::Text(name)) => Fault { what: format!("`{}`: {}", printable(&shorten(name, 80)), fault.what), ..fault },
            _ => fault,
        };
        let object = |class: &str| Value::Object(shorten(class, 120));
        let dict = |items: &[(Id, Id)]| {
            let left = items.iter().rev().map(|(key, value)| Ok((Some(self.key(*key)?), *value))).collect::<Result<_>>();
            Ok(Begun::Open(Open { left: left?, done: Filled::Dict(Vec::new(), HashMap::new()) }))
        };
        Ok(Begun::Value(match &self.nodes[id as usize] {
            Node::None => Value::None,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(value) => Value::Int(*value),
            Node::Float(value) => Value::Float(*value),
            Node::Str(text) => match text.text() {
                Some(text) => Value::Text(text),
                None => Value::Other("a long text".to_owned()),
            },
            Node::List(items) | Node::Tuple(items) => {
                let left = items.iter().rev().map(|item| (None, *item)).collect();
                return Ok(Begun::Open(Open { left, done: Filled::List(Vec::new()) }));
            }
            Node::Dict(items) => return dict(items),
            Node::Object(node) if !node.items.is_empty() => return dict(&node.items),
            Node::Object(node) => object(&node.class),
            Node::Global { name, .. } => Value::Other(format!("the name {}", printable(&shorten(name, 120)))),
            Node::NumpyType { word, .. } => Value::Other(format!("the NumPy type {}", printable(&shorten(word, 20)))),
            Node::Array(None) => Value::Other("a NumPy array without content".to_owned()),
            Node::Array(Some(array)) => match &**array {
                ArrayNode::Tensor(tensor) => Value::Tensor(tensor.clone()),
                ArrayNode::Other(what) => Value::Other(what.clone()),
            },
            Node::Storage(_) => Value::Other("a storage without a tensor".to_owned()),
            Node::Tensor(tensor) => Value::Tensor(self.tensor(tensor, spans).map_err(named)?),
            Node::Other(what) => Value::Other(what.to_string()),
        }))
    }

    fn tensor(&self, node: &TensorNode, spans: &[Span]) -> Result<TensorRef> {
        let claim = &self.storages[node.storage];
        // What stands before the tensors of a stream has no storages of its own.
        let span = spans.get(node.storage).ok_or_else(|| {
            Fault::asked("a tensor where there can be none").next("the file is damaged: copy or download it again")
        })?;
        let element = node.element.unwrap_or(claim.element);
        let bytes = claim.elements.checked_mul(claim.element.size()).filter(|bytes| *bytes <= span.len).ok_or_else(|| {
            Fault::asked(format!(
                "its storage claims {} elements of {} (byte {}), and the file has {} bytes of it",
                claim.elements,
                claim.element.word(),
                claim.at,
                span.len
            ))
            .next("the file is damaged or cut short: copy or download it again")
        })?;
        let data = Data::Plain(Span { at: span.at, len: bytes });
        TensorRef::new(element, &node.shape, &node.strides, node.first, bytes / element.size(), data)
    }

    fn key(&self, id: Id) -> Result<Key> {
        Ok(match &self.nodes[id as usize] {
            Node::Int(key) => Key::Int(*key),
            Node::Str(text) => Key::Text(text.text().ok_or_else(|| {
                Fault::asked("a key of a dict is longer than 1,024 bytes, or not UTF-8").next("copy or download the file again")
            })?),
            Node::Global { name, .. } => Key::Other(name.to_string()),
            Node::None => Key::Other("None".to_owned()),
            Node::Bool(key) => Key::Other(key.to_string()),
            Node::Float(key) => Key::Other(key.to_string()),
            _ => Key::Other(format!("object {id}")),
        })
    }
}

enum Begun {
    Value(Value),
    Open(Open),
}
