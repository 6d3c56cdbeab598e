//! exp and ln with the same bits on every machine: `libm`, a Rust port of musl's, instead of the system's library.

/// eˣ
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// ln x; −∞ at 0, NaN below.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// eˣ without a branch, so that a loop over it uses all lanes: within 2 units in the last place, x held to ±708. The
/// polynomial is Taylor's to the 13th power on ±ln 2 / 2.
#[inline(always)]
pub fn exp_lane(x: f64) -> f64 {
    // 1.5 · 2⁵²: adding it rounds to a whole number and leaves that number in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const INVERSE_FACTORIALS: [f64; 12] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    let x = x.clamp(-708.0, 708.0);
    let rounded = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let mut sum = INVERSE_FACTORIALS[0];
    for term in &INVERSE_FACTORIALS[1..] {
        sum = sum.mul_add(r, *term);
    }
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    power * (sum * r).mul_add(r, r + 1.0)
}

/// log₂ x of a number ≥ 0, without a branch, to within 2⁻¹⁹; log₂ 0 is −1023, and subnormal numbers are not exact. The series is that of
/// the inverse hyperbolic tangent.
#[inline(always)]
pub fn log2_lane(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    // Behind this exponent, the lowest bits are a whole number.
    const WHOLE: f64 = (1u64 << 52) as f64;
    let power = f64::from_bits(x.to_bits() >> 52 | WHOLE.to_bits()) - (WHOLE + 1023.0);
    let part = f64::from_bits(x.to_bits() & MANTISSA | 1.0f64.to_bits());
    let s = (part - 1.0) / (part + 1.0);
    let (square, mut sum) = (s * s, 1.0 / 9.0f64);
    for term in [1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0] {
        sum = sum.mul_add(square, term);
    }
    (sum * s).mul_add(2.0 * std::f64::consts::LOG2_E, power)
}

/// tanh x, to within 2⁻⁵² of 1 (not of itself), without a branch.
#[inline(always)]
pub fn tanh_lane(x: f64) -> f64 {
    (1.0 - 2.0 / (exp_lane(2.0 * x.abs()) + 1.0)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_for_lanes_are_close_to_libms() {
        for i in -70_000..70_000 {
            let x = f64::from(i) * 0.01;
            assert!((exp_lane(x) / exp(x) - 1.0).abs() < 5e-16, "exp {x}: {:e}", exp_lane(x) / exp(x) - 1.0);
            assert!((tanh_lane(x) - libm::tanh(x)).abs() < 3e-16, "tanh {x}");
        }
        assert_eq!(exp_lane(0.0), 1.0);
        assert_eq!(exp_lane(f64::NEG_INFINITY), exp_lane(-708.0));
    }

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
    fn a_logarithm_in_lanes_is_close_and_defined_at_zero() {
        for i in 1..200_000 {
            let x = f64::from(i) * f64::from(i) * 1e-7;
            assert!((log2_lane(x) - x.log2()).abs() < 2e-6, "{x}");
        }
        assert_eq!([0.0, 1.0, 8.0].map(log2_lane), [-1023.0, 0.0, 3.0]);
    }

    #[test]
    fn exp_and_ln_are_inverse() {
        for x in [-20.0, -1.0, 0.0, 0.5, 3.0, 40.0] {
            assert!((ln(exp(x)) - x).abs() < 1e-13);
        }
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan());
    }
}
