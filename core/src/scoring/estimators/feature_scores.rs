//! Scores of the features themselves, on all questions at once: by nearest neighbours in all their columns, and by a linear probe.
//! Both are what projections are compared with: a projection can lose separation, or inflate it.
//!
//! Distances between images are taken once for all questions; so are the probe's standardised features.

use super::{
    knn::ScoredPools,
    nearest,
    per_view::ViewScorer,
    probe::{ProbeTask, accuracy, probe},
};
use crate::{
    domain::{
        comparison::Question,
        projection::View,
        score::{FeatureScore, FeatureScores, ProbeScore, Statistics},
    },
    numeric::Matrix,
    scoring::design::{
        EvaluationDesign,
        members::Setting,
        split::{Half, Pool},
    },
};
use rayon::prelude::*;

/// The features' scores, and what other stages need of them.
pub struct ScoredFeatures {
    /// One answer a question.
    pub scores: FeatureScores,
    /// One matrix a question: rows as in [`super::score::Scored::ranks`], of neighbours, then of the probe.
    pub ranks: Vec<Matrix>,
    /// One row a question, one column an image: the probe's log-odds for the first of two classes, by a probe that was not trained on the
    /// image's fold; NaN for images that take no part, and for questions that have not two classes.
    pub decisions: Matrix,
}

/// Scores the features (N × D, rows in the order of the setting's images). Features that are not finite leave every score undefined.
pub fn score_features(
    setting: &Setting,
    features: &Matrix,
    questions: &[Question],
    statistics: &Statistics,
    seed: u64,
) -> ScoredFeatures {
    let designs: Vec<EvaluationDesign> =
        questions.par_iter().map(|question| EvaluationDesign::new(setting, question, statistics, seed)).collect();
    let scorers: Vec<ViewScorer> = designs.iter().map(ViewScorer::new).collect();
    let finite = features.first_not_finite().is_none() && features.columns() > 0;
    let (fifths, decisions) = if finite {
        let queries: Vec<nearest::NeighborQuery> = scorers.iter().map(ViewScorer::neighbor_query).collect();
        (nearest::in_space(features, &queries), probe_decisions(features, &designs))
    } else {
        (vec![], vec![])
    };
    let mut scored =
        ScoredFeatures { scores: FeatureScores { format: 1, answers: vec![] }, ranks: vec![], decisions: Matrix::default() };
    let mut decision_rows = Vec::new();
    // One question after the other, so that no more than one keeps its resamples.
    for (place, (question, scorer)) in questions.iter().zip(&scorers).enumerate() {
        let has_classes = scorer.design.members.quantity.is_none();
        let by_neighbors: Vec<ScoredPools> =
            fifths.get(place).filter(|_| has_classes).map(|fifths| scorer.score_members(fifths)).into_iter().collect();
        let own_decisions = decisions.get(place);
        let by_probe: Vec<ScoredPools> =
            own_decisions.filter(|_| has_classes).map(|pairs| scorer.sort_held_out(pairs)).into_iter().collect();
        let mut ranks = Vec::new();
        scorer.append_ranks(&by_neighbors, 1, &mut ranks);
        scorer.append_ranks(&by_probe, 1, &mut ranks);
        scored.ranks.push(scorer.columns_of_half_b(&ranks));
        let view = scorer.view_score(View::Features, &by_neighbors, None);
        let of_two_classes = own_decisions.filter(|pairs| pairs.len() == 1).map(|pairs| &pairs[0][..]);
        let probe = has_classes.then(|| probe_score(scorer, &by_probe, of_two_classes));
        scored.scores.answers.push(FeatureScore { scores: scorer.scores(question, 1, vec![view]), probe });
        let mut row = vec![f32::NAN; setting.images.len()];
        if let Some(decisions) = of_two_classes {
            scorer.design.members.rows.iter().zip(decisions).for_each(|(&image, decision)| row[image] = *decision as f32);
        }
        decision_rows.extend(row);
    }
    scored.decisions = Matrix::new(questions.len(), setting.images.len(), decision_rows).unwrap_or_default();
    scored
}

/// `decisions`: the log-odds by member, of a question of two classes.
fn probe_score(scorer: &ViewScorer, by_probe: &[ScoredPools], decisions: Option<&[f64]>) -> ProbeScore {
    let [whole, a, b] = Pool::ALL.map(|pool| scorer.mean_and_least(by_probe, pool)[0]);
    let accuracy = decisions.map(|decisions| accuracy(decisions, &scorer.design.targets()[0]));
    ProbeScore {
        whole,
        a,
        b,
        balanced_accuracy: accuracy.and_then(|accuracy| accuracy.balanced),
        accuracy: accuracy.and_then(|accuracy| accuracy.plain),
        majority: accuracy.and_then(|accuracy| accuracy.majority),
    }
}

/// Per question, per pair of classes, per member: the log-odds for the first class, by a probe trained on the other folds of the member's
/// half.
fn probe_decisions(features: &Matrix, designs: &[EvaluationDesign]) -> Vec<Vec<Vec<f64>>> {
    let rows = ProbeRows::of(designs, features.rows());
    by_members(probe(features, &rows.tasks()), designs)
}

/// What probes are trained on: per pair of classes of each question, half by half.
pub(super) struct ProbeRows(Vec<(Vec<Option<bool>>, Vec<usize>)>);

impl ProbeRows {
    /// Of so many images.
    pub(super) fn of(designs: &[EvaluationDesign], images: usize) -> Self {
        let mut rows = Vec::new();
        for design in designs {
            for members_target in design.targets() {
                for half in [Half::A, Half::B] {
                    let (mut target, mut fold) = (vec![None; images], vec![0; images]);
                    for (member, &image) in design.members.rows.iter().enumerate() {
                        fold[image] = design.split.fold[member];
                        target[image] = members_target[member].filter(|_| design.split.half[member] == half);
                    }
                    rows.push((target, fold));
                }
            }
        }
        ProbeRows(rows)
    }

    /// The probes' tasks.
    pub(super) fn tasks(&self) -> Vec<ProbeTask<'_>> {
        self.0.iter().map(|(target, fold)| ProbeTask { target, fold, weight: None }).collect()
    }
}

/// Log-odds of those tasks, by question, pair and member.
pub(super) fn by_members(log_odds: Vec<Vec<f64>>, designs: &[EvaluationDesign]) -> Vec<Vec<Vec<f64>>> {
    let mut log_odds = log_odds.into_iter();
    let of_design = |design: &EvaluationDesign| {
        let mut next_pair = || {
            let [a, b] = [log_odds.next().unwrap_or_default(), log_odds.next().unwrap_or_default()];
            let of_member = |(member, &image): (usize, &usize)| {
                let half = if design.split.half[member] == Half::A { &a } else { &b };
                half.get(image).copied().unwrap_or(f64::NAN)
            };
            design.members.rows.iter().enumerate().map(of_member).collect::<Vec<f64>>()
        };
        design.pairs().map(|_| next_pair()).collect()
    };
    designs.iter().map(of_design).collect()
}
