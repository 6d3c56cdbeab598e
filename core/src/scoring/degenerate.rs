//! Degenerate data: every score is undefined, or unranked with a reason, and nothing panics.

use super::{
    design::members::Setting,
    fairness::groups,
    inference::simultaneous::{self, LayerScores, ProjectionScores, StudyScores},
    score, score_features,
};
use crate::domain::index::{LayerIx, ModelIx, ProjectionIx};
use crate::{
    domain::{
        comparison::{Measured, Question},
        contrast::ContrastSides,
        fairness::{Fairness, GroupMeasure, Support},
        image::{Column, Images, Labels},
        index::ComparisonIx,
        projection::View,
        score::{Scores, Statistics},
        simultaneous::SimultaneousTests,
        stage::ScoreSlot,
    },
    numeric::{Matrix, PhiloxStream},
};
use typed_index_collections::TiSlice;

struct ScoredCase {
    scores: Vec<Scores>,
    tests: SimultaneousTests,
    fairness: Fairness,
}

/// Two models on these questions, of 240 images and two columns, through all that is scored.
fn all(
    questions: &[&[&str]],
    label: impl Fn(&str, usize) -> Option<u8>,
    person: impl Fn(usize) -> usize,
    value: impl Fn(usize, &mut PhiloxStream) -> f32,
) -> ScoredCase {
    let (n, id) = (240, |i: usize| format!("{i:04}"));
    let images = Images((0..n).map(|i| (id(i), None)).collect());
    let identities = (0..n).map(|i| (id(i), person(i).to_string())).collect::<Column>();
    let column = |name: &str| -> Column { (0..n).filter_map(|i| Some((id(i), label(name, i)?.to_string()))).collect() };
    let labels: Labels = ["x", "g"].map(|name| (name, column(name))).into_iter().collect();
    let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
    // A third expression restricts who takes part.
    let question = |classes: &&[&str]| Question {
        measured: Measured::Classes(classes[..2].iter().map(|class| class.parse().unwrap()).collect()),
        within: classes.get(2).map(|within| within.parse().unwrap()),
    };
    let questions: Vec<Question> = questions.iter().map(question).collect();
    let mut rng = PhiloxStream::for_test(1, 1);
    let points = Matrix::new(n, 2, (0..2 * n).map(|at| value(at / 2, &mut rng)).collect()).unwrap();
    let statistics = Statistics { bootstraps: 50, permutations: 50, min_positives: 5, separates_at: 0.7 };
    let views = [View::Axis(1), View::Pair(1, 2), View::Axis(3)];
    let (mut projections, mut scores) = (Vec::new(), Vec::new());
    for model in 0..2 {
        for (comparison, question) in questions.iter().enumerate() {
            let scored = score(&setting, std::slice::from_ref(&points), question, &views, &statistics, 1);
            scores.push(scored.scores.clone());
            let slot =
                ScoreSlot { model: model.into(), layer: LayerIx(0), projection: ProjectionIx(0), comparison: comparison.into() };
            projections.push(ProjectionScores { slot, scores: scored.scores, ranks: scored.ranks, permuted: scored.permuted });
        }
    }
    let measured = score_features(&setting, &points, &questions, &statistics, 1);
    let groups = ["g".to_owned()];
    let fairness = groups::group_fairness(&groups::FairnessInput {
        setting: &setting,
        features: &points,
        decisions: &measured.decisions,
        baseline: Some(&measured.decisions),
        questions: &questions,
        attributes: &groups,
        depth: 2,
        statistics: &statistics,
        seed: 1,
    });
    let layer_scores = |(comparison, ranks): (usize, Matrix)| LayerScores {
        model: ModelIx(0),
        layer: LayerIx(0),
        comparison: ComparisonIx(comparison),
        ranks,
    };
    let features: Vec<LayerScores> = measured.ranks.into_iter().enumerate().map(layer_scores).collect();
    let contrasts = [ContrastSides { contrast: 0, left: vec![0.into()], right: vec![1.into()] }];
    let study = StudyScores {
        setting: &setting,
        questions: TiSlice::from_ref(&questions),
        projections: &projections,
        features: &features,
        contrasts: &contrasts,
        statistics: &statistics,
        seed: 1,
    };
    ScoredCase { tests: simultaneous::simultaneous_tests(&study), scores, fairness }
}

const X: &[&str] = &["x", "not x"];

fn noise(_: usize, rng: &mut PhiloxStream) -> f32 {
    rng.uniform() as f32
}

#[test]
fn a_class_of_none_of_one_and_of_few_is_not_ranked() {
    for count in [0, 1, 4] {
        let outcome =
            all(&[X], |name, i| Some(if name == "x" { u8::from(i < count) } else { u8::from(i % 2 == 0) }), |i| i, noise);
        assert!(
            outcome.scores[0].unranked.as_ref().is_some_and(|why| why.contains("class 1 has")),
            "{count}: {:?}",
            outcome.scores[0]
        );
        assert!(outcome.tests.cells.is_empty() && outcome.tests.differences.is_empty() && outcome.tests.all.critical.is_none());
        if count == 0 {
            assert_eq!(outcome.scores[0].views[0].whole, None, "undefined, not nought");
        }
    }
}

#[test]
fn one_identity_is_not_ranked_and_says_so() {
    let outcome = all(&[X], |_, i| Some(u8::from(i % 2 == 0)), |_| 0, noise);
    assert!(outcome.scores[0].unranked.is_some() && outcome.tests.cells.is_empty());
}

#[test]
fn people_of_one_class_each_are_permuted_as_people() {
    let outcome =
        all(&[X], |name, i| Some(if name == "x" { u8::from(i / 2 % 2 == 0) } else { u8::from(i % 2 == 0) }), |i| i / 2, noise);
    assert!(outcome.scores[0].unranked.is_none() && outcome.scores[0].permuted[1] == 0 && !outcome.tests.cells.is_empty());
}

#[test]
fn scores_that_are_all_tied_are_chance() {
    let outcome = all(&[X], |_, i| Some(u8::from(i % 2 == 0)), |i| i, |_, _| 1.0);
    let b = outcome.scores[0].views[1].b.unwrap();
    let interval = b.interval.unwrap();
    assert_eq!((b.value, interval.low <= 0.5, interval.high >= 0.5), (0.5, true, true));
    assert!(outcome.tests.cells.iter().all(|cell| cell.claimed().low < 0.7));
}

#[test]
fn labels_and_numbers_that_are_missing_leave_images_out_or_views_undefined() {
    let outcome = all(&[X], |name, i| (name != "x" || i % 3 > 0).then(|| u8::from(i % 2 == 0)), |i| i, noise);
    assert_eq!(outcome.scores[0].counts.n, 160);
    let outcome = all(&[X], |_, i| Some(u8::from(i % 2 == 0)), |i| i, |i, rng| if i == 7 { f32::NAN } else { noise(i, rng) });
    assert!(outcome.scores[0].views.iter().all(|view| view.whole.is_none()) && outcome.tests.cells.is_empty());
    let outcome = all(&[X], |_, _| None, |i| i, noise);
    assert_eq!(outcome.scores[0].counts.n, 0);
}

#[test]
fn two_comparisons_of_the_same_classes_are_scored_alike() {
    let outcome =
        all(&[X, X], |_, i| Some(u8::from(i % 2 == 0)), |i| i, |i, rng| noise(i, rng) + if i % 2 == 0 { 1.0 } else { 0.0 });
    assert_eq!(outcome.scores[0], outcome.scores[1]);
    assert_eq!(outcome.tests.differences.len(), 2);
    assert_eq!(outcome.tests.differences[0].difference.value, 0.0, "a model beside itself");
}

#[test]
fn a_group_without_positives_has_no_rate_and_is_refused_for_reweighing() {
    let outcome = all(&[X], |name, i| Some(if name == "x" { u8::from(i < 40) } else { u8::from(i < 60) }), |i| i, noise);
    let asked = &outcome.fairness.asked[0];
    let without = outcome.fairness.groups.iter().position(|group| group[0].1 == "0").unwrap();
    assert_eq!((asked.cells[without].positives, asked.cells[without].tpr), (0, None));
    assert!(asked.gaps[0].tpr.is_none() && asked.gaps[0].odds.is_none(), "undefined where peers write 0: {:?}", asked.gaps);
    assert!(asked.reweighed[0].refused.as_ref().unwrap().contains("nobody of g = 0 is in the first class"));
}

#[test]
fn a_group_of_few_has_rates_without_intervals_and_tests_nothing() {
    let apart = |i: usize, rng: &mut PhiloxStream| noise(i, rng) + if i.is_multiple_of(2) { 2.0 } else { 0.0 };
    let outcome = all(&[X], |name, i| Some(if name == "x" { u8::from(i % 2 == 0) } else { u8::from(i < 12) }), |i| i, apart);
    let asked = &outcome.fairness.asked[0];
    let few = outcome.fairness.groups.iter().position(|group| group[0].1 == "1").unwrap();
    let (cell, other, gap) = (&asked.cells[few], &asked.cells[1 - few], &asked.gaps[0]);
    assert_eq!(
        (cell.positives, cell.support(GroupMeasure::Tpr), other.support(GroupMeasure::Tpr)),
        (6, Support::TooFew, Support::Enough)
    );
    for bare in [cell.tpr, cell.fpr, cell.auc, gap.tpr, gap.fpr, gap.auc] {
        assert!(bare.is_some_and(|of| of.interval.is_none()), "{asked:?}");
    }
    assert!(other.tpr.unwrap().interval.is_some() && other.auc.unwrap().low().unwrap() < 0.999, "{other:?}");
    assert_eq!((gap.support(&asked.cells, GroupMeasure::Labels), gap.p, outcome.fairness.tests), (Support::TooFew, None, 0));
}

#[test]
fn two_models_that_are_perfect_are_not_said_to_be_the_same() {
    let apart = |i: usize, rng: &mut PhiloxStream| noise(i, rng) + if i.is_multiple_of(2) { 2.0 } else { 0.0 };
    let outcome = all(&[X], |_, i| Some(u8::from(i % 2 == 0)), |i| i, apart);
    let test = &outcome.tests.differences[0];
    assert!(test.left == 1.0 && test.right == 1.0 && test.p == 1.0, "{test:?}");
    assert!(test.difference.low().unwrap() < -0.01 && test.difference.high().unwrap() > 0.01, "{test:?}");
}

#[test]
fn what_separates_is_sure_beside_all_others() {
    let apart = |i: usize, rng: &mut PhiloxStream| noise(i, rng) + if i.is_multiple_of(2) { 2.0 } else { 0.0 };
    let outcome = all(&[X], |name, i| Some(if name == "x" { u8::from(i % 2 == 0) } else { u8::from(i % 3 == 0) }), |i| i, apart);
    let cell = &outcome.tests.cells[0];
    let claimed = cell.claimed();
    assert!(claimed.low > 0.9 && claimed.adjusted <= 0.05 && cell.q <= 0.05, "{cell:?}");
    let kept = &outcome.tests.beside[0];
    assert!(kept.features.unwrap() > 0.99 && kept.probe.unwrap() > 0.99 && kept.word() == "inconclusive", "{kept:?}");
}

#[test]
fn a_comparison_within_some_images_is_held_beside_the_same_over_all() {
    let label = |name: &str, i: usize| Some(if name == "x" { u8::from(i.is_multiple_of(2)) } else { u8::from(i < 120) });
    let outcome = all(&[X, &["x", "not x", "g"]], label, |i| i, noise);
    let [of] = &outcome.tests.interactions[..] else { panic!("{:?}", outcome.tests.interactions) };
    assert_eq!((of.within, of.whole, of.difference.value, of.q), (1.into(), 0.into(), 0.0, 1.0), "a model beside itself");
}
