//! Student's t and the normal distribution, to about 1e-14: tails by the continued fraction of the incomplete beta function (Lentz; Press
//! et al. 2007, section 6.4) and libm's error function, quantiles by bisection. The crate statrs would call `std`'s logarithm, whose last
//! bits differ between systems; here the bits are the same everywhere. The tests compare both.

use crate::numeric::special::{exp, ln};

/// The normal deviate of a two-sided 95 % interval: `quantile(0.025, ∞)`.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// P(T > t). The degrees of freedom are positive, need not be whole, and may be infinite: then it is the normal distribution.
pub(crate) fn upper_tail(t: f64, degrees: f64) -> f64 {
    if t < 0.0 { 1.0 - 0.5 * two_sided(t, degrees) } else { 0.5 * two_sided(t, degrees) }
}

/// P(|T| ≥ |t|); NaN of NaN.
pub(crate) fn two_sided(t: f64, degrees: f64) -> f64 {
    if t.is_nan() || degrees.is_nan() {
        return f64::NAN;
    }
    if degrees.is_infinite() {
        return libm::erfc(t.abs() / std::f64::consts::SQRT_2);
    }
    if t.is_infinite() {
        return 0.0;
    }
    incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + t * t)).clamp(0.0, 1.0)
}

/// The t with P(T > t) = `share`, which is below one half.
pub(crate) fn quantile(share: f64, degrees: f64) -> f64 {
    let (mut below, mut beyond) = (0.0, 1.0);
    while upper_tail(beyond, degrees) > share && beyond < 1e300 {
        (below, beyond) = (beyond, 2.0 * beyond);
    }
    // Bisected down to neighbouring numbers.
    for _ in 0..64 {
        let middle = f64::midpoint(below, beyond);
        if upper_tail(middle, degrees) > share { below = middle } else { beyond = middle }
    }
    f64::midpoint(below, beyond)
}

/// The regularised incomplete beta function Iₓ(a, b).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let scale = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * ln(x) + b * libm::log1p(-x);
    // The continued fraction converges fast on this side of the mean.
    if x < (a + 1.0) / (a + b + 2.0) {
        exp(scale) * fraction(a, b, x) / a
    } else {
        1.0 - exp(scale) * fraction(b, a, 1.0 - x) / b
    }
}

/// Its continued fraction, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let not_zero = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let (mut c, mut d) = (1.0, 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut all = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = all;
        for term in [even, odd] {
            d = 1.0 / not_zero(1.0 + term * d);
            c = not_zero(1.0 + term / c);
            all *= c * d;
        }
        if (all - before).abs() <= 1e-16 * all.abs() {
            break;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

    #[test]
    fn tails_and_quantiles_are_those_of_statrs() {
        for degrees in [1.0, 1.7, 2.0, 3.5, 4.0, 7.0, 29.0, 120.0, 1999.0, 123_456.0] {
            let library = StudentsT::new(0.0, 1.0, degrees).unwrap();
            for t in [0.01, 0.5, 1.0, 1.96, 2.7, 4.3, 12.7, 40.0] {
                let (own, theirs) = (upper_tail(t, degrees), library.sf(t));
                // At 123,456 degrees statrs itself is right to 1e-9 (30 digits of mpmath say so).
                assert!(
                    (own - theirs).abs() < if degrees > 1e5 { 1e-9 } else { 1e-10 } * theirs.max(1e-3),
                    "P(T > {t}), {degrees}: {own} {theirs}"
                );
                assert!(
                    (upper_tail(-t, degrees) + own - 1.0).abs() < 1e-12 && (two_sided(-t, degrees) - 2.0 * own).abs() < 1e-15
                );
            }
            for share in [0.4, 0.05, 0.025, 0.015, 0.001] {
                let t = quantile(share, degrees);
                // With so many degrees the rounding of ln Γ limits it.
                let most = if degrees > 1e5 { 1e-9 } else { 1e-11 };
                assert!((upper_tail(t, degrees) / share - 1.0).abs() < most, "{share}, {degrees}: {t}");
            }
        }
        let library = Normal::standard();
        for share in [0.4, 0.035, 0.025, 0.015, 1e-6] {
            assert!((quantile(share, f64::INFINITY) + library.inverse_cdf(share)).abs() < 1e-8, "{share}");
        }
    }

    #[test]
    fn quantiles_are_those_of_printed_tables() {
        for (degrees, t) in [(1.0, 12.706_205), (2.0, 4.302_653), (5.0, 2.570_582), (29.0, 2.045_230), (f64::INFINITY, 1.959_964)]
        {
            assert!((quantile(0.025, degrees) - t).abs() < 1e-6, "{degrees}");
        }
        assert!((quantile(0.025, f64::INFINITY) - Z).abs() < 1e-14);
        assert_eq!((two_sided(0.0, 4.0), two_sided(f64::INFINITY, 4.0), upper_tail(0.0, f64::INFINITY)), (1.0, 0.0, 0.5));
        assert!(two_sided(f64::NAN, 3.0).is_nan());
    }
}
