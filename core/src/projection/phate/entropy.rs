//! How many steps a walk takes: at the knee of its von Neumann entropy, where it has forgotten noise and not yet structure.

use crate::numeric::special::ln;

/// Steps that are looked at.
const MOST_STEPS: usize = 100;

/// The entropy of the eigenvalues' shares after 1, 2, … steps.
pub(super) fn entropies(eigenvalues: &[f64]) -> Vec<f64> {
    let mut powers: Vec<f64> = eigenvalues.iter().map(|value| value.abs()).collect();
    let mut entropies = Vec::with_capacity(MOST_STEPS);
    for _ in 0..MOST_STEPS {
        let total: f64 = powers.iter().sum();
        let term = |power: &f64| {
            let share = power / total + f64::EPSILON;
            -share * ln(share)
        };
        entropies.push(powers.iter().map(term).sum());
        powers.iter_mut().zip(eigenvalues).for_each(|(power, value)| *power *= value.abs());
    }
    entropies
}

/// The place at which a line before and a line behind fit best, by absolute errors (the package's `find_knee_point`). At least 3 values.
pub(super) fn knee(values: &[f64]) -> usize {
    let error = |of: std::ops::Range<usize>| {
        let n = of.len() as f64;
        let (x, y) = (of.clone().sum::<usize>() as f64 / n, values[of.clone()].iter().sum::<f64>() / n);
        let (mut xy, mut xx) = (0.0, 0.0);
        for at in of.clone() {
            xy += (at as f64 - x) * (values[at] - y);
            xx += (at as f64 - x) * (at as f64 - x);
        }
        of.map(|at| (y + xy / xx * (at as f64 - x) - values[at]).abs()).sum::<f64>()
    };
    let mut best = (f64::INFINITY, 1);
    for place in 1..values.len() - 1 {
        let total = error(0..place + 1) + error(place..values.len());
        if total < best.0 {
            best = (total, place);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the package's documentation.
    #[test]
    fn the_knee_is_the_packages() {
        let values: Vec<f64> = (0..20).map(|x| (-f64::from(x) / 10.0).exp()).collect();
        assert_eq!(knee(&values), 8);
    }

    #[test]
    fn entropy_falls_to_that_of_the_values_that_stay_at_one() {
        let found = entropies(&[1.0, 1.0, 0.5, -0.5]);
        assert!((found[0] - (2.0 * 1.0 / 3.0 * 3.0f64.ln() + 2.0 / 6.0 * 6.0f64.ln())).abs() < 1e-9);
        assert!(found.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12) && (found[99] - 2.0f64.ln()).abs() < 1e-9);
    }
}
