//! exp and ln with the same bits on every machine: `libm`, a Rust port of musl's, instead of the system's library.

/// eˣ
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// ln x; −∞ at 0, NaN below.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_pinned() {
        let bits: Vec<u64> =
            [0.1, 1.5, 700.0, -3.25].iter().flat_map(|&x: &f64| [exp(x).to_bits(), ln(x.abs()).to_bits()]).collect();
        assert_eq!(
            bits,
            [
                4607656066507473108,
                13835739416338191637,
                4616731951734179137,
                4600975829957056588,
                9155136748776909966,
                4619061879166331819,
                4585748773289955373,
                4607987009374969523
            ]
        );
    }

    #[test]
    fn they_are_each_others_inverse() {
        for x in [-20.0, -1.0, 0.0, 0.5, 3.0, 40.0] {
            assert!((ln(exp(x)) - x).abs() < 1e-13);
        }
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan());
    }
}
