//! Metrics: points of named series that a stage records while it runs, kept in chunks.
//!
//! A chunk's bytes, in a journal and in the store alike, are column by column, so that ten thousand points are one record:
//!
//! ```text
//! "M" · key 32 bytes · attempt varint · length of the series' name varint · name · count varint
//! steps: zigzag varints of differences · times: zigzag varints of differences, milliseconds · values: f64, little endian
//! ```
//! Varints are LEB128: seven bits a byte, the lowest first, ten bytes at most. The crate integer-encoding writes the same bytes, about three
//! times as slowly (3.3 µs instead of 0.8 for the steps of 1,000 points) and by way of a buffer; so it is the peer of a test only.

use super::{Digest, Key};

/// The first byte of a chunk; events start `{`.
pub const TAG: u8 = b'M';

/// One value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricPoint {
    /// Where in the series it stands, such as the epoch or the batch.
    pub step: u64,
    /// Milliseconds since 1970, UTC.
    pub at: u64,
    /// May be infinite or no number: a loss that diverges is recorded as it was.
    pub value: f64,
}

/// Points of one series of one attempt, in the order they were recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The result that the attempt was at.
    pub key: Key,
    /// From 1 for each job.
    pub attempt: u32,
    /// The series' name, such as `loss`.
    pub series: String,
    /// At least one, in the order of recording.
    pub points: Vec<MetricPoint>,
}

impl Chunk {
    /// The format is at the head of this file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.series.len() + 12 * self.points.len());
        out.push(TAG);
        out.extend(self.key.0.as_bytes());
        write_varint(&mut out, self.attempt.into());
        write_varint(&mut out, self.series.len() as u64);
        out.extend(self.series.as_bytes());
        write_varint(&mut out, self.points.len() as u64);
        write_differences(&mut out, self.points.iter().map(|point| point.step));
        write_differences(&mut out, self.points.iter().map(|point| point.at));
        self.points.iter().for_each(|point| out.extend(point.value.to_le_bytes()));
        out
    }

    /// `None` for bytes that are no chunk.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[TAG])?;
        let key = Key(Digest::from_bytes(take(&mut rest, 32)?.try_into().ok()?));
        let attempt = read_varint(&mut rest)?.try_into().ok()?;
        let name = usize::try_from(read_varint(&mut rest)?).ok()?;
        let series = String::from_utf8(take(&mut rest, name)?.to_vec()).ok()?;
        let count = usize::try_from(read_varint(&mut rest)?).ok()?;
        // Each point is ten bytes at least: a count that lies asks for no memory.
        if count > rest.len() / 10 {
            return None;
        }
        let (steps, times) = (read_differences(&mut rest, count)?, read_differences(&mut rest, count)?);
        let values = take(&mut rest, count.checked_mul(8)?)?;
        let value = |place: usize| values[8 * place..8 * place + 8].try_into().map_or(f64::NAN, f64::from_le_bytes);
        let points = steps.into_iter().zip(times).enumerate().map(|(i, (step, at))| MetricPoint { step, at, value: value(i) });
        let chunk = Chunk { key, attempt, series, points: points.collect() };
        rest.is_empty().then_some(chunk)
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// `None` for bytes that end too early, or that are a number of more than 64 bits.
fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        if shift == 63 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn write_differences(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    let mut last = 0_u64;
    for number in numbers {
        let difference = number.wrapping_sub(last) as i64;
        write_varint(out, ((difference << 1) ^ (difference >> 63)) as u64);
        last = number;
    }
}

fn read_differences(rest: &mut &[u8], count: usize) -> Option<Vec<u64>> {
    let mut last = 0_u64;
    let mut next = || {
        let zigzag = read_varint(rest)?;
        last = last.wrapping_add(((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)) as u64);
        Some(last)
    };
    (0..count).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use integer_encoding::VarInt;
    use proptest::prelude::*;

    fn chunk(points: Vec<MetricPoint>) -> Chunk {
        Chunk { key: Key(Digest::of(b"k")), attempt: 3, series: "loss · train".into(), points }
    }

    proptest! {
        #[test]
        fn a_chunk_survives_its_bytes(points in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<f64>()), 0..50)) {
            let chunk = chunk(points.into_iter().map(|(step, at, value)| MetricPoint { step, at, value }).collect());
            let bytes = chunk.to_bytes();
            let back = Chunk::of_bytes(&bytes).unwrap();
            prop_assert_eq!(&back.to_bytes(), &bytes);
            prop_assert_eq!(back.points.len(), chunk.points.len());
            // No prefix of it, and nothing with more behind it, is a chunk.
            prop_assert!((0..bytes.len()).all(|cut| Chunk::of_bytes(&bytes[..cut]).is_none()));
            prop_assert!(Chunk::of_bytes(&[&bytes[..], &[0]].concat()).is_none());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Chunk::of_bytes(&[&[TAG][..], &bytes].concat()));
        }
    }

    proptest! {
        #[test]
        fn varints_are_those_of_integer_encoding(number in any::<u64>(), shift in 0..64, bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let number = number >> shift;
            let mut written = Vec::new();
            write_varint(&mut written, number);
            prop_assert_eq!(&written, &number.encode_var_vec());
            let mut signed = Vec::new();
            write_differences(&mut signed, [number].into_iter());
            prop_assert_eq!(&signed, &(number as i64).encode_var_vec());
            // Also of bytes that nobody wrote, most of which go on beyond their end or beyond 64 bits.
            for bytes in [&bytes, &bytes.iter().map(|byte| byte | 0x80).collect::<Vec<_>>(), &[&[0xff; 9][..], &bytes].concat()] {
                let mut rest = &bytes[..];
                let found = read_varint(&mut rest).map(|number| (number, bytes.len() - rest.len()));
                prop_assert_eq!(found, u64::decode_var(bytes));
            }
        }
    }

    #[test]
    fn the_bytes_are_pinned_and_a_regular_series_takes_ten_a_point() {
        let points = (0..1000).map(|i| MetricPoint { step: i, at: 1_790_000_000_000 + i, value: 1.0 / (i + 1) as f64 }).collect();
        let bytes = chunk(points).to_bytes();
        assert_eq!(Digest::of(&bytes).short(), "bd7053c0", "journals and stores keep these bytes");
        assert!(bytes.len() < 10 * 1000 + 80, "{}", bytes.len());
    }
}
