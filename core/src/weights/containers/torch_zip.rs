//! What `torch.save` writes since PyTorch 1.6: a ZIP archive, uncompressed, with a pickle `NAME/data.pkl` and one entry
//! `NAME/data/KEY` a storage.

use super::{
    pickle::unpickle,
    source::{Cursor, Source, Span},
    value::Value,
};
use crate::domain::{
    Fault, Result,
    text::{printable, shorten},
};
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipLocator};
use std::{collections::HashMap, io::Read};

/// Entries that an archive may have, and the length that their names may have.
const MOST_ENTRIES: usize = 1 << 18;
const MOST_NAME: usize = 512;

/// An uncompressed entry.
#[derive(Clone, Copy, Debug)]
struct Entry {
    span: Span,
    is_plain: bool,
    is_deflated: bool,
    /// 0: not known. (`torch.serialization.set_crc32_options(False)` writes that.)
    crc: u32,
}

/// Entries by the name behind the archive's own folder: `data.pkl`, `data/0`.
struct Archive {
    entries: HashMap<String, Entry>,
}

fn archive(source: &Source) -> Result<Archive> {
    let damaged = |error: rawzip::Error| {
        Fault::asked(format!("the ZIP archive is cut short or damaged: {error} ({} bytes)", source.len()))
            .next("copy or download it again")
    };
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipLocator::new().locate_in_reader(source, &mut buffer, source.len()).map_err(|(_, error)| damaged(error))?;
    let mut found = Vec::new();
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        let path = entry.file_path();
        if found.len() >= MOST_ENTRIES || path.len() > MOST_NAME {
            return Err(Fault::asked(format!(
                "the ZIP archive has more than {MOST_ENTRIES} entries, or a name of more than {MOST_NAME} bytes"
            )));
        }
        let name = String::from_utf8_lossy(path.as_bytes()).into_owned();
        let is_plain = entry.compression_method() == CompressionMethod::STORE && !entry.flags().is_encrypted();
        let is_deflated = entry.compression_method() == CompressionMethod::DEFLATE && !entry.flags().is_encrypted();
        found.push((name, is_plain, is_deflated, entry.crc32(), entry.wayfinder()));
    }
    let mut entries = HashMap::new();
    for (name, is_plain, is_deflated, crc, wayfinder) in found {
        let (start, end) = archive.get_entry(wayfinder).map_err(damaged)?.compressed_data_range();
        if end > source.len() {
            return Err(Fault::asked("the ZIP archive is cut short or damaged: an entry reaches beyond the file")
                .next("copy or download it again"));
        }
        let name = name.split_once('/').map_or(name.as_str(), |(_, name)| name).to_owned();
        if entries
            .insert(name.clone(), Entry { span: Span { at: start, len: end - start }, is_plain, is_deflated, crc })
            .is_some()
        {
            return Err(Fault::asked(format!("the ZIP archive has two entries `{}`", printable(&shorten(&name, 80)))));
        }
    }
    Ok(Archive { entries })
}

/// Reads the archive's pickle. Beside its value: the storages' places and checksums, for [`checked`] when their numbers are read.
///
/// # Errors
/// An archive of something else, one that is cut short, damaged or compressed, TorchScript; and as [`unpickle`].
pub(crate) fn read(source: &Source) -> Result<(Value, Vec<(Span, u32)>)> {
    let archive = archive(source)?;
    let plain = |name: &str| -> Result<Option<Entry>> {
        match archive.entries.get(name) {
            Some(entry) if !entry.is_plain => Err(Fault::asked(format!(
                "the ZIP archive is compressed or encrypted (`{}`), which torch.save never does",
                printable(&shorten(name, 80))
            ))
            .next("load it with PyTorch and save it again: torch.save(state_dict, PATH)")),
            entry => Ok(entry.copied()),
        }
    };
    if archive.entries.keys().any(|name| name.starts_with("code/")) || archive.entries.contains_key("constants.pkl") {
        return Err(Fault::asked("a TorchScript module: a program and its weights, which is not read as a file of weights")
            .next("a study runs it as it is: `family: torchscript` and `layers`; `visavis weights inspect` writes these lines"));
    }
    let Some(pickle) = plain("data.pkl")? else {
        let what = if archive.entries.keys().any(|name| name.ends_with(".npy")) {
            "an .npz archive of NumPy arrays"
        } else {
            "a ZIP archive without weights"
        };
        return Err(Fault::asked(format!("not weights: the file is {what}")).next("unpack it, and name a file from it"));
    };
    if let Some(order) = plain("byteorder")?
        && source_text(source, order.span)? != "little"
    {
        return Err(Fault::asked("the weights are big-endian").next("save them on a machine that is little-endian"));
    }
    checked(source, pickle.span, pickle.crc)?;
    let pickled = unpickle(&mut Cursor::new(source, pickle.span)?)?;
    let mut checksums = Vec::with_capacity(pickled.storages.len());
    let mut spans = Vec::with_capacity(pickled.storages.len());
    for claim in &pickled.storages {
        let Some(entry) = plain(&format!("data/{}", claim.key))? else {
            return Err(Fault::asked(format!(
                "the file lacks the numbers of a tensor: there is no entry `data/{}`, which the pickle names at byte {}",
                printable(&shorten(&claim.key, 80)),
                claim.at
            ))
            .next("copy or download it again"));
        };
        checksums.push((entry.span, entry.crc));
        spans.push(claim.part_of(entry.span));
    }
    Ok((pickled.value(&spans)?, checksums))
}

/// What a TorchScript module is made of.
pub(crate) struct ScriptParts {
    /// The pickle of its root.
    pub(crate) root: Vec<u8>,
    /// The text of its classes, by file.
    pub(crate) code: Vec<(String, Vec<u8>)>,
    /// Bytes of its tensors, those among its constants too.
    pub(crate) bytes: u64,
}

/// The code of a TorchScript module; `None` for another archive.
///
/// # Errors
/// An archive that is cut short or damaged, and code of more than `most` bytes.
pub(crate) fn script(source: &Source, most: u64) -> Result<Option<ScriptParts>> {
    let archive = archive(source)?;
    if !archive.entries.keys().any(|name| name.starts_with("code/")) {
        return Ok(None);
    }
    let text = |entry: &Entry| -> Result<Vec<u8>> {
        if entry.span.len > most {
            return Err(Fault::asked(format!("the module has code of more than {most} bytes")));
        }
        let mut bytes = vec![0; entry.span.len as usize];
        source.fill(entry.span.at, &mut bytes)?;
        if entry.is_plain {
            return Ok(bytes);
        }
        if !entry.is_deflated {
            return Err(Fault::asked("the module's code is packed in a way that torch.jit.save never uses"));
        }
        let mut text = Vec::new();
        let unpacked = flate2::read::DeflateDecoder::new(&bytes[..]).take(most + 1).read_to_end(&mut text);
        unpacked
            .map_err(|error| Fault::asked(format!("the module's code is damaged: {error}")).next("copy or download it again"))?;
        if text.len() as u64 > most {
            return Err(Fault::asked(format!("the module has code of more than {most} bytes")));
        }
        Ok(text)
    };
    let Some(root) = archive.entries.get("data.pkl") else {
        return Err(Fault::asked("the TorchScript module lacks `data.pkl`").next("copy or download it again"));
    };
    let (root, mut code, mut left) = (text(root)?, Vec::new(), most);
    let mut files: Vec<(&String, &Entry)> =
        archive.entries.iter().filter(|(name, _)| name.starts_with("code/") && name.ends_with(".py")).collect();
    files.sort_by_key(|(name, _)| *name);
    for (name, entry) in files {
        let text = text(entry)?;
        left = left
            .checked_sub(text.len() as u64)
            .ok_or_else(|| Fault::asked(format!("the module has code of more than {most} bytes")))?;
        code.push((name.clone(), text));
    }
    let is_tensor = |name: &str| name.starts_with("data/") || name.starts_with("constants/");
    let bytes = archive.entries.iter().filter(|(name, _)| is_tensor(name)).map(|(_, entry)| entry.span.len).sum();
    Ok(Some(ScriptParts { root, code, bytes }))
}

/// Compares an entry with its checksum.
///
/// # Errors
/// Bytes that are not those that were written.
pub(crate) fn checked(source: &Source, span: Span, crc: u32) -> Result<()> {
    if crc == 0 {
        return Ok(());
    }
    let mut hasher = crc32fast::Hasher::new();
    let mut block = vec![0; span.len.min(1 << 20) as usize];
    let mut done = 0;
    while done < span.len {
        let block = &mut block[..(span.len - done).min(1 << 20) as usize];
        source.fill(span.at + done, block)?;
        hasher.update(block);
        done += block.len() as u64;
    }
    if hasher.finalize() == crc {
        return Ok(());
    }
    Err(Fault::asked(format!(
        "the file is damaged: the {} bytes from byte {} on are not those that were written",
        span.len, span.at
    ))
    .next("copy or download it again"))
}

fn source_text(source: &Source, span: Span) -> Result<String> {
    let mut text = vec![0; span.len.min(16) as usize];
    source.fill(span.at, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
