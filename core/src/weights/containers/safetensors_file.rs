//! Safetensors: a length, a head of JSON, and the numbers. Only the head is read.

use super::{
    source::{Source, Span},
    value::{Data, Element, Key, TensorRef, Value},
};
use crate::domain::{
    Fault, Result,
    text::{printable, shorten},
};
use safetensors::{Dtype, SafeTensors};

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
/// A head that is damaged, and a file that is shorter or longer than its head says.
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
    let (_, metadata) = SafeTensors::read_metadata(&head).map_err(|error| damaged(&error))?;
    let numbers = source.len() - len - 8;
    if metadata.data_len() as u64 != numbers {
        return Err(damaged(&format!("{} bytes of numbers should follow, {numbers} do", metadata.data_len())));
    }
    let mut names: Vec<String> = metadata.tensors().into_keys().collect();
    names.sort_unstable();
    let mut entries = Vec::with_capacity(names.len());
    for name in names {
        let Some(info) = metadata.info(&name) else { continue };
        let value = match element(info.dtype) {
            None => Value::Other(format!("a tensor of type {}", info.dtype)),
            Some(element) => {
                let (start, end) = info.data_offsets;
                let shape: Vec<u64> = info.shape.iter().map(|size| *size as u64).collect();
                let span = Span { at: 8 + len + start as u64, len: (end - start) as u64 };
                let tensor = TensorRef::whole(element, &shape, span.len / element.size(), Data::Plain(span));
                Value::Tensor(tensor.map_err(|fault| damaged(&format!("`{}`: {}", printable(&shorten(&name, 80)), fault.what)))?)
            }
        };
        entries.push((Key::Text(name), value));
    }
    Ok(Value::Dict(entries))
}
