//! What a weight file holds, as plain values: dicts, lists, small things, and tensors whose numbers stay in the file.

use super::source::Span;
use crate::domain::{Fault, Result};
use std::sync::Arc;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// IEEE 754, double precision.
    F64,
    /// IEEE 754, single precision.
    F32,
    /// IEEE 754, half precision.
    F16,
    /// The upper half of an F32.
    BF16,
    /// A whole number with a sign, 8 bytes.
    I64,
    /// The same, 4 bytes.
    I32,
    /// The same, 2 bytes.
    I16,
    /// The same, 1 byte.
    I8,
    /// A whole number from 0 on, 8 bytes.
    U64,
    /// The same, 4 bytes.
    U32,
    /// The same, 2 bytes.
    U16,
    /// The same, 1 byte.
    U8,
    /// 0 or 1, 1 byte.
    Bool,
    /// A pair of F32.
    Complex64,
    /// A pair of F64.
    Complex128,
    /// An 8-bit float of one of several kinds.
    F8,
}

impl Element {
    /// Bytes of one element.
    pub fn size(self) -> u64 {
        match self {
            Element::Complex128 => 16,
            Element::F64 | Element::I64 | Element::U64 | Element::Complex64 => 8,
            Element::F32 | Element::I32 | Element::U32 => 4,
            Element::F16 | Element::BF16 | Element::I16 | Element::U16 => 2,
            Element::I8 | Element::U8 | Element::Bool | Element::F8 => 1,
        }
    }

    /// Can weights be of this type?
    pub fn is_fraction(self) -> bool {
        matches!(self, Element::F64 | Element::F32 | Element::F16 | Element::BF16)
    }

    /// As NumPy calls it: `float32`.
    pub fn word(self) -> &'static str {
        match self {
            Element::F64 => "float64",
            Element::F32 => "float32",
            Element::F16 => "float16",
            Element::BF16 => "bfloat16",
            Element::I64 => "int64",
            Element::I32 => "int32",
            Element::I16 => "int16",
            Element::I8 => "int8",
            Element::U64 => "uint64",
            Element::U32 => "uint32",
            Element::U16 => "uint16",
            Element::U8 => "uint8",
            Element::Bool => "bool",
            Element::Complex64 => "complex64",
            Element::Complex128 => "complex128",
            Element::F8 => "float8",
        }
    }
}

/// Where the bytes of a tensor's storage are.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// In the file as they are, little-endian.
    Plain(Span),
    /// In the file as text: each byte is the letter of that number (Latin-1), written in UTF-8. So does protocol 2 of Python 3.
    Latin1(Span),
    /// Small, and written in the file in some other way.
    Inline(Arc<[u8]>),
}

/// A tensor of a file: what is known without reading its numbers. Only `new` makes one, so it always fits its storage.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorRef {
    /// The type of its elements.
    pub element: Element,
    shape: Vec<usize>,
    /// In elements.
    strides: Vec<u64>,
    /// Index in the storage of the first element.
    first: u64,
    data: Data,
}

/// Dimensions that a tensor may have.
const MOST_DIMENSIONS: usize = 16;
/// Elements that a tensor may have beyond those of its storage, by strides of 0.
const MOST_REPEATED: u64 = 1 << 16;

impl TensorRef {
    /// `stored`: how many elements the storage has.
    ///
    /// # Errors
    /// A shape that is too large to count, that reaches outside the storage, or that repeats one number very often.
    pub fn new(element: Element, shape: &[u64], strides: &[u64], first: u64, stored: u64, data: Data) -> Result<Self> {
        if shape.len() != strides.len() || shape.len() > MOST_DIMENSIONS {
            return Err(Fault::asked(format!("a tensor has {} dimensions and {} strides", shape.len(), strides.len())));
        }
        let too_large = || Fault::asked(format!("a tensor claims the shape {shape:?}, and its storage has {stored} elements"));
        let elements = shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size)).ok_or_else(too_large)?;
        if elements > stored.max(MOST_REPEATED) {
            return Err(too_large());
        }
        if elements > 0 {
            let reach = |last: u64, (size, stride): (&u64, &u64)| last.checked_add((size - 1).checked_mul(*stride)?);
            let last = shape.iter().zip(strides).try_fold(first, reach);
            if last.is_none_or(|last| last >= stored) {
                return Err(Fault::asked(format!(
                    "a tensor of shape {shape:?}, strides {strides:?} and first element {first} reaches beyond its storage of \
                     {stored} elements"
                )));
            }
        }
        let sizes = shape.iter().map(|size| usize::try_from(*size)).collect::<std::result::Result<_, _>>();
        let shape = sizes.map_err(|_| too_large())?;
        Ok(TensorRef { element, shape, strides: strides.to_vec(), first, data })
    }

    /// A tensor that is the whole of its storage, in C order.
    ///
    /// # Errors
    /// As [`TensorRef::new`].
    pub fn whole(element: Element, shape: &[u64], stored: u64, data: Data) -> Result<Self> {
        TensorRef::new(element, shape, &c_strides(shape), 0, stored, data)
    }

    /// Its sizes, the slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many elements it has.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The index of its first element in the storage.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// For each dimension, how many elements of the storage lie between neighbours.
    pub fn strides(&self) -> &[u64] {
        &self.strides
    }

    /// Where the bytes of its storage are.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Are the elements one after the other, the last dimension fastest?
    pub fn is_contiguous(&self) -> bool {
        if self.elements() == 0 {
            return true;
        }
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(size, stride)| {
            let fits = *size == 1 || *stride == expected;
            expected *= *size as u64;
            fits
        })
    }
}

/// Strides of an array whose last dimension is fastest. A product that overflows becomes 0: [`TensorRef::new`] refuses the shape.
pub(crate) fn c_strides(shape: &[u64]) -> Vec<u64> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = u64::checked_mul(strides[axis], shape[axis]).unwrap_or(0);
    }
    strides
}

/// Strides of an array whose first dimension is fastest.
pub(crate) fn fortran_strides(shape: &[u64]) -> Vec<u64> {
    let backwards: Vec<u64> = shape.iter().rev().copied().collect();
    c_strides(&backwards).into_iter().rev().collect()
}

/// The key of a dict.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A string.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Anything else, as it may be called in a message.
    Other(String),
}

/// A value of a weight file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Python's `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Text(String),
    /// A list, a tuple or a set.
    List(Vec<Value>),
    /// In the file's order; no key twice.
    Dict(Vec<(Key, Value)>),
    /// A tensor, whose numbers are still in the file.
    Tensor(TensorRef),
    /// An object of a class that is not read; the class's name.
    Object(String),
    /// Anything else; what it is, in words.
    Other(String),
}

impl Value {
    /// The value under this name, in a dict.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Value::Dict(entries) = self else { return None };
        entries.iter().find(|(key, _)| matches!(key, Key::Text(text) if text == name)).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[u64], strides: &[u64], first: u64, stored: u64) -> Result<TensorRef> {
        TensorRef::new(Element::F32, shape, strides, first, stored, Data::Plain(Span { at: 0, len: stored * 4 }))
    }

    #[test]
    fn a_tensor_stays_within_its_storage() {
        assert!(tensor(&[2, 3], &[3, 1], 0, 6).unwrap().is_contiguous());
        assert!(!tensor(&[2, 3], &[1, 2], 0, 6).unwrap().is_contiguous());
        assert!(tensor(&[2, 3], &[3, 1], 4, 10).is_ok());
        assert!(tensor(&[2, 3], &[3, 1], 5, 10).unwrap_err().what.contains("beyond its storage of 10"));
        assert!(tensor(&[0, 3], &[3, 1], 99, 0).is_ok());
        assert!(tensor(&[], &[], 0, 1).is_ok());
        assert!(tensor(&[], &[], 0, 0).is_err());
    }

    #[test]
    fn a_shape_that_claims_more_than_there_is_is_refused() {
        assert!(tensor(&[1_000_000, 1_000_000], &[0, 0], 0, 1).unwrap_err().what.contains("claims the shape"));
        assert!(tensor(&[u64::MAX, u64::MAX], &[1, 1], 0, 1).is_err());
        assert!(tensor(&[2, 2], &[u64::MAX, u64::MAX], 0, 8).is_err());
        assert!(tensor(&[1; 17], &[1; 17], 0, 1).is_err());
        assert!(tensor(&[512], &[0], 0, 1).is_ok(), "a bias of one number repeated");
    }

    #[test]
    fn strides_follow_the_order() {
        assert_eq!(c_strides(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(fortran_strides(&[2, 3, 4]), [1, 2, 6]);
        assert!(c_strides(&[]).is_empty());
    }
}
