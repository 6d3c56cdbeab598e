//! Files of weights of every kind that people have, read without running anything: safetensors, PyTorch's two formats, and
//! pickled dicts of NumPy arrays. What a file is follows from its content, never from the ending of its name.
//!
//! [`read`] gives a tree of dicts whose leaves are tensors and small values. Numbers stay in the file until [`WeightFile::numbers`]
//! asks for those of one tensor, so that a file of any size is looked through in a few MB of memory.
//! [`wrappers`] finds a network in the tree.

mod misfit;
mod numbers;
mod safetensors_file;
mod torch_stream;
pub(in crate::weights) mod torch_zip;
pub mod wrappers;

use crate::{
    domain::{
        Digest, Fault, Result,
        file_kind::{ExpectedFile, FileKind},
    },
    pickle::{self, source, value},
};
use source::{Cursor, Source, Span};
use std::path::{Path, PathBuf};
use value::Data;
pub use value::{Element, Key, TensorRef, Value};

/// The format of a weight file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Tensors with a JSON head.
    Safetensors,
    /// `torch.save` since PyTorch 1.6.
    TorchZip,
    /// `torch.save` before.
    TorchStream,
    /// A pickle of NumPy arrays.
    Pickle,
}

impl Format {
    /// What it is called in JSON: never changed.
    pub fn word(self) -> &'static str {
        match self {
            Format::Safetensors => "safetensors",
            Format::TorchZip => "torch_zip",
            Format::TorchStream => "torch_stream",
            Format::Pickle => "pickle",
        }
    }

    /// What it is called in sentences.
    pub fn words(self) -> &'static str {
        match self {
            Format::Safetensors => "safetensors",
            Format::TorchZip => "torch.save (ZIP)",
            Format::TorchStream => "torch.save before PyTorch 1.6",
            Format::Pickle => "a pickle of NumPy arrays",
        }
    }
}

/// A weight file that was looked through. The file stays open: its numbers are read when they are wanted.
#[derive(Debug)]
pub struct WeightFile<'a> {
    /// What kind of file it is.
    pub format: Format,
    /// What the file holds.
    pub root: Value,
    source: Source<'a>,
    /// Places of storages and their checksums.
    checksums: Vec<(Span, u32)>,
    path: PathBuf,
}

/// Looks through a weight file.
///
/// # Errors
/// A file that cannot be read, that is no weight file or a damaged one, that would call a function if Python read it, or that
/// claims more than it has. The sentence says which, and what to do.
pub fn read(path: &Path) -> Result<WeightFile<'static>> {
    look_through(Source::open(path)?, path)
}

/// The same, of a file whose bytes are in memory; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn of_bytes<'a>(bytes: &'a [u8], path: &Path) -> Result<WeightFile<'a>> {
    look_through(Source::Bytes(bytes), path)
}

fn look_through<'a>(source: Source<'a>, path: &Path) -> Result<WeightFile<'a>> {
    let (format, root, checksums) = content(&source).map_err(|fault| fault.in_file(path))?;
    let tensors = count_tensors(&root);
    if tensors > MOST_TENSORS {
        return Err(Fault::asked(format!("the file has {tensors} tensors, and {MOST_TENSORS} are looked at most"))
            .in_file(path)
            .next("save the network's weights by themselves, without the trainer's other tensors"));
    }
    Ok(WeightFile { format, root, source, checksums, path: path.to_owned() })
}

/// More than any network has with its optimizer's state: each is held against every family's names.
const MOST_TENSORS: usize = 20_000;

fn count_tensors(root: &Value) -> usize {
    let (mut tensors, mut left) = (0, vec![root]);
    while let Some(value) = left.pop() {
        match value {
            Value::Tensor(_) => tensors += 1,
            Value::List(items) => left.extend(items),
            Value::Dict(entries) => left.extend(entries.iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    tensors
}

/// Format, values, and the places of storages with their checksums.
type Content = (Format, Value, Vec<(Span, u32)>);

fn content(source: &Source) -> Result<Content> {
    let head = source.head(1024)?;
    let kind = FileKind::of(&head);
    let pickle = || unpickle_numpy(source).map(|root| (Format::Pickle, root, vec![]));
    if let Some(start) = torch_stream::magic(&head) {
        return Ok((Format::TorchStream, torch_stream::read(source, start)?, vec![]));
    }
    match kind {
        FileKind::TorchZip | FileKind::Zip | FileKind::Npz => {
            let (root, checksums) = torch_zip::read(source)?;
            Ok((Format::TorchZip, root, checksums))
        }
        FileKind::Safetensors => Ok((Format::Safetensors, safetensors_file::read(source)?, vec![])),
        FileKind::Pickle => pickle(),
        // Pickles of protocols 0 and 1 have no mark of their own; every one of them begins with one of these.
        FileKind::Text | FileKind::Unknown | FileKind::Json if matches!(head.first(), Some(b'(' | b'}' | b']' | b'c')) => {
            pickle().map_err(|fault| if may_be_pickle(&head) { fault } else { other(kind) })
        }
        _ => Err(other(kind)),
    }
}

fn unpickle_numpy(source: &Source) -> Result<Value> {
    let pickled = pickle::unpickle(&mut Cursor::new(source, source.all())?)?;
    if let Some(claim) = pickled.storages.first() {
        return Err(Fault::asked(format!(
            "the pickle names tensors of PyTorch (byte {}), whose numbers are in another file: it is `data.pkl` of an unpacked archive",
            claim.at
        ))
        .next("give the file that torch.save wrote, as it was"));
    }
    pickled.value(&[])
}

/// Does a file begin as pickles of protocols 0 and 1 do: a mark and a dict or list, an empty one, or a name on two lines?
fn may_be_pickle(head: &[u8]) -> bool {
    let is_name = |line: &[u8]| !line.is_empty() && line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(byte));
    match head {
        [b'(', b'd' | b'l' | b'i' | b't' | b'c', ..] => true,
        [b'}' | b']', b'p' | b'q' | b'(' | b'.', ..] => true,
        [b'c', rest @ ..] => rest.split(|byte| *byte == b'\n').take(2).filter(|line| is_name(line)).count() == 2,
        _ => false,
    }
}

/// The refusal of what is no weight file.
fn other(kind: FileKind) -> Fault {
    Fault::asked(format!("not weights: the file is {}", kind.words())).next(kind.advice(ExpectedFile::Weights))
}

impl WeightFile<'_> {
    /// The file's path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The digest of the whole file.
    ///
    /// # Errors
    /// A file that cannot be read any more.
    pub fn digest(&self) -> Result<Digest> {
        let mut hasher = blake3::Hasher::new();
        let mut block = vec![0; 1 << 20];
        let mut at = 0;
        while at < self.source.len() {
            let len = (self.source.len() - at).min(block.len() as u64) as usize;
            self.source.fill(at, &mut block[..len]).map_err(|fault| fault.in_file(&self.path))?;
            hasher.update(&block[..len]);
            at += len as u64;
        }
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }

    /// The numbers of one of the file's tensors, in C order and single precision.
    ///
    /// # Errors
    /// Elements that are no fractions, and a file that changed.
    pub fn numbers(&self, tensor: &TensorRef) -> Result<Vec<f32>> {
        numbers::numbers(&self.source, tensor).map_err(|fault| fault.in_file(&self.path))
    }

    /// Compares the storages of these tensors with the file's checksums, each storage once. Only ZIP archives have checksums.
    ///
    /// # Errors
    /// A storage that is damaged.
    pub fn check<'t>(&self, tensors: impl Iterator<Item = &'t TensorRef>) -> Result<()> {
        let is_in = |data: &Span, whole: &Span| data.at >= whole.at && data.at - whole.at < whole.len;
        let mut whole: Vec<(Span, u32)> = self.checksums.clone();
        whole.sort_unstable_by_key(|(span, _)| span.at);
        whole.dedup();
        let mut wanted = vec![false; whole.len()];
        for tensor in tensors {
            let Data::Plain(data) = tensor.data() else { continue };
            let after = whole.partition_point(|(span, _)| span.at <= data.at);
            if after > 0 && is_in(data, &whole[after - 1].0) {
                wanted[after - 1] = true;
            }
        }
        let wanted = whole.iter().zip(wanted).filter(|(_, is_wanted)| *is_wanted);
        wanted.into_iter().try_for_each(|((span, crc), _)| {
            torch_zip::checked(&self.source, *span, *crc).map_err(|fault| fault.in_file(&self.path))
        })
    }
}

#[cfg(test)]
mod tests;
