//! The nearest images of other folds: what a prediction is made of that has not seen the image, nor anybody who is on it.

use super::nearest::{Meets, PlaneTree, SortedAxis, in_plane};
use crate::{
    numeric::{
        Matrix,
        neighbours::{NeighbourMetric, Neighbours},
    },
    scoring::design::split::Split,
};
use rayon::prelude::*;

/// Neighbours that a prediction is the mean of.
pub(crate) const PREDICTORS: usize = 20;

/// In more columns than two, the nearest images of any fold that are looked through: as many as t-SNE's usual graph has, so that it is made
/// once. Half of the images of other folds are of another half, so that some 36 of them count at the least.
pub const REACH: usize = 90;

/// By image: the nearest of other folds, and those of its half alone; nearest first. No more than [`PREDICTORS`] each.
pub(crate) type OutOfFold = Vec<[Vec<u32>; 2]>;

/// `points` has one row an image; all are finite. In more than two columns only the [`REACH`] nearest of any fold are looked through.
pub(crate) fn out_of_fold(points: &Matrix, split: &Split) -> OutOfFold {
    let n = points.rows();
    match points.columns() {
        1 => {
            let at = |i: usize| f64::from(points.values()[i]);
            let line = SortedAxis::new((0..n).map(|i| (at(i), i as u32)));
            each(split, |met, i| line.walk(at(i), met))
        }
        2 => {
            let tree = PlaneTree::new(points, &vec![true; n]);
            each(split, |met, i| tree.search(in_plane(points, i), met))
        }
        _ => Neighbours::exact(points, REACH, NeighbourMetric::Euclidean).map_or_else(Vec::new, |of| among(&of, split)),
    }
}

/// The same among neighbours that are known.
pub(crate) fn among(neighbours: &Neighbours, split: &Split) -> OutOfFold {
    let of_image = |i: usize| {
        let others = || neighbours.of(i).iter().copied().filter(|&j| split.fold[j as usize] != split.fold[i]);
        let of_half = others().filter(|&j| split.half[j as usize] == split.half[i]).take(PREDICTORS).collect();
        [others().take(PREDICTORS).collect(), of_half]
    };
    (0..neighbours.count()).into_par_iter().map(of_image).collect()
}

fn each<'a>(split: &'a Split, search: impl Fn(&mut MetOutOfFold<'a>, usize) + Sync) -> OutOfFold {
    let of_image = |i: usize| {
        let mut met =
            MetOutOfFold { split, image: i, whole: Vec::with_capacity(PREDICTORS), half: Vec::with_capacity(PREDICTORS) };
        search(&mut met, i);
        [met.whole, met.half].map(|list| list.into_iter().map(|(_, j)| j).collect())
    };
    (0..split.fold.len()).into_par_iter().map(of_image).collect()
}

/// The nearest of other folds that one image has met so far.
struct MetOutOfFold<'a> {
    split: &'a Split,
    image: usize,
    /// Squared distances and images, ascending.
    whole: Vec<(f64, u32)>,
    half: Vec<(f64, u32)>,
}

impl Meets for MetOutOfFold<'_> {
    fn meet(&mut self, j: usize, square: f64) {
        if self.split.fold[j] == self.split.fold[self.image] {
            return;
        }
        keep(&mut self.whole, (square, j as u32));
        if self.split.half[j] == self.split.half[self.image] {
            keep(&mut self.half, (square, j as u32));
        }
    }

    /// The half's last is never nearer than the whole's.
    fn farthest(&self) -> f64 {
        self.half.get(PREDICTORS - 1).map_or(f64::INFINITY, |(square, _)| *square)
    }
}

/// Of two at one distance the first that was met stays before the other.
fn keep(list: &mut Vec<(f64, u32)>, met: (f64, u32)) {
    let at = list.partition_point(|(square, _)| *square <= met.0);
    if at < PREDICTORS {
        list.truncate(PREDICTORS - 1);
        list.insert(at, met);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::PhiloxStream, scoring::design::split::Half};

    fn split(n: usize, rng: &mut PhiloxStream) -> Split {
        Split {
            half: (0..n).map(|_| if rng.below(2) == 0 { Half::A } else { Half::B }).collect(),
            fold: (0..n).map(|_| rng.below(5) as usize).collect(),
        }
    }

    #[test]
    fn on_a_line_in_the_plane_and_in_space_the_same_neighbours_are_found() {
        let n = 240;
        let mut rng = PhiloxStream::for_test(3, 3);
        let split = split(n, &mut rng);
        let line: Vec<f32> = (0..n).map(|_| rng.uniform() as f32).collect();
        let with_zeros = |columns: usize| {
            let values = line.iter().flat_map(|&at| std::iter::once(at).chain(std::iter::repeat_n(0.0, columns - 1))).collect();
            Matrix::new(n, columns, values).unwrap()
        };
        let [one, two, three] = [1, 2, 3].map(|columns| out_of_fold(&with_zeros(columns), &split));
        assert_eq!(one, two);
        // In space only the nearest of any fold are looked through.
        for (one, three) in one.iter().zip(&three) {
            assert_eq!(one[0], three[0]);
            assert_eq!(one[1][..three[1].len()], three[1][..]);
        }
        for (i, [whole, half]) in one.iter().enumerate() {
            assert!(whole.iter().all(|&j| split.fold[j as usize] != split.fold[i]));
            assert!(half.iter().all(|&j| split.half[j as usize] == split.half[i]));
            assert_eq!((whole.len(), half.len()), (PREDICTORS, PREDICTORS));
        }
    }
}
