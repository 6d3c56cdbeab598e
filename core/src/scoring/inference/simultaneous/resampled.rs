//! The same replicates of identities for all chosen views, features and probes: differences between them are paired.

use super::{LayerScores, ProjectionScores, StudyScores, rows};
use crate::{
    domain::{
        contrast::ContrastSides,
        index::{ComparisonIx, ModelIx},
        ledger::CellId,
        score::Estimate,
        simultaneous::{Difference, Interaction, ViewBesideFeatures},
    },
    numeric::{Purpose, sum},
    scoring::{
        design::{
            EvaluationDesign,
            resample::{ReplicateWeights, Resampler, sorted},
            split::{FOLDS, Half},
        },
        estimators::{auc::Sorted, knn::ScoredFolds},
        inference::{
            bootstrap::{interval, median},
            interval::AucInterval,
            side_difference::{Replicates, SideDifference},
        },
    },
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use typed_index_collections::TiSlice;

/// The scores of a model's chosen view on a comparison, and of the features of the same layer.
struct ChosenView {
    cell: CellId,
    view: Replicates,
    /// The features, by nearest neighbours.
    features: Option<Replicates>,
    /// The features, by the linear probe.
    probe: Option<Replicates>,
}

/// All chosen views in the same replicates.
pub(super) struct ResampledStudy<'a> {
    replicates: usize,
    /// By comparison, on half B.
    intervals: &'a TiSlice<ComparisonIx, AucInterval>,
    /// By model and comparison.
    chosen: BTreeMap<(ModelIx, ComparisonIx), ChosenView>,
}

impl<'a> ResampledStudy<'a> {
    /// `designs` and `intervals`: by comparison; `chosen`: one cell a model and comparison.
    pub(super) fn new(
        study: &StudyScores,
        designs: &TiSlice<ComparisonIx, EvaluationDesign>,
        intervals: &'a TiSlice<ComparisonIx, AucInterval>,
        chosen: &[CellId],
    ) -> Self {
        let identities = designs.iter().flat_map(EvaluationDesign::groups).max().map_or(0, |last| last + 1);
        let replicates = study.statistics.bootstraps;
        let resampler = Resampler::new((0..identities).map(Some), study.seed, Purpose::ResampledGrid);
        let mut by_comparison: BTreeMap<ComparisonIx, Vec<CellId>> = BTreeMap::new();
        chosen.iter().for_each(|cell| by_comparison.entry(cell.comparison).or_default().push(*cell));
        let mut chosen_views = BTreeMap::new();
        for (comparison, cells) in by_comparison {
            let half_b = HalfB::new(&designs[comparison], &resampler, replicates);
            let chosen_view = |cell: &CellId| Some(((cell.model, comparison), half_b.chosen_view(study, *cell)?));
            chosen_views.extend(cells.par_iter().filter_map(chosen_view).collect::<Vec<_>>());
        }
        ResampledStudy { replicates, intervals, chosen: chosen_views }
    }

    /// The difference of every contrast on every comparison on which all its models have a chosen view.
    pub(super) fn differences(&self, contrasts: &[ContrastSides]) -> Vec<Difference> {
        let comparisons: BTreeSet<ComparisonIx> = self.chosen.keys().map(|(_, comparison)| *comparison).collect();
        let indices = (0..contrasts.len()).flat_map(|contrast| comparisons.iter().map(move |&comparison| (contrast, comparison)));
        indices.filter_map(|(contrast, comparison)| self.difference(contrast, &contrasts[contrast], comparison)).collect()
    }

    /// Of one contrast on one comparison; `None` where a side has no chosen view there.
    pub(super) fn difference(&self, contrast: usize, sides: &ContrastSides, comparison: ComparisonIx) -> Option<Difference> {
        let chosen = |model: ModelIx| self.chosen.get(&(model, comparison));
        let mut view = SideDifference::of(sides, self.replicates, &|model, replicate| chosen(model)?.view.at(replicate))?;
        view.sides = self.side_aucs(sides, comparison);
        let view_minus_probe = SideDifference::of(sides, self.replicates, &|model, replicate| {
            Some(chosen(model)?.view.at(replicate)? - chosen(model)?.probe.as_ref()?.at(replicate)?)
        });
        let mean = |models: &[ModelIx]| {
            let values = models.iter().map(|&model| Some(chosen(model)?.view.value)).collect::<Option<Vec<f64>>>();
            values.map(|values| sum::mean(&values))
        };
        let (difference, p) = view.interval_and_p()?;
        Some(Difference {
            held: contrast,
            comparison,
            left: mean(&sides.left)?,
            right: mean(&sides.right)?,
            difference,
            error: view.variance()?.sqrt(),
            p,
            q: 1.0,
            beyond: view_minus_probe.and_then(|difference| Some(difference.interval_and_p()?.0)),
        })
    }

    /// Differences of differences: of two sides on a comparison within some images, less that on the same comparison over all images. `pairs`:
    /// the comparison within, and over all.
    pub(super) fn interactions(&self, contrasts: &[ContrastSides], pairs: &[(ComparisonIx, ComparisonIx)]) -> Vec<Interaction> {
        let indices = (0..contrasts.len()).flat_map(|contrast| pairs.iter().map(move |&pair| (contrast, pair)));
        let interaction = |(contrast, (within, whole)): (usize, (ComparisonIx, ComparisonIx))| {
            let view = |model, comparison, replicate| self.chosen.get(&(model, comparison))?.view.at(replicate);
            let difference = SideDifference::of(&contrasts[contrast], self.replicates, &|model, replicate| {
                Some(view(model, within, replicate)? - view(model, whole, replicate)?)
            })?;
            let (difference, p) = difference.interval_and_p()?;
            Some(Interaction { held: contrast, within, whole, difference, p, q: 1.0 })
        };
        indices.filter_map(interaction).collect()
    }

    /// Both sides' mean AUC of their chosen views with intervals, and in every replicate in which both are defined.
    fn side_aucs(&self, sides: &ContrastSides, comparison: ComparisonIx) -> Option<([Estimate; 2], Vec<[f64; 2]>)> {
        let chosen =
            |models: &[ModelIx]| models.iter().map(|&model| self.chosen.get(&(model, comparison))).collect::<Option<Vec<_>>>();
        let sides = [chosen(&sides.left)?, chosen(&sides.right)?];
        let mean = |side: &[&ChosenView], replicate| {
            side.iter().map(|chosen| chosen.view.at(replicate)).collect::<Option<Vec<f64>>>().map(|values| sum::mean(&values))
        };
        let replicates: Vec<[f64; 2]> = (0..self.replicates)
            .filter_map(|replicate| Some([mean(&sides[0], Some(replicate))?, mean(&sides[1], Some(replicate))?]))
            .collect();
        let estimate = |side: usize| {
            let resampled: Vec<f64> = replicates.iter().map(|sides| sides[side]).collect();
            let effective = sides[side].iter().map(|chosen| chosen.view.effective).min_by(f64::total_cmp)?;
            self.intervals[comparison].interval(mean(&sides[side], None)?, &resampled, effective)
        };
        Some(([estimate(0)?, estimate(1)?], replicates))
    }

    /// Every chosen view less the better of the features' two scores, the better taken in each replicate.
    pub(super) fn views_and_features(&self) -> Vec<ViewBesideFeatures> {
        let compare = |(&(model, comparison), chosen): (&(ModelIx, ComparisonIx), &ChosenView)| {
            let better = |features: Option<f64>, probe: Option<f64>| match (features, probe) {
                (Some(features), Some(probe)) => Some(features.max(probe)),
                (one, other) => one.or(other),
            };
            let at = |score: &Option<Replicates>, replicate| score.as_ref().and_then(|score| score.at(replicate));
            let kept = |replicate| {
                Some(chosen.view.at(replicate)? - better(at(&chosen.features, replicate), at(&chosen.probe, replicate))?)
            };
            let replicates = sorted((0..self.replicates).filter_map(|replicate| kept(Some(replicate))).collect());
            Some(ViewBesideFeatures {
                model,
                comparison,
                cell: chosen.cell,
                features: at(&chosen.features, None),
                probe: at(&chosen.probe, None),
                kept: interval(kept(None)?, &replicates)?,
            })
        };
        self.chosen.iter().filter_map(compare).collect()
    }
}

/// Columns of the ranks, and whether each is in the first class.
type Fold = Vec<(usize, bool)>;

/// The members of half B on one comparison, which are the columns of ranks.
struct HalfB<'a> {
    /// Per pair of classes, per fold.
    pairs: Vec<Vec<Fold>>,
    /// By column.
    identity: Vec<u32>,
    resampler: &'a Resampler,
    replicates: usize,
}

impl<'a> HalfB<'a> {
    fn new(design: &EvaluationDesign, resampler: &'a Resampler, replicates: usize) -> Self {
        let members = design.split.members_of(Half::B);
        let pairs = design
            .pairs()
            .map(|[first, second]| {
                let mut folds = vec![vec![]; FOLDS];
                for (column, &i) in members.iter().enumerate() {
                    if first[i] || second[i] {
                        folds[design.split.fold[i]].push((column, first[i]));
                    }
                }
                folds
            })
            .collect();
        HalfB { pairs, identity: members.iter().map(|&i| design.group(i) as u32).collect(), resampler, replicates }
    }

    /// `None` where the cell has no defined score.
    fn chosen_view(&self, study: &StudyScores, cell: CellId) -> Option<ChosenView> {
        let projection: &ProjectionScores = study.projections.iter().find(|projection| projection.slot.holds(&cell))?;
        let view = projection.scores.views.iter().position(|score| score.view == cell.view)?;
        let seeds: Vec<Replicates> = (0..projection.scores.seeds)
            .map(|seed| self.mean_over_pairs(rows(projection, view, seed, self.pairs.len()).map(|row| projection.ranks.row(row))))
            .collect::<Option<_>>()?;
        let layer = study.features.iter().find(|layer: &&LayerScores| {
            (layer.model, layer.layer, layer.comparison) == (cell.model, cell.layer, cell.comparison)
        });
        // The first rows are by nearest neighbours, the next by the probe.
        let of_features = |which: usize| {
            let layer = layer.filter(|layer| layer.ranks.rows() >= (which + 1) * self.pairs.len())?;
            let rows = which * self.pairs.len()..(which + 1) * self.pairs.len();
            self.mean_over_pairs(rows.map(|row| layer.ranks.row(row)))
        };
        Some(ChosenView {
            cell,
            view: Replicates {
                value: median(seeds.iter().map(|seed| Some(seed.value)))?,
                replicates: (0..self.replicates)
                    .map(|replicate| median(seeds.iter().map(|seed| seed.replicates[replicate])))
                    .collect(),
                effective: seeds.iter().map(|seed| seed.effective).min_by(f64::total_cmp).unwrap_or(0.0),
            },
            features: of_features(0),
            probe: of_features(1),
        })
    }

    /// The mean AUC over pairs. `rows`: ranks, one row a pair.
    fn mean_over_pairs<'r>(&self, rows: impl Iterator<Item = &'r [f32]>) -> Option<Replicates> {
        let sorted = |(ranks, folds): (&[f32], &Vec<Fold>)| {
            let scored = |&(column, first): &(usize, bool)| {
                Some((column as u32, f64::from(ranks[column]), first)).filter(|(_, rank, _)| !rank.is_nan())
            };
            folds.iter().map(|fold| Sorted::new(fold.iter().filter_map(scored).collect())).collect()
        };
        let scored = ScoredFolds(rows.zip(&self.pairs).map(sorted).collect());
        let [value, _] = scored.mean_and_least();
        let means = |weights: ReplicateWeights| {
            let of_columns = ReplicateWeights { identity: &self.identity, ..weights };
            [scored.mean_and_least_in_replicates(of_columns).map(|[mean, _]| mean)]
        };
        let replicates = self.resampler.each_of_many(self.replicates, means);
        let identities = self.resampler.identities();
        let effective = scored.effective_identities_of_losses(identities, |column| self.identity[column] as usize);
        Some(Replicates { value: value?, replicates: replicates.into_iter().map(|[mean]| mean).collect(), effective })
    }
}
