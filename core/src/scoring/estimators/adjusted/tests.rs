use super::*;
use crate::{
    domain::{
        comparison::Measured,
        image::{Column, Images, Labels},
        nuisance::{Nuisance, PictureNuisance},
    },
    numeric::PhiloxStream,
};

/// The score of one axis, with the attribute and the nuisance of each image; two images a person.
fn adjusted(axis: &[f64], has: &[bool], nuisance: NuisanceValues) -> HeldNuisance {
    let id = |i: usize| format!("{i:05}");
    let n = axis.len();
    let images = Images((0..n).map(|i| (id(i), None)).collect());
    let identities: Column = (0..n).map(|i| (id(i), (i / 2).to_string())).collect();
    let label: Column = has.iter().enumerate().map(|(i, has)| (id(i), u8::from(*has).to_string())).collect();
    let labels: Labels = [("x", label)].into_iter().collect();
    let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
    let classes = ["x", "not x"].map(|class| class.parse().unwrap()).to_vec();
    let question = Question { measured: Measured::Classes(classes), within: None };
    let points = Matrix::new(n, 1, axis.iter().map(|value| *value as f32).collect()).unwrap();
    let statistics = Statistics { bootstraps: 200, ..Statistics::default() };
    adjusted_scores(&setting, &[points], View::Axis(1), &question, &[nuisance], &statistics, 3).held.remove(0)
}

fn of(columns: Vec<Vec<f64>>) -> NuisanceValues {
    NuisanceValues { nuisance: Nuisance::Measured(PictureNuisance::Pose), columns }
}

/// A nuisance that goes with the attribute, and what is not told by it.
fn world(n: usize, apart: f64) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let mut rng = PhiloxStream::for_test(4, 4);
    let nuisance: Vec<f64> = (0..n).map(|_| rng.normals(1.0)[0]).collect();
    let has = nuisance.iter().map(|value| apart * value + rng.normals(1.0)[0] > 0.0).collect();
    let rest = (0..n).map(|_| rng.normals(1.0)[0]).collect();
    (nuisance, has, rest)
}

#[test]
fn a_view_of_the_nuisance_alone_scores_a_half_once_it_is_held() {
    let (nuisance, has, rest) = world(2400, 0.8);
    let axis: Vec<f64> = nuisance.iter().zip(&rest).map(|(nuisance, rest)| nuisance + 0.3 * rest).collect();
    let found = adjusted(&axis, &has, of(vec![nuisance]));
    let (plain, held) = (found.plain.unwrap(), found.adjusted.unwrap());
    assert!(plain.value > 0.7, "{found:?}");
    assert!((held.value - 0.5).abs() < 0.04 && held.low().unwrap() < 0.5 && 0.5 < held.high().unwrap(), "{found:?}");
    assert!(found.lost.unwrap().low().unwrap() > 0.15, "{found:?}");
}

#[test]
fn a_view_of_the_attribute_alone_keeps_its_score() {
    let (nuisance, has, rest) = world(2400, 0.7);
    let axis: Vec<f64> = has.iter().zip(&rest).map(|(has, rest)| f64::from(u8::from(*has)) * 1.5 + rest).collect();
    let other = nuisance.iter().rev().copied().collect();
    let found = adjusted(&axis, &has, of(vec![nuisance, other]));
    let (plain, held) = (found.plain.unwrap().value, found.adjusted.unwrap().value);
    assert!(plain > 0.78 && (plain - held).abs() < 0.03, "{found:?}");
    let lost = found.lost.unwrap();
    assert!(lost.low().unwrap() < 0.02 && lost.high().unwrap() > -0.02, "{found:?}");
}

#[test]
fn a_nuisance_that_is_the_attribute_is_said_and_nothing_is_adjusted() {
    let (_, has, rest) = world(800, 0.0);
    let axis: Vec<f64> = has.iter().zip(&rest).map(|(has, rest)| f64::from(u8::from(*has)) * 2.0 + rest).collect();
    let same = has.iter().map(|has| f64::from(u8::from(*has))).collect();
    let found = adjusted(&axis, &has, of(vec![same]));
    assert_eq!((found.doubt, found.adjusted, found.alike), (Some(AdjustingDoubt::IsTheAttribute), None, Some(0.0)));
    assert_eq!(found.alone.unwrap().value, 1.0);
    // One that nearly is: it tells the classes.
    let mut rng = PhiloxStream::for_test(4, 5);
    let near = has.iter().map(|has| f64::from(u8::from(*has)) * 1.6 + rng.normals(1.0)[0]).collect();
    let found = adjusted(&axis, &has, of(vec![near]));
    assert_eq!(found.doubt, Some(AdjustingDoubt::TellsClasses), "{found:?}");
    assert!(found.adjusted.is_some());
}

#[test]
fn a_constant_is_not_held_and_images_without_the_nuisance_are_left_out_of_both_numbers() {
    let (nuisance, has, rest) = world(800, 0.5);
    let found = adjusted(&rest, &has, of(vec![vec![2.0; 800]]));
    assert_eq!((found.doubt, found.adjusted), (Some(AdjustingDoubt::Constant), None));
    assert!(found.plain.is_some());
    let holes = nuisance.iter().enumerate().map(|(i, value)| if i % 4 < 2 { f64::NAN } else { *value }).collect();
    let found = adjusted(&rest, &has, of(vec![holes]));
    assert_eq!((found.images + found.undefined, found.images), (400, 200));
    assert!(found.plain.unwrap().interval.is_some() && found.adjusted.is_some());
}

#[test]
fn a_grey_background_lies_between_all_hues() {
    let colour = NuisanceValues {
        nuisance: Nuisance::Measured(PictureNuisance::Background),
        columns: vec![
            vec![0.5, 0.5, f64::NAN],
            vec![0.01, 0.2, f64::NAN],
            vec![f64::NAN, 0.6, f64::NAN],
            vec![f64::NAN, 0.8, f64::NAN],
        ],
    };
    let covariates = colour.covariates();
    assert_eq!(covariates[1][..2], [0.0, 0.12]);
    assert!((covariates[2][1] - 0.16).abs() < 1e-12 && covariates.iter().all(|column| column[2].is_nan()));
}

/// The adjusted AUC of scores that are given, on half B, while columns (by image) are held.
pub(in crate::scoring) fn adjusted_of_scores(
    setting: &Setting,
    question: &Question,
    statistics: &Statistics,
    seed: u64,
    score: &dyn Fn(usize) -> f64,
    columns: &[Vec<f64>],
) -> Option<Estimate> {
    let design = EvaluationDesign::new(setting, question, statistics, seed);
    adjusted_in(&design, score, columns)
}

/// `score`, `columns`: by image.
fn adjusted_in(design: &EvaluationDesign, score: &dyn Fn(usize) -> f64, columns: &[Vec<f64>]) -> Option<Estimate> {
    let rows = &design.members.rows;
    let scored = [ViewScorer::new(design).sort_held_out(&[rows.iter().map(|&row| score(row)).collect()])];
    let of_members = |column: &Vec<f64>| standardised(&rows.iter().map(|&row| column[row]).collect::<Vec<f64>>());
    let space = Covariates::of(&columns.iter().filter_map(of_members).collect::<Vec<_>>());
    let sides = sides(design, &space);
    let placed: Vec<Vec<Placed>> = scored.iter().map(|of| placed(design, &space, &sides, of)).collect();
    estimates(design, &scored, &sides, &placed).0
}

/// By `tests/fixtures/nuisances/make.py`: the same definition in NumPy, and the AUC of scikit-learn where nothing is held.
#[test]
fn the_adjusted_auc_is_that_of_an_independent_program() {
    #[derive(serde::Deserialize)]
    struct Oracle {
        score: Vec<f64>,
        positive: Vec<bool>,
        fold: Vec<usize>,
        person: Vec<usize>,
        nuisance: Vec<[f64; 2]>,
        adjusted: f64,
        plain: f64,
    }
    let oracle: Oracle = serde_json::from_str(include_str!("../../../../../tests/fixtures/nuisances/adjusted.json")).unwrap();
    let n = oracle.score.len();
    let id = |i: usize| format!("{i:05}");
    let images = Images((0..n).map(|i| (id(i), None)).collect());
    let identities: Column = oracle.person.iter().enumerate().map(|(i, person)| (id(i), person.to_string())).collect();
    let label: Column = oracle.positive.iter().enumerate().map(|(i, has)| (id(i), u8::from(*has).to_string())).collect();
    let labels: Labels = [("x", label)].into_iter().collect();
    let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
    let classes = ["x", "not x"].map(|class| class.parse().unwrap()).to_vec();
    let question = Question { measured: Measured::Classes(classes), within: None };
    let statistics = Statistics { bootstraps: 0, ..Statistics::default() };
    let mut design = EvaluationDesign::new(&setting, &question, &statistics, 1);
    design.split.half = vec![Half::B; n];
    design.split.fold.clone_from(&oracle.fold);
    let design = design.of_members(&(0..n).collect::<Vec<_>>(), 1);
    let scorer = ViewScorer::new(&design);
    // Scores that were made elsewhere, within folds of one half.
    let scored = [scorer.sort_held_out(std::slice::from_ref(&oracle.score))];
    let columns = [0, 1].map(|column| oracle.nuisance.iter().map(|of| of[column]).collect::<Vec<f64>>());
    let adjusted = adjusted_in(&design, &|image| oracle.score[image], &columns);
    let plain = scorer.mean_and_least(&scored, Pool::Half(Half::B))[0].unwrap().value;
    assert!((plain - oracle.plain).abs() < 1e-12, "{plain} {}", oracle.plain);
    assert!((adjusted.unwrap().value - oracle.adjusted).abs() < 1e-9, "{adjusted:?} {}", oracle.adjusted);
}
