//! The false discovery rate (Benjamini and Hochberg 1995).

/// The q-values of p-values, in their order: the least false discovery rate at which each is a discovery.
pub(crate) fn q_values(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]).then(i.cmp(&j)));
    let (mut q, mut least) = (vec![1.0; p.len()], 1.0f64);
    for (place, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] * p.len() as f64 / (place + 1) as f64);
        q[i] = least;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_are_those_of_the_published_example() {
        // Benjamini and Hochberg (1995), section 3.2: fifteen p-values, four rejected at .05.
        let p =
            [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0];
        let q = q_values(&p);
        assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
        assert!((q[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12 && q[14] == 1.0);
    }
}
