//! The probe trained again with weights that make the base rate of every group of one attribute that of all ([`super::reweigh`]).

use super::{
    gaps::range,
    group_replicates::{in_sample, rates},
    groups::{GroupMembership, Prediction},
    reweigh::reweigh,
};
use crate::{
    domain::{
        fairness::{Reweighed, SUPPRESSED},
        score::Estimate,
    },
    scoring::{
        design::{
            EvaluationDesign,
            resample::{REPLICATES, ReplicateWeights, Resampler},
            split::FOLDS,
        },
        estimators::probe::{ProbeTask, probe},
        inference::bootstrap::interval,
    },
};

impl GroupMembership<'_> {
    /// What reweighing by an attribute changes in the true positive rates of its groups. `None` without predictions or a second group.
    pub(super) fn reweighed(
        &self,
        attribute: &String,
        design: &EvaluationDesign,
        predictions: &[Prediction],
        resampler: &Resampler,
    ) -> Option<Reweighed> {
        let is_of_attribute = |group: &usize| self.groups[*group].len() == 1 && self.groups[*group][0].0 == *attribute;
        let groups: Vec<usize> = (0..self.groups.len()).filter(is_of_attribute).collect();
        if predictions.is_empty() || groups.len() < 2 {
            return None;
        }
        let unchanged = Reweighed {
            attribute: attribute.clone(),
            refused: None,
            before: None,
            after: None,
            change: None,
            levels: vec![],
            groups: groups.clone(),
            levelled_down: false,
        };
        let decisions = match self.reweighed_decisions(attribute, &groups, design, predictions) {
            Ok(decisions) => decisions,
            Err(refused) => return Some(Reweighed { refused: Some(refused), ..unchanged }),
        };

        // Per group: before and after.
        let tpr_of_group = |group: usize, weights: ReplicateWeights| -> [[Option<f64>; REPLICATES]; 2] {
            let is_in = &self.is_in[group];
            let before = |of: &Prediction| is_in[of.row].then_some(of.predicted_positive());
            let after = |of: &Prediction| {
                let decision = decisions[of.half_and_fold / FOLDS][of.row];
                (is_in[of.row] && !decision.is_nan()).then_some(decision > 0.0)
            };
            [rates(predictions, before, weights)[0], rates(predictions, after, weights)[0]]
        };
        // The widest gap between groups before and after, and its change.
        let widest_gap = |weights: ReplicateWeights| -> [[Option<f64>; REPLICATES]; 3] {
            let all: Vec<[[Option<f64>; REPLICATES]; 2]> = groups.iter().map(|&group| tpr_of_group(group, weights)).collect();
            let [before, after] = [0, 1].map(|when| {
                std::array::from_fn::<Option<f64>, REPLICATES, _>(|replicate| {
                    let tprs: Option<Vec<f64>> = all.iter().map(|tprs| tprs[when][replicate]).collect();
                    range(&tprs?)
                })
            });
            [before, after, std::array::from_fn(|replicate| Some(after[replicate]? - before[replicate]?))]
        };
        let [before, after, change] = in_sample(predictions.len(), widest_gap).map(|values| values[0]);
        let levels: Vec<[Option<f64>; 2]> = groups
            .iter()
            .map(|&group| in_sample(predictions.len(), |weights| tpr_of_group(group, weights)).map(|values| values[0]))
            .collect();
        let [.., changes] = resampler.distributions_of_many(self.input.statistics.bootstraps, widest_gap);
        let change = change.and_then(|change| interval(change, &changes));
        let gap_shrank = change.and_then(Estimate::high).is_some_and(|high| high < 0.0);
        let a_group_gained =
            levels.iter().any(|[before, after]| before.zip(*after).is_some_and(|(before, after)| after > before));
        Some(Reweighed { before, after, change, levels, levelled_down: gap_shrank && !a_group_gained, ..unchanged })
    }

    /// The log-odds of the probe that is trained with weights, by half and image; or why it is not trained.
    fn reweighed_decisions(
        &self,
        attribute: &str,
        groups: &[usize],
        design: &EvaluationDesign,
        predictions: &[Prediction],
    ) -> Result<Vec<Vec<f64>>, String> {
        let group_of = |row: usize| groups.iter().position(|&group| self.is_in[group][row]);
        let (in_a_group, group): (Vec<&Prediction>, Vec<usize>) =
            predictions.iter().filter_map(|prediction| Some((prediction, group_of(prediction.row)?))).unzip();
        let label: Vec<bool> = in_a_group.iter().map(|prediction| prediction.positive).collect();
        let weights = reweigh(&group, &label, None).map_err(|empty| {
            let value = &self.groups[groups[empty.group]][0].1;
            let class = if empty.label { "first" } else { "second" };
            format!("nobody of {attribute} = {value} is in the {class} class")
        })?;
        let positives = |group: &&usize| {
            predictions.iter().filter(|prediction| prediction.positive && self.is_in[**group][prediction.row]).count()
        };
        if let Some(small) = groups.iter().find(|group| positives(group) < SUPPRESSED) {
            return Err(format!("{attribute} = {} has too few of the first class to say", self.groups[*small][0].1));
        }
        let images = self.input.features.rows();
        let mut weight = vec![0.0; images];
        in_a_group.iter().zip(weights).for_each(|(prediction, of_image)| weight[prediction.row] = of_image);
        let mut fold = vec![0; images];
        design.members.rows.iter().zip(&design.split.fold).for_each(|(&row, &of_member)| fold[row] = of_member);
        let mut target = [vec![None; images], vec![None; images]];
        for prediction in &in_a_group {
            target[prediction.half_and_fold / FOLDS][prediction.row] = Some(prediction.positive);
        }
        let tasks = target.each_ref().map(|target| ProbeTask { target, fold: &fold, weight: Some(&weight) });
        Ok(probe(self.input.features, &tasks))
    }
}
