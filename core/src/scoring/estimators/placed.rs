//! How faithful a placement is: images that were not in the fit of a map, placed in it.

use crate::numeric::Matrix;
use rayon::prelude::*;

/// Of each placed image: which share of the `k` images of the fit that are nearest to it by features is among the `k` nearest to it on the map. By chance
/// it is k / N. Of ties the earlier image counts as nearer. `features` and `map`: of the fit, N rows; `others` and `placed`: as many rows as there are placed
/// images. Fewer than `k` images in the fit: all of them count.
pub fn neighbours_kept(features: &Matrix, map: &Matrix, others: &Matrix, placed: &Matrix, k: usize) -> Vec<f64> {
    let k = k.min(features.rows());
    let kept = |image: usize| {
        let by_features = nearest(features, others.row(image), k);
        let on_map = nearest(map, placed.row(image), k);
        by_features.iter().filter(|near| on_map.contains(near)).count() as f64 / k.max(1) as f64
    };
    (0..others.rows()).into_par_iter().map(kept).collect()
}

/// Rows of the `k` nearest, in the order of rows.
fn nearest(all: &Matrix, to: &[f32], k: usize) -> Vec<usize> {
    let square = |row: usize| -> f64 { all.row(row).iter().zip(to).map(|(a, b)| f64::from(a - b).powi(2)).sum() };
    let mut squares: Vec<(f64, usize)> = (0..all.rows()).map(|row| (square(row), row)).collect();
    if k < squares.len() {
        squares.select_nth_unstable_by(k, |one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        squares.truncate(k);
    }
    let mut rows: Vec<usize> = squares.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_is_the_features_keeps_all_and_one_that_is_turned_inside_out_keeps_none() {
        let line = |values: &[f32]| Matrix::new(values.len(), 1, values.to_vec()).unwrap();
        let fit = line(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
        let others = line(&[0.5, 11.5]);
        assert_eq!(neighbours_kept(&fit, &fit, &others, &others, 3), [1.0, 1.0]);
        assert_eq!(neighbours_kept(&fit, &fit, &others, &line(&[11.5, 0.5]), 3), [0.0, 0.0]);
        // Two of the three: one is placed beside the others.
        assert_eq!(
            neighbours_kept(&fit, &line(&[0.0, 1.0, 50.0, 2.0, 60.0, 70.0]), &others, &line(&[0.5, 60.0]), 3)[0],
            2.0 / 3.0
        );
        assert_eq!(neighbours_kept(&fit, &fit, &others, &others, 99), [1.0, 1.0]);
    }
}
