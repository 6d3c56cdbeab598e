//! What a figure that is shown has beside its score: measures that rank nothing, and how its score fares when it is projected
//! again from subsamples of people. Intervals are conditional on the coordinates; this is what they do not see.

use super::{
    beside::beside,
    knn::{self, Pairs},
    members::Setting,
    nearest::{self, Sought},
    split::Split,
    views::Asked,
};
use crate::{
    domain::{
        Result,
        comparison::Question,
        projection::View,
        score::{Beside, Spread, Statistics, Steady},
    },
    numeric::{Matrix, Stream},
};
use std::collections::BTreeSet;

/// So many subsamples, each of four people in five.
const TIMES: usize = 10;
const STREAM: u64 = 10 << 40;

/// `features` and `points` (the figure's coordinates): one row an image; `project` makes coordinates of other features.
pub fn steady(
    setting: &Setting,
    question: &Question,
    [features, points]: [&Matrix; 2],
    view: View,
    seed: u64,
    project: impl Fn(&Matrix) -> Result<Matrix>,
) -> Steady {
    let statistics = Statistics { bootstraps: 0, permutations: 0, ..Statistics::default() };
    let asked = Asked::new(setting, question, &statistics, seed);
    let people: Vec<usize> = asked.groups().collect::<BTreeSet<_>>().into_iter().collect();
    let mut again = Vec::new();
    for time in 0..TIMES {
        let mut order = people.clone();
        Stream::new(seed, STREAM + time as u64).shuffle(&mut order);
        let taken: BTreeSet<usize> = order.into_iter().take((people.len() * 4).div_ceil(5)).collect();
        let rows: Vec<usize> =
            asked.groups().enumerate().filter(|(_, person)| taken.contains(person)).map(|(row, _)| row).collect();
        // Four people in five may be too few for the method: then this time is not counted.
        if let Ok(points) = project(&features.take(&rows)) {
            again.extend(on_half_b(&asked, &rows, &points, view));
        }
    }
    Steady { format: 1, beside: measures(&asked, points, view), times: again.len(), again: Spread::of(again) }
}

/// The score of those members that are among `rows`, in the halves and folds that they are in anyway.
fn on_half_b(asked: &Asked, rows: &[usize], points: &Matrix, view: View) -> Option<f64> {
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
    let fifths = nearest::in_view(&seen, &Sought { rows: &places, sets: &pairs.sets, split: &split });
    let [.., b] = knn::prepare(&fifths, &pairs, &split);
    b.mean_and_least()[0]
}

/// Of two classes, over the images of exactly one.
fn measures(asked: &Asked, points: &Matrix, view: View) -> Option<Beside> {
    let (&[(p, q)], 2) = (&asked.pairs.pairs[..], asked.members.classes.len()) else { return None };
    let seen = asked.seen(view, points)?;
    let fifths = nearest::in_view(&seen, &asked.sought());
    let (first, second) = (&asked.pairs.sets[p], &asked.pairs.sets[q]);
    let shown: Vec<usize> = (0..first.len()).filter(|&i| first[i] || second[i]).collect();
    let class: Vec<bool> = shown.iter().map(|&i| first[i]).collect();
    let score: Vec<f64> = shown.iter().map(|&i| fifths[i][0][q] - fifths[i][0][p]).collect();
    Some(beside(&seen.take(&shown), &class, &score))
}
