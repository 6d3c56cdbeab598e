//! Numbers as the explorer's script reads them: little-endian, base64.

use base64::{Engine, engine::general_purpose::STANDARD};

pub(super) fn bytes(values: &[u8]) -> String {
    STANDARD.encode(values)
}

pub(super) fn halves(values: &[u16]) -> String {
    STANDARD.encode(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

pub(super) fn wholes(values: &[u32]) -> String {
    STANDARD.encode(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

pub(super) fn singles(values: &[f32]) -> String {
    STANDARD.encode(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian() {
        assert_eq!(bytes(&[1, 255]), "Af8=");
        assert_eq!(halves(&[1, 0xff00]), "AQAA/w==");
        assert_eq!(wholes(&[1]), "AQAAAA==");
        assert_eq!(singles(&[1.0]), "AACAPw==");
    }
}
