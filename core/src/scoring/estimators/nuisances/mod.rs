//! How much of each nuisance a view holds: the share of its variance that the nearest images of other folds tell (R²), and its gradient
//! along an axis.
//!
//! Columns are standardised. A column's prediction for an image is the mean of its [`PREDICTORS`] nearest images of other folds, of those
//! in which the column is defined. A nuisance of several columns has one R²: explained over total variance of them all. What is not defined
//! of an image is neither predicted nor counted. Of a nuisance that the view knows nothing of, R² is about −1 / [`PREDICTORS`].

mod explained;
mod gradient;

use super::out_of_fold::{OutOfFold, PREDICTORS, among, out_of_fold};
use crate::{
    domain::{
        membership::Members,
        nuisance::{AskedNuisance, Nuisance, NuisanceScore, NuisanceScores, PictureNuisance, ViewNuisances},
        projection::View,
    },
    numeric::{Matrix, neighbours::Neighbours, sum},
    scoring::design::{
        members::{Setting, groups},
        purpose,
        resample::Resampler,
        split::{Pool, Split, split},
    },
};
use explained::explained;
use gradient::gradient_of;
use rayon::prelude::*;

/// A nuisance with its values.
#[derive(Clone, Debug)]
pub struct NuisanceValues {
    /// Which it is.
    pub nuisance: Nuisance,
    /// By column, by image; NaN where it is not defined.
    pub columns: Vec<Vec<f64>>,
}

/// A column that varies, as little as it may.
const LEAST_DEVIATION: f64 = 1e-9;

impl NuisanceValues {
    /// By column, by image: less the mean, over the deviation, of the images in which it is defined. Columns that do not vary are left out.
    pub(crate) fn standardised(&self) -> Vec<Vec<f64>> {
        self.columns.iter().filter_map(|column| standardised(column)).collect()
    }

    /// By column, by image: where images are near each other that are alike in it. A colour is in OKLab, where a grey lies in the middle of all
    /// hues; every other nuisance is as it is.
    pub(crate) fn covariates(&self) -> Vec<Vec<f64>> {
        match (&self.nuisance, &self.columns[..]) {
            (Nuisance::Measured(PictureNuisance::Background), [lightness, chroma, cosine, sine]) => {
                let along = |direction: &Vec<f64>| {
                    let of = |(chroma, share): (&f64, &f64)| if share.is_nan() { chroma * 0.0 } else { chroma * share };
                    chroma.iter().zip(direction).map(of).collect()
                };
                vec![lightness.clone(), along(cosine), along(sine)]
            }
            _ => self.columns.clone(),
        }
    }

    /// In how many images all of it is defined, and in how many some of it is.
    fn counts(&self) -> [usize; 2] {
        let images = self.columns.first().map_or(0, Vec::len);
        let defined = |image: usize| self.columns.iter().filter(|column| !column[image].is_nan()).count();
        let count = |least: usize| (0..images).filter(|&image| defined(image) >= least).count();
        [count(self.columns.len()), count(1)]
    }
}

/// `None` of a column that does not vary.
pub(crate) fn standardised(column: &[f64]) -> Option<Vec<f64>> {
    let defined: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
    let mean = sum::mean(&defined);
    let squares: Vec<f64> = defined.iter().map(|value| (value - mean).powi(2)).collect();
    let deviation = sum::mean(&squares).sqrt();
    let varies = defined.len() > 1 && deviation > LEAST_DEVIATION * (1.0 + mean.abs());
    varies.then(|| column.iter().map(|value| if value.is_finite() { (value - mean) / deviation } else { f64::NAN }).collect())
}

/// What views of one projection are asked of. Halves, folds and resamples depend on images, identities and seed alone.
struct NuisanceDesign {
    split: Split,
    /// By pool.
    resamplers: [Resampler; 3],
    bootstraps: usize,
}

impl NuisanceDesign {
    fn new(setting: &Setting, bootstraps: usize, seed: u64) -> Self {
        let group = groups(setting);
        let all = Members { rows: (0..setting.images.len()).collect(), ..Members::default() };
        let split = split(&all, &group, seed);
        let resampler = |pool: Pool| {
            let identity = |(image, group): (usize, &usize)| pool.holds(split.half[image]).then_some(*group);
            Resampler::new(group.iter().enumerate().map(identity), seed, purpose(pool))
        };
        let resamplers = Pool::ALL.map(resampler);
        NuisanceDesign { split, resamplers, bootstraps }
    }
}

/// Scores views of one projection. `points`: one N × k matrix a projection seed, rows in the order of the setting's images. A view that
/// they do not have is undefined.
pub fn score_nuisances(
    setting: &Setting,
    points: &[Matrix],
    views: &[View],
    asked: &[NuisanceValues],
    bootstraps: usize,
    seed: u64,
) -> NuisanceScores {
    let design = NuisanceDesign::new(setting, bootstraps, seed);
    let of_view = |view: &View| {
        let in_view: Option<Vec<Matrix>> = points.iter().map(|points| in_view(*view, points)).collect();
        let in_view = in_view.unwrap_or_default();
        let neighbours: Vec<OutOfFold> = in_view.iter().map(|points| out_of_fold(points, &design.split)).collect();
        let axis = in_view.first().filter(|_| matches!(view, View::Axis(_)));
        ViewNuisances { view: *view, scores: scores_of(&design, &neighbours, axis, asked) }
    };
    scores(setting, &design, points.len(), asked, views.par_iter().map(of_view).collect())
}

/// The same of features, whose neighbours are known: the [`super::out_of_fold::REACH`] nearest of each image. `None`: they have none, so nothing is defined.
pub fn score_nuisances_of_features(
    setting: &Setting,
    neighbours: Option<&Neighbours>,
    asked: &[NuisanceValues],
    bootstraps: usize,
    seed: u64,
) -> NuisanceScores {
    let design = NuisanceDesign::new(setting, bootstraps, seed);
    let neighbours: Vec<OutOfFold> = neighbours.map(|of| among(of, &design.split)).into_iter().collect();
    let view = ViewNuisances { view: View::Features, scores: scores_of(&design, &neighbours, None, asked) };
    scores(setting, &design, 1, asked, vec![view])
}

fn scores(
    setting: &Setting,
    design: &NuisanceDesign,
    seeds: usize,
    asked: &[NuisanceValues],
    views: Vec<ViewNuisances>,
) -> NuisanceScores {
    let about = |of: &NuisanceValues| {
        let [defined, partly] = of.counts();
        AskedNuisance { nuisance: of.nuisance.clone(), defined, partly, constant: of.standardised().is_empty() }
    };
    NuisanceScores {
        format: 1,
        neighbours: PREDICTORS,
        images: setting.images.len(),
        identities: design.resamplers[Pool::Whole.index()].identities(),
        seeds,
        nuisances: asked.iter().map(about).collect(),
        views,
    }
}

/// `None` when the points lack one of the view's axes, or are not finite there.
fn in_view(view: View, points: &Matrix) -> Option<Matrix> {
    let columns = view.columns(points.columns());
    if columns.is_empty() || columns.iter().any(|&column| column >= points.columns()) {
        return None;
    }
    Some(points.select(&columns)).filter(|points| points.first_not_finite().is_none())
}

/// One view. `neighbours`: one a projection seed, none where the view is undefined.
fn scores_of(
    design: &NuisanceDesign,
    neighbours: &[OutOfFold],
    axis: Option<&Matrix>,
    asked: &[NuisanceValues],
) -> Vec<NuisanceScore> {
    let score = |of: &NuisanceValues| {
        let columns = of.standardised();
        if columns.is_empty() || neighbours.is_empty() {
            return NuisanceScore::default();
        }
        let [whole, a, b] = Pool::ALL.map(|pool| explained(design, neighbours, &columns, pool));
        let gradient = axis.filter(|_| of.columns.len() == 1);
        NuisanceScore { whole, a, b, monotone: gradient.and_then(|axis| gradient_of(design, axis, &of.columns[0])) }
    };
    asked.iter().map(score).collect()
}

#[cfg(test)]
mod tests;
