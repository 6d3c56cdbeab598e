//! The next record behind damage, found in time that grows with the bytes looked at, whatever lengths they claim.

use super::frame::{PREFIX, claimed};
use crc32fast::Hasher;

/// So many bytes apart, the CRC of all bytes up to there is kept: four bytes for each of them.
const EVERY: usize = 64;

/// Finds records in some bytes. The CRC-32 of a stretch follows from those of all bytes before its start and before its end, so a record
/// that claims megabytes is tested as fast as one that claims a few: bytes that look like the heads of records cost no more than others.
pub(super) struct Search<'a> {
    bytes: &'a [u8],
    /// The CRC of the first `EVERY * n` bytes, at `n`; as far as it was needed.
    before: Vec<u32>,
    /// So many more claims of long records are tested.
    claims_left: usize,
}

impl<'a> Search<'a> {
    /// Among the first `places` bytes, each of which may begin a record. Of chance, one in 64 claims to; where one in eight does, the bytes were
    /// made to, and further claims of long records there are not believed.
    pub(super) fn new(bytes: &'a [u8], places: usize) -> Self {
        Search { bytes, before: vec![0], claims_left: (places / 8).max(1 << 16) }
    }

    /// The first place from `from` on and before `end` at which a record begins that checks by its CRC.
    pub(super) fn next(&mut self, from: usize, end: usize) -> Option<usize> {
        (from..end).find(|place| self.is_record(*place))
    }

    fn is_record(&mut self, place: usize) -> bool {
        let head = &self.bytes[place..];
        let Some(length) = claimed(head) else { return false };
        let stated = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let start = place + PREFIX;
        let sum = if length <= 4 * EVERY {
            crc32fast::hash(&self.bytes[start..start + length])
        } else if self.claims_left == 0 {
            return false;
        } else {
            self.claims_left -= 1;
            // That of all up to the end is that of what comes before, moved on by the length, and that of the stretch.
            let mut moved = Hasher::new_with_initial(self.upto(start));
            moved.combine(&Hasher::new_with_initial_len(0, length as u64));
            moved.finalize() ^ self.upto(start + length)
        };
        sum == stated
    }

    /// The CRC of the first `end` bytes.
    fn upto(&mut self, end: usize) -> u32 {
        let whole = end / EVERY;
        while self.before.len() <= whole {
            let done = self.before.len();
            let mut sum = Hasher::new_with_initial(self.before[done - 1]);
            sum.update(&self.bytes[EVERY * (done - 1)..EVERY * done]);
            self.before.push(sum.finalize());
        }
        let mut sum = Hasher::new_with_initial(self.before[whole]);
        sum.update(&self.bytes[EVERY * whole..end]);
        sum.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_behind_bytes_of_any_kind_whatever_its_length() {
        for length in [1, 255, 256, 257, 5_000, 70_001] {
            let noise: Vec<u8> = (0..1_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let payload: Vec<u8> = (0..length).map(|n| (n * n % 251) as u8).collect();
            let mut bytes = noise.clone();
            bytes.extend((length as u32).to_le_bytes());
            bytes.extend(crc32fast::hash(&payload).to_le_bytes());
            bytes.extend([7; PREFIX - 8]);
            bytes.extend(&payload);
            bytes.extend(&noise);
            let end = bytes.len();
            assert_eq!(Search::new(&bytes, end).next(0, end), Some(noise.len()), "{length}");
            assert_eq!(Search::new(&bytes, end).next(noise.len() + 1, end), None, "{length}");
            // A byte of it that is another: no record.
            bytes[noise.len() + PREFIX + length / 2] ^= 1;
            assert_eq!(Search::new(&bytes, end).next(0, end), None, "{length}");
        }
    }
}
