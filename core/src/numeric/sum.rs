//! Sums in a fixed order: the same bits however the work is shared out.

use super::multiversion::multiversion;

/// Pairwise summation (Higham 1993): error grows with log n, and the tree depends on the length alone.
pub fn sum(values: &[f64]) -> f64 {
    /// Short runs are added from left to right.
    const RUN: usize = 64;
    if values.len() <= RUN {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    // The split is at a power of two, so a run's place in the tree does not depend on what follows it.
    let (left, right) = values.split_at(values.len().next_power_of_two() / 2);
    sum(left) + sum(right)
}

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { sum(values) / values.len() as f64 }
}

/// The inner product, from the first term to the last.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// The inner product in sixteen interleaved fused chains, added in pairs at the end: as many as the widest machine has lanes
/// in two registers, and the same sixteen on every other.
pub fn dot_lanes(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = [0.0];
    add_dot_lanes(a, b, &mut sum);
    sum[0]
}

/// The same of a row in single precision.
pub fn dot_lanes_f32(a: &[f32], b: &[f64]) -> f64 {
    let mut sum = [0.0];
    add_dot_lanes_f32(a, b, &mut sum);
    sum[0]
}

multiversion! { fn add_dot_lanes(a: &[f64], b: &[f64], sum: &mut [f64; 1]) = dot_lanes_kernel }
multiversion! { fn add_dot_lanes_f32(a: &[f32], b: &[f64], sum: &mut [f64; 1]) = dot_lanes_kernel }

#[inline(always)]
fn dot_lanes_kernel<A: Copy + Into<f64>>(a: &[A], b: &[f64], sum: &mut [f64; 1]) {
    const CHAINS: usize = 16;
    let mut chains = [0.0; CHAINS];
    let (a, b) = (a.chunks(CHAINS), b.chunks(CHAINS));
    for (a, b) in a.zip(b) {
        if let (Ok(a), Ok(b)) = (<&[A; CHAINS]>::try_from(a), <&[f64; CHAINS]>::try_from(b)) {
            for i in 0..CHAINS {
                let a: f64 = a[i].into();
                chains[i] = a.mul_add(b[i], chains[i]);
            }
        } else {
            for ((chain, a), b) in chains.iter_mut().zip(a).zip(b) {
                let a: f64 = (*a).into();
                *chain = a.mul_add(*b, *chain);
            }
        }
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            chains[i] += chains[i + half];
        }
    }
    sum[0] = chains[0];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_documented_tree() {
        let values: Vec<f64> = (0..1000).map(|i| 1.0 / f64::from(i + 1)).collect();
        let by_hand = sum(&values[..512]) + sum(&values[512..]);
        assert_eq!(sum(&values).to_bits(), by_hand.to_bits());
    }

    #[test]
    fn small_terms_are_not_lost() {
        let mut values = vec![1e-16; 1 << 20];
        values[0] = 1.0;
        assert!((sum(&values) - (1.0 + 1e-16 * f64::from((1 << 20) - 1))).abs() < 1e-14, "a plain sum is off by 1e-10");
    }
}
