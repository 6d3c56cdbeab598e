//! Every view of one projection on one question.

use super::{knn::ScoredPools, nearest, per_view::ViewScorer};
use crate::{
    domain::{
        comparison::Question,
        projection::View,
        score::{Scores, Statistics},
    },
    numeric::Matrix,
    scoring::{
        design::{EvaluationDesign, members::Setting},
        inference::permutation::Permutations,
    },
};

/// The scores of all views of one projection on one question, and what the simultaneous tests need of them.
pub struct Scored {
    /// One score a view.
    pub scores: Scores,
    /// On half B: one row a view, projection seed and pair of classes (in that order, the last fastest), one column a member
    /// of the half. The rank of the member's out-of-fold score in its fold, from 1, ties sharing their mean; NaN for members
    /// that the pair does not score. Resampling all cells together needs no more.
    pub ranks: Matrix,
    /// On half B: one row a view, one column a permutation of labels: the score again, of the first projection seed (the median
    /// of several varies less, so this is on the safe side). NaN where it is undefined.
    pub permuted: Matrix,
}

/// Scores every view. `points`: one N × k matrix a projection seed, rows in the order of the setting's images. A view that the points do
/// not have (an axis beyond their rank) is undefined.
pub fn score(
    setting: &Setting,
    points: &[Matrix],
    question: &Question,
    views: &[View],
    statistics: &Statistics,
    seed: u64,
) -> Scored {
    let design = EvaluationDesign::new(setting, question, statistics, seed);
    let scorer = ViewScorer::new(&design);
    let permutations = Permutations::new(&design, statistics.permutations, seed);
    let has_classes = design.members.quantity.is_none();
    let (mut scores, mut ranks, mut permuted) = (Vec::new(), Vec::new(), Vec::new());
    for view in views {
        let in_view: Option<Vec<Matrix>> = points.iter().map(|points| scorer.points_in_view(*view, points)).collect();
        let in_view = in_view.unwrap_or_default();
        let scored: Vec<ScoredPools> = in_view
            .iter()
            .filter(|_| has_classes)
            .map(|points| scorer.score_members(&nearest::in_view(points, &scorer.neighbor_query())))
            .collect();
        scores.push(scorer.view_score(*view, &scored, in_view.first()));
        scorer.append_ranks(&scored, points.len(), &mut ranks);
        permuted.extend(match in_view.first().filter(|_| has_classes) {
            Some(points) => permutations.scores(points),
            None => vec![f32::NAN; statistics.permutations],
        });
    }
    let scores = Scores {
        permuted: permutations.identities_and_moved(),
        permuted_sample: permutations.sampled(),
        ..scorer.scores(question, points.len(), scores)
    };
    let permuted = Matrix::new(views.len(), statistics.permutations, permuted).unwrap_or_default();
    Scored { scores, ranks: scorer.columns_of_half_b(&ranks), permuted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::image::{Column, Images, Labels},
        numeric::PhiloxStream,
    };

    fn setting(n: usize, label: impl Fn(usize) -> u8) -> (Images, Labels) {
        let id = |i: usize| format!("{i:05}");
        let column: Column = (0..n).map(|i| (id(i), label(i).to_string())).collect();
        (Images((0..n).map(|i| (id(i), None)).collect()), [("x", column)].into_iter().collect())
    }

    fn question() -> Question {
        Question {
            measured: crate::domain::comparison::Measured::Classes(vec!["x".parse().unwrap(), "not x".parse().unwrap()]),
            within: None,
        }
    }

    fn scores(
        n: usize,
        label: impl Fn(usize) -> u8,
        point: impl Fn(usize, &mut PhiloxStream) -> f32,
        identities: Option<&Column>,
    ) -> Scores {
        let (images, labels) = setting(n, label);
        let mut rng = PhiloxStream::for_test(11, 0);
        let points = Matrix::new(n, 1, (0..n).map(|i| point(i, &mut rng)).collect()).unwrap();
        let statistics = Statistics { bootstraps: 200, ..Statistics::default() };
        score(
            &Setting { images: &images, labels: &labels, identities },
            &[points],
            &question(),
            &[View::Axis(1), View::Axis(2)],
            &statistics,
            3,
        )
        .scores
    }

    #[test]
    fn what_separates_scores_near_one_and_noise_near_a_half() {
        let separated = scores(400, |i| (i % 2) as u8, |i, rng| (i % 2) as f32 + rng.uniform() as f32, None);
        assert!(separated.views[0].b.unwrap().low().unwrap() > 0.9);
        let noise = scores(400, |i| (i % 2) as u8, |_, rng| rng.uniform() as f32, None).views[0].clone();
        let (whole, monotone) = (noise.whole.unwrap().interval.unwrap(), noise.monotone.unwrap().interval.unwrap());
        assert!(whole.low < 0.5 && 0.5 < whole.high && monotone.low == 0.5, "{noise:?}");
    }

    #[test]
    fn an_axis_beyond_the_rank_is_undefined_and_a_small_class_unranked() {
        let scores = scores(400, |i| u8::from(i % 10 == 0), |_, rng| rng.uniform() as f32, None);
        assert_eq!(scores.views[1].whole, None);
        assert_eq!(scores.unranked.as_deref(), Some("too few to say: class 1 has 20 images in half A, 30 are needed"));
    }

    /// The trap that the contract names: a null attribute that is constant per identity scores .755 when an image's own
    /// identity is among its neighbours.
    #[test]
    fn a_null_attribute_constant_per_identity_scores_a_half() {
        let identities = (0..800).map(|i| (format!("{i:05}"), (i / 8).to_string())).collect::<Column>();
        let draw = |seed: u64| {
            let mut rng = PhiloxStream::for_test(seed, 9);
            let position: Vec<f32> = (0..100).map(|_| rng.uniform() as f32 * 100.0).collect();
            let null: Vec<u8> = (0..100).map(|_| (rng.bits() % 2) as u8).collect();
            let found = scores(800, |i| null[i / 8], |i, rng| position[i / 8] + rng.uniform() as f32, Some(&identities));
            found.views[0].whole.unwrap().value
        };
        let draws: Vec<f64> = (0..40).map(draw).collect();
        let mean = crate::numeric::sum::mean(&draws);
        assert!((mean - 0.5).abs() < 0.04, "{mean} of {draws:?}");
    }

    #[test]
    fn the_bits_do_not_depend_on_the_threads() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| scores(300, |i| u8::from(i % 3 == 0), |i, rng| (i % 3) as f32 * 0.2 + rng.uniform() as f32, None))
        };
        let text = |scores: &Scores| serde_json::to_string(scores).unwrap();
        assert_eq!(text(&with(1)), text(&with(2)));
        assert_eq!(text(&with(1)), text(&with(16)));
    }
}
