//! What a map keeps of the images it was fitted to, so that others can be placed near them: their rows, of which the nearest are found.

use super::ProjectionInput;
use crate::{
    domain::{Fault, Result},
    numeric::{
        Matrix,
        neighbours::{CHAINS, NeighbourMetric, directions, squared_distances},
    },
};
use rayon::prelude::*;

pub(super) struct FittedRows {
    /// Brought to length 1, for cosines.
    rows: Matrix,
    metric: NeighbourMetric,
}

impl FittedRows {
    /// # Errors
    /// For cosines, an image without a direction.
    pub(super) fn new(given: &ProjectionInput, metric: NeighbourMetric) -> Result<Self> {
        let rows = match metric {
            NeighbourMetric::Euclidean => given.features.clone(),
            NeighbourMetric::Cosine => directions(given.features).ok_or_else(no_direction)?,
        };
        Ok(FittedRows { rows, metric })
    }

    /// Of each other image the `k` nearest of the fit (all, where there are fewer): squared distances and rows, nearest first, of equals
    /// the first.
    ///
    /// # Errors
    /// For cosines, an image without a direction.
    pub(super) fn nearest(&self, others: &Matrix, k: usize) -> Result<Vec<Vec<(f64, u32)>>> {
        let turned = match self.metric {
            NeighbourMetric::Euclidean => None,
            NeighbourMetric::Cosine => Some(directions(others).ok_or_else(no_direction)?),
        };
        let others = turned.as_ref().unwrap_or(others);
        Ok((0..others.rows()).into_par_iter().map(|i| self.nearest_of(others.row(i), k)).collect())
    }

    fn nearest_of(&self, row: &[f32], k: usize) -> Vec<(f64, u32)> {
        let n = self.rows.rows();
        let mut nearest: Vec<(f64, u32)> = Vec::with_capacity(k + 1);
        for first in (0..n).step_by(CHAINS) {
            let mut squares = [0.0; CHAINS];
            squared_distances(row, &std::array::from_fn(|lane| self.rows.row((first + lane).min(n - 1))), &mut squares);
            for (square, i) in squares.into_iter().zip(first..n) {
                if nearest.len() == k && square >= nearest[k - 1].0 {
                    continue;
                }
                nearest.insert(nearest.partition_point(|(other, _)| *other <= square), (square, i as u32));
                nearest.truncate(k);
            }
        }
        nearest
    }

    /// The distance in the metric.
    pub(super) fn distance(&self, square: f64) -> f64 {
        match self.metric {
            NeighbourMetric::Euclidean => square.sqrt(),
            NeighbourMetric::Cosine => 0.5 * square,
        }
    }
}

fn no_direction() -> Fault {
    Fault::asked("the features of an image are all 0: they have no direction, so no cosine")
        .next("use `metric: euclidean`, or leave the image out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_of_equals_the_first() {
        let features = Matrix::new(11, 1, (0..11).map(|i| i as f32).collect()).unwrap();
        let fitted = FittedRows::new(&ProjectionInput::alone(&features, 0), NeighbourMetric::Euclidean).unwrap();
        let others = Matrix::new(2, 1, vec![4.0, 10.5]).unwrap();
        let found = fitted.nearest(&others, 3).unwrap();
        assert_eq!(found[0], [(0.0, 4), (1.0, 3), (1.0, 5)]);
        assert_eq!(found[1].iter().map(|(_, i)| *i).collect::<Vec<_>>(), [10, 9, 8]);
        assert_eq!(fitted.nearest(&others, 20).unwrap()[0].len(), 11);
    }
}
