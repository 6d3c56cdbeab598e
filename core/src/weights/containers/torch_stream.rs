//! What `torch.save` wrote before PyTorch 1.6 (and writes with `_use_new_zipfile_serialization=False`): five pickles one after
//! the other (a magic number, the version, the machine, the object, the storages' keys), then each storage: a count of 8 bytes
//! and the elements.

use super::{
    pickle::unpickle,
    source::{Cursor, Source, Span},
    value::Value,
};
use crate::domain::{Fault, Result};
use std::collections::HashMap;

/// The magic number 0x1950a86a20f9469cfc6c as a pickle writes it, and the pickle's end.
const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// How long the magic number's pickle is, where a file begins with it; it may be of any protocol from 2 on.
pub(crate) fn magic(head: &[u8]) -> Option<u64> {
    let rest = head.strip_prefix(&[0x80]).filter(|rest| matches!(rest.first(), Some(2..=5)))?;
    // Protocol 4 says first how long the pickle is: an opcode and 8 bytes.
    let rest = if rest.get(1) == Some(&0x95) { rest.get(10..)? } else { &rest[1..] };
    rest.starts_with(MAGIC).then(|| (head.len() - rest.len() + MAGIC.len()) as u64)
}

/// Reads the object behind the magic number, which is `start` bytes long, and finds the storages behind it.
///
/// # Errors
/// A file that is cut short, of another version or of a big-endian machine; and as [`unpickle`].
pub(crate) fn read(source: &Source, start: u64) -> Result<Value> {
    let whole = source.all();
    let mut cursor = Cursor::new(source, Span { at: start, len: whole.len - start })?;
    let version = unpickle(&mut cursor)?.value(&[])?;
    if version != Value::Int(1001) {
        return Err(Fault::asked("a file of torch.save of a version that is not known").next("save it again with PyTorch"));
    }
    let machine = unpickle(&mut cursor)?.value(&[])?;
    if machine.get("little_endian") == Some(&Value::Bool(false)) {
        return Err(Fault::asked("the weights are big-endian").next("save them on a machine that is little-endian"));
    }
    let object = unpickle(&mut cursor)?;
    let keys = unpickle(&mut cursor)?.value(&[])?;
    let Value::List(keys) = keys else {
        return Err(Fault::asked("the list of storages is missing behind the pickle").next("copy or download it again"));
    };
    // The first that the pickle says of a storage tells the size of its elements.
    let mut elements = HashMap::new();
    for claim in &object.storages {
        elements.entry(claim.key.as_str()).or_insert(claim.element);
    }
    let mut found: HashMap<String, Span> = HashMap::new();
    for key in keys {
        let key = match key {
            Value::Text(key) => key,
            Value::Int(key) => key.to_string(),
            _ => return Err(Fault::asked("the key of a storage is no text").next("copy or download it again")),
        };
        let Some(element) = elements.get(key.as_str()) else {
            return Err(Fault::asked("a storage stands in the file that no tensor has").next("copy or download it again"));
        };
        let count = u64::from_le_bytes(cursor.array()?);
        let span = cursor.span(count.saturating_mul(element.size()))?;
        found.insert(key, span);
    }
    let spans = object.storages.iter().map(|claim| match found.get(&claim.key) {
        Some(span) => Ok(claim.part_of(*span)),
        None => Err(Fault::asked(format!("the file lacks the numbers of a tensor that the pickle names at byte {}", claim.at))
            .next("copy or download it again")),
    });
    let spans: Vec<Span> = spans.collect::<Result<_>>()?;
    object.value(&spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_magic_number_is_known_in_every_protocol() {
        assert_eq!(magic(&[b"\x80\x02", MAGIC, b"\x80"].concat()), Some(15));
        assert_eq!(magic(&[b"\x80\x04\x95\x0d\0\0\0\0\0\0\0", MAGIC].concat()), Some(24));
        for other in [&b"\x80\x02}."[..], b"\x80", b"", b"\x80\x04\x95", MAGIC] {
            assert_eq!(magic(other), None);
        }
    }
}
