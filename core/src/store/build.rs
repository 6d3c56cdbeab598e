//! Which build a program is: two files of one build are interchangeable, and letters and keys of another may mean something else.

use crate::{domain::Digest, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The beginning of a file that Linux runs by itself.
const ELF: &[u8; 4] = b"\x7fELF";

/// So many bytes the head of a program and its notes have at most: the linker writes them at the start of the file.
const MOST: usize = 1 << 20;

/// A build of a program: the identifier that the linker made of its content; of a program without one, the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Build(String);

impl Build {
    /// The build of the program in a file; `None` of a script, which says nothing of what it starts, and of what cannot be read.
    ///
    /// The identifier is in the first pages of the file: where a thousand nodes start one program from a shared folder, none of them reads
    /// it whole for this.
    pub fn of(path: &Path) -> Option<Self> {
        use std::io::Read;
        let mut head = Vec::new();
        files::open(path).ok()?.take(MOST as u64).read_to_end(&mut head).ok()?;
        if !head.starts_with(ELF) {
            return None;
        }
        let named = identifier(&head).map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        named.or_else(|| Some(Digest::of(&files::read(path).ok()?).to_string())).map(Build)
    }

    /// The build of this process's program.
    pub fn own() -> Option<Self> {
        Build::of(&std::env::current_exe().ok()?)
    }
}

impl std::fmt::Display for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Build {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Build(text.to_owned()))
    }
}

/// The linker's identifier (the note `NT_GNU_BUILD_ID`) in the head of a program: 64 bits, little-endian.
fn identifier(head: &[u8]) -> Option<&[u8]> {
    const NOTES: u32 = 4;
    if head.get(4..6)? != [2, 1] {
        return None;
    }
    let (at, size, count) = (long(head, 32)?, short(head, 54)?, short(head, 56)?);
    (0..count).find_map(|number| {
        let part = head.get(at.checked_add(number * size)?..)?;
        if word(part, 0)? != NOTES {
            return None;
        }
        let (from, bytes) = (long(part, 8)?, long(part, 32)?);
        note(head.get(from..from.checked_add(bytes)?)?, if long(part, 48)? == 8 { 8 } else { 4 })
    })
}

/// The identifier among the notes of one part, each padded to so many bytes.
fn note(mut notes: &[u8], align: usize) -> Option<&[u8]> {
    const BUILD_ID: u32 = 3;
    loop {
        let (name, bytes, kind) = (word(notes, 0)? as usize, word(notes, 4)? as usize, word(notes, 8)?);
        let from = 12 + name.next_multiple_of(4);
        let found = notes.get(from..from.checked_add(bytes)?)?;
        if kind == BUILD_ID && notes.get(12..12 + name)? == b"GNU\0" && !found.is_empty() {
            return Some(found);
        }
        notes = notes.get((from + bytes).next_multiple_of(align)..)?;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a program with one part of notes.
    fn program(notes: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = 4;
        bytes[64 + 8] = 120;
        bytes[64 + 32] = u8::try_from(notes.len()).unwrap();
        bytes[64 + 48] = 4;
        [bytes, notes.to_vec()].concat()
    }

    fn noted(kind: u8, bytes: &[u8]) -> Vec<u8> {
        let head = [4, 0, 0, 0, u8::try_from(bytes.len()).unwrap(), 0, 0, 0, kind, 0, 0, 0];
        [&head[..], b"GNU\0", bytes].concat()
    }

    #[test]
    fn a_build_is_what_the_linker_calls_it() {
        let folder = tempfile::tempdir().unwrap();
        let build = |bytes: &[u8]| {
            std::fs::write(folder.path().join("program"), bytes).unwrap();
            Build::of(&folder.path().join("program")).map(|build| build.to_string())
        };
        let notes = [noted(1, &[9; 4]), noted(3, &[0xab, 0xcd, 0x01, 0x02])].concat();
        assert_eq!(build(&program(&notes)).unwrap(), "abcd0102");
        assert_eq!(build(&[program(&notes), b"symbols".to_vec()].concat()).unwrap(), "abcd0102", "stripped or not");
        // Without a name, every byte counts.
        let nameless = [program(&[]), b"code".to_vec()].concat();
        assert_eq!(build(&nameless).unwrap(), Digest::of(&nameless).to_string());
        assert_eq!(build(b"#!/bin/sh\nexec program\n"), None);
        assert_eq!(Build::of(&folder.path().join("none")), None);
    }

    #[test]
    fn a_damaged_head_is_no_name_and_no_panic() {
        let whole = program(&noted(3, &[1, 2, 3, 4]));
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                _ = identifier(&bytes);
            }
            _ = identifier(&whole[..at]);
        }
    }

    #[test]
    fn this_program_is_a_build_and_a_copy_of_it_is_the_same() {
        let own = Build::own().expect("it runs from a file");
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(std::env::current_exe().unwrap(), folder.path().join("copy")).unwrap();
        assert_eq!(Build::of(&folder.path().join("copy")), Some(own));
    }
}
