//! The score of a view while a nuisance is held: the covariate-adjusted AUC of Janes and Pepe (Biometrika 2009). An image is held against
//! images of the other class that are alike in the nuisance, and against no others.
//!
//! Scores are the out-of-fold ones that the figure is ranked by, on the evaluation half, as normal deviates of their percentiles in their fold.
//! Two steps remove what goes with the nuisance: the mean of the other class's scores, a polynomial of second degree in the nuisance, is taken
//! off both sides (the location model of Heagerty and Pepe 1999; for matches that are not exact, Abadie and Imbens 2011); then an image's place is
//! taken among the [`MATCHES`] images of the other class, of other people and of its own fold, whose nuisance is nearest, so that no form of
//! their distribution is assumed. The adjusted AUC is the mean place. The rarer class is placed among the other one: so every image has many to
//! be held against, and which class a study names first does not matter.
//!
//! Of its own fold, because images that are alike are neighbours: of two in different folds each is among what the other was scored by, which
//! moves both scores the wrong way. Normal deviates, because percentiles level off where the other class is rare: a polynomial overshoots them,
//! and a view of the nuisance alone had 0.46 in place of 0.5. Without the polynomial it had 0.56.
//!
//! Resamples draw identities and weight images; matches stay (matching is not smooth enough for a bootstrap that matches anew: Abadie and
//! Imbens 2008; with weights on fixed matches it holds: Otsu and Rai 2017).

use super::{
    knn::{ScoredPools, kish},
    nearest,
    nuisances::{NuisanceValues, standardised},
    per_view::ViewScorer,
};
use crate::{
    domain::{
        comparison::Question,
        nuisance::{AdjustedScores, AdjustingDoubt, FEW_ALIKE, HeldNuisance, NONE_ALIKE, TELLS_CLASSES},
        projection::View,
        score::{Estimate, Statistics},
    },
    numeric::{Matrix, cholesky::solve_small},
    scoring::{
        design::{
            EvaluationDesign,
            members::Setting,
            resample::{REPLICATES, ReplicateWeights, sorted},
            split::{FOLDS, Half, Pool},
        },
        inference::{
            bootstrap::{interval, median},
            interval::AucInterval,
            student,
        },
    },
};
use rayon::prelude::*;

/// Images of the other class that an image is held against.
const MATCHES: usize = 5;
/// Images are alike that differ by so much, of a standard deviation, in the root mean square over columns.
const ALIKE: f64 = 0.5;
/// An image has others alike if it has so many.
const OTHERS_ALIKE: usize = 5;
/// Images of the other class that a coefficient of the location model needs.
const A_COEFFICIENT: usize = 5;

/// Scores one view of a question of classes while each nuisance is held. `points`: one N × k matrix a projection seed, rows in the order of
/// the setting's images. Of a quantity, and of a view that the points do not have, nothing is defined.
pub fn adjusted_scores(
    setting: &Setting,
    points: &[Matrix],
    view: View,
    question: &Question,
    held: &[NuisanceValues],
    statistics: &Statistics,
    seed: u64,
) -> AdjustedScores {
    let design = EvaluationDesign::new(setting, question, statistics, seed);
    let scorer = ViewScorer::new(&design);
    let in_view: Option<Vec<Matrix>> = points.iter().map(|points| scorer.points_in_view(view, points)).collect();
    let has_classes = design.members.quantity.is_none();
    let fifths: Vec<nearest::FifthNeighborDistances> = in_view
        .unwrap_or_default()
        .iter()
        .filter(|_| has_classes)
        .map(|points| nearest::in_view(points, &scorer.neighbor_query()))
        .collect();
    let of_nuisance = |values: &NuisanceValues| held_nuisance(&design, &fifths, values, seed);
    AdjustedScores { format: 1, neighbours: MATCHES, held: held.iter().map(of_nuisance).collect() }
}

fn held_nuisance(
    design: &EvaluationDesign,
    fifths: &[nearest::FifthNeighborDistances],
    values: &NuisanceValues,
    seed: u64,
) -> HeldNuisance {
    let covariates = values.covariates();
    let is_defined = |member: &usize| covariates.iter().all(|column| column[design.members.rows[*member]].is_finite());
    let (kept, left): (Vec<usize>, Vec<usize>) = (0..design.members.rows.len()).partition(is_defined);
    let in_half = |member: &&usize| design.split.half[**member] == Half::B;
    let mut found = HeldNuisance {
        nuisance: values.nuisance.clone(),
        images: kept.iter().filter(in_half).count(),
        undefined: left.iter().filter(in_half).count(),
        plain: None,
        adjusted: None,
        lost: None,
        alone: None,
        alike: None,
        doubt: None,
    };
    let design = design.of_members(&kept, seed);
    let scorer = ViewScorer::new(&design);
    let of_kept = |all: &nearest::FifthNeighborDistances| kept.iter().map(|&member| all[member].clone()).collect();
    let scored: Vec<ScoredPools> = fifths.iter().map(|all| scorer.score_members(&of_kept(all))).collect();
    let pool = Pool::Half(Half::B);
    found.plain = scorer.mean_and_least(&scored, pool)[0];

    let of_members = |column: &Vec<f64>| standardised(&design.members.rows.iter().map(|&row| column[row]).collect::<Vec<f64>>());
    let columns: Vec<Vec<f64>> = covariates.iter().filter_map(of_members).collect();
    if columns.is_empty() {
        found.doubt = Some(AdjustingDoubt::Constant);
        return found;
    }
    let space = Covariates::of(&columns);
    let alone = scorer.score_members(&nearest::in_view(&space.matrix(), &scorer.neighbor_query()));
    found.alone = scorer.mean_and_least(&[alone], pool)[0];

    let sides = sides(&design, &space);
    found.alike = share_alike(&sides);
    found.doubt = doubt(found.alone, found.alike);
    if matches!(found.doubt, Some(AdjustingDoubt::IsTheAttribute)) || scored.is_empty() {
        return found;
    }
    let placed: Vec<Vec<Placed>> = scored.iter().map(|of_seed| placed(&design, &space, &sides, of_seed)).collect();
    (found.adjusted, found.lost) = estimates(&design, &scored, &sides, &placed);
    found
}

/// What is to be said of adjusting, by how well the nuisance alone tells the classes and how many images have others alike.
fn doubt(alone: Option<Estimate>, alike: Option<f64>) -> Option<AdjustingDoubt> {
    match (alone, alike) {
        (_, Some(alike)) if alike < NONE_ALIKE => Some(AdjustingDoubt::IsTheAttribute),
        (Some(alone), _) if alone.value >= TELLS_CLASSES => Some(AdjustingDoubt::TellsClasses),
        (_, Some(alike)) if alike < FEW_ALIKE => Some(AdjustingDoubt::FewAlike),
        _ => None,
    }
}

/// The nuisance of every member: members × columns, standardised.
struct Covariates {
    width: usize,
    values: Vec<f64>,
}

impl Covariates {
    fn of(columns: &[Vec<f64>]) -> Self {
        let members = columns.first().map_or(0, Vec::len);
        let values = (0..members).flat_map(|member| columns.iter().map(move |column| column[member])).collect();
        Covariates { width: columns.len(), values }
    }

    fn at(&self, member: usize) -> &[f64] {
        &self.values[member * self.width..(member + 1) * self.width]
    }

    /// The mean square over columns of how far two members are apart.
    fn square(&self, one: usize, other: usize) -> f64 {
        let squares = self.at(one).iter().zip(self.at(other)).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>() / self.width as f64
    }

    fn matrix(&self) -> Matrix {
        let values = self.values.iter().map(|value| *value as f32).collect();
        Matrix::new(self.values.len() / self.width, self.width, values).unwrap_or_default()
    }
}

/// The rarer class of one pair, on the evaluation half, held against the other.
struct Side {
    pair: usize,
    /// Is it the class that scores above the other?
    is_first: bool,
    /// Members of the other class.
    others: Vec<usize>,
    /// Members of the class that have matches.
    cases: Vec<usize>,
    /// By case: the nearest others of its fold and of other people, nearest first.
    matches: Vec<Vec<u32>>,
    /// By member of the class: has it others alike, of whatever fold?
    alike: Vec<bool>,
}

/// Of every pair the class with fewer images on the evaluation half, held against the other; of equal ones the first.
fn sides(design: &EvaluationDesign, space: &Covariates) -> Vec<Side> {
    let pairs = design.pairs().enumerate();
    pairs
        .map(|(pair, both)| {
            let on_half =
                |set: &[bool]| -> Vec<usize> { (0..set.len()).filter(|&i| set[i] && design.split.half[i] == Half::B).collect() };
            let [first, second] = both.map(on_half);
            let is_first = first.len() <= second.len();
            let (own, others) = if is_first { (first, second) } else { (second, first) };
            let nearest = |&case: &usize| -> (Vec<u32>, bool) {
                crate::numeric::pulse::beat();
                let strangers = others.iter().filter(|&&other| design.group(other) != design.group(case));
                let (mut found, mut alike) = (Vec::new(), 0);
                for &other in strangers {
                    let square = space.square(case, other);
                    alike += usize::from(square <= ALIKE * ALIKE);
                    if design.split.fold[other] == design.split.fold[case] {
                        found.push((square, other as u32));
                    }
                }
                let nearer = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                if found.len() > MATCHES {
                    found.select_nth_unstable_by(MATCHES - 1, nearer);
                    found.truncate(MATCHES);
                }
                found.sort_unstable_by(nearer);
                (found.into_iter().map(|(_, other)| other).collect(), alike >= OTHERS_ALIKE)
            };
            let found: Vec<(Vec<u32>, bool)> = own.par_iter().map(nearest).collect();
            let alike = found.iter().map(|(_, alike)| *alike).collect();
            let matched = own.into_iter().zip(found).map(|(case, (matches, _))| (case, matches));
            let (cases, matches) = matched.filter(|(_, matches): &(usize, Vec<u32>)| !matches.is_empty()).unzip();
            Side { pair, is_first, others, cases, matches, alike }
        })
        .collect()
}

fn share_alike(sides: &[Side]) -> Option<f64> {
    let alike: Vec<bool> = sides.iter().flat_map(|side| side.alike.iter().copied()).collect();
    (!alike.is_empty()).then(|| alike.iter().filter(|alike| **alike).count() as f64 / alike.len() as f64)
}

/// By case of one side, by match: 1 where the case is above, ½ where both are equal, 0 below.
type Placed = Vec<Vec<f32>>;

/// Every side under one projection seed.
fn placed(design: &EvaluationDesign, space: &Covariates, sides: &[Side], scored: &ScoredPools) -> Vec<Placed> {
    let ranks = scored[Pool::Half(Half::B).index()].ranks(design.members.rows.len());
    let deviates: Vec<Vec<f64>> = ranks.iter().map(|ranks| deviates(ranks, &design.split.fold)).collect();
    let of_side = |side: &Side| {
        let own = |member: usize| {
            let deviate = deviates[side.pair][member];
            if side.is_first { deviate } else { -deviate }
        };
        let model = Location::fit(space, &side.others, own);
        let rest = |member: usize| own(member) - model.at(space.at(member));
        let place = |(&case, matches): (&usize, &Vec<u32>)| {
            let case = rest(case);
            // A member that nothing scores is neither above nor below.
            let win = |&other: &u32| match case.partial_cmp(&rest(other as usize)) {
                Some(std::cmp::Ordering::Greater) => 1.0,
                Some(std::cmp::Ordering::Less) => 0.0,
                Some(std::cmp::Ordering::Equal) | None => 0.5,
            };
            matches.iter().map(win).collect()
        };
        side.cases.iter().zip(&side.matches).map(place).collect()
    };
    sides.iter().map(of_side).collect()
}

/// By member: the normal deviate of the share of its fold below it, half of its equals counted; NaN where it has no rank. `ranks`: by member, in
/// its fold, from 1.
fn deviates(ranks: &[f32], fold: &[usize]) -> Vec<f64> {
    let mut sizes = [0usize; FOLDS];
    ranks.iter().zip(fold).filter(|(rank, _)| !rank.is_nan()).for_each(|(_, &fold)| sizes[fold] += 1);
    let deviate = |share: f64| {
        let beyond = student::quantile(share.min(1.0 - share), f64::INFINITY);
        if share < 0.5 { -beyond } else { beyond }
    };
    let share = |rank: f32, fold: usize| (f64::from(rank) - 0.5) / sizes[fold].max(1) as f64;
    let of = |(rank, &fold): (&f32, &usize)| if rank.is_nan() { f64::NAN } else { deviate(share(*rank, fold)) };
    ranks.iter().zip(fold).map(of).collect()
}

/// The mean score of a class by its nuisance: a polynomial of second degree, of first, or a constant where there are too few.
struct Location {
    coefficients: Vec<f64>,
    degree: usize,
    /// By column: what the class spans. Beyond it the polynomial is as at its end.
    span: Vec<[f64; 2]>,
}

impl Location {
    fn fit(space: &Covariates, members: &[usize], score: impl Fn(usize) -> f64) -> Self {
        let known: Vec<usize> = members.iter().copied().filter(|&member| score(member).is_finite()).collect();
        let ends = |column: usize| {
            let values = || known.iter().map(|&member| space.at(member)[column]);
            [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
        };
        let span: Vec<[f64; 2]> = (0..space.width).map(ends).collect();
        for degree in [2, 1] {
            let k = terms(&vec![0.0; space.width], degree).len();
            if known.len() < A_COEFFICIENT * k {
                continue;
            }
            let (mut products, mut right) = (vec![0.0; k * k], vec![0.0; k]);
            for &member in &known {
                let terms = terms(space.at(member), degree);
                for (i, one) in terms.iter().enumerate() {
                    right[i] += one * score(member);
                    terms.iter().enumerate().for_each(|(j, other)| products[i * k + j] += one * other);
                }
            }
            // A little, for columns of few values, whose squares say nothing new.
            (0..k).for_each(|i| products[i * k + i] += 1e-6 * known.len() as f64);
            if solve_small(&mut products, &mut right).is_some() {
                return Location { coefficients: right, degree, span };
            }
        }
        // A constant is the same for both sides, so it changes nothing.
        Location { coefficients: vec![0.0], degree: 0, span }
    }

    fn at(&self, nuisance: &[f64]) -> f64 {
        let inside: Vec<f64> = nuisance
            .iter()
            .zip(&self.span)
            .map(|(value, [low, high])| if low <= high { value.clamp(*low, *high) } else { *value })
            .collect();
        terms(&inside, self.degree).iter().zip(&self.coefficients).map(|(term, coefficient)| term * coefficient).sum()
    }
}

/// 1; the columns; their squares and products.
fn terms(of: &[f64], degree: usize) -> Vec<f64> {
    let mut terms = vec![1.0];
    if degree > 0 {
        terms.extend(of);
    }
    if degree > 1 {
        terms.extend((0..of.len()).flat_map(|i| (i..of.len()).map(move |j| of[i] * of[j])));
    }
    terms
}

/// The adjusted AUC, and what of the plain one is lost. `scored`, `placed`: one a projection seed.
fn estimates(
    design: &EvaluationDesign,
    scored: &[ScoredPools],
    sides: &[Side],
    placed: &[Vec<Placed>],
) -> (Option<Estimate>, Option<Estimate>) {
    let pool = Pool::Half(Half::B);
    let resampler = design.resampler(pool);
    let adjusted = |weight: &dyn Fn(usize) -> [f64; REPLICATES]| -> [Option<f64>; REPLICATES] {
        let seeds: Vec<[Option<f64>; REPLICATES]> = placed.iter().map(|of_seed| mean_place(sides, of_seed, weight)).collect();
        std::array::from_fn(|replicate| median(seeds.iter().map(|seed| seed[replicate])))
    };
    let Some(value) = adjusted(&|_| [1.0; REPLICATES])[0] else { return (None, None) };
    let both = |weights: ReplicateWeights| {
        let adjusted = adjusted(&|member| weights.of(member).map(f64::from));
        let seeds: Vec<[[Option<f64>; 2]; REPLICATES]> =
            scored.iter().map(|of| of[pool.index()].mean_and_least_in_replicates(weights)).collect();
        [adjusted, std::array::from_fn(|replicate| median(seeds.iter().map(|seed| seed[replicate][0])))]
    };
    let resampled: Vec<[Option<f64>; 2]> = resampler.each_of_many(design.statistics.bootstraps, both);
    let distribution = sorted(resampled.iter().filter_map(|[adjusted, _]| *adjusted).collect());
    let differences = sorted(resampled.iter().filter_map(|[adjusted, plain]| Some((*plain)? - (*adjusted)?)).collect());
    let effective = placed.iter().map(|of_seed| effective_identities(design, sides, of_seed, value)).min_by(f64::total_cmp);
    let auc = AucInterval::of(&design.counts(pool), FOLDS);
    let estimate = auc.interval(value, &distribution, effective.unwrap_or(0.0));
    let plain = median(scored.iter().map(|of| of[pool.index()].mean_and_least()[0]));
    let lost = plain.map(|plain| plain - value).and_then(|lost| {
        // Where an AUC has no interval, neither has a difference of two.
        if auc.has_enough_identities() { interval(lost, &differences) } else { Some(Estimate::bare(lost)) }
    });
    (estimate, lost)
}

/// The mean place of the cases of each pair; the mean of all pairs.
fn mean_place(sides: &[Side], placed: &[Placed], weight: &dyn Fn(usize) -> [f64; REPLICATES]) -> [Option<f64>; REPLICATES] {
    let of_side = |(side, placed): (&Side, &Placed)| -> [Option<f64>; REPLICATES] {
        let (mut places, mut all) = ([0.0; REPLICATES], [0.0; REPLICATES]);
        for ((&case, matches), wins) in side.cases.iter().zip(&side.matches).zip(placed) {
            let (mut above, mut total) = ([0.0; REPLICATES], [0.0; REPLICATES]);
            for (&other, win) in matches.iter().zip(wins) {
                let (weights, win) = (weight(other as usize), f64::from(*win));
                for replicate in 0..REPLICATES {
                    above[replicate] += weights[replicate] * win;
                    total[replicate] += weights[replicate];
                }
            }
            let own = weight(case);
            for replicate in 0..REPLICATES {
                if total[replicate] > 0.0 {
                    places[replicate] += own[replicate] * above[replicate] / total[replicate];
                    all[replicate] += own[replicate];
                }
            }
        }
        std::array::from_fn(|replicate| (all[replicate] > 0.0).then(|| places[replicate] / all[replicate]))
    };
    let sides: Vec<[Option<f64>; REPLICATES]> = sides.iter().zip(placed).map(of_side).collect();
    std::array::from_fn(|replicate| {
        let known: Vec<f64> = sides.iter().filter_map(|side| side[replicate]).collect();
        (!known.is_empty()).then(|| crate::numeric::sum::mean(&known))
    })
}

/// How many identities carry what keeps the adjusted AUC from being 1 (or 0, if that is nearer): Kish's effective number, the least over
/// sides and over both classes of each.
fn effective_identities(design: &EvaluationDesign, sides: &[Side], placed: &[Placed], value: f64) -> f64 {
    let resampler = design.resampler(Pool::Half(Half::B));
    let of_side = |(side, placed): (&Side, &Placed)| {
        let mut losses = [vec![0.0; resampler.identities()], vec![0.0; resampler.identities()]];
        for ((&case, matches), wins) in side.cases.iter().zip(&side.matches).zip(placed) {
            for (&other, win) in matches.iter().zip(wins) {
                let lost = f64::from(if value < 0.5 { *win } else { 1.0 - win }) / matches.len() as f64;
                losses[0][resampler.identity(case)] += lost;
                losses[1][resampler.identity(other as usize)] += lost;
            }
        }
        kish(&losses[0]).min(kish(&losses[1]))
    };
    sides.iter().zip(placed).map(of_side).min_by(f64::total_cmp).unwrap_or(0.0)
}

#[cfg(test)]
pub(in crate::scoring) mod tests;
