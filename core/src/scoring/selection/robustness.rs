//! How robust a shown figure is: its score when it is projected again from subsamples of identities, by other settings of its method, where
//! half of the identities were not in the fit, and under label noise. Intervals are conditional on coordinates and labels, so they do not cover this. Cluster-validity indices, by
//! which nothing is ranked, come with it.

use crate::{
    domain::{
        Result,
        comparison::Question,
        membership::Members,
        projection::{Method, View},
        score::{ClusterValidity, FigureRobustness, HeldOut, LabelNoise, OtherSettings, Spread, Statistics},
    },
    numeric::{Matrix, PhiloxStream, Purpose},
    scoring::{
        design::{
            EvaluationDesign,
            members::Setting,
            pairs::ClassPairs,
            split::{Half, Pool, Split},
        },
        estimators::{
            cluster_validity::cluster_validity,
            knn,
            nearest::{self, NeighborQuery},
            per_view::ViewScorer,
        },
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// No more images than this are projected again at once: a map of 200,000 takes minutes, and there are a dozen of them a figure.
const MOST_IMAGES: usize = 10_000;
/// Subsamples, each of four identities in five; and draws of label noise of each share.
const REPLICATES: usize = 10;
/// Shares of images whose label is changed.
const NOISE_SHARES: [f64; 3] = [0.05, 0.1, 0.2];

/// A figure that is shown.
pub struct ShownFigure<'a> {
    /// N × D, one row an image.
    pub features: &'a Matrix,
    /// N × k, their coordinates.
    pub points: &'a Matrix,
    /// The method that made the coordinates.
    pub method: &'a Method,
    /// The same method by other settings, each in words.
    pub other_settings: &'a [(String, Method)],
    /// The axes that are shown.
    pub view: View,
}

/// Scores the figure again. `project` makes coordinates of other features, or by another method; `place` fits the figure's method to the
/// first features and places the second. What fails is left out.
pub fn figure_robustness(
    setting: &Setting,
    question: &Question,
    figure: &ShownFigure,
    seed: u64,
    project: impl Fn(&Method, &Matrix) -> Result<Matrix>,
    place: impl Fn(&Matrix, &Matrix) -> Result<Matrix>,
) -> FigureRobustness {
    let ShownFigure { features, points, method, other_settings, view } = *figure;
    let statistics = Statistics { bootstraps: 0, permutations: 0, ..Statistics::default() };
    let design = EvaluationDesign::new(setting, question, &statistics, seed);
    let scorer = ViewScorer::new(&design);
    let re_projected: Vec<f64> = (0..REPLICATES)
        .filter_map(|replicate| {
            let rows = subsample(&design, seed, replicate, MOST_IMAGES);
            // Four identities in five may be too few for the method.
            let points = project(method, &features.take(&rows)).ok()?;
            score_of_rows(&design, &rows, &points, view)
        })
        .collect();
    // Other settings are of all images, or of one more subsample.
    let many = features.rows() > MOST_IMAGES;
    let rows = if many { subsample(&design, seed, REPLICATES, MOST_IMAGES) } else { (0..features.rows()).collect() };
    let taken = if many { &features.take(&rows) } else { features };
    let scored_by = |(words, method): &(String, Method)| {
        let points = project(method, taken).ok()?;
        Some(OtherSettings { method: words.clone(), auc: score_of_rows(&design, &rows, &points, view)? })
    };
    FigureRobustness {
        format: 1,
        beside: validity(&scorer, points, view),
        times: re_projected.len(),
        again: Spread::of(re_projected),
        images: many.then_some(MOST_IMAGES),
        held_out: held_out(&design, features, view, &rows, place),
        other: other_settings.iter().filter_map(scored_by).collect(),
        mislabelled: label_noise(&design, points, view, &rows, seed),
    }
}

/// The score on half B of the images among `rows` (ascending), placed in a fit to all others but of their identities.
fn held_out(
    design: &EvaluationDesign,
    features: &Matrix,
    view: View,
    rows: &[usize],
    place: impl Fn(&Matrix, &Matrix) -> Result<Matrix>,
) -> Option<HeldOut> {
    let group: Vec<usize> = design.groups().collect();
    let members = design.split.members_of(Half::B).into_iter().map(|member| design.members.rows[member]);
    let placed: Vec<usize> = members.filter(|row| rows.binary_search(row).is_ok()).collect();
    let is_held_out: BTreeSet<usize> = placed.iter().map(|&row| group[row]).collect();
    let fitted: Vec<usize> = rows.iter().copied().filter(|&row| !is_held_out.contains(&group[row])).collect();
    let points = place(&features.take(&fitted), &features.take(&placed)).ok()?;
    let auc = score_of_rows(design, &placed, &points, view)?;
    Some(HeldOut { fitted: fitted.len(), placed: placed.len(), auc })
}

/// The images of four identities in five, ascending; of fewer where they would be more than `most`.
fn subsample(design: &EvaluationDesign, seed: u64, replicate: usize, most: usize) -> Vec<usize> {
    let mut images: BTreeMap<usize, usize> = BTreeMap::new();
    design.groups().for_each(|identity| *images.entry(identity).or_default() += 1);
    let mut identities: Vec<usize> = images.keys().copied().collect();
    PhiloxStream::new(seed, Purpose::Subsample, replicate as u64).shuffle(&mut identities);
    let count = (identities.len() * 4).div_ceil(5);
    let mut total = 0;
    let fits = |identity: &usize| {
        total += images[identity];
        total <= most
    };
    let taken: BTreeSet<usize> = identities.into_iter().take(count).take_while(fits).collect();
    design.groups().enumerate().filter(|(_, identity)| taken.contains(identity)).map(|(row, _)| row).collect()
}

/// The score on half B under label noise, one spread a share: of the images among `rows` (ascending), which are all or a subsample.
fn label_noise(design: &EvaluationDesign, points: &Matrix, view: View, rows: &[usize], seed: u64) -> Vec<LabelNoise> {
    let members: Vec<usize> =
        (0..design.members.rows.len()).filter(|member| rows.binary_search(&design.members.rows[*member]).is_ok()).collect();
    let Some(in_view) = ViewScorer::new(design).points_in_view(view, points).map(|points| points.take(&members)) else {
        return vec![];
    };
    let of_members = |set: &Vec<bool>| members.iter().map(|&member| set[member]).collect();
    let classes: Vec<Vec<bool>> = design.members.classes.iter().map(of_members).collect();
    let rows: Vec<usize> = members.iter().map(|&member| design.members.rows[member]).collect();
    let split = of_split(&design.split, &members);
    let score = |share: f64, draw: u64| {
        let mut rng = PhiloxStream::new(seed, Purpose::LabelNoise, draw);
        let members = Members { rows: rows.clone(), classes: with_label_noise(&classes, share, &mut rng), ..Members::default() };
        score_on_half_b(&in_view, &members.rows, &ClassPairs::new(&members), &split)
    };
    let of_share = |(index, &share): (usize, &f64)| {
        let scores = (0..REPLICATES).filter_map(|replicate| score(share, (index * REPLICATES + replicate) as u64)).collect();
        Some(LabelNoise { share, again: Spread::of(scores)? })
    };
    NOISE_SHARES.iter().enumerate().filter_map(of_share).collect()
}

/// Moves this share of the images that are in one class alone to another class.
fn with_label_noise(classes: &[Vec<bool>], share: f64, rng: &mut PhiloxStream) -> Vec<Vec<bool>> {
    let mut noisy = classes.to_vec();
    for member in 0..classes.first().map_or(0, Vec::len) {
        let has = |class: &usize| classes[*class][member];
        let own: Vec<usize> = (0..classes.len()).filter(has).collect();
        let (draw, offset) = (rng.uniform(), 1 + rng.below(classes.len().max(2) as u64 - 1) as usize);
        if let (&[own], true) = (&own[..], draw < share) {
            noisy[own][member] = false;
            noisy[(own + offset) % classes.len()][member] = true;
        }
    }
    noisy
}

/// The score on half B of the members among `rows` (images, ascending), in the halves and folds of the design. `points`: by row.
fn score_of_rows(design: &EvaluationDesign, rows: &[usize], points: &Matrix, view: View) -> Option<f64> {
    let (mut members, mut places) = (Vec::new(), Vec::new());
    for (member, row) in design.members.rows.iter().enumerate() {
        if let Ok(place) = rows.binary_search(row) {
            members.push(member);
            places.push(place);
        }
    }
    let columns = view.columns(points.columns());
    if columns.iter().any(|&column| column >= points.columns()) {
        return None;
    }
    let in_view = points.take(&places).select(&columns);
    let of_members = |set: &Vec<bool>| members.iter().map(|&member| set[member]).collect();
    let pairs = ClassPairs { sets: design.pairs.sets.iter().map(of_members).collect(), pairs: design.pairs.pairs.clone() };
    score_on_half_b(&in_view, &places, &pairs, &of_split(&design.split, &members))
}

/// The halves and folds of some members.
fn of_split(split: &Split, members: &[usize]) -> Split {
    Split {
        half: members.iter().map(|&member| split.half[member]).collect(),
        fold: members.iter().map(|&member| split.fold[member]).collect(),
    }
}

/// The mean AUC over pairs. `in_view`: one row a member.
fn score_on_half_b(in_view: &Matrix, rows: &[usize], pairs: &ClassPairs, split: &Split) -> Option<f64> {
    let fifths = nearest::in_view(in_view, &NeighborQuery { rows, sets: &pairs.sets, split });
    let scored = knn::score_members(&fifths, pairs, split);
    scored[Pool::Half(Half::B).index()].mean_and_least()[0]
}

/// Of two classes, over the images of exactly one.
fn validity(scorer: &ViewScorer, points: &Matrix, view: View) -> Option<ClusterValidity> {
    let design = scorer.design;
    let (&[(p, q)], 2) = (&design.pairs.pairs[..], design.members.classes.len()) else { return None };
    let in_view = scorer.points_in_view(view, points)?;
    let fifths = nearest::in_view(&in_view, &scorer.neighbor_query());
    let (first, second) = (&design.pairs.sets[p], &design.pairs.sets[q]);
    let in_pair: Vec<usize> = (0..first.len()).filter(|&i| first[i] || second[i]).collect();
    let class: Vec<bool> = in_pair.iter().map(|&i| first[i]).collect();
    let whole = Pool::Whole.index();
    let score: Vec<f64> = in_pair.iter().map(|&i| fifths[i][whole][q] - fifths[i][whole][p]).collect();
    Some(cluster_validity(&in_view.take(&in_pair), &class, &score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        comparison::Measured,
        image::{Column, Images},
    };

    #[test]
    fn a_subsample_holds_four_identities_in_five_whole_and_no_more_images_than_are_projected_again() {
        let n = 400;
        let ids = || (0..n).map(|i| format!("{i:03}"));
        let (images, identities) =
            (Images(ids().map(|id| (id, None)).collect()), ids().enumerate().map(|(i, id)| (id, (i / 4).to_string())));
        let identities: Column = identities.collect();
        let labels =
            [("x", ids().enumerate().map(|(i, id)| (id, (i % 2).to_string())).collect::<Column>())].into_iter().collect();
        let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
        let classes = ["x", "not x"].map(|class| class.parse().unwrap()).to_vec();
        let question = Question { measured: Measured::Classes(classes), within: None };
        let statistics = Statistics::default();
        let design = EvaluationDesign::new(&setting, &question, &statistics, 1);
        let (all, few) = (subsample(&design, 1, 0, n), subsample(&design, 1, 0, 101));
        assert_eq!((all.len(), few.len()), (320, 100));
        for rows in [&all, &few] {
            assert!(rows.chunks(4).all(|four| four[0] % 4 == 0 && four[3] == four[0] + 3), "identities are whole");
        }
        assert!(few.iter().all(|row| all.binary_search(row).is_ok()) && subsample(&design, 1, 1, 101) != few);
    }

    #[test]
    fn images_that_were_not_in_the_fit_are_scored_where_they_are_placed() {
        let n = 240;
        let ids = || (0..n).map(|i| format!("{i:03}"));
        let images = Images(ids().map(|id| (id, None)).collect());
        let labels = [("x", ids().enumerate().map(|(i, id)| (id, (i % 2).to_string())).skip(10).collect::<Column>())]
            .into_iter()
            .collect();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let classes = ["x", "not x"].map(|class| class.parse().unwrap()).to_vec();
        let question = Question { measured: Measured::Classes(classes), within: None };
        let statistics = Statistics::default();
        let design = EvaluationDesign::new(&setting, &question, &statistics, 1);
        // The second column tells the class; the first is the image's number.
        let features = Matrix::new(n, 2, (0..n).flat_map(|i| [i as f32, (i % 2) as f32]).collect()).unwrap();
        let rows: Vec<usize> = (0..n).collect();
        let held_out = |rows: &[usize], place: &dyn Fn(&Matrix, &Matrix) -> Result<Matrix>| {
            super::held_out(&design, &features, View::Axis(2), rows, place)
        };
        let of = held_out(&rows, &|fitted, placed| {
            let numbers = |of: &Matrix| (0..of.rows()).map(|row| of.row(row)[0] as usize).collect::<BTreeSet<usize>>();
            assert!(numbers(fitted).is_disjoint(&numbers(placed)));
            Ok(placed.clone())
        });
        // Ten images are in no class: they are fitted, too.
        assert_eq!(of, Some(HeldOut { fitted: 125, placed: 115, auc: 1.0 }));
        let told_nothing = held_out(&rows, &|_, placed| Ok(Matrix::new(placed.rows(), 2, vec![0.0; 2 * placed.rows()]).unwrap()));
        assert_eq!(told_nothing.unwrap().auc, 0.5);
        let few = held_out(&rows[..200], &|_, placed| Ok(placed.clone())).unwrap();
        assert_eq!(few.fitted + few.placed, 200);
        assert_eq!(held_out(&rows, &|_, _| Err(crate::domain::Fault::asked("it cannot place"))), None);
    }

    #[test]
    fn label_noise_changes_its_share_of_labels_and_leaves_every_image_in_one_class() {
        let n = 4000;
        for many in [2, 3] {
            let classes: Vec<Vec<bool>> = (0..many).map(|class| (0..n).map(|i| i % many == class).collect()).collect();
            let noisy = with_label_noise(&classes, 0.2, &mut PhiloxStream::for_test(1, 1));
            assert!((0..n).all(|i| noisy.iter().filter(|class| class[i]).count() == 1));
            let wrong = (0..n).filter(|&i| !noisy[i % many][i]).count() as f64 / n as f64;
            assert!((wrong - 0.2).abs() < 0.02, "{wrong}");
        }
    }
}
