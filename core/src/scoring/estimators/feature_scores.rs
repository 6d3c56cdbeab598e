//! What the features themselves hold, on all questions at once: nearest neighbours in all their columns, and a linear probe.
//! Both are the yardstick for projections, which can lose of it, or make it up.
//!
//! Distances between images are taken once for all questions; so are the probe's standardised features.

use super::{
    knn::Prepared,
    nearest,
    probe::{self, accuracy},
};
use crate::{
    domain::{
        comparison::Question,
        projection::View,
        score::{FeatureScore, FeatureScores, ProbeScore, Statistics},
    },
    numeric::Matrix,
    scoring::design::{EvaluationDesign, members::Setting, split::Half},
};
use rayon::prelude::*;

pub struct ScoredFeatures {
    pub space: FeatureScores,
    /// One a question: rows as [`super::score::Scored::ranks`] has them, of neighbours, then of the probe.
    pub ranks: Vec<Matrix>,
    /// One row a question, one column an image: the probe's log-odds for the first of two classes, from people it did not
    /// learn from; NaN for other images, and for questions that have not two classes.
    pub decisions: Matrix,
}

/// `features`: N × D, rows in the setting's order.
pub fn space(setting: &Setting, features: &Matrix, questions: &[Question], statistics: &Statistics, seed: u64) -> ScoredFeatures {
    let asked: Vec<EvaluationDesign> =
        questions.par_iter().map(|question| EvaluationDesign::new(setting, question, statistics, seed)).collect();
    let finite = features.first_not_finite().is_none() && features.columns() > 0;
    let fifths = if finite {
        nearest::in_space(features, &asked.iter().map(EvaluationDesign::sought).collect::<Vec<_>>())
    } else {
        vec![]
    };
    let decisions = if finite { decisions(features, &asked) } else { vec![] };
    let mut measured =
        ScoredFeatures { space: FeatureScores { format: 1, answers: vec![] }, ranks: vec![], decisions: Matrix::default() };
    let mut shown = Vec::new();
    // One question after the other, so that no more than one keeps its resamples.
    for (place, (question, asked)) in questions.iter().zip(asked).enumerate() {
        let classes = asked.members.quantity.is_none();
        let near: Vec<[Prepared; 3]> = fifths.get(place).filter(|_| classes).map(|of| asked.prepare(of)).into_iter().collect();
        let probed: Vec<[Prepared; 3]> =
            decisions.get(place).filter(|_| classes).map(|of| asked.held_out(of)).into_iter().collect();
        let mut rows = Vec::new();
        asked.rank(&near, 1, &mut rows);
        asked.rank(&probed, 1, &mut rows);
        measured.ranks.push(asked.ranks(&rows));
        let view = asked.view(View::Features, &near, None);
        let two = decisions.get(place).filter(|of| of.len() == 1).map(|of| &of[0][..]);
        let probe = classes.then(|| {
            let [whole, a, b] = std::array::from_fn(|pool| asked.estimate(&probed, pool)[0]);
            let right = two.map(|decision| accuracy(decision, &asked.targets()[0]));
            ProbeScore {
                whole,
                a,
                b,
                balanced_accuracy: right.as_ref().and_then(|right| right.balanced),
                accuracy: right.as_ref().and_then(|right| right.plain),
                majority: right.as_ref().and_then(|right| right.majority),
            }
        });
        measured.space.answers.push(FeatureScore { scores: asked.scores(question, 1, vec![view]), probe });
        let mut row = vec![f32::NAN; setting.images.len()];
        if let Some(decision) = two {
            asked.members.rows.iter().zip(decision).for_each(|(&image, decision)| row[image] = *decision as f32);
        }
        shown.extend(row);
    }
    measured.decisions = Matrix::new(questions.len(), setting.images.len(), shown).unwrap_or_default();
    measured
}

/// Per question, per pair of classes, per member: log-odds for the first class, by a probe of its own half's other folds.
fn decisions(features: &Matrix, asked: &[EvaluationDesign]) -> Vec<Vec<Vec<f64>>> {
    let images = features.rows();
    let mut probed: Vec<(Vec<Option<bool>>, Vec<usize>)> = Vec::new();
    for asked in asked {
        for target in asked.targets() {
            for half in [Half::A, Half::B] {
                let (mut of, mut folds) = (vec![None; images], vec![0; images]);
                for (member, &image) in asked.members.rows.iter().enumerate() {
                    folds[image] = asked.split.fold[member];
                    of[image] = target[member].filter(|_| asked.split.half[member] == half);
                }
                probed.push((of, folds));
            }
        }
    }
    let questions: Vec<probe::ProbeTask> =
        probed.iter().map(|(target, fold)| probe::ProbeTask { target, fold, weight: None }).collect();
    let mut found = probe::probe(features, &questions).into_iter();
    asked
        .iter()
        .map(|asked| {
            let mut pair = || {
                let [a, b] = [found.next().unwrap_or_default(), found.next().unwrap_or_default()];
                let of = |(member, &image): (usize, &usize)| {
                    let half = if asked.split.half[member] == Half::A { &a } else { &b };
                    half.get(image).copied().unwrap_or(f64::NAN)
                };
                asked.members.rows.iter().enumerate().map(of).collect::<Vec<f64>>()
            };
            asked.pairs().map(|_| pair()).collect()
        })
        .collect()
}
