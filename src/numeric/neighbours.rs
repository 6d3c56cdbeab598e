//! Exact neighbours: squared Euclidean distances, each one fused chain over the columns in order; ties by index.

use super::{Matrix, fused::fused};

/// Points held column by column, so that one lane of the machine is one point and a distance stays one chain.
pub struct Points {
    count: usize,
    columns: Vec<f64>,
}

impl Points {
    pub fn new(matrix: &Matrix) -> Self {
        let count = matrix.rows();
        let columns = (0..matrix.columns()).flat_map(|column| matrix.column(column)).map(f64::from).collect();
        Points { count, columns }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Squared distances from one point to every point (0 to itself) into `out`, which holds one number a point.
    pub fn distances(&self, from: usize, out: &mut [f64]) {
        out.fill(0.0);
        if self.count > 0 {
            add_squares(&self.columns, self.count, from, out);
        }
    }

    /// The k nearest of `among` (indices), nearest first, ties by index; the point itself only if it is among them.
    pub fn nearest(&self, from: usize, among: &[usize], k: usize) -> Vec<(f64, usize)> {
        let mut distances = vec![0.0; self.count];
        self.distances(from, &mut distances);
        let mut found: Vec<(f64, usize)> = among.iter().map(|&i| (distances[i], i)).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if k < found.len() {
            found.select_nth_unstable_by(k, order);
            found.truncate(k);
        }
        found.sort_unstable_by(order);
        found
    }
}

fused! { fn add_squares(columns: &[f64], count: usize, from: usize, out: &mut [f64]) = add_squares_kernel }

#[inline(always)]
fn add_squares_kernel(columns: &[f64], count: usize, from: usize, out: &mut [f64]) {
    for column in columns.chunks_exact(count) {
        let at = column[from];
        for (sum, value) in out.iter_mut().zip(column) {
            let difference = value - at;
            *sum = difference.mul_add(difference, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Stream;

    #[test]
    fn neighbours_are_those_of_a_plain_search_and_ties_go_by_index() {
        let mut stream = Stream::new(3, 0);
        // A coarse grid has many ties.
        let matrix = Matrix::new(200, 2, (0..400).map(|_| stream.below(6) as f32).collect()).unwrap();
        let points = Points::new(&matrix);
        let all: Vec<usize> = (0..200).collect();
        for from in [0, 17, 199] {
            let mut plain: Vec<(u32, usize)> = all
                .iter()
                .map(|&i| {
                    let squares = matrix.row(from).iter().zip(matrix.row(i)).map(|(a, b)| ((a - b) * (a - b)) as u32);
                    (squares.sum(), i)
                })
                .collect();
            plain.sort_unstable();
            let found = points.nearest(from, &all, 9);
            assert_eq!(found.iter().map(|(_, i)| *i).collect::<Vec<_>>(), plain[..9].iter().map(|(_, i)| *i).collect::<Vec<_>>());
        }
    }
}
