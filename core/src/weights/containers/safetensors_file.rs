//! Safetensors: a length, a head of JSON, and the numbers. Only the head is read.

use super::{
    source::{Source, Span},
    value::{Data, Element, Key, TensorRef, Value},
};
use crate::domain::{
    Fault, Result,
    text::{printable, shorten},
};
use safetensors::{Dtype, tensor::Metadata};

/// Bytes that a head may have, as in the format's own library.
const MOST_HEAD: u64 = 100_000_000;

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U64 => Element::U64,
        Dtype::U32 => Element::U32,
        Dtype::U16 => Element::U16,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::Bool,
        Dtype::C64 => Element::Complex64,
        Dtype::F8_E4M3 | Dtype::F8_E5M2 | Dtype::F8_E8M0 => Element::F8,
        _ => return None,
    })
}

/// Reads the head: one dict of tensors, in the order of their names.
///
/// # Errors
/// A head that is damaged, tensors that overlap or leave gaps, and a file that is shorter or longer than its head says.
pub fn read(source: &Source) -> Result<Value> {
    let damaged = |error: &dyn std::fmt::Display| {
        Fault::asked(format!("not a readable safetensors file ({} bytes), cut short or damaged: {error}", source.len())).next(
            "copy or download it again; PyTorch makes one of its own: safetensors.torch.save_file(model.state_dict(), path)",
        )
    };
    let mut len = [0; 8];
    source.fill(0, &mut len).map_err(|fault| damaged(&fault.what))?;
    let len = u64::from_le_bytes(len);
    if len > MOST_HEAD || len + 8 > source.len() {
        return Err(damaged(&format!("its head should have {len} bytes")));
    }
    let head = source.head(len as usize + 8)?;
    // The library checks a head only together with the whole file: what it would check follows here.
    let metadata: Metadata = serde_json::from_slice(&head[8..]).map_err(|error| damaged(&error))?;
    let numbers = source.len() - len - 8;
    let mut entries = Vec::new();
    let mut end_before = 0;
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let shown = printable(&shorten(&name, 80));
        let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        if start != end_before || end < start || end > numbers {
            return Err(damaged(&format!("`{shown}` should be at {start} to {end} of {numbers} bytes, behind {end_before}")));
        }
        end_before = end;
        let value = match element(info.dtype) {
            None => Value::Other(format!("a tensor of type {}", info.dtype)),
            Some(element) => {
                let shape: Vec<u64> = info.shape.iter().map(|size| *size as u64).collect();
                let span = Span { at: 8 + len + start, len: end - start };
                let tensor = TensorRef::whole(element, &shape, span.len / element.size(), Data::Plain(span))
                    .map_err(|fault| damaged(&format!("`{shown}`: {}", fault.what)))?;
                if tensor.elements() as u64 * element.size() != span.len {
                    return Err(damaged(&format!("`{shown}` is {shape:?} of {}, and has {} bytes", element.word(), span.len)));
                }
                Value::Tensor(tensor)
            }
        };
        entries.push((Key::Text(name), value));
    }
    if end_before != numbers {
        return Err(damaged(&format!("{end_before} bytes of numbers should follow the head, {numbers} do")));
    }
    entries.sort_unstable_by(|(a, _), (b, _)| name_of(a).cmp(name_of(b)));
    Ok(Value::Dict(entries))
}

fn name_of(key: &Key) -> &str {
    if let Key::Text(name) = key { name } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_lie_side_by_side_and_fill_the_file() {
        let file = |shape: &str, offsets: &str, numbers: usize| {
            let head = format!("{{\"a\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}");
            let bytes = [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &vec![0; numbers]].concat();
            read(&Source::Bytes(&bytes)).map_err(|fault| fault.what)
        };
        assert!(file("[2]", "[0,8]", 8).unwrap().get("a").is_some());
        assert!(file("[2]", "[4,12]", 12).unwrap_err().contains("`a` should be at 4 to 12 of 12 bytes, behind 0"));
        assert!(file("[2]", "[8,0]", 8).is_err());
        assert!(file("[1]", "[0,8]", 8).unwrap_err().contains("`a` is [1] of float32, and has 8 bytes"));
        assert!(file("[3]", "[0,8]", 8).unwrap_err().contains("beyond its storage of 2"));
        assert!(file("[2]", "[0,8]", 12).unwrap_err().contains("8 bytes of numbers should follow the head, 12 do"));
        assert!(file("[2]", "[0,8]", 4).is_err());
    }
}
