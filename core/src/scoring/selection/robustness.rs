//! What a figure that is shown has beside its score: measures that rank nothing, and how its score fares when it is projected
//! again, from subsamples of people and by methods next to its own, and when labels are wrong. Intervals are conditional on the
//! coordinates and the labels; this is what they do not see.

use crate::{
    domain::{
        Result,
        comparison::Question,
        membership::Members,
        projection::{Method, View},
        score::{ClusterValidity, FigureRobustness, LabelNoise, OtherSettings, Spread, Statistics},
    },
    numeric::{Matrix, PhiloxStream, Purpose},
    scoring::{
        design::{EvaluationDesign, members::Setting, pairs::Pairs, split::Split},
        estimators::{
            cluster_validity::beside,
            knn,
            nearest::{self, Sought},
        },
    },
};
use std::collections::BTreeSet;

/// So many subsamples, each of four people in five.
const TIMES: usize = 10;
/// So many labels are taken to be wrong.
const SHARES: [f64; 3] = [0.05, 0.1, 0.2];

/// A figure that is shown.
pub struct ShownFigure<'a> {
    /// One row an image.
    pub features: &'a Matrix,
    pub points: &'a Matrix,
    pub method: &'a Method,
    pub view: View,
}

/// `project` makes coordinates of other features, or by another method.
pub fn steady(
    setting: &Setting,
    question: &Question,
    figure: &ShownFigure,
    seed: u64,
    project: impl Fn(&Method, &Matrix) -> Result<Matrix>,
) -> FigureRobustness {
    let ShownFigure { features, points, method, view } = *figure;
    let statistics = Statistics { bootstraps: 0, permutations: 0, ..Statistics::default() };
    let asked = EvaluationDesign::new(setting, question, &statistics, seed);
    let people: Vec<usize> = asked.groups().collect::<BTreeSet<_>>().into_iter().collect();
    let mut again = Vec::new();
    for time in 0..TIMES {
        let mut order = people.clone();
        PhiloxStream::new(seed, Purpose::Subsample, time as u64).shuffle(&mut order);
        let taken: BTreeSet<usize> = order.into_iter().take((people.len() * 4).div_ceil(5)).collect();
        let rows: Vec<usize> =
            asked.groups().enumerate().filter(|(_, person)| taken.contains(person)).map(|(row, _)| row).collect();
        // Four people in five may be too few for the method: then this time is not counted.
        if let Ok(points) = project(method, &features.take(&rows)) {
            again.extend(on_half_b(&asked, &rows, &points, view));
        }
    }
    let all: Vec<usize> = (0..features.rows()).collect();
    let by = |(name, method): (String, Method)| {
        let points = project(&method, features).ok()?;
        Some(OtherSettings { method: name, auc: on_half_b(&asked, &all, &points, view)? })
    };
    FigureRobustness {
        format: 1,
        beside: measures(&asked, points, view),
        times: again.len(),
        again: Spread::of(again),
        other: method.next().into_iter().filter_map(by).collect(),
        mislabelled: asked.seen(view, points).map(|seen| mislabelled(&asked, &seen, seed)).unwrap_or_default(),
    }
}

fn mislabelled(asked: &EvaluationDesign, seen: &Matrix, seed: u64) -> Vec<LabelNoise> {
    let again = |share: f64, stream: u64| {
        let classes = turned(&asked.members.classes, share, &mut PhiloxStream::new(seed, Purpose::LabelNoise, stream));
        let members = Members { rows: asked.members.rows.clone(), classes, ..Members::default() };
        score(seen, &members.rows, &Pairs::new(&members), &asked.split)
    };
    let of = |(place, &share): (usize, &f64)| {
        let scores = (0..TIMES).filter_map(|time| again(share, (place * TIMES + time) as u64)).collect();
        Some(LabelNoise { share, again: Spread::of(scores)? })
    };
    SHARES.iter().enumerate().filter_map(of).collect()
}

/// This share of the images that are in one class alone are in another one.
fn turned(classes: &[Vec<bool>], share: f64, dice: &mut PhiloxStream) -> Vec<Vec<bool>> {
    let mut turned = classes.to_vec();
    for member in 0..classes.first().map_or(0, Vec::len) {
        let is = |class: &usize| classes[*class][member];
        let own: Vec<usize> = (0..classes.len()).filter(is).collect();
        let (chance, other) = (dice.uniform(), 1 + dice.below(classes.len().max(2) as u64 - 1) as usize);
        if let (&[own], true) = (&own[..], chance < share) {
            turned[own][member] = false;
            turned[(own + other) % classes.len()][member] = true;
        }
    }
    turned
}

/// The score of those members that are among `rows`, in the halves and folds that they are in anyway.
fn on_half_b(asked: &EvaluationDesign, rows: &[usize], points: &Matrix, view: View) -> Option<f64> {
    let (mut members, mut places) = (Vec::new(), Vec::new());
    for (member, row) in asked.members.rows.iter().enumerate() {
        if let Ok(place) = rows.binary_search(row) {
            members.push(member);
            places.push(place);
        }
    }
    let columns = view.columns(points.columns());
    if columns.iter().any(|&column| column >= points.columns()) {
        return None;
    }
    let seen = points.take(&places).select(&columns);
    let of = |set: &Vec<bool>| members.iter().map(|&member| set[member]).collect();
    let pairs = Pairs { sets: asked.pairs.sets.iter().map(of).collect(), pairs: asked.pairs.pairs.clone() };
    let split = Split {
        half: members.iter().map(|&member| asked.split.half[member]).collect(),
        fold: members.iter().map(|&member| asked.split.fold[member]).collect(),
    };
    score(&seen, &places, &pairs, &split)
}

/// On half B.
fn score(seen: &Matrix, rows: &[usize], pairs: &Pairs, split: &Split) -> Option<f64> {
    let fifths = nearest::in_view(seen, &Sought { rows, sets: &pairs.sets, split });
    let [.., b] = knn::prepare(&fifths, pairs, split);
    b.mean_and_least()[0]
}

/// Of two classes, over the images of exactly one.
fn measures(asked: &EvaluationDesign, points: &Matrix, view: View) -> Option<ClusterValidity> {
    let (&[(p, q)], 2) = (&asked.pairs.pairs[..], asked.members.classes.len()) else { return None };
    let seen = asked.seen(view, points)?;
    let fifths = nearest::in_view(&seen, &asked.sought());
    let (first, second) = (&asked.pairs.sets[p], &asked.pairs.sets[q]);
    let shown: Vec<usize> = (0..first.len()).filter(|&i| first[i] || second[i]).collect();
    let class: Vec<bool> = shown.iter().map(|&i| first[i]).collect();
    let score: Vec<f64> = shown.iter().map(|&i| fifths[i][0][q] - fifths[i][0][p]).collect();
    Some(beside(&seen.take(&shown), &class, &score))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_labels_are_wrong_as_should_be_and_everybody_stays_in_one_class() {
        let n = 4000;
        for many in [2, 3] {
            let classes: Vec<Vec<bool>> = (0..many).map(|class| (0..n).map(|i| i % many == class).collect()).collect();
            let turned = turned(&classes, 0.2, &mut PhiloxStream::for_test(1, 1));
            assert!((0..n).all(|i| turned.iter().filter(|class| class[i]).count() == 1));
            let wrong = (0..n).filter(|&i| !turned[i % many][i]).count() as f64 / n as f64;
            assert!((wrong - 0.2).abs() < 0.02, "{wrong}");
        }
    }
}
