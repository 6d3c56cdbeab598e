//! One record of a RecordIO file (dmlc-core, as MXNet writes it): `u32 magic`, `u32` of a flag (3 bits) and a length (29 bits), the
//! payload, zeros up to a multiple of 4; all numbers little-endian. Where the payload holds the magic number at a multiple of 4, the
//! record is cut there into parts, and the four bytes are left out: whoever joins the parts puts them back.
//!
//! The payload of a record of pictures begins with 24 bytes, `u32 flag, f32 label, u64 id, u64 id2`, and `flag` further labels (`f32`).

use std::{fmt, fs::File, io, os::unix::fs::FileExt};

/// Begins every part of a record.
pub(super) const MAGIC: [u8; 4] = 0xced7_230a_u32.to_le_bytes();
/// Bytes before a part's payload.
const FRAME: u64 = 8;
/// Bytes of a payload's header, before further labels.
pub(super) const HEADER: usize = 24;
/// Bytes of a part that its frame can count.
pub(super) const LONGEST_PART: u64 = (1 << 29) - 1;
/// How far behind a broken record the next one is looked for: less than any set of records has.
const LOOKED_THROUGH: u64 = 64 << 20;
/// More parts than the magic number occurs in any picture.
const MOST_PARTS: usize = 1 << 16;
/// More labels than a picture has.
const MOST_LABELS: u32 = 1 << 16;

/// The place of a part in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    Whole,
    First,
    Middle,
    Last,
}

impl PartKind {
    const ALL: [PartKind; 4] = [PartKind::Whole, PartKind::First, PartKind::Middle, PartKind::Last];

    fn of_flag(flag: u32) -> Option<Self> {
        Self::ALL.get(flag as usize).copied()
    }

    /// The frame of a part of this many bytes.
    pub(super) fn frame(self, bytes: u32) -> [u8; 8] {
        let flag = Self::ALL.iter().position(|kind| *kind == self).unwrap_or_default() as u32;
        let mut frame = [0; 8];
        frame[..4].copy_from_slice(&MAGIC);
        frame[4..].copy_from_slice(&(flag << 29 | bytes).to_le_bytes());
        frame
    }
}

/// Why a record cannot be read.
#[derive(Debug)]
pub(super) enum Broken {
    /// The file ends inside of it: how many bytes its part claims, and how many there are.
    Torn {
        claims: u64,
        left: u64,
    },
    /// The magic number does not stand where a part should begin.
    NoMagic {
        at: u64,
    },
    /// A first part after a first, a middle part without one, a flag that is none.
    Order {
        at: u64,
    },
    /// More bytes or parts than any picture has.
    TooLarge,
    /// Its payload is shorter than its header says.
    Header,
    Io(io::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Torn { claims, left } => {
                write!(f, "the record is torn: it claims {claims} bytes, and {left} are left in the file")
            }
            Broken::NoMagic { at } => {
                write!(f, "no record begins or goes on at offset {at}: RecordIO's magic number is not there")
            }
            Broken::Order { at } => write!(f, "the parts of the record are out of order at offset {at}"),
            Broken::TooLarge => write!(f, "the record claims more bytes or parts than any picture has"),
            Broken::Header => write!(f, "the record is shorter than its header says"),
            Broken::Io(error) => write!(f, "the record cannot be read: {error}"),
        }
    }
}

/// What a record says of its picture.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dataset) struct RecordHeader {
    /// 0: one label; else how many labels there are.
    pub flag: u32,
    /// The number that whoever wrote it gave it: the key, as a rule.
    pub id: u64,
    /// At least one.
    pub labels: Vec<f32>,
}

impl RecordHeader {
    /// The header at the start of a payload, and how many bytes it takes.
    fn parse(payload: &[u8]) -> Option<(Self, usize)> {
        let word = |at: usize| Some(u32::from_le_bytes(payload.get(at..at + 4)?.try_into().ok()?));
        let flag = word(0)?;
        let id = u64::from_le_bytes(payload.get(8..16)?.try_into().ok()?);
        payload.get(16..HEADER)?;
        if flag == 0 {
            return Some((RecordHeader { flag, id, labels: vec![f32::from_bits(word(4)?)] }, HEADER));
        }
        let bytes = (flag <= MOST_LABELS).then_some(HEADER + 4 * flag as usize)?;
        let labels =
            payload.get(HEADER..bytes)?.chunks_exact(4).map(|label| f32::from_le_bytes([label[0], label[1], label[2], label[3]]));
        Some((RecordHeader { flag, id, labels: labels.collect() }, bytes))
    }

    /// The bytes of the header, with `id2`.
    pub(super) fn to_bytes(&self, id2: u64) -> Vec<u8> {
        let label = if self.flag == 0 { self.labels[0] } else { 0.0 };
        let mut bytes = self.flag.to_le_bytes().to_vec();
        bytes.extend(label.to_le_bytes());
        bytes.extend(self.id.to_le_bytes());
        bytes.extend(id2.to_le_bytes());
        if self.flag > 0 {
            self.labels.iter().for_each(|label| bytes.extend(label.to_le_bytes()));
        }
        bytes
    }
}

/// A RecordIO file of so many bytes.
#[derive(Debug)]
pub(super) struct Framed {
    pub file: File,
    pub length: u64,
}

/// One part: where its payload begins, and how long it is.
struct Part {
    kind: PartKind,
    payload: u64,
    bytes: u64,
}

impl Part {
    /// Where the next part or record begins.
    fn end(&self) -> u64 {
        self.payload + self.bytes.next_multiple_of(4)
    }
}

impl Framed {
    fn part(&self, at: u64) -> Result<Part, Broken> {
        let left = self.length.saturating_sub(at);
        if left < FRAME {
            return Err(Broken::Torn { claims: FRAME, left });
        }
        let mut frame = [0; FRAME as usize];
        self.file.read_exact_at(&mut frame, at).map_err(Broken::Io)?;
        if frame[..4] != MAGIC {
            return Err(Broken::NoMagic { at });
        }
        let word = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
        let (kind, bytes) = (PartKind::of_flag(word >> 29).ok_or(Broken::Order { at })?, u64::from(word) & LONGEST_PART);
        // A file may lack the zeros behind its last record.
        if bytes > left - FRAME {
            return Err(Broken::Torn { claims: bytes, left: left - FRAME });
        }
        Ok(Part { kind, payload: at + FRAME, bytes })
    }

    /// The parts of the record that begins here; their payloads together are at most as large as a picture.
    fn parts(&self, at: u64) -> Result<Vec<Part>, Broken> {
        let mut parts = vec![self.part(at)?];
        let mut total = parts[0].bytes;
        match parts[0].kind {
            PartKind::Whole => {}
            PartKind::First => loop {
                let last = &parts[parts.len() - 1];
                let next = self.part(last.end())?;
                total += MAGIC.len() as u64 + next.bytes;
                if total > crate::files::LARGEST_PICTURE || parts.len() == MOST_PARTS {
                    return Err(Broken::TooLarge);
                }
                let kind = next.kind;
                let at = next.payload - FRAME;
                parts.push(next);
                match kind {
                    PartKind::Middle => {}
                    PartKind::Last => break,
                    PartKind::Whole | PartKind::First => return Err(Broken::Order { at }),
                }
            },
            PartKind::Middle | PartKind::Last => return Err(Broken::Order { at }),
        }
        if parts[0].bytes > crate::files::LARGEST_PICTURE {
            return Err(Broken::TooLarge);
        }
        Ok(parts)
    }

    /// Where the record that begins here ends: the next one's offset.
    pub(super) fn end(&self, at: u64) -> Result<u64, Broken> {
        Ok(self.parts(at)?.last().map_or(at, Part::end))
    }

    /// Does a record begin behind this offset? Then the one at this offset is broken, and not the last one that the file ends in.
    pub(super) fn goes_on_behind(&self, at: u64) -> bool {
        let (mut from, end) = (at + 4, self.length.min(at.saturating_add(LOOKED_THROUGH)));
        let mut block = vec![0; 1 << 20];
        while from + FRAME <= end {
            let bytes = (end - from).min(block.len() as u64) as usize / 4 * 4;
            if self.file.read_exact_at(&mut block[..bytes], from).is_err() {
                return false;
            }
            let marks = block[..bytes].chunks_exact(4).enumerate().filter(|(_, word)| **word == MAGIC);
            let mut begins = marks.map(|(place, _)| from + 4 * place as u64);
            if begins.any(|at| self.part(at).is_ok_and(|part| matches!(part.kind, PartKind::Whole | PartKind::First))) {
                return true;
            }
            from += bytes.max(4) as u64;
        }
        false
    }

    /// The header of the record that begins here, without its picture; and whether it has a picture.
    pub(super) fn header(&self, at: u64) -> Result<(RecordHeader, bool), Broken> {
        let first = self.part(at)?;
        if first.kind != PartKind::Whole {
            // The header itself may hold the magic number.
            return self.read(at).map(|(header, picture)| (header, !picture.is_empty()));
        }
        let mut start = vec![0; first.bytes.min(64) as usize];
        self.file.read_exact_at(&mut start, first.payload).map_err(Broken::Io)?;
        if RecordHeader::parse(&start).is_none() && first.bytes > start.len() as u64 {
            start.resize(first.bytes.min(HEADER as u64 + 4 * u64::from(MOST_LABELS)) as usize, 0);
            self.file.read_exact_at(&mut start, first.payload).map_err(Broken::Io)?;
        }
        let (header, bytes) = RecordHeader::parse(&start).ok_or(Broken::Header)?;
        Ok((header, first.bytes > bytes as u64))
    }

    /// The record that begins here: what it says of its picture, and the picture's bytes.
    pub(super) fn read(&self, at: u64) -> Result<(RecordHeader, Vec<u8>), Broken> {
        let mut payload = Vec::new();
        for part in self.parts(at)? {
            if matches!(part.kind, PartKind::Middle | PartKind::Last) {
                payload.extend(MAGIC);
            }
            let start = payload.len();
            payload.resize(start + part.bytes as usize, 0);
            self.file.read_exact_at(&mut payload[start..], part.payload).map_err(Broken::Io)?;
        }
        let (header, bytes) = RecordHeader::parse(&payload).ok_or(Broken::Header)?;
        payload.drain(..bytes);
        Ok((header, payload))
    }
}
