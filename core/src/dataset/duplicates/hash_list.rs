//! The hashes of a list of pictures, as one stage leaves them and another consumes them.

use super::picture_hash::PictureHash;

/// Bytes of a picture: whether it has a hash, and the hash.
const WIDTH: usize = 33;

/// One an image, in the order of its list; `None` of a picture that is too plain to compare. 33 bytes each: 1 and the hash, or all 0.
pub fn hashes_to_bytes(hashes: &[Option<PictureHash>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(hashes.len() * WIDTH);
    for hash in hashes {
        bytes.push(u8::from(hash.is_some()));
        bytes.extend(hash.map_or([0; WIDTH - 1], PictureHash::to_bytes));
    }
    bytes
}

/// What [`hashes_to_bytes`] gave; `None` of other bytes.
pub fn hashes_from_bytes(bytes: &[u8]) -> Option<Vec<Option<PictureHash>>> {
    let (records, rest) = bytes.as_chunks::<WIDTH>();
    if !rest.is_empty() {
        return None;
    }
    let hash = |record: &[u8; WIDTH]| match record {
        [1, hash @ ..] => Some(Some(PictureHash::from_bytes(*hash))),
        [0, hash @ ..] if hash.iter().all(|byte| *byte == 0) => Some(None),
        _ => None,
    };
    records.iter().map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_survive_their_bytes_and_other_bytes_are_none() {
        let hashes = [Some(PictureHash::from_bytes([7; 32])), None, Some(PictureHash::from_bytes([0; 32]))];
        let bytes = hashes_to_bytes(&hashes);
        assert_eq!((bytes.len(), hashes_from_bytes(&bytes).as_deref()), (99, Some(&hashes[..])));
        assert_eq!(hashes_from_bytes(&bytes[1..]), None);
        let with = |place: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[place] = byte;
            hashes_from_bytes(&bytes)
        };
        assert_eq!((with(0, 2), with(33 + 5, 1)), (None, None));
        assert_eq!(hashes_from_bytes(&[]), Some(vec![]));
    }
}
