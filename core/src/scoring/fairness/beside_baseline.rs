//! A model's probe beside the baseline's, group by group: on the images that both were asked of, in one bootstrap of identities.

use super::groups::{GroupMembership, MeasuredGroups, Prediction, predictions};
use crate::{
    domain::fairness::{BesideBaseline, GroupMeasure, Support},
    scoring::{design::EvaluationDesign, inference::difference::difference},
};
use std::collections::HashSet;

impl GroupMembership<'_> {
    /// One a group with enough images of both classes that is not of what is asked. `own`: the model's predictions. Nothing without a
    /// baseline; q-values are not filled in.
    pub(super) fn beside_baseline(&self, question: usize, design: &EvaluationDesign, own: &[Prediction]) -> Vec<BesideBaseline> {
        let Some(decisions) = self.input.baseline else { return vec![] };
        let theirs = predictions(design, &self.input.questions[question], decisions.row(question));
        let (own, theirs) = (asked_of_both(own, &theirs), asked_of_both(&theirs, own));
        let resampler = self.resampler(&own);
        let [MeasuredGroups { rates, replicates }, baseline] = [&own, &theirs].map(|of| self.measured(of, &resampler));
        let beside = |group: usize| {
            let cells = [&baseline.rates[group], &rates[group]];
            let [left, right] = [cells[0].auc?, cells[1].auc?];
            let is_enough = cells[1].support(GroupMeasure::Auc) > Support::TooFew;
            let pairs = baseline.replicates[group].paired(&replicates[group], |of| of.auc);
            let (auc, p) = difference(left, right, &pairs);
            is_enough.then_some(BesideBaseline { group, auc, p, q: None })
        };
        self.not_asked(question).into_iter().filter_map(beside).collect()
    }
}

/// Those of images that the other was asked of, too.
fn asked_of_both(of: &[Prediction], other: &[Prediction]) -> Vec<Prediction> {
    let rows: HashSet<usize> = other.iter().map(|prediction| prediction.row).collect();
    of.iter().copied().filter(|prediction| rows.contains(&prediction.row)).collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::{
            comparison::{Measured, Question},
            image::{Column, Images, Labels},
            score::Statistics,
        },
        numeric::{Matrix, PhiloxStream},
        scoring::{
            Setting,
            fairness::groups::{FairnessInput, group_fairness},
        },
    };

    /// The model tells the classes in one group and guesses in the other; the baseline guesses in both, and was not asked of every image.
    #[test]
    fn a_model_gains_on_the_baseline_where_it_knows_more_and_its_worst_group_is_the_other() {
        let n = 800;
        let ids: Vec<String> = (0..n).map(|i| format!("{i:04}")).collect();
        let images = Images(ids.iter().map(|id| (id.clone(), None)).collect());
        let column = |value: fn(usize) -> usize| -> Column { (0..n).map(|i| (ids[i].clone(), value(i).to_string())).collect() };
        type OfImage = fn(usize) -> usize;
        let class: OfImage = |i| i % 2;
        let group: OfImage = |i| i / 2 % 2;
        let labels: Labels = [("x", column(class)), ("g", column(group))].into_iter().collect();
        let question = Question {
            measured: Measured::Classes(["x=1", "x=0"].iter().map(|class| class.parse().unwrap()).collect()),
            within: None,
        };
        let mut stream = PhiloxStream::for_test(3, 0);
        let mut noise = || stream.normals(1.0)[0] as f32;
        let signal = |i: usize| if class(i) == 1 { 2.0 } else { -2.0 };
        let own: Vec<f32> = (0..n).map(|i| noise() + if group(i) == 1 { signal(i) } else { 0.0 }).collect();
        let baseline: Vec<f32> = (0..n).map(|i| if i < 40 { f32::NAN } else { noise() }).collect();
        let [own, baseline] = [own, baseline].map(|values| Matrix::new(1, n, values).unwrap());
        let fairness = group_fairness(&FairnessInput {
            setting: &Setting { images: &images, labels: &labels, identities: None },
            features: &Matrix::new(n, 1, vec![0.0; n]).unwrap(),
            decisions: &own,
            baseline: Some(&baseline),
            questions: std::slice::from_ref(&question),
            attributes: &["g".to_owned()],
            depth: 1,
            statistics: &Statistics { bootstraps: 200, permutations: 0, min_positives: 5, separates_at: 0.7 },
            seed: 1,
        });
        let asked = &fairness.asked[0];
        let place = |value: &str| fairness.groups.iter().position(|group| group[0].1 == value).unwrap();
        let worst = asked.worst_served.unwrap();
        assert_eq!((worst.group, worst.among), (place("0"), 2));
        assert!(worst.share > 0.99, "{worst:?}");
        let beside = |value: &str| asked.beside_baseline.iter().find(|of| of.group == place(value)).unwrap();
        let (same, gained) = (beside("0"), beside("1"));
        assert!(same.auc.value.abs() < 0.15 && same.q.unwrap() > 0.05, "{same:?}");
        assert!(gained.auc.value > 0.35 && gained.q.unwrap() < 0.05, "{gained:?}");
        assert!(gained.auc.interval.unwrap().low > 0.3, "{gained:?}");
    }
}
