//! One resample of identities for all chosen views, features and probes at once: differences of them are paired.

use super::{LayerScores, ProjectionScores, StudyScores, rows};
use crate::{
    domain::{
        contrast::ContrastSides,
        ledger::CellId,
        score::Estimate,
        simultaneous::{Difference, Interaction, ViewBesideFeatures},
    },
    numeric::{Purpose, sum},
    scoring::{
        design::{
            EvaluationDesign,
            split::{FOLDS, Half},
        },
        estimators::{
            auc::{ReplicateWeights, Sorted},
            knn::Prepared,
        },
        inference::{
            bootstrap::{Resampler, deviation, interval, median, sorted, tested},
            difference,
            interval::AucInterval,
            student,
        },
    },
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A score in the sample and in every resample; `None` where it is undefined.
#[derive(Clone)]
struct Replicates {
    value: f64,
    turns: Vec<Option<f64>>,
    /// How many identities carry its mistakes, where it is an AUC.
    carried: f64,
}

impl Replicates {
    /// In the sample, or in one resample.
    fn at(&self, turn: Option<usize>) -> Option<f64> {
        turn.map_or(Some(self.value), |turn| self.turns[turn])
    }
}

/// How much the trainings of one side vary: the variance of their mean, and the degrees of freedom it is known by.
struct Trainings {
    variance: f64,
    degrees: f64,
}

impl Trainings {
    fn of(values: &[f64]) -> Self {
        let (n, mean) = (values.len() as f64, sum::mean(values));
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Trainings { variance: squares / (n - 1.0) / n, degrees: n - 1.0 }
    }
}

/// A difference, and what is not known of it: who the people are, and, where a factor may be named, how the trainings fell out.
struct Less {
    drawn: Replicates,
    /// Each side by itself, in resamples.
    both_vary: bool,
    /// Both sides with their intervals, and in the resamples in which both are defined, where they are AUCs.
    sides: Option<([Estimate; 2], Vec<[f64; 2]>)>,
    trainings: Option<[Trainings; 2]>,
}

impl Less {
    /// The value in those resamples in which it is defined.
    fn turns(&self) -> Vec<f64> {
        self.drawn.turns.iter().flatten().copied().collect()
    }

    /// Over people, and over trainings where these may be named; `None` where no resample has a value.
    fn variance(&self) -> Option<f64> {
        let turns = self.turns();
        let people = (!turns.is_empty()).then(|| deviation(&turns).powi(2))?;
        // Near 1 resamples vary too little: the sides' own intervals know.
        let arms = self.by_sides().and_then(|(of, _)| of.interval).map_or(0.0, |of| 0.5 * (of.high - of.low) / student::Z);
        let people = people.max(arms * arms);
        Some(people + self.trainings.iter().flatten().map(|side| side.variance).sum::<f64>())
    }

    fn by_sides(&self) -> Option<(Estimate, Option<f64>)> {
        let ([left, right], pairs) = self.sides.as_ref()?;
        Some(difference::less(*left, *right, pairs))
    }

    /// The interval, and how seldom the value would be on the other side of nought, two-sided. A handful of trainings cannot be
    /// drawn with replacement: their variance is added to that over people, and Student's t has Welch's degrees of freedom
    /// (Satterthwaite 1946; Welch 1947).
    fn tested(&self) -> Option<(Estimate, f64)> {
        let value = self.drawn.value;
        let Some(sides) = &self.trainings else {
            if let Some((estimate, p)) = self.by_sides() {
                return Some((estimate, p.unwrap_or(1.0)));
            }
            let sorted = sorted(self.turns());
            let (estimate, p) = tested(value, &sorted)?;
            // Where no resample is on the other side, they cannot say how seldom; their standard deviation can, if both sides vary.
            let none = sorted.first()? * sorted.last()? > 0.0;
            let beyond = student::two_sided(value / deviation(&sorted), f64::INFINITY);
            return Some((estimate, if none && self.both_vary { p.min(beyond) } else { p }));
        };
        let variance = self.variance()?;
        let spent: f64 = sides.iter().map(|side| side.variance.powi(2) / side.degrees).sum();
        let degrees = if spent > 0.0 { variance.powi(2) / spent } else { f64::INFINITY };
        let reach = student::quantile(0.025, degrees) * variance.sqrt();
        let p = if variance > 0.0 { student::two_sided(value / variance.sqrt(), degrees) } else { 1.0 };
        Some((Estimate::new(value, value - reach, value + reach), p))
    }
}

/// A model's chosen view on a comparison, beside its features at the same layer.
struct ChosenView {
    cell: CellId,
    view: Replicates,
    features: Option<Replicates>,
    probe: Option<Replicates>,
}

pub struct Resampled {
    turns: usize,
    /// By comparison, on half B.
    scales: Vec<AucInterval>,
    /// By model and comparison.
    chosen: BTreeMap<(usize, usize), ChosenView>,
}

impl Resampled {
    pub fn new(given: &StudyScores, asked: &[EvaluationDesign], chosen: &[CellId]) -> Self {
        let identities = asked.iter().flat_map(EvaluationDesign::groups).max().map_or(0, |last| last + 1);
        let turns = given.statistics.bootstraps;
        let resampler = Resampler::new((0..identities).map(Some), given.seed, Purpose::ResampledGrid);
        let mut by_comparison: BTreeMap<usize, Vec<CellId>> = BTreeMap::new();
        chosen.iter().for_each(|cell| by_comparison.entry(cell.comparison).or_default().push(*cell));
        let mut found = BTreeMap::new();
        for (comparison, cells) in by_comparison {
            let half = OnHalf::new(&asked[comparison], &resampler, turns);
            let of = |cell: &CellId| Some(((cell.model, comparison), half.chosen(given, *cell)?));
            found.extend(cells.par_iter().filter_map(of).collect::<Vec<_>>());
        }
        Resampled { turns, scales: asked.iter().map(|asked| asked.scale(Half::B)).collect(), chosen: found }
    }

    /// Every comparison in every two sides, where all their models have a chosen view.
    pub fn differences(&self, held: &[ContrastSides]) -> Vec<Difference> {
        let comparisons: BTreeSet<usize> = self.chosen.keys().map(|(_, comparison)| *comparison).collect();
        let places = (0..held.len()).flat_map(|place| comparisons.iter().map(move |&comparison| (place, comparison)));
        places.filter_map(|(place, comparison)| self.difference(place, &held[place], comparison)).collect()
    }

    fn difference(&self, place: usize, held: &ContrastSides, comparison: usize) -> Option<Difference> {
        let chosen = |model: usize| self.chosen.get(&(model, comparison));
        let mut view = self.less(held, &|model, turn| chosen(model)?.view.at(turn))?;
        view.sides = self.sides(held, comparison);
        let beyond =
            self.less(held, &|model, turn| Some(chosen(model)?.view.at(turn)? - chosen(model)?.probe.as_ref()?.at(turn)?));
        let mean = |models: &[usize]| {
            let values = models.iter().map(|&model| Some(chosen(model)?.view.value)).collect::<Option<Vec<f64>>>();
            values.map(|values| sum::mean(&values))
        };
        let (difference, p) = view.tested()?;
        Some(Difference {
            held: place,
            comparison,
            left: mean(&held.left)?,
            right: mean(&held.right)?,
            difference,
            error: view.variance()?.sqrt(),
            p,
            q: 1.0,
            beyond: beyond.and_then(|beyond| Some(beyond.tested()?.0)),
        })
    }

    /// Differences of differences: what two sides differ by on a comparison within some images, less what they differ by on the
    /// same comparison over all. `pairs`: the comparison within, and over all.
    pub fn interactions(&self, held: &[ContrastSides], pairs: &[(usize, usize)]) -> Vec<Interaction> {
        let places = (0..held.len()).flat_map(|place| pairs.iter().map(move |&pair| (place, pair)));
        let of = |(place, (within, whole)): (usize, (usize, usize))| {
            let view = |model, comparison, turn| self.chosen.get(&(model, comparison))?.view.at(turn);
            let less = self.less(&held[place], &|model, turn| Some(view(model, within, turn)? - view(model, whole, turn)?))?;
            let (difference, p) = less.tested()?;
            Some(Interaction { held: place, within, whole, difference, p, q: 1.0 })
        };
        places.filter_map(of).collect()
    }

    /// The right side's mean of a statistic of models less the left side's, in the sample and in every resample of people.
    fn less(&self, held: &ContrastSides, of: &dyn Fn(usize, Option<usize>) -> Option<f64>) -> Option<Less> {
        let all = |models: &[usize], turn| models.iter().map(|&model| of(model, turn)).collect::<Option<Vec<f64>>>();
        let at = |turn| Some(sum::mean(&all(&held.right, turn)?) - sum::mean(&all(&held.left, turn)?));
        let drawn = Replicates { value: at(None)?, turns: (0..self.turns).map(|turn| at(Some(turn))).collect(), carried: 0.0 };
        let sides = [all(&held.left, None)?, all(&held.right, None)?];
        let varies = |models: &[usize]| (1..self.turns).any(|turn| all(models, Some(turn)) != all(models, Some(0)));
        let both_vary = varies(&held.left) && varies(&held.right);
        let trainings = held.names_factor().then(|| sides.map(|side| Trainings::of(&side)));
        Some(Less { drawn, both_vary, sides: None, trainings })
    }

    /// Both sides' mean AUC of their chosen views, with intervals.
    fn sides(&self, held: &ContrastSides, comparison: usize) -> Option<([Estimate; 2], Vec<[f64; 2]>)> {
        let chosen =
            |models: &[usize]| models.iter().map(|&model| self.chosen.get(&(model, comparison))).collect::<Option<Vec<_>>>();
        let sides = [chosen(&held.left)?, chosen(&held.right)?];
        let mean = |side: &[&ChosenView], turn| {
            side.iter().map(|of| of.view.at(turn)).collect::<Option<Vec<f64>>>().map(|values| sum::mean(&values))
        };
        let turns: Vec<[f64; 2]> =
            (0..self.turns).filter_map(|turn| Some([mean(&sides[0], Some(turn))?, mean(&sides[1], Some(turn))?])).collect();
        let estimate = |side: usize| {
            let resampled: Vec<f64> = turns.iter().map(|turn| turn[side]).collect();
            let carried = sides[side].iter().map(|of| of.view.carried).min_by(f64::total_cmp)?;
            self.scales[comparison].interval(mean(&sides[side], None)?, &resampled, carried)
        };
        Some(([estimate(0)?, estimate(1)?], turns))
    }

    /// Every chosen view less the better of its features' neighbours and their probe, the better taken in each resample.
    pub fn kept(&self) -> Vec<ViewBesideFeatures> {
        let of = |(&(model, comparison), chosen): (&(usize, usize), &ChosenView)| {
            let better = |features: Option<f64>, probe: Option<f64>| match (features, probe) {
                (Some(features), Some(probe)) => Some(features.max(probe)),
                (one, other) => one.or(other),
            };
            let of = |drawn: &Option<Replicates>, turn| drawn.as_ref().and_then(|drawn| drawn.at(turn));
            let kept = |turn| Some(chosen.view.at(turn)? - better(of(&chosen.features, turn), of(&chosen.probe, turn))?);
            let turns = sorted((0..self.turns).filter_map(|turn| kept(Some(turn))).collect());
            Some(ViewBesideFeatures {
                model,
                comparison,
                cell: chosen.cell,
                features: of(&chosen.features, None),
                probe: of(&chosen.probe, None),
                kept: interval(kept(None)?, &turns)?,
            })
        };
        self.chosen.iter().filter_map(of).collect()
    }
}

/// Columns of the ranks, and whether each is of the first class.
type Fold = Vec<(usize, bool)>;

/// Half B of one comparison: who is in each pair of classes, and who everybody is.
struct OnHalf<'a> {
    /// Per pair.
    pairs: Vec<Vec<Fold>>,
    /// By column.
    identity: Vec<u32>,
    resampler: &'a Resampler,
    turns: usize,
}

impl<'a> OnHalf<'a> {
    fn new(asked: &EvaluationDesign, resampler: &'a Resampler, turns: usize) -> Self {
        let members = asked.split.of(Half::B);
        let pairs = asked
            .pairs()
            .map(|[first, second]| {
                let mut folds = vec![vec![]; FOLDS];
                for (column, &i) in members.iter().enumerate() {
                    if first[i] || second[i] {
                        folds[asked.split.fold[i]].push((column, first[i]));
                    }
                }
                folds
            })
            .collect();
        OnHalf { pairs, identity: members.iter().map(|&i| asked.group(i) as u32).collect(), resampler, turns }
    }

    fn chosen(&self, given: &StudyScores, cell: CellId) -> Option<ChosenView> {
        let of: &ProjectionScores = given.projections.iter().find(|of| of.slot.holds(&cell))?;
        let view = of.scores.views.iter().position(|score| score.view == cell.view)?;
        let seeds: Vec<Replicates> = (0..of.scores.seeds)
            .map(|seed| self.drawn(rows(of, view, seed, self.pairs.len()).map(|row| of.ranks.row(row))))
            .collect::<Option<_>>()?;
        let features = given
            .features
            .iter()
            .find(|of: &&LayerScores| (of.model, of.layer, of.comparison) == (cell.model, cell.layer, cell.comparison));
        let at = |first: usize| {
            let of = features.filter(|of| of.ranks.rows() >= (first + 1) * self.pairs.len())?;
            self.drawn((first * self.pairs.len()..(first + 1) * self.pairs.len()).map(|row| of.ranks.row(row)))
        };
        Some(ChosenView {
            cell,
            view: Replicates {
                value: median(seeds.iter().map(|seed| Some(seed.value)))?,
                turns: (0..self.turns).map(|turn| median(seeds.iter().map(|seed| seed.turns[turn]))).collect(),
                carried: seeds.iter().map(|seed| seed.carried).min_by(f64::total_cmp).unwrap_or(0.0),
            },
            features: at(0),
            probe: at(1),
        })
    }

    /// The mean over pairs, in the sample and in every resample. `rows`: ranks, one row a pair.
    fn drawn<'r>(&self, rows: impl Iterator<Item = &'r [f32]>) -> Option<Replicates> {
        let sorted = |(ranks, folds): (&[f32], &Vec<Fold>)| {
            let scored = |&(column, first): &(usize, bool)| {
                Some((column as u32, f64::from(ranks[column]), first)).filter(|(_, rank, _)| !rank.is_nan())
            };
            folds.iter().map(|fold| Sorted::new(fold.iter().filter_map(scored).collect())).collect()
        };
        let prepared = Prepared(rows.zip(&self.pairs).map(sorted).collect());
        let [value, _] = prepared.mean_and_least();
        let means = |weights: ReplicateWeights| {
            let of_columns = ReplicateWeights { identity: &self.identity, ..weights };
            [prepared.resampled(of_columns).map(|[mean, _]| mean)]
        };
        let turns = self.resampler.each_of_many(self.turns, means);
        let people = self.resampler.people();
        let carried = prepared.carried(people, |column| self.identity[column] as usize);
        Some(Replicates { value: value?, turns: turns.into_iter().map(|[mean]| mean).collect(), carried })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    /// Three trainings a side, and nothing between them but chance: a difference is named once in twenty times, not in five.
    #[test]
    fn a_few_trainings_name_a_factor_as_seldom_as_they_should() {
        let mut dice = PhiloxStream::for_test(5, 5);
        let mut normal = || dice.normals(1.0)[0];
        let runs = 2000;
        let named = (0..runs)
            .filter(|_| {
                let sides = [0, 1].map(|_| [normal(), normal(), normal()]);
                let value = sum::mean(&sides[1]) - sum::mean(&sides[0]);
                let drawn = Replicates { value, turns: (0..50).map(|_| Some(value + 0.05 * normal())).collect(), carried: 0.0 };
                let less = Less { drawn, both_vary: true, sides: None, trainings: Some(sides.map(|side| Trainings::of(&side))) };
                less.tested().unwrap().1 <= 0.05
            })
            .count();
        assert!((0.02..0.065).contains(&(named as f64 / f64::from(runs))), "{named} of {runs}");
    }
}
