//! The numbers of a tensor, read from its file when they are wanted, in single precision and in C order.

use super::{
    source::{Source, Span},
    value::{Data, Element, TensorRef},
};
use crate::domain::{Fault, Result};

/// Bytes that are read and turned into numbers at a time.
const BLOCK: u64 = 1 << 20;

/// The numbers of the tensor, as many as it has elements, the last dimension fastest. Half precision is widened exactly, double
/// precision is rounded.
///
/// # Errors
/// A tensor of another type than float64, float32, float16 and bfloat16, and a file that cannot be read any more.
pub(crate) fn numbers(source: &Source, tensor: &TensorRef) -> Result<Vec<f32>> {
    let convert = converter(tensor.element).ok_or_else(|| {
        Fault::asked(format!("a tensor is of type {}, which weights are never of", tensor.element.word()))
            .next("save it as float32: model.float().state_dict()")
    })?;
    let elements = tensor.elements();
    if elements == 0 {
        return Ok(vec![]);
    }
    // The part of the storage that the tensor touches.
    let last = tensor.shape().iter().zip(tensor.strides()).map(|(size, stride)| (*size as u64 - 1) * stride).sum::<u64>();
    let stored = part(source, tensor.data(), tensor.element.size(), tensor.first(), last + 1, convert)?;
    if tensor.is_contiguous() {
        return Ok(stored);
    }
    let mut out = Vec::with_capacity(elements);
    let mut index = vec![0usize; tensor.shape().len()];
    for _ in 0..elements {
        out.push(stored[index.iter().zip(tensor.strides()).map(|(i, stride)| *i * *stride as usize).sum::<usize>()]);
        for (i, size) in index.iter_mut().zip(tensor.shape()).rev() {
            *i += 1;
            if *i < *size {
                break;
            }
            *i = 0;
        }
    }
    Ok(out)
}

type Converter = fn(&[u8], &mut Vec<f32>);

fn converter(element: Element) -> Option<Converter> {
    Some(match element {
        Element::F32 => |bytes, out| out.extend(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b))),
        Element::F64 => |bytes, out| out.extend(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32)),
        Element::F16 => |bytes, out| {
            out.extend(bytes.as_chunks::<2>().0.iter().map(|b| half::f16::from_bits(u16::from_le_bytes(*b)).to_f32()));
        },
        Element::BF16 => |bytes, out| {
            out.extend(bytes.as_chunks::<2>().0.iter().map(|b| half::bf16::from_bits(u16::from_le_bytes(*b)).to_f32()));
        },
        _ => return None,
    })
}

/// `count` elements of a storage from the element `first` on.
fn part(source: &Source, data: &Data, size: u64, first: u64, count: u64, convert: Converter) -> Result<Vec<f32>> {
    let capacity = usize::try_from(count).map_err(|_| Fault::asked("a tensor is too large for this machine"))?;
    let (skip, want) = (first * size, count * size);
    match data {
        Data::Plain(span) => {
            let mut out = Vec::with_capacity(capacity);
            let mut block = vec![0; want.min(BLOCK) as usize];
            let mut done = 0;
            while done < want {
                let block = &mut block[..(want - done).min(BLOCK) as usize];
                source.fill(span.at + skip + done, block)?;
                convert(block, &mut out);
                done += block.len() as u64;
            }
            Ok(out)
        }
        Data::Inline(bytes) => {
            let mut out = Vec::with_capacity(capacity);
            let bytes = bytes.get(skip as usize..(skip + want) as usize);
            convert(bytes.ok_or_else(|| Fault::unexpected("a tensor reaches beyond its bytes"))?, &mut out);
            Ok(out)
        }
        Data::Latin1(span) => {
            let bytes = latin1(source, *span, skip + want)?;
            let mut out = Vec::with_capacity(capacity);
            convert(&bytes[skip as usize..], &mut out);
            Ok(out)
        }
    }
}

/// The bytes that a Latin-1 text in UTF-8 stands for: `want` of them, and no more may follow.
fn latin1(source: &Source, span: Span, want: u64) -> Result<Vec<u8>> {
    let damaged = |at: u64| {
        Fault::asked(format!("the bytes of an array are damaged near byte {at} of the file")).next("copy or download it again")
    };
    let mut out = Vec::with_capacity(want.min(span.len) as usize);
    let mut block = vec![0; span.len.min(BLOCK) as usize];
    // The first byte of a letter of two.
    let mut lead = None;
    let mut done = 0;
    while done < span.len {
        let at = span.at + done;
        let block = &mut block[..(span.len - done).min(BLOCK) as usize];
        source.fill(at, block)?;
        for byte in &*block {
            match (lead.take(), byte) {
                (None, 0..=0x7f) => out.push(*byte),
                (None, 0xc2 | 0xc3) => lead = Some(*byte),
                (Some(first), 0x80..=0xbf) => out.push((first << 6) | (byte & 0x3f)),
                _ => return Err(damaged(at)),
            }
        }
        if out.len() as u64 > want {
            return Err(damaged(at));
        }
        done += block.len() as u64;
    }
    if lead.is_some() || out.len() as u64 != want {
        return Err(damaged(span.at + span.len));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(element: Element, shape: &[u64], strides: &[u64], first: u64, bytes: &[u8]) -> Vec<f32> {
        let source = Source::Bytes(bytes);
        let stored = bytes.len() as u64 / element.size();
        let tensor = TensorRef::new(element, shape, strides, first, stored, Data::Plain(source.all())).unwrap();
        numbers(&source, &tensor).unwrap()
    }

    #[test]
    fn all_precisions_become_single() {
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let half = [0x3c00u16, 0xc000, 0x0001, 0x7bff, 0x8000].map(u16::to_le_bytes).concat();
        assert_eq!(bits(of(Element::F16, &[5], &[1], 0, &half)), bits(vec![1.0, -2.0, 5.960_464_5e-8, 65504.0, -0.0]));
        let brain = [0x3f80u16, 0xc000].map(u16::to_le_bytes).concat();
        assert_eq!(of(Element::BF16, &[2], &[1], 0, &brain), [1.0, -2.0]);
        let double = [0.1f64, -3.0].map(f64::to_le_bytes).concat();
        assert_eq!(of(Element::F64, &[2], &[1], 0, &double), [0.1f32, -3.0]);
    }

    #[test]
    fn strides_and_first_elements_are_followed() {
        let bytes: Vec<u8> = (0..12).flat_map(|i| (i as f32).to_le_bytes()).collect();
        assert_eq!(of(Element::F32, &[2, 3], &[1, 2], 4, &bytes), [4.0, 6.0, 8.0, 5.0, 7.0, 9.0]);
        assert_eq!(of(Element::F32, &[2, 2], &[6, 1], 1, &bytes), [1.0, 2.0, 7.0, 8.0]);
        assert_eq!(of(Element::F32, &[3], &[0], 11, &bytes), [11.0, 11.0, 11.0]);
        assert_eq!(of(Element::F32, &[], &[], 3, &bytes), [3.0]);
        assert!(of(Element::F32, &[0, 4], &[4, 1], 0, &bytes).is_empty());
    }

    #[test]
    fn bytes_written_as_text_are_bytes_again() {
        let all: Vec<u8> = (0..=255).collect();
        let text: String = all.iter().map(|byte| char::from(*byte)).collect();
        let source = Source::Bytes(text.as_bytes());
        assert_eq!(latin1(&source, source.all(), 256).unwrap(), all);
        assert!(latin1(&source, source.all(), 255).is_err() && latin1(&source, source.all(), 257).is_err());
        for damaged in [&b"\xc4\x80"[..], b"\xc3", b"\x80", b"\xc3\xc3"] {
            let source = Source::Bytes(damaged);
            assert!(latin1(&source, source.all(), 1).is_err(), "{damaged:?}");
        }
    }
}
