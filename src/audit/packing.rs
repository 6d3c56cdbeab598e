//! Bytes as they stand on a page: deflated (RFC 1951) and base64, so that any program can read them; and read again within bounds.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fmt, io::Read};
use visavis_core::domain::{Digest, text::size};

/// Bytes, deflated and base64.
pub fn pack(bytes: &[u8]) -> String {
    let mut packed = Vec::new();
    flate2::read::DeflateEncoder::new(bytes, flate2::Compression::best())
        .read_to_end(&mut packed)
        .expect("reading from memory does not fail");
    STANDARD.encode(packed)
}

/// JSON as it stands in an element of a page: nothing in it ends the element.
pub fn within_an_element(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Why something packed is not taken out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UnpackFault {
    NotBase64,
    NotDeflated,
    /// More than so many bytes.
    TooMuch(u64),
    /// It names a digest that is not there.
    NoDigest,
}

impl fmt::Display for UnpackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnpackFault::NotBase64 => f.write_str("not base64"),
            UnpackFault::NotDeflated => f.write_str("not deflated"),
            UnpackFault::NoDigest => f.write_str("it names a digest that the page does not list"),
            UnpackFault::TooMuch(most) => write!(f, "inflated, it has more than the {} that are read", size(*most)),
        }
    }
}

/// The bytes that were deflated, if they may become `most` bytes.
fn deflated(packed: &str, most: u64) -> std::result::Result<Vec<u8>, UnpackFault> {
    // What does not become smaller by deflating grows by some bytes for every 16 kB.
    if packed.len() as u64 / 4 * 3 > most + most / 64 + 1024 {
        return Err(UnpackFault::TooMuch(most));
    }
    STANDARD.decode(packed).map_err(|_| UnpackFault::NotBase64)
}

/// What [`pack`] was given, if that was at most `most` bytes; `inflated`: how many there were, whatever is wrong with them.
pub(super) fn unpack(packed: &str, most: u64, inflated: &mut u64) -> std::result::Result<Vec<u8>, UnpackFault> {
    let (deflated, mut bytes) = (deflated(packed, most)?, Vec::new());
    let read = flate2::read::DeflateDecoder::new(deflated.as_slice()).take(most + 1).read_to_end(&mut bytes);
    *inflated = bytes.len() as u64;
    read.map_err(|_| UnpackFault::NotDeflated)?;
    if bytes.len() as u64 > most {
        return Err(UnpackFault::TooMuch(most));
    }
    Ok(bytes)
}

/// The digest of the same, without holding it.
pub(super) fn unpacked_digest(packed: &str, most: u64, inflated: &mut u64) -> std::result::Result<Digest, UnpackFault> {
    let deflated = deflated(packed, most)?;
    let (digest, bytes) = Digest::of_reader(flate2::read::DeflateDecoder::new(deflated.as_slice()).take(most + 1));
    *inflated = bytes;
    let digest = digest.map_err(|_| UnpackFault::NotDeflated)?;
    if bytes > most { Err(UnpackFault::TooMuch(most)) } else { Ok(digest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_inflates_to_too_much_is_refused() {
        let zeros = pack(&vec![0; 1 << 20]);
        assert!(zeros.len() < 3000, "a bomb is small");
        let mut inflated = 0;
        assert_eq!(unpack(&zeros, 1 << 20, &mut inflated).unwrap().len(), 1 << 20);
        assert_eq!(unpack(&zeros, (1 << 20) - 1, &mut inflated).unwrap_err(), UnpackFault::TooMuch((1 << 20) - 1));
        assert_eq!(inflated, 1 << 20, "what is refused was inflated all the same");
        assert_eq!(unpack("?", 10, &mut inflated).unwrap_err(), UnpackFault::NotBase64);
        assert_eq!(unpack("////", 10, &mut inflated).unwrap_err(), UnpackFault::NotDeflated);
        inflated = 0;
        assert_eq!(unpack(&"A".repeat(4000), 100, &mut inflated).unwrap_err(), UnpackFault::TooMuch(100));
        assert_eq!(inflated, 0, "what is packed larger than it may be inflated is not looked at");
        assert_eq!(unpacked_digest(&zeros, 1 << 20, &mut inflated).unwrap(), Digest::of(&vec![0; 1 << 20]));
        assert_eq!(unpacked_digest(&zeros, 1000, &mut inflated).unwrap_err(), UnpackFault::TooMuch(1000));
        assert_eq!(inflated, 1001, "no more is inflated than tells that it is too much");
        let random: Vec<u8> = (0..100_000u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect();
        assert_eq!(
            unpack(&pack(&random), random.len() as u64, &mut inflated).unwrap(),
            random,
            "what does not become smaller is read"
        );
    }
}
