//! What the machine works with: nodes in one list, which name each other by their place in it. So what is shared or goes in
//! circles needs no copies, and nothing here recurses.

use super::{
    source::Span,
    value::{Data, Element, TensorRef},
};

/// The place of a node in the machine's list.
pub(crate) type Id = u32;

#[derive(Clone, Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Str),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by its name, and where the file names it.
    Global {
        name: Box<str>,
        at: u64,
    },
    /// A NumPy type; `None`: one that no tensor is made of.
    NumpyType {
        word: Box<str>,
        element: Option<Element>,
        is_big_endian: bool,
    },
    /// A NumPy array: `None` until its content follows.
    Array(Option<Box<ArrayNode>>),
    /// By its place in the list of storages.
    Storage(usize),
    Tensor(Box<TensorNode>),
    /// An object of a class that is not read.
    Object(Box<ObjectNode>),
    /// Anything else; what it is, in words.
    Other(Box<str>),
}

/// How the bytes of a string are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Text in UTF-8.
    Utf8,
    /// Bytes; Python 2 has no other strings, so they may be text too.
    Bytes,
    /// Bytes, written as Latin-1 text in UTF-8.
    Latin1InUtf8,
}

/// A string.
#[derive(Clone, Debug)]
pub(crate) struct Str {
    pub coding: Coding,
    /// Where it is in the file; `None` where the file writes it with escapes.
    pub span: Option<Span>,
    /// What the file has there; `None`: too long to be kept.
    pub kept: Option<Box<[u8]>>,
}

impl Str {
    /// As text; bytes as Latin-1, as Python 3 reads pickles of Python 2 with `encoding="latin1"`. `None`: too long, or not UTF-8.
    pub(crate) fn text(&self) -> Option<String> {
        let kept = self.kept.as_deref()?;
        match self.coding {
            Coding::Bytes => Some(kept.iter().map(|byte| char::from(*byte)).collect()),
            Coding::Utf8 | Coding::Latin1InUtf8 => String::from_utf8(kept.to_vec()).ok(),
        }
    }

    /// As bytes, if it is kept.
    pub(crate) fn kept_bytes(&self) -> Option<Vec<u8>> {
        let kept = self.kept.as_deref()?;
        match self.coding {
            Coding::Bytes | Coding::Utf8 => Some(kept.to_vec()),
            Coding::Latin1InUtf8 => {
                let text = std::str::from_utf8(kept).ok()?;
                text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
            }
        }
    }

    /// The bytes as what a tensor is made of; and between which numbers their count is.
    pub(crate) fn data(&self) -> Option<(Data, std::ops::RangeInclusive<u64>)> {
        if let Some(bytes) = self.kept_bytes() {
            let len = bytes.len() as u64;
            return Some((Data::Inline(bytes.into()), len..=len));
        }
        let span = self.span?;
        Some(match self.coding {
            Coding::Bytes | Coding::Utf8 => (Data::Plain(span), span.len..=span.len),
            // Each byte takes one or two bytes of UTF-8.
            Coding::Latin1InUtf8 => (Data::Latin1(span), span.len.div_ceil(2)..=span.len),
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) enum ArrayNode {
    Tensor(TensorRef),
    /// Of a type that no tensor is made of; what it is, in words.
    Other(String),
}

/// A tensor of PyTorch: its numbers are in a storage, whose place is known when the pickle was read.
#[derive(Clone, Debug)]
pub(crate) struct TensorNode {
    pub storage: usize,
    /// Another type than the storage's.
    pub element: Option<Element>,
    pub first: u64,
    pub shape: Vec<u64>,
    pub strides: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct ObjectNode {
    pub class: Box<str>,
    /// Of a class that is a dict.
    pub items: Vec<(Id, Id)>,
}

/// What a pickle says of a storage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StorageClaim {
    pub key: String,
    pub element: Element,
    /// How many elements it should have.
    pub elements: u64,
    /// A part of the storage `key` that begins at this element.
    pub view_first: u64,
    /// Where the pickle names it.
    pub at: u64,
}

impl StorageClaim {
    /// Where the claimed part is in a storage that is at `whole`.
    pub(crate) fn part_of(&self, whole: Span) -> Span {
        let skipped = self.view_first.saturating_mul(self.element.size()).min(whole.len);
        Span { at: whole.at + skipped, len: whole.len - skipped }
    }
}
