//! The bytes of one record: its length, its checksum, its place in the chain, its payload.

use crate::domain::event::Record;

/// Bytes of the chain that stand in each record.
pub(super) const CHAIN: usize = 32;

pub(super) const PREFIX: usize = 8 + CHAIN;

/// No record is longer: a length that is must be damage.
pub(super) const LONGEST: usize = 64 << 20;

/// Appends a record to the bytes of a journal, and to its chain; `false` for one that cannot be written.
pub(super) fn frame(record: &Record, chain: &mut [u8; CHAIN], bytes: &mut Vec<u8>) -> bool {
    let Some(payload) = record.to_bytes() else { return false };
    *chain = link(chain, &payload);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend(*chain);
    bytes.extend(payload);
    true
}

pub(super) fn link(before: &[u8; CHAIN], payload: &[u8]) -> [u8; CHAIN] {
    *blake3::Hasher::new().update(before).update(payload).finalize().as_bytes()
}

/// A record at the start of these bytes that checks by its CRC: payload and chain.
pub(super) fn record(bytes: &[u8]) -> Option<(&[u8], [u8; CHAIN])> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, crc) = (number(0)? as usize, number(4)?);
    if length == 0 || length > LONGEST {
        return None;
    }
    let payload = bytes.get(PREFIX..PREFIX + length)?;
    if crc32fast::hash(payload) != crc {
        return None;
    }
    Some((payload, bytes[8..PREFIX].try_into().ok()?))
}
