//! One resample of identities for all chosen views, features and probes at once: differences of them are paired.

use super::{Given, OfFeatures, OfProjection, rows};
use crate::{
    domain::{
        contrast::Held,
        grid::{Difference, Kept},
        ledger::CellId,
    },
    numeric::{Stream, sum},
    scoring::{
        auc::{ManyWins, Sorted, TURNS, Weights},
        bootstrap::{interval, median},
        split::{FOLDS, Half},
        views::Asked,
    },
};
use rayon::prelude::*;
use std::collections::BTreeMap;

const STREAM: u64 = 7 << 40;
/// The trainings of a side are drawn too, where there are enough.
const TRAININGS: u64 = 8 << 40;

/// A score in the sample and in every resample; `None` where it is undefined.
#[derive(Clone)]
struct Drawn {
    value: f64,
    turns: Vec<Option<f64>>,
}

/// A model's chosen view on a comparison, beside its features at the same tap.
struct Chosen {
    cell: CellId,
    view: Drawn,
    features: Option<Drawn>,
    probe: Option<Drawn>,
}

pub struct Resampled {
    seed: u64,
    /// By model and comparison.
    chosen: BTreeMap<(usize, usize), Chosen>,
}

impl Resampled {
    pub fn new(given: &Given, asked: &[Asked], chosen: &[CellId]) -> Self {
        let identities = asked.iter().flat_map(Asked::groups).max().map_or(0, |last| last + 1);
        let turns = given.statistics.bootstraps;
        let draw = |turn: usize| {
            let mut stream = Stream::new(given.seed, STREAM + turn as u64);
            let mut times = vec![0u32; identities];
            stream.multiplicities(&mut times);
            times
        };
        let times: Vec<Vec<u32>> = (0..turns).into_par_iter().map(draw).collect();
        let mut by_comparison: BTreeMap<usize, Vec<CellId>> = BTreeMap::new();
        chosen.iter().for_each(|cell| by_comparison.entry(cell.comparison).or_default().push(*cell));
        let mut found = BTreeMap::new();
        for (comparison, cells) in by_comparison {
            let half = OnHalf::new(&asked[comparison], &times);
            let of = |cell: &CellId| Some(((cell.model, comparison), half.chosen(given, *cell)?));
            found.extend(cells.par_iter().filter_map(of).collect::<Vec<_>>());
        }
        Resampled { seed: given.seed, chosen: found }
    }

    /// Every comparison in every two sides, where all their models have a chosen view.
    pub fn differences(&self, held: &[Held]) -> Vec<Difference> {
        let comparisons: std::collections::BTreeSet<usize> = self.chosen.keys().map(|(_, comparison)| *comparison).collect();
        let mut differences = Vec::new();
        for (place, of) in held.iter().enumerate() {
            for &comparison in &comparisons {
                let side = |models: &[usize]| -> Option<Vec<&Chosen>> {
                    models.iter().map(|&model| self.chosen.get(&(model, comparison))).collect()
                };
                let (Some(left), Some(right)) = (side(&of.left), side(&of.right)) else { continue };
                differences.extend(self.difference(place, comparison, &left, &right, of.names_factor()));
            }
        }
        differences
    }

    fn difference(&self, held: usize, comparison: usize, left: &[&Chosen], right: &[&Chosen], many: bool) -> Option<Difference> {
        let mean = |side: &[&Chosen], of: fn(&Chosen) -> Option<f64>| {
            side.iter().map(|chosen| of(chosen)).collect::<Option<Vec<f64>>>().map(|values| sum::mean(&values))
        };
        let turns = left.first()?.view.turns.len();
        // With enough trainings a side, they are a sample too, and drawn like people.
        let drawn = |side: &[&Chosen], turn: usize, other: u64, of: &dyn Fn(&Chosen) -> Option<f64>| {
            let mut stream = Stream::new(self.seed, TRAININGS + ((held as u64 * 2 + other) << 24) + turn as u64);
            let pick = |place: usize, stream: &mut Stream| if many { stream.below(side.len() as u64) as usize } else { place };
            let values: Option<Vec<f64>> = (0..side.len()).map(|place| of(side[pick(place, &mut stream)])).collect();
            values.map(|values| sum::mean(&values))
        };
        let resampled = |of: &dyn Fn(&Chosen, usize) -> Option<f64>| -> Vec<f64> {
            let mut values: Vec<f64> = (0..turns)
                .filter_map(|turn| {
                    let of = |chosen: &Chosen| of(chosen, turn);
                    Some(drawn(right, turn, 1, &of)? - drawn(left, turn, 0, &of)?)
                })
                .collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let view = |chosen: &Chosen| Some(chosen.view.value);
        let (before, after) = (mean(left, view)?, mean(right, view)?);
        let sorted = resampled(&|chosen, turn| chosen.view.turns[turn]);
        let below = sorted.partition_point(|value| *value <= 0.0);
        let above = sorted.len() - sorted.partition_point(|value| *value < 0.0);
        let beyond = |chosen: &Chosen| Some(chosen.view.value - chosen.probe.as_ref()?.value);
        let beyond_at = |chosen: &Chosen, turn: usize| Some(chosen.view.turns[turn]? - chosen.probe.as_ref()?.turns[turn]?);
        Some(Difference {
            held,
            comparison,
            left: before,
            right: after,
            difference: interval(after - before, &sorted)?,
            p: (2.0 * (1 + below.min(above)) as f64 / (1 + sorted.len()) as f64).min(1.0),
            q: 1.0,
            beyond: mean(left, beyond)
                .zip(mean(right, beyond))
                .and_then(|(left, right)| interval(right - left, &resampled(&beyond_at))),
        })
    }

    /// Every chosen view less the better of its features' neighbours and their probe, the better taken in each resample.
    pub fn kept(&self) -> Vec<Kept> {
        let of = |(&(model, comparison), chosen): (&(usize, usize), &Chosen)| {
            let better = |features: Option<f64>, probe: Option<f64>| match (features, probe) {
                (Some(features), Some(probe)) => Some(features.max(probe)),
                (one, other) => one.or(other),
            };
            let value = |drawn: &Option<Drawn>| drawn.as_ref().map(|drawn| drawn.value);
            let at = |drawn: &Option<Drawn>, turn: usize| drawn.as_ref().and_then(|drawn| drawn.turns[turn]);
            let kept = chosen.view.value - better(value(&chosen.features), value(&chosen.probe))?;
            let mut sorted: Vec<f64> = (0..chosen.view.turns.len())
                .filter_map(|turn| Some(chosen.view.turns[turn]? - better(at(&chosen.features, turn), at(&chosen.probe, turn))?))
                .collect();
            sorted.sort_unstable_by(f64::total_cmp);
            Some(Kept {
                model,
                comparison,
                cell: chosen.cell,
                features: value(&chosen.features),
                probe: value(&chosen.probe),
                kept: interval(kept, &sorted)?,
            })
        };
        self.chosen.iter().filter_map(of).collect()
    }
}

/// Half B of one comparison: who is in each pair of classes, and how often each was drawn.
struct OnHalf {
    /// Per pair, per fold: columns of the ranks, and whether each is of the first class.
    pairs: Vec<Vec<Vec<(usize, bool)>>>,
    /// By block of turns, by column.
    weights: Vec<Vec<Weights>>,
    turns: usize,
}

impl OnHalf {
    fn new(asked: &Asked, times: &[Vec<u32>]) -> Self {
        let members: Vec<usize> = (0..asked.members.rows.len()).filter(|&i| asked.split.half[i] == Half::B).collect();
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
        let block = |turns: &[Vec<u32>]| {
            let weight =
                |&i: &usize| std::array::from_fn(|lane| turns.get(lane).map_or(0.0, |times| times[asked.group(i)] as f32));
            members.iter().map(weight).collect()
        };
        OnHalf { pairs, weights: times.par_chunks(TURNS).map(block).collect(), turns: times.len() }
    }

    fn chosen(&self, given: &Given, cell: CellId) -> Option<Chosen> {
        let of: &OfProjection = given.projections.iter().find(|of| {
            let slot = of.slot;
            (slot.model, slot.tap, slot.projection, slot.comparison) == (cell.model, cell.tap, cell.projection, cell.comparison)
        })?;
        let view = of.scores.views.iter().position(|score| score.view == cell.view)?;
        let seeds: Vec<Drawn> = (0..of.scores.seeds)
            .map(|seed| self.drawn(rows(of, view, seed, self.pairs.len()).map(|row| of.ranks.row(row))))
            .collect::<Option<_>>()?;
        let features = given
            .features
            .iter()
            .find(|of: &&OfFeatures| (of.model, of.tap, of.comparison) == (cell.model, cell.tap, cell.comparison));
        let at = |first: usize| {
            let of = features.filter(|of| of.ranks.rows() >= (first + 1) * self.pairs.len())?;
            self.drawn((first * self.pairs.len()..(first + 1) * self.pairs.len()).map(|row| of.ranks.row(row)))
        };
        Some(Chosen {
            cell,
            view: Drawn {
                value: median(seeds.iter().map(|seed| Some(seed.value)))?,
                turns: (0..self.turns).map(|turn| median(seeds.iter().map(|seed| seed.turns[turn]))).collect(),
            },
            features: at(0),
            probe: at(1),
        })
    }

    /// The mean over pairs, in the sample and in every resample. `rows`: ranks, one row a pair.
    fn drawn<'r>(&self, rows: impl Iterator<Item = &'r [f32]>) -> Option<Drawn> {
        let sorted: Vec<Vec<Sorted>> = rows
            .zip(&self.pairs)
            .map(|(ranks, folds)| {
                let scored = |&(column, first): &(usize, bool)| {
                    Some((column as u32, f64::from(ranks[column]), first)).filter(|(_, rank, _)| !rank.is_nan())
                };
                folds.iter().map(|fold| Sorted::new(fold.iter().filter_map(scored).collect())).collect()
            })
            .collect();
        let aucs = |weights: &[Weights]| -> [Option<f64>; TURNS] {
            let pairs: Vec<[Option<f64>; TURNS]> = sorted
                .iter()
                .map(|folds| {
                    let mut wins = ManyWins::NONE;
                    folds.iter().for_each(|fold| fold.add_wins(weights, &mut wins));
                    wins.auc()
                })
                .collect();
            std::array::from_fn(|turn| {
                let all: Vec<f64> = pairs.iter().filter_map(|pair| pair[turn]).collect();
                (!all.is_empty()).then(|| sum::mean(&all))
            })
        };
        let once = vec![[1.0; TURNS]; self.weights.first().map_or(0, Vec::len)];
        let value = aucs(&once)[0]?;
        let turns = self.weights.iter().flat_map(|weights| aucs(weights)).take(self.turns).collect();
        Some(Drawn { value, turns })
    }
}
