//! The fairness appendix of one model: how its linear probes fare among groups and their intersections, and what reweighing
//! them does. Rates stand beside their counts, gaps beside their intervals; nothing is a pass or a fail.

use super::{
    frequencies::intersections,
    gaps::{GroupPair, range},
    rates::Confusion,
    reweigh::reweigh,
};
use crate::{
    domain::{
        comparison::Question,
        fairness::{self, Fairness, GroupGap, GroupRates, Reweighed, SUPPRESSED, Support},
        score::{Estimate, Statistics},
    },
    numeric::{Matrix, Purpose},
    scoring::{
        design::{
            EvaluationDesign,
            members::{Setting, groups},
            split::FOLDS,
        },
        estimators::{
            auc::{self, REPLICATES, ReplicateWeights, Sorted},
            knn, probe,
        },
        inference::{
            bootstrap::{Resampler, interval},
            difference,
            interval::AucInterval,
            proportion::{effective, wilson},
            simultaneous::discoveries,
        },
    },
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of one model.
pub struct FairnessInput<'a> {
    pub setting: &'a Setting<'a>,
    /// N × D, of its last layer.
    pub features: &'a Matrix,
    /// One row a question, one column an image: log-odds for the first class; NaN for images without.
    pub decisions: &'a Matrix,
    /// Those of the decisions, in their order.
    pub questions: &'a [Question],
    pub attributes: &'a [String],
    pub depth: usize,
    pub statistics: &'a Statistics,
    pub seed: u64,
}

pub fn gaps(given: &FairnessInput) -> Fairness {
    let identity = groups(given.setting);
    let named = intersections(given.setting, given.attributes, given.depth);
    let ids: Vec<&str> = given.setting.images.ids().collect();
    let is_in = |members: &Vec<(String, String)>| -> Vec<bool> {
        let has = |row: usize, (attribute, value): &(String, String)| given.setting.labels.of(attribute, ids[row]) == Some(value);
        (0..ids.len()).map(|row| members.iter().all(|member| has(row, member))).collect()
    };
    let inside: Vec<Vec<bool>> = named.iter().map(is_in).collect();
    let world = QuestionGroups { given, identity: &identity, named: &named, inside: &inside };
    let mut asked: Vec<fairness::QuestionFairness> =
        (0..given.questions.len()).into_par_iter().map(|question| world.question(question)).collect();
    let p: Vec<f64> = asked.iter().flat_map(|asked| &asked.gaps).filter_map(|gap| gap.p).collect();
    let mut q = discoveries(&p).into_iter();
    for gap in asked.iter_mut().flat_map(|asked| &mut asked.gaps).filter(|gap| gap.p.is_some()) {
        gap.q = q.next();
    }
    Fairness { format: 1, groups: named, tests: p.len(), asked }
}

struct QuestionGroups<'a> {
    given: &'a FairnessInput<'a>,
    identity: &'a [usize],
    named: &'a [Vec<(String, String)>],
    /// By group, by image.
    inside: &'a [Vec<bool>],
}

/// One image of a question: its row, its label and the log-odds for it, and where scores may be compared.
struct Prediction {
    row: usize,
    positive: bool,
    decision: f64,
    place: usize,
}

impl QuestionGroups<'_> {
    fn question(&self, question: usize) -> fairness::QuestionFairness {
        let given = self.given;
        let asked = EvaluationDesign::new(given.setting, &given.questions[question], given.statistics, given.seed);
        let two = given.questions[question].width() == 2;
        let target = asked.targets().into_iter().next().filter(|_| two).unwrap_or_default();
        let of = |(member, positive): (usize, Option<bool>)| {
            let row = asked.members.rows[member];
            let decision = Some(f64::from(given.decisions.row(question)[row])).filter(|decision| !decision.is_nan())?;
            Some(Prediction { row, positive: positive?, decision, place: asked.split.place(member) })
        };
        let shown: Vec<Prediction> = target.into_iter().enumerate().filter_map(of).collect();
        let resampler =
            Resampler::new(shown.iter().map(|shown| Some(self.identity[shown.row])), given.seed, Purpose::ResampledGroups);
        let drawn: Vec<GroupReplicates> = self.inside.iter().map(|inside| self.draw(&shown, inside, &resampler)).collect();
        let cells: Vec<GroupRates> =
            self.inside.iter().zip(&drawn).map(|(inside, drawn)| self.cell(&shown, inside, drawn)).collect();
        fairness::QuestionFairness {
            gaps: self.gaps(&shown, &drawn, &cells),
            cells,
            reweighed: given
                .attributes
                .iter()
                .filter_map(|attribute| self.reweighed(attribute, &asked, &shown, &resampler))
                .collect(),
        }
    }

    /// A group's rates in the sample and in every resample.
    fn draw(&self, shown: &[Prediction], inside: &[bool], resampler: &Resampler) -> GroupReplicates {
        let mut folds = vec![vec![]; 2 * FOLDS];
        for (member, shown) in shown.iter().enumerate().filter(|(_, shown)| inside[shown.row]) {
            folds[shown.place].push((member as u32, shown.decision, shown.positive));
        }
        let folds: Vec<Sorted> = folds.into_iter().map(Sorted::new).collect();
        let of = |weights: ReplicateWeights| {
            let [tpr, fpr] = rates(shown, |shown| inside[shown.row].then_some(shown.decision > 0.0), weights);
            [tpr, fpr, auc::resampled(&folds, weights)]
        };
        let value = once(shown, of).map(|values| values[0]);
        let turns = resampler.each_of_many(self.given.statistics.bootstraps, of);
        let carried = knn::carried(&folds, resampler.people(), |member| resampler.identity(member));
        let within = folds.iter().filter(|fold| fold.count(true) > 0 && fold.count(false) > 0).count().max(1);
        GroupReplicates { value, turns, carried, folds: within }
    }

    fn cell(&self, shown: &[Prediction], inside: &[bool], drawn: &GroupReplicates) -> GroupRates {
        let here = || shown.iter().filter(|shown| inside[shown.row]);
        // Images of one identity are not independent: its positives of n.
        let rate = |value: Option<f64>, of: bool| {
            let mut people: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            for shown in here().filter(|shown| shown.positive == of) {
                let (yes, n) = people.entry(self.identity[shown.row]).or_default();
                *yes += usize::from(shown.decision > 0.0);
                *n += 1;
            }
            let images = people.values().map(|(_, n)| n).sum();
            if Support::of(images) <= Support::TooFew {
                return value.map(Estimate::bare);
            }
            let (low, high) = wilson(value?, effective(&people.into_values().collect::<Vec<_>>()))?;
            Some(Estimate::new(value?, low, high))
        };
        let people = |of: bool| {
            here().filter(|shown| shown.positive == of).map(|shown| self.identity[shown.row]).collect::<BTreeSet<_>>().len()
        };
        let images = |of: bool| here().filter(|shown| shown.positive == of).count();
        GroupRates {
            n: here().count(),
            positives: images(true),
            negatives: images(false),
            identities: here().map(|shown| self.identity[shown.row]).collect::<BTreeSet<_>>().len(),
            tpr: rate(drawn.value[0], true),
            fpr: rate(drawn.value[1], false),
            auc: drawn.auc([true, false].map(images), [true, false].map(people)),
        }
    }

    fn gaps(&self, shown: &[Prediction], drawn: &[GroupReplicates], cells: &[GroupRates]) -> Vec<GroupGap> {
        let confusion = |group: usize| -> Confusion {
            let here = shown.iter().filter(|shown| self.inside[group][shown.row]);
            here.map(|shown| (shown.positive, shown.decision > 0.0, 1.0)).collect()
        };
        let counted: Vec<Confusion> = (0..self.named.len()).map(confusion).collect();
        let mut gaps = Vec::new();
        for part in self.parts() {
            let size = |group: &&usize| (counted[**group].n() as usize, std::cmp::Reverse(**group));
            let Some(&reference) = part.iter().max_by_key(size).filter(|group| counted[**group].n() > 0.0) else { continue };
            for &group in part.iter().filter(|group| **group != reference) {
                let pair = GroupPair { group: counted[group], reference: counted[reference] };
                let less = |place: usize, of: fn(&GroupRates) -> Option<Estimate>| {
                    let sides = [of(&cells[reference])?, of(&cells[group])?];
                    Some(difference::less(sides[0], sides[1], &drawn[group].beside(&drawn[reference], place)))
                };
                let [tpr, fpr, auc] = [less(0, |cell| cell.tpr), less(1, |cell| cell.fpr), less(2, |cell| cell.auc)];
                gaps.push(GroupGap {
                    group,
                    reference,
                    parity: pair.statistical_parity_of_labels(),
                    impact: pair.disparate_impact_of_labels(),
                    // Rates of a handful never vary in a resample: they have no interval, and test nothing.
                    p: tpr.and_then(|(_, p)| p),
                    q: None,
                    tpr: tpr.map(|(gap, _)| gap),
                    fpr: fpr.map(|(gap, _)| gap),
                    auc: auc.map(|(gap, _)| gap),
                    odds: pair.equalized_odds(),
                    average: pair.average_odds(),
                });
            }
        }
        gaps
    }

    /// Groups of the same attributes.
    fn parts(&self) -> Vec<Vec<usize>> {
        let attributes = |group: &usize| self.named[*group].iter().map(|(attribute, _)| attribute).collect::<Vec<_>>();
        let all: Vec<usize> = (0..self.named.len()).collect();
        all.chunk_by(|a, b| attributes(a) == attributes(b)).map(<[usize]>::to_vec).collect()
    }

    /// The probe again, with weights that make the groups of one attribute equal in base rate.
    fn reweighed(
        &self,
        attribute: &String,
        asked: &EvaluationDesign,
        shown: &[Prediction],
        resampler: &Resampler,
    ) -> Option<Reweighed> {
        let groups: Vec<usize> =
            (0..self.named.len()).filter(|&group| self.named[group].len() == 1 && self.named[group][0].0 == *attribute).collect();
        let group_of = |row: usize| groups.iter().position(|&group| self.inside[group][row]);
        let nothing = Reweighed {
            attribute: attribute.clone(),
            refused: None,
            before: None,
            after: None,
            change: None,
            levels: vec![],
            groups: groups.clone(),
            levelled_down: false,
        };
        if shown.is_empty() || groups.len() < 2 {
            return None;
        }
        let positives = |group: &&usize| shown.iter().filter(|shown| shown.positive && self.inside[**group][shown.row]).count();
        let labelled: Vec<&Prediction> = shown.iter().filter(|shown| group_of(shown.row).is_some()).collect();
        let (group, label): (Vec<usize>, Vec<bool>) =
            labelled.iter().map(|shown| (group_of(shown.row).unwrap_or(0), shown.positive)).unzip();
        let weights = match reweigh(&group, &label, None) {
            Ok(weights) => weights,
            Err(empty) => {
                let value = &self.named[groups[empty.group]][0].1;
                let label = if empty.label { "first" } else { "second" };
                let refused = format!("nobody of {attribute} = {value} is in the {label} class");
                return Some(Reweighed { refused: Some(refused), ..nothing });
            }
        };
        if let Some(small) = groups.iter().find(|group| positives(group) < SUPPRESSED) {
            let refused = format!("{attribute} = {} has too few of the first class to say", self.named[*small][0].1);
            return Some(Reweighed { refused: Some(refused), ..nothing });
        }
        let images = self.given.features.rows();
        let mut weight = vec![0.0; images];
        labelled.iter().zip(weights).for_each(|(shown, of)| weight[shown.row] = of);
        let mut folds = vec![0; images];
        asked.members.rows.iter().zip(&asked.split.fold).for_each(|(&row, &fold)| folds[row] = fold);
        let mut target = [vec![None; images], vec![None; images]];
        for shown in &labelled {
            target[shown.place / FOLDS][shown.row] = Some(shown.positive);
        }
        let questions = target.each_ref().map(|target| probe::ProbeTask { target, fold: &folds, weight: Some(&weight) });
        let again = probe::probe(self.given.features, &questions);
        let after = |shown: &Prediction| again[shown.place / FOLDS][shown.row];

        let tprs = |group: usize, weights: ReplicateWeights| -> [[Option<f64>; REPLICATES]; 2] {
            let inside = &self.inside[group];
            let before = rates(shown, |shown| inside[shown.row].then_some(shown.decision > 0.0), weights);
            let now = rates(shown, |shown| (inside[shown.row] && !after(shown).is_nan()).then(|| after(shown) > 0.0), weights);
            [before[0], now[0]]
        };
        let gap = |weights: ReplicateWeights| -> [[Option<f64>; REPLICATES]; 3] {
            let all: Vec<[[Option<f64>; REPLICATES]; 2]> = groups.iter().map(|&group| tprs(group, weights)).collect();
            let [before, now] = [0, 1].map(|when| {
                std::array::from_fn::<Option<f64>, REPLICATES, _>(|turn| {
                    let levels: Option<Vec<f64>> = all.iter().map(|of| of[when][turn]).collect();
                    range(&levels?)
                })
            });
            [before, now, std::array::from_fn(|turn| Some(now[turn]? - before[turn]?))]
        };
        let [before, now, change] = once(shown, gap).map(|values| values[0]);
        let levels: Vec<[Option<f64>; 2]> =
            groups.iter().map(|&group| once(shown, |weights| tprs(group, weights)).map(|values| values[0])).collect();
        let [.., changes] = resampler.distributions_of_many(self.given.statistics.bootstraps, gap);
        let change = change.and_then(|change| interval(change, &changes));
        let surely = change.and_then(Estimate::high).is_some_and(|high| high < 0.0);
        let grew = levels.iter().any(|[before, after]| before.zip(*after).is_some_and(|(before, after)| after > before));
        Some(Reweighed { before, after: now, change, levels, levelled_down: surely && !grew, ..nothing })
    }
}

/// In the sample itself, as if everybody were drawn once in every turn.
fn once<T>(shown: &[Prediction], statistic: impl Fn(ReplicateWeights) -> T) -> T {
    statistic(ReplicateWeights { times: &[[1; REPLICATES]], identity: &vec![0; shown.len()] })
}

/// True and false positive rate of a group in many resamples. `predicted`: `None` for images outside the group.
fn rates(
    shown: &[Prediction],
    predicted: impl Fn(&Prediction) -> Option<bool>,
    weights: ReplicateWeights,
) -> [[Option<f64>; REPLICATES]; 2] {
    let (mut yes, mut all) = ([[0.0f64; REPLICATES]; 2], [[0.0f64; REPLICATES]; 2]);
    for (member, shown) in shown.iter().enumerate() {
        let Some(predicted) = predicted(shown) else { continue };
        let weight = weights.of(member);
        let of = usize::from(!shown.positive);
        for turn in 0..REPLICATES {
            let weight = f64::from(weight[turn]);
            all[of][turn] += weight;
            yes[of][turn] += if predicted { weight } else { 0.0 };
        }
    }
    [0, 1].map(|of| std::array::from_fn(|turn| (all[of][turn] > 0.0).then(|| yes[of][turn] / all[of][turn])))
}

/// TPR, FPR and AUC of one group, in the sample and in every resample.
struct GroupReplicates {
    value: [Option<f64>; 3],
    turns: Vec<[Option<f64>; 3]>,
    /// How many identities carry the AUC's mistakes, and in how many folds there are both classes.
    carried: f64,
    folds: usize,
}

impl GroupReplicates {
    fn auc(&self, images: [usize; 2], people: [usize; 2]) -> Option<Estimate> {
        let turns: Vec<f64> = self.turns.iter().filter_map(|[.., auc]| *auc).collect();
        AucInterval::new(images, people, self.folds).interval(self.value[2]?, &turns, self.carried)
    }

    /// A measure of another group and of this one, in the resamples in which both have it.
    fn beside(&self, other: &GroupReplicates, place: usize) -> Vec<[f64; 2]> {
        self.turns.iter().zip(&other.turns).filter_map(|(own, other)| Some([other[place]?, own[place]?])).collect()
    }
}
