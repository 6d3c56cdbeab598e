//! Images that t-SNE was not fitted to, placed as openTSNE places them (Poličar et al. 2019): at the median of the nearest fitted ones, then
//! moved down the gradient while the fitted ones stay. Each is placed by itself, whatever is placed with it.

use super::{affinities::calibrated, repulsion::FrozenPoints, sign};
use crate::{
    domain::{Result, result::Facts},
    numeric::Matrix,
    projection::{Placement, Projected, fitted::FittedRows, start},
};

/// Fitted images at whose median an image starts; and those that pull it, with their perplexity.
const MEDIAN_OF: usize = 25;
const PULLING: usize = 15;
const PERPLEXITY: f64 = 5.0;
/// Steps, exaggeration, rate, momentum, and the longest gradient.
const STEPS: usize = 250;
const EXAGGERATION: f64 = 1.5;
const RATE: f64 = 0.1;
const MOMENTUM: f64 = 0.8;
const LONGEST: f64 = 0.25;

pub(super) struct FittedTsne {
    rows: FittedRows,
    points: Vec<[f32; 2]>,
    facts: Facts,
}

impl FittedTsne {
    pub(super) fn new(rows: FittedRows, projected: Projected) -> Self {
        let points = (0..projected.coordinates.rows()).map(|i| projected.coordinates.row(i));
        FittedTsne { rows, points: points.map(|point| [point[0], point[1]]).collect(), facts: projected.facts }
    }
}

impl Placement for FittedTsne {
    fn place(&self, others: &Matrix) -> Result<Matrix> {
        let nearest = self.rows.nearest(others, MEDIAN_OF)?;
        let mut points: Vec<[f64; 2]> = nearest.iter().map(|nearest| median(nearest, &self.points)).collect();
        let pulls: Vec<Vec<(f64, [f64; 2])>> = nearest.iter().map(|nearest| pulls(nearest, &self.points)).collect();
        let frozen = FrozenPoints::new(&self.points);
        let mut moves = vec![[0.0f64; 2]; points.len()];
        let mut gains = vec![[1.0f64; 2]; points.len()];
        for _ in 0..STEPS {
            crate::numeric::pulse::beat();
            let seen: Vec<[f32; 2]> = points.iter().map(|point| point.map(|value| value as f32)).collect();
            let pushed = frozen.push(&seen);
            for (i, [total, along_x, along_y]) in pushed.into_iter().enumerate() {
                let total = f64::from(total).max(f64::MIN_POSITIVE);
                let mut gradient = [-f64::from(along_x) / total, -f64::from(along_y) / total];
                for (p, [x, y]) in &pulls[i] {
                    let (dx, dy) = (points[i][0] - x, points[i][1] - y);
                    let pull = EXAGGERATION * p / (1.0 + dx * dx + dy * dy);
                    gradient = [gradient[0] + pull * dx, gradient[1] + pull * dy];
                }
                let length = (gradient[0] * gradient[0] + gradient[1] * gradient[1]).sqrt();
                let shortened = if length > LONGEST { LONGEST / length } else { 1.0 };
                for axis in 0..2 {
                    let gradient = shortened * gradient[axis];
                    let (step, gain) = (&mut moves[i][axis], &mut gains[i][axis]);
                    *gain = if sign(*step) == sign(gradient) { (*gain * 0.8).max(super::MIN_GAIN) } else { *gain + 0.2 };
                    *step = MOMENTUM * *step - RATE * *gain * gradient;
                    points[i][axis] += *step;
                }
            }
        }
        Ok(start::matrix(&points))
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// Along each axis by itself.
fn median(nearest: &[(f64, u32)], points: &[[f32; 2]]) -> [f64; 2] {
    [0, 1].map(|axis| {
        let mut values: Vec<f64> = nearest.iter().map(|(_, j)| f64::from(points[*j as usize][axis])).collect();
        values.sort_by(f64::total_cmp);
        let half = values.len() / 2;
        if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
    })
}

/// How strongly the nearest pull, all together 1, and where they are.
fn pulls(nearest: &[(f64, u32)], points: &[[f32; 2]]) -> Vec<(f64, [f64; 2])> {
    let nearest = &nearest[..nearest.len().min(PULLING)];
    let squares: Vec<f64> = nearest.iter().map(|(square, _)| *square).collect();
    let shares = calibrated(&squares, PERPLEXITY.min(0.9 * squares.len() as f64));
    shares.into_iter().zip(nearest).map(|(share, (_, j))| (share, points[*j as usize].map(f64::from))).collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        numeric::PhiloxStream,
        projection::{checks, current},
    };

    #[test]
    fn images_are_placed_where_their_group_is_and_as_if_alone() {
        checks::places_groups(&current("tsne").with("perplexity", 10.0), |stream| PhiloxStream::for_test(21, stream));
    }
}
