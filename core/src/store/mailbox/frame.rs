//! The bytes of one letter: `length u32 LE · CRC-32 u32 LE · payload`. The checksum covers the letter's number in its file too, so a letter
//! that is read at the wrong place or from the wrong time does not check.

/// No letter is longer: a length that is must be damage.
pub(super) const LONGEST: usize = 64 << 20;

const PREFIX: usize = 8;

fn checksum(number: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Appends a letter to bytes that are about to be written. `false`: it is empty or too long, and nothing was appended.
pub(super) fn frame(number: u64, payload: &[u8], bytes: &mut Vec<u8>) -> bool {
    if payload.is_empty() || payload.len() > LONGEST {
        return false;
    }
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(checksum(number, payload).to_le_bytes());
    bytes.extend(payload);
    true
}

/// What stands at the start of some bytes.
#[derive(Debug, PartialEq)]
pub(super) enum Framed<'a> {
    /// A whole letter, and the bytes that it takes.
    Whole(&'a [u8], usize),
    /// Nothing, or a part of a letter whose rest is not visible yet.
    Part,
    /// As many bytes as a letter claims, and they do not check: not all of them are visible yet, or they are damaged.
    Odd,
}

pub(super) fn letter(number: u64, bytes: &[u8]) -> Framed<'_> {
    let field = |at: usize| bytes.get(at..at + 4).and_then(|of| of.try_into().ok()).map(u32::from_le_bytes);
    let (Some(length), Some(crc)) = (field(0), field(4)) else { return Framed::Part };
    let length = length as usize;
    // Zeros are what a shared folder shows of bytes that are still on their way.
    if length == 0 || length > LONGEST {
        return Framed::Odd;
    }
    match bytes.get(PREFIX..PREFIX + length) {
        None => Framed::Part,
        Some(payload) if checksum(number, payload) == crc => Framed::Whole(payload, PREFIX + length),
        Some(_) => Framed::Odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(number: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(frame(number, payload, &mut bytes));
        bytes
    }

    #[test]
    fn a_letter_is_read_as_it_was_written_and_every_part_of_it_is_not_yet() {
        let bytes = framed(3, b"hello");
        assert_eq!(letter(3, &bytes), Framed::Whole(b"hello", bytes.len()));
        for end in 0..bytes.len() {
            assert_eq!(letter(3, &bytes[..end]), Framed::Part, "{end}");
        }
    }

    #[test]
    fn a_letter_of_another_number_and_a_changed_byte_do_not_check() {
        let bytes = framed(3, b"hello");
        assert_eq!(letter(4, &bytes), Framed::Odd);
        for at in 4..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(letter(3, &changed), Framed::Odd, "{at}");
        }
        assert_eq!(letter(0, &[0; 64]), Framed::Odd, "bytes that are on their way");
    }

    #[test]
    fn nothing_and_too_much_are_no_letters() {
        let mut bytes = Vec::new();
        assert!(!frame(0, b"", &mut bytes) && !frame(0, &vec![1; LONGEST + 1], &mut bytes) && bytes.is_empty());
    }
}
