//! A group's rates in the sample and in every replicate of identities.

use super::groups::Prediction;
use crate::{
    domain::score::Estimate,
    scoring::{
        design::{
            resample::{REPLICATES, ReplicateWeights, Resampler},
            split::FOLDS,
        },
        estimators::{
            auc::{Sorted, auc_in_replicates},
            knn::effective_identities_of_losses,
        },
        inference::interval::AucInterval,
    },
};

/// A group's rates in the sample or in one replicate; `None` where they are undefined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RateReplicates {
    pub tpr: Option<f64>,
    pub fpr: Option<f64>,
    /// Within half and fold.
    pub auc: Option<f64>,
}

impl From<[Option<f64>; 3]> for RateReplicates {
    fn from([tpr, fpr, auc]: [Option<f64>; 3]) -> Self {
        RateReplicates { tpr, fpr, auc }
    }
}

/// All rates of one group.
pub(super) struct GroupReplicates {
    pub sample: RateReplicates,
    replicates: Vec<RateReplicates>,
    /// The effective number of identities that carry the AUC's errors.
    effective: f64,
    /// Folds that hold both classes; at least 1.
    folds: usize,
}

impl GroupReplicates {
    /// `is_in`: by image, whether it is in the group.
    pub(super) fn new(predictions: &[Prediction], is_in: &[bool], resampler: &Resampler, replicates: usize) -> Self {
        let mut folds = vec![vec![]; 2 * FOLDS];
        for (member, prediction) in predictions.iter().enumerate().filter(|(_, prediction)| is_in[prediction.row]) {
            folds[prediction.half_and_fold].push((member as u32, prediction.decision, prediction.positive));
        }
        let folds: Vec<Sorted> = folds.into_iter().map(Sorted::new).collect();
        let statistics = |weights: ReplicateWeights| {
            let predicted = |prediction: &Prediction| is_in[prediction.row].then_some(prediction.predicted_positive());
            let [tpr, fpr] = rates(predictions, predicted, weights);
            [tpr, fpr, auc_in_replicates(&folds, weights)]
        };
        let has_both = |fold: &&Sorted| fold.count(true) > 0 && fold.count(false) > 0;
        GroupReplicates {
            sample: in_sample(predictions.len(), statistics).map(|values| values[0]).into(),
            replicates: resampler.each_of_many(replicates, statistics).into_iter().map(RateReplicates::from).collect(),
            effective: effective_identities_of_losses(&folds, resampler.identities(), |member| resampler.identity(member)),
            folds: folds.iter().filter(has_both).count().max(1),
        }
    }

    /// The AUC with its interval. `images` and `identities`: of the positives and of the negatives.
    pub(super) fn auc(&self, images: [usize; 2], identities: [usize; 2]) -> Option<Estimate> {
        let replicates: Vec<f64> = self.replicates.iter().filter_map(|rates| rates.auc).collect();
        AucInterval::new(images, identities, self.folds).interval(self.sample.auc?, &replicates, self.effective)
    }

    /// The AUC of every replicate.
    pub(super) fn aucs(&self) -> Vec<Option<f64>> {
        self.replicates.iter().map(|rates| rates.auc).collect()
    }

    #[cfg(test)]
    pub(super) fn of_aucs(aucs: &[Option<f64>]) -> Self {
        let rates = |auc: Option<f64>| RateReplicates { tpr: None, fpr: None, auc };
        GroupReplicates {
            sample: rates(aucs[0]),
            replicates: aucs.iter().copied().map(rates).collect(),
            effective: 1.0,
            folds: 1,
        }
    }

    /// One rate of this group and of another, in the replicates in which both have it.
    pub(super) fn paired(&self, other: &GroupReplicates, rate: fn(&RateReplicates) -> Option<f64>) -> Vec<[f64; 2]> {
        self.replicates.iter().zip(&other.replicates).filter_map(|(own, other)| Some([rate(own)?, rate(other)?])).collect()
    }
}

/// The statistic in the sample itself: as if every member were drawn once in every replicate.
pub(super) fn in_sample<T>(members: usize, statistic: impl Fn(ReplicateWeights) -> T) -> T {
    statistic(ReplicateWeights { multiplicities: &[[1; REPLICATES]], identity: &vec![0; members] })
}

/// True and false positive rate of a group in [`REPLICATES`] replicates. `predicted`: `None` for images outside the group.
pub(super) fn rates(
    predictions: &[Prediction],
    predicted: impl Fn(&Prediction) -> Option<bool>,
    weights: ReplicateWeights,
) -> [[Option<f64>; REPLICATES]; 2] {
    // By class (positive, negative): the weight of those predicted positive, and of all.
    let (mut selected, mut all) = ([[0.0f64; REPLICATES]; 2], [[0.0f64; REPLICATES]; 2]);
    for (member, prediction) in predictions.iter().enumerate() {
        let Some(predicted) = predicted(prediction) else { continue };
        let weight = weights.of(member);
        let class = usize::from(!prediction.positive);
        for replicate in 0..REPLICATES {
            let weight = f64::from(weight[replicate]);
            all[class][replicate] += weight;
            selected[class][replicate] += if predicted { weight } else { 0.0 };
        }
    }
    [0, 1].map(|class| std::array::from_fn(|i| (all[class][i] > 0.0).then(|| selected[class][i] / all[class][i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_in_the_sample_are_counted_and_a_class_that_is_missing_has_none() {
        let prediction = |row, positive, decision| Prediction { row, positive, decision, half_and_fold: 0 };
        let predictions =
            [prediction(0, true, 1.0), prediction(1, true, -1.0), prediction(2, true, 2.0), prediction(3, false, 1.0)];
        let rates_of = |takes: fn(usize) -> bool| {
            let predicted = |one: &Prediction| takes(one.row).then_some(one.predicted_positive());
            in_sample(predictions.len(), |weights| rates(&predictions, predicted, weights)).map(|values| values[0])
        };
        assert_eq!(rates_of(|_| true), [Some(2.0 / 3.0), Some(1.0)]);
        assert_eq!(rates_of(|row| row < 2), [Some(0.5), None]);
    }
}
