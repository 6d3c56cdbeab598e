//! The fairness appendix of one model: how its linear probes do in groups of identities and their intersections, and what reweighing
//! changes. Rates come with their counts, gaps with their intervals; nothing passes or fails.

use super::{
    all_groups::over_groups,
    frequencies::intersections,
    gaps::GroupPair,
    group_replicates::{GroupReplicates, RateReplicates},
    rates::Confusion,
    worst_served::worst_served,
};
use crate::{
    domain::{
        comparison::Question,
        fairness::{self, Fairness, GroupGap, GroupRates, Support},
        score::{Estimate, Statistics},
    },
    numeric::{Matrix, Purpose},
    scoring::{
        design::{
            EvaluationDesign,
            members::{Setting, groups},
            resample::Resampler,
        },
        inference::{
            difference::difference,
            fdr,
            proportion::{effective_images, wilson},
        },
    },
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the appendix of one model is made of.
pub struct FairnessInput<'a> {
    /// The images, labels and identities.
    pub setting: &'a Setting<'a>,
    /// N × D, of the model's last layer.
    pub features: &'a Matrix,
    /// One row a question, one column an image: the probe's log-odds for the first class; NaN for images that take no part.
    pub decisions: &'a Matrix,
    /// The same of the study's baseline, if this is another model.
    pub baseline: Option<&'a Matrix>,
    /// By row of the decisions. Questions of other than two classes have no rates.
    pub questions: &'a [Question],
    /// The attributes whose values are groups.
    pub attributes: &'a [String],
    /// Groups intersect up to so many attributes.
    pub depth: usize,
    /// How many replicates there are.
    pub statistics: &'a Statistics,
    /// Of halves, folds and replicates.
    pub seed: u64,
}

/// Rates of every group and gaps between groups on every question; q-values over all gaps, and over all differences to a baseline.
pub fn group_fairness(input: &FairnessInput) -> Fairness {
    let identity = groups(input.setting);
    let groups = intersections(input.setting, input.attributes, input.depth);
    let ids: Vec<&str> = input.setting.images.ids().collect();
    let members_of = |group: &Vec<(String, String)>| -> Vec<bool> {
        let has = |row: usize, (attribute, value): &(String, String)| input.setting.labels.of(attribute, ids[row]) == Some(value);
        (0..ids.len()).map(|row| group.iter().all(|value| has(row, value))).collect()
    };
    let is_in: Vec<Vec<bool>> = groups.iter().map(members_of).collect();
    let group_table = GroupMembership { input, identity: &identity, groups: &groups, is_in: &is_in };
    let mut asked: Vec<fairness::QuestionFairness> =
        (0..input.questions.len()).into_par_iter().map(|question| group_table.question(question)).collect();
    let gaps = asked.iter_mut().flat_map(|question| &mut question.gaps);
    let tests = adjust(gaps.filter_map(|gap| Some((gap.p?, &mut gap.q))).collect());
    let beside = asked.iter_mut().flat_map(|question| &mut question.beside_baseline);
    adjust(beside.filter_map(|of| Some((of.p?, &mut of.q))).collect());
    Fairness { format: 1, groups, tests, asked }
}

/// Fills in the q-values of these p-values, and says how many there are.
fn adjust(tests: Vec<(f64, &mut Option<f64>)>) -> usize {
    let p: Vec<f64> = tests.iter().map(|(p, _)| *p).collect();
    tests.into_iter().zip(fdr::q_values(&p)).for_each(|((_, q), of)| *q = Some(of));
    p.len()
}

/// The groups and who is in them.
pub(super) struct GroupMembership<'a> {
    pub input: &'a FairnessInput<'a>,
    /// By image, the number of its identity.
    pub identity: &'a [usize],
    /// Each as attributes and their values.
    pub groups: &'a [Vec<(String, String)>],
    /// By group, by image.
    pub is_in: &'a [Vec<bool>],
}

/// The probe's decision on one image of a question.
#[derive(Clone, Copy)]
pub(super) struct Prediction {
    /// The image.
    pub row: usize,
    /// Its label: is it in the first class?
    pub positive: bool,
    /// The log-odds for the first class.
    pub decision: f64,
    /// Half and fold: decisions are comparable within it.
    pub half_and_fold: usize,
}

impl Prediction {
    /// At log-odds 0.
    pub(super) fn predicted_positive(&self) -> bool {
        self.decision > 0.0
    }
}

impl GroupMembership<'_> {
    fn question(&self, question: usize) -> fairness::QuestionFairness {
        let input = self.input;
        let design = EvaluationDesign::new(input.setting, &input.questions[question], input.statistics, input.seed);
        let predictions = predictions(&design, &input.questions[question], input.decisions.row(question));
        let resampler = self.resampler(&predictions);
        let MeasuredGroups { rates, replicates } = self.measured(&predictions, &resampler);
        let reweighed =
            input.attributes.iter().filter_map(|attribute| self.reweighed(attribute, &design, &predictions, &resampler));
        let counts = self.counts(&predictions);
        let dispersion =
            self.groups_by_attributes().into_iter().map(|groups| over_groups(self.attributes(groups[0]), groups, &counts));
        fairness::QuestionFairness {
            worst_served: worst_served(&self.not_asked(question), &rates, &replicates),
            beside_baseline: self.beside_baseline(question, &design, &predictions),
            reweighed: reweighed.collect(),
            gaps: self.gaps(&counts, &replicates, &rates),
            dispersion: dispersion.collect(),
            cells: rates,
        }
    }

    /// Identities of these images are drawn.
    pub(super) fn resampler(&self, predictions: &[Prediction]) -> Resampler {
        let identity = predictions.iter().map(|prediction| Some(self.identity[prediction.row]));
        Resampler::new(identity, self.input.seed, Purpose::ResampledGroups)
    }

    /// What these predictions are like in each group.
    pub(super) fn measured(&self, predictions: &[Prediction], resampler: &Resampler) -> MeasuredGroups {
        let of_group = |is_in: &Vec<bool>| {
            let replicates = GroupReplicates::new(predictions, is_in, resampler, self.input.statistics.bootstraps);
            (self.group_rates(predictions, is_in, &replicates), replicates)
        };
        let (rates, replicates) = self.is_in.iter().map(of_group).unzip();
        MeasuredGroups { rates, replicates }
    }

    /// Places of the groups that are not of an attribute that the question asks: others are in one class by definition.
    pub(super) fn not_asked(&self, question: usize) -> Vec<usize> {
        let asked = self.input.questions[question].attributes();
        let is_asked = |group: &usize| self.groups[*group].iter().any(|(attribute, _)| asked.contains(attribute.as_str()));
        (0..self.groups.len()).filter(|group| !is_asked(group)).collect()
    }

    fn group_rates(&self, predictions: &[Prediction], is_in: &[bool], replicates: &GroupReplicates) -> GroupRates {
        let here = || predictions.iter().filter(|prediction| is_in[prediction.row]);
        let of_class = |positive: bool| here().filter(move |prediction| prediction.positive == positive);
        // Images of one identity are not independent: for each, those predicted positive, and all.
        let rate = |value: Option<f64>, positive: bool| {
            let mut by_identity: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            for prediction in of_class(positive) {
                let (predicted, n) = by_identity.entry(self.identity[prediction.row]).or_default();
                *predicted += usize::from(prediction.predicted_positive());
                *n += 1;
            }
            let images = by_identity.values().map(|(_, n)| n).sum();
            if Support::of(images) <= Support::TooFew {
                return value.map(Estimate::bare);
            }
            let (low, high) = wilson(value?, effective_images(&by_identity.into_values().collect::<Vec<_>>()))?;
            Some(Estimate::new(value?, low, high))
        };
        let distinct = |rows: &mut dyn Iterator<Item = &Prediction>| {
            rows.map(|prediction| self.identity[prediction.row]).collect::<BTreeSet<_>>().len()
        };
        let images = [true, false].map(|positive| of_class(positive).count());
        let identities = [true, false].map(|positive| distinct(&mut of_class(positive)));
        GroupRates {
            n: here().count(),
            positives: images[0],
            negatives: images[1],
            identities: distinct(&mut here()),
            tpr: rate(replicates.sample.tpr, true),
            fpr: rate(replicates.sample.fpr, false),
            auc: replicates.auc(images, identities),
        }
    }

    /// One table a group, in images.
    fn counts(&self, predictions: &[Prediction]) -> Vec<Confusion> {
        let confusion = |is_in: &Vec<bool>| -> Confusion {
            let here = predictions.iter().filter(|prediction| is_in[prediction.row]);
            here.map(|prediction| (prediction.positive, prediction.predicted_positive(), 1.0)).collect()
        };
        self.is_in.iter().map(confusion).collect()
    }

    /// Every group against the largest group of the same attributes.
    fn gaps(&self, counts: &[Confusion], replicates: &[GroupReplicates], rates: &[GroupRates]) -> Vec<GroupGap> {
        let mut gaps = Vec::new();
        for groups in self.groups_by_attributes() {
            let size = |group: &&usize| (counts[**group].n() as usize, std::cmp::Reverse(**group));
            let reference = groups.iter().max_by_key(size).filter(|group| counts[**group].n() > 0.0);
            let Some(&reference) = reference else { continue };
            for &group in groups.iter().filter(|group| **group != reference) {
                let pair = GroupPair { group: counts[group], reference: counts[reference] };
                let gap = |of: fn(&GroupRates) -> Option<Estimate>, replicate: fn(&RateReplicates) -> Option<f64>| {
                    let pairs = replicates[reference].paired(&replicates[group], replicate);
                    Some(difference(of(&rates[reference])?, of(&rates[group])?, &pairs))
                };
                let tpr = gap(|rates| rates.tpr, |replicate| replicate.tpr);
                gaps.push(GroupGap {
                    group,
                    reference,
                    parity: pair.statistical_parity_of_labels(),
                    impact: pair.disparate_impact_of_labels(),
                    // Rates of a handful of images have no interval, and nothing is tested.
                    p: tpr.and_then(|(_, p)| p),
                    q: None,
                    tpr: tpr.map(|(gap, _)| gap),
                    fpr: gap(|rates| rates.fpr, |replicate| replicate.fpr).map(|(gap, _)| gap),
                    auc: gap(|rates| rates.auc, |replicate| replicate.auc).map(|(gap, _)| gap),
                    odds: pair.equalized_odds(),
                    average: pair.average_odds(),
                });
            }
        }
        gaps
    }

    /// Groups of the same attributes, which partition the images that have them.
    fn groups_by_attributes(&self) -> Vec<Vec<usize>> {
        let all: Vec<usize> = (0..self.groups.len()).collect();
        all.chunk_by(|a, b| self.attributes(*a) == self.attributes(*b)).map(<[usize]>::to_vec).collect()
    }

    /// The attributes whose values make a group.
    fn attributes(&self, group: usize) -> Vec<String> {
        self.groups[group].iter().map(|(attribute, _)| attribute.clone()).collect()
    }
}

/// Of every group.
pub(super) struct MeasuredGroups {
    pub rates: Vec<GroupRates>,
    pub replicates: Vec<GroupReplicates>,
}

/// The images of a question of two classes that have a label and a decision; none of another question. `decisions`: by image.
pub(super) fn predictions(design: &EvaluationDesign, question: &Question, decisions: &[f32]) -> Vec<Prediction> {
    let target = design.targets().into_iter().next().filter(|_| question.width() == 2).unwrap_or_default();
    let prediction = |(member, positive): (usize, Option<bool>)| {
        let row = design.members.rows[member];
        let decision = Some(f64::from(decisions[row])).filter(|decision| !decision.is_nan())?;
        Some(Prediction { row, positive: positive?, decision, half_and_fold: design.split.half_and_fold(member) })
    };
    target.into_iter().enumerate().filter_map(prediction).collect()
}
