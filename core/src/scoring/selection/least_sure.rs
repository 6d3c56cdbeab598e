//! Which images a probe is least sure of: those are worth labelling next (uncertainty sampling by the margin, Scheffer, Decomain and
//! Wrobel 2001).

use crate::{
    numeric::Matrix,
    scoring::{
        design::split::FOLDS,
        estimators::probe::{ProbeTask, probe},
    },
};

/// The rows of `features` (N × D) without a label, the least sure first: by the difference of the two largest log-odds, of probes that tell
/// each class from the others and are trained on all rows with a label. `labels`: for each row the place of its class, below `classes`.
///
/// `None` where two classes are not labelled yet, or a feature is not finite: there is no probe. Rows of equal certainty keep their order.
pub fn least_sure(features: &Matrix, labels: &[Option<usize>], classes: usize) -> Option<Vec<usize>> {
    let present: Vec<usize> = (0..classes).filter(|class| labels.contains(&Some(*class))).collect();
    if present.len() < 2 {
        return None;
    }
    // A probe is read at the rows of the fold that it was not trained on: those without a label, which weigh nothing.
    let mut labelled = 0;
    let fold: Vec<usize> = labels
        .iter()
        .map(|label| {
            labelled += usize::from(label.is_some());
            if label.is_some() { 1 + labelled % (FOLDS - 1) } else { 0 }
        })
        .collect();
    let weight: Vec<f64> = labels.iter().map(|label| if label.is_some() { 1.0 } else { 0.0 }).collect();
    let targets: Vec<Vec<Option<bool>>> =
        present.iter().map(|class| labels.iter().map(|label| Some(*label == Some(*class))).collect()).collect();
    let tasks: Vec<ProbeTask> = targets.iter().map(|target| ProbeTask { target, fold: &fold, weight: Some(&weight) }).collect();
    let log_odds = probe(features, &tasks);
    let margin = |row: usize| {
        let mut of: Vec<f64> = log_odds.iter().map(|task| task[row]).collect();
        of.sort_by(|a, b| b.total_cmp(a));
        of[0] - of[1]
    };
    let mut rows: Vec<(f64, usize)> =
        (0..labels.len()).filter(|row| labels[*row].is_none()).map(|row| (margin(row), row)).collect();
    if rows.iter().any(|(margin, _)| margin.is_nan()) {
        return None;
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(rows.into_iter().map(|(_, row)| row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One feature that tells two classes apart: negative or positive.
    fn along(values: &[f32]) -> Matrix {
        Matrix::new(values.len(), 1, values.to_vec()).unwrap()
    }

    #[test]
    fn what_lies_between_the_classes_is_asked_first() {
        let features = along(&[-2.0, -1.8, -1.5, -2.2, 2.0, 1.7, 1.9, 2.1, 0.1, 3.0, -0.6]);
        let labels = [Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), Some(1), None, None, None];
        assert_eq!(least_sure(&features, &labels, 2), Some(vec![8, 10, 9]));
    }

    #[test]
    fn of_three_classes_the_nearest_two_count() {
        let features = Matrix::new(
            10,
            2,
            vec![0., 0., 0.2, 0.1, 0.1, 0.2, 4., 0., 4.2, 0.1, 4.1, 0.3, 0., 4., 0.1, 4.2, 2.0, 0.1, 0.1, 0.1],
        )
        .unwrap();
        let labels = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), Some(2), Some(2), None, None];
        assert_eq!(least_sure(&features, &labels, 3), Some(vec![8, 9]));
    }

    #[test]
    fn one_labelled_class_makes_no_probe() {
        assert_eq!(least_sure(&along(&[1.0, 2.0, 3.0]), &[Some(0), Some(0), None], 2), None);
        assert_eq!(least_sure(&along(&[1.0, f32::NAN, 3.0]), &[Some(0), Some(1), None], 2), None);
    }
}
