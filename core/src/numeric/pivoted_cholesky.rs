//! Cholesky's factor of a symmetric matrix without negative eigenvalues, the largest pivot first (Higham 1990), so that a matrix of less
//! than full rank gives the factor of as many of its rows as are independent.

use super::sum::dot_lanes;
use rayon::prelude::*;

/// P A Pᵀ = L Lᵀ over the rows that were taken.
pub(crate) struct Cholesky {
    /// Which row was taken as the i-th.
    pub order: Vec<usize>,
    /// Of L: the i-th has i + 1 numbers.
    rows: Vec<Vec<f64>>,
}

/// Of an n × n matrix, row by row. A pivot of `floor` × the first or less ends it.
pub(crate) fn pivoted(matrix: &[f64], n: usize, floor: f64) -> Cholesky {
    /// Rows that are worth a thread of their own.
    const SHARE: usize = 64;
    let mut left: Vec<f64> = (0..n).map(|i| matrix[i * n + i]).collect();
    let mut taken = vec![false; n];
    let mut rows: Vec<Vec<f64>> = vec![Vec::new(); n];
    let mut order: Vec<usize> = vec![];
    let mut least = 0.0;
    while order.len() < n {
        crate::numeric::pulse::beat();
        let open = (0..n).filter(|i| !taken[*i]);
        let Some(pivot) = open.reduce(|best, i| if left[i] > left[best] { i } else { best }) else { break };
        if order.is_empty() {
            least = floor * left[pivot];
        }
        // Not a number ends it too.
        if left[pivot].is_nan() || left[pivot] <= least.max(0.0) {
            break;
        }
        let root = left[pivot].sqrt();
        taken[pivot] = true;
        let own = std::mem::take(&mut rows[pivot]);
        rows.par_iter_mut().zip(&mut left).enumerate().with_min_len(SHARE).for_each(|(i, (row, left))| {
            if !taken[i] {
                let value = (matrix[i * n + pivot] - dot_lanes(row, &own)) / root;
                row.push(value);
                *left -= value * value;
            }
        });
        rows[pivot] = own;
        rows[pivot].push(root);
        order.push(pivot);
    }
    let rows = order.iter().map(|i| std::mem::take(&mut rows[*i])).collect();
    Cholesky { order, rows }
}

impl Cholesky {
    /// How many rows were taken.
    pub(crate) fn rank(&self) -> usize {
        self.order.len()
    }

    /// L⁻¹ x, in place; x is in the order of the pivots.
    pub(crate) fn forward(&self, x: &mut [f64]) {
        for (i, row) in self.rows.iter().enumerate() {
            let (before, from) = x.split_at_mut(i);
            from[0] = (from[0] - dot_lanes(&row[..i], before)) / row[i];
        }
    }

    /// L⁻ᵀ x, in place.
    pub(crate) fn backward(&self, x: &mut [f64]) {
        for (i, row) in self.rows.iter().enumerate().rev() {
            let (before, from) = x.split_at_mut(i);
            from[0] /= row[i];
            before.iter_mut().zip(row).for_each(|(value, factor)| *value -= from[0] * factor);
        }
    }

    /// A⁻¹ x of a matrix of full rank.
    pub(crate) fn solve(&self, x: &[f64]) -> Vec<f64> {
        let mut ordered: Vec<f64> = self.order.iter().map(|i| x[*i]).collect();
        self.forward(&mut ordered);
        self.backward(&mut ordered);
        let mut out = vec![0.0; x.len()];
        self.order.iter().zip(ordered).for_each(|(i, value)| out[*i] = value);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    /// A Aᵀ of n rows of `rank` numbers.
    fn product(n: usize, rank: usize) -> Vec<f64> {
        let mut stream = PhiloxStream::for_test(7, rank as u64);
        let a: Vec<f64> = (0..n * rank).map(|_| stream.normals(1.0)[0]).collect();
        (0..n * n).map(|at| dot_lanes(&a[at / n * rank..][..rank], &a[at % n * rank..][..rank])).collect()
    }

    #[test]
    fn a_system_is_solved() {
        let (n, matrix) = (70, product(70, 90));
        let x: Vec<f64> = (0..n).map(|i| (i as f64 - 30.0) / 7.0).collect();
        let b: Vec<f64> = matrix.chunks_exact(n).map(|row| dot_lanes(row, &x)).collect();
        let factor = pivoted(&matrix, n, 1e-12);
        assert_eq!(factor.rank(), n);
        assert!(factor.solve(&b).iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[test]
    fn no_more_rows_are_taken_than_are_independent() {
        assert_eq!(pivoted(&product(40, 9), 40, 1e-10).rank(), 9);
        assert_eq!(pivoted(&[0.0; 9], 3, 1e-10).rank(), 0);
        assert_eq!(pivoted(&[f64::NAN; 9], 3, 1e-10).rank(), 0);
    }
}
