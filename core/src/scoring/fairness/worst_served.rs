//! The group in which a probe tells the classes worst, and how sure it is that it is this one.

use super::group_replicates::GroupReplicates;
use crate::domain::fairness::{GroupMeasure, GroupRates, Support, WorstServed};

/// Among these places of groups. `None` where fewer than two have enough images of both classes.
pub(super) fn worst_served(groups: &[usize], rates: &[GroupRates], replicates: &[GroupReplicates]) -> Option<WorstServed> {
    let is_enough = |group: &usize| rates[*group].auc.is_some() && rates[*group].support(GroupMeasure::Auc) > Support::TooFew;
    let groups: Vec<usize> = groups.iter().copied().filter(is_enough).collect();
    if groups.len() < 2 {
        return None;
    }
    let in_sample: Vec<Option<f64>> = groups.iter().map(|group| rates[*group].auc.map(|auc| auc.value)).collect();
    let worst = *lowest(&in_sample).first()?;
    let by_group: Vec<Vec<Option<f64>>> = groups.iter().map(|group| replicates[*group].aucs()).collect();
    let count = by_group.first().map_or(0, Vec::len);
    let (mut named, mut told) = (0.0, 0usize);
    for replicate in 0..count {
        let lowest = lowest(&by_group.iter().map(|of| of[replicate]).collect::<Vec<_>>());
        told += usize::from(!lowest.is_empty());
        named += if lowest.contains(&worst) { 1.0 / lowest.len() as f64 } else { 0.0 };
    }
    (told > 0).then(|| WorstServed { group: groups[worst], among: groups.len(), share: named / told as f64 })
}

/// The places of the least value, all of them where several are equal.
fn lowest(values: &[Option<f64>]) -> Vec<usize> {
    let least = values.iter().flatten().copied().reduce(f64::min);
    (0..values.len()).filter(|place| least.is_some() && values[*place] == least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::score::Estimate;

    fn rates(images: usize, auc: f64) -> GroupRates {
        let auc = Some(Estimate::new(auc, auc - 0.1, auc + 0.1));
        GroupRates { n: 2 * images, positives: images, negatives: images, identities: images, tpr: None, fpr: None, auc }
    }

    #[test]
    fn the_worst_is_named_with_the_share_of_replicates_that_agree() {
        let rates = [rates(200, 0.9), rates(200, 0.7), rates(200, 0.8), rates(20, 0.1)];
        let replicates = [
            GroupReplicates::of_aucs(&[Some(0.9), Some(0.9), Some(0.6), Some(0.9)]),
            GroupReplicates::of_aucs(&[Some(0.7), Some(0.8), Some(0.7), None]),
            GroupReplicates::of_aucs(&[Some(0.8), Some(0.8), Some(0.8), Some(0.8)]),
            GroupReplicates::of_aucs(&[Some(0.1); 4]),
        ];
        let all = worst_served(&[0, 1, 2, 3], &rates, &replicates).unwrap();
        assert_eq!((all.group, all.among), (1, 3), "the last has too few images of a class");
        assert!((all.share - 1.5 / 4.0).abs() < 1e-12, "once alone, once with another: {}", all.share);
        assert_eq!(worst_served(&[0, 2], &rates, &replicates).unwrap().group, 2);
        assert_eq!(worst_served(&[0, 3], &rates, &replicates), None);
    }
}
