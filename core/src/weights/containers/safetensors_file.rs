//! Safetensors: a length, a head of JSON, and the numbers. Only the head is read.

use super::{
    source::{Source, Span},
    value::{Data, Element, Key, TensorRef, Value},
};
use crate::{
    domain::{
        Fault, Result,
        text::{printable, shorten},
    },
    files::safetensors_head,
};
use safetensors::{Dtype, tensor::Metadata};

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
pub(crate) fn read(source: &Source) -> Result<Value> {
    let damaged = |error: &dyn std::fmt::Display| {
        let error = printable(&shorten(&error.to_string(), 200));
        Fault::asked(format!("not a readable safetensors file ({} bytes), cut short or damaged: {error}", source.len())).next(
            "copy or download it again; PyTorch makes one of its own: safetensors.torch.save_file(model.state_dict(), path)",
        )
    };
    let mut len = [0; 8];
    source.fill(0, &mut len).map_err(|fault| damaged(&fault.what))?;
    let len = u64::from_le_bytes(len);
    if len.saturating_add(8) > source.len() || len > safetensors_head::LONGEST_HEAD {
        return Err(damaged(&format!("its head should have {len} bytes")));
    }
    let head = source.head(len as usize + 8)?;
    safetensors_head::check(&head[8..]).map_err(|why| damaged(&why))?;
    // The library checks here that the tensors lie side by side, each as long as its shape says.
    let metadata: Metadata = serde_json::from_slice(&head[8..]).map_err(|error| damaged(&error))?;
    let numbers = source.len() - len - 8;
    if metadata.data_len() as u64 != numbers {
        return Err(damaged(&format!("{} bytes of numbers should follow the head, {numbers} do", metadata.data_len())));
    }
    let mut names = metadata.offset_keys();
    names.sort_unstable();
    let mut entries = Vec::with_capacity(names.len());
    for name in names {
        let Some(info) = metadata.info(&name) else { continue };
        let value = match element(info.dtype) {
            None => Value::Other(format!("a tensor of type {}", info.dtype)),
            Some(element) => {
                let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
                let shape: Vec<u64> = info.shape.iter().map(|size| *size as u64).collect();
                let span = Span { at: 8 + len + start, len: end - start };
                let tensor = TensorRef::whole(element, &shape, span.len / element.size(), Data::Plain(span));
                Value::Tensor(tensor.map_err(|fault| damaged(&fault.what))?)
            }
        };
        entries.push((Key::Text(name), value));
    }
    Ok(Value::Dict(entries))
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
        assert!(file("[2]", "[0,8]", 12).unwrap_err().contains("8 bytes of numbers should follow the head, 12 do"));
        for (shape, offsets, numbers) in
            [("[2]", "[4,12]", 12), ("[2]", "[8,0]", 8), ("[1]", "[0,8]", 8), ("[3]", "[0,8]", 8), ("[2]", "[0,8]", 4)]
        {
            let what = file(shape, offsets, numbers).unwrap_err();
            assert!(what.contains("cut short or damaged"), "{shape} {offsets} {numbers}: {what}");
        }
    }
}
