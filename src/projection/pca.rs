//! Principal component analysis (Pearson 1901; Hotelling 1933), exact: the eigenvectors of the covariance matrix in
//! `f64`. Shares of variance are over the full spectrum, not over the axes kept. Sign: each axis's largest loading is
//! positive (the first of equals), so an axis does not turn around between machines.

use super::Projected;
use crate::{
    domain::{Fault, Result},
    numeric::{Matrix, eigen, sum, tiled},
};

/// At most `axes` axes: no more than the features' rank. Facts: `explained` (share of variance an axis), `rank`.
pub fn project(features: &Matrix, axes: usize) -> Result<Projected> {
    let (n, d) = (features.rows(), features.columns());
    if n < 2 {
        return Err(Fault::asked(format!("PCA needs two images or more, there is {n}")));
    }
    let means = tiled::column_means(features);
    let spectrum = eigen::symmetric(&tiled::scatter(features, &means), d)
        .ok_or_else(|| Fault::unexpected("the covariance of the features has no eigenvectors: are all values finite?"))?;
    // Below the floor an eigenvalue is rounding (as NumPy's matrix_rank: the largest × size × ε).
    let floor = spectrum.values[0] * n.max(d) as f64 * f64::EPSILON;
    let rank = spectrum.values.iter().take_while(|value| **value > floor).count();
    if rank == 0 {
        return Err(Fault::asked(format!("all {n} images have the same features: there is nothing to project")));
    }
    let kept = axes.min(rank);
    let mut loadings = spectrum.vectors[..kept * d].to_vec();
    for axis in loadings.chunks_exact_mut(d) {
        let largest =
            axis.iter().copied().fold(0.0, |largest: f64, loading| if loading.abs() > largest.abs() { loading } else { largest });
        if largest < 0.0 {
            axis.iter_mut().for_each(|loading| *loading = -*loading);
        }
    }
    let coordinates = tiled::project(features, &means, &loadings).into_iter().map(|value| value as f32).collect();
    let total = sum::sum(&spectrum.values);
    let explained = spectrum.values[..kept].iter().map(|value| value / total).collect();
    Ok(Projected {
        coordinates: Matrix::new(n, kept, coordinates).expect("one row an image, one column an axis"),
        facts: [("explained".to_owned(), explained), ("rank".to_owned(), vec![rank as f64])].into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Stream;

    fn cloud(n: usize, spread: &[f64]) -> Matrix {
        let mut stream = Stream::new(5, 0);
        let values =
            (0..n).flat_map(|_| spread.iter().map(|s| (s * (stream.uniform() - 0.5)) as f32).collect::<Vec<_>>()).collect();
        Matrix::new(n, spread.len(), values).unwrap()
    }

    #[test]
    fn axes_come_in_order_of_variance_and_explain_it_over_the_full_spectrum() {
        let projected = project(&cloud(500, &[1.0, 10.0, 3.0]), 2).unwrap();
        let explained = &projected.facts["explained"];
        assert!(explained[0] > 0.85 && explained[0] > explained[1] && explained.iter().sum::<f64>() < 1.0);
        let variance = |axis: usize| projected.coordinates.column(axis).iter().map(|x| f64::from(x * x)).sum::<f64>();
        assert!(variance(0) > variance(1));
    }

    #[test]
    fn a_dead_channel_is_no_axis_and_equal_images_are_an_error() {
        let projected = project(&cloud(50, &[1.0, 0.0, 2.0]), 10).unwrap();
        assert_eq!(projected.coordinates.columns(), 2);
        assert!(project(&cloud(50, &[0.0, 0.0]), 2).is_err());
        assert!(project(&cloud(1, &[1.0]), 2).is_err());
        assert_eq!(project(&cloud(5, &[1.0; 40]), 40).unwrap().facts["rank"], [4.0]);
    }

    #[test]
    fn turning_the_features_around_turns_nothing_but_signs_kept_by_rule() {
        let features = cloud(80, &[1.0, 5.0]);
        let turned = Matrix::new(80, 2, features.values().iter().map(|x| -x).collect()).unwrap();
        let (one, other) = (project(&features, 2).unwrap(), project(&turned, 2).unwrap());
        assert_eq!(one.facts, other.facts);
        assert!(one.coordinates.values().iter().zip(other.coordinates.values()).all(|(a, b)| *a == -*b));
    }
}
