//! Sums in a fixed order: the same bits however the work is shared out.

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
