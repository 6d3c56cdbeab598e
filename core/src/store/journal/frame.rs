//! The bytes of one record: its length, its checksum, its place in the chain, its payload.

use crate::domain::event::Record;

/// Bytes of the chain that stand in each record.
pub(super) const CHAIN: usize = 32;

pub(super) const PREFIX: usize = 8 + CHAIN;

/// No record is longer: a length that is must be damage.
pub(super) const LONGEST: usize = 64 << 20;

/// What came of framing a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    Yes,
    /// It is of no kind that is written.
    Never,
    /// It has so many bytes, and no reader would take it for a record.
    TooLong(usize),
}

/// Appends a record to the bytes of a journal, and to its chain, if it can be written.
pub(super) fn frame(record: &Record, chain: &mut [u8; CHAIN], bytes: &mut Vec<u8>) -> Framed {
    let Some(payload) = record.to_bytes() else { return Framed::Never };
    if payload.len() > LONGEST {
        return Framed::TooLong(payload.len());
    }
    *chain = link(chain, &payload);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend(*chain);
    bytes.extend(payload);
    Framed::Yes
}

pub(super) fn link(before: &[u8; CHAIN], payload: &[u8]) -> [u8; CHAIN] {
    *blake3::Hasher::new().update(before).update(payload).finalize().as_bytes()
}

/// The length of the record that these bytes claim to begin with, if there may be such a one.
pub(super) fn claimed(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    (length > 0 && length <= LONGEST && length <= bytes.len().saturating_sub(PREFIX)).then_some(length)
}

/// A record at the start of these bytes that checks by its CRC: payload and chain.
pub(super) fn record(bytes: &[u8]) -> Option<(&[u8], [u8; CHAIN])> {
    let length = claimed(bytes)?;
    let crc = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let payload = bytes.get(PREFIX..PREFIX + length)?;
    if crc32fast::hash(payload) != crc {
        return None;
    }
    Some((payload, bytes[8..PREFIX].try_into().ok()?))
}
