//! Probes beside linfa-logistic. Only tests use it.
//!
//! linfa minimises Σ ln(1 + exp(−y (w·z + b))) + α |w|² / 2 and knows no weights of rows and classes. So whole weights are given to it
//! as copies of rows, as many of each class, and C as α = copies / (C n), where n counts the training rows without copies.

use super::{C, FOLDS, ProbeTask, probe};
use crate::numeric::{Matrix, PhiloxStream};
use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

const N: usize = 200;
const D: usize = 6;

/// A question with three negatives to a positive in each fold; weights are 1 or 2.
struct Question {
    features: Matrix,
    target: Vec<Option<bool>>,
    fold: Vec<usize>,
    weight: Vec<f64>,
}

fn drawn() -> Question {
    let mut stream = PhiloxStream::for_test(13, 0);
    let target: Vec<Option<bool>> = (0..N).map(|row| Some(row % 4 == 0)).collect();
    let row = |row: usize| {
        let lean = if row.is_multiple_of(4) { 0.7 } else { 0.0 };
        (0..D).map(|k| ((1.0 + k as f64) * (stream.normals(1.0)[0] + lean) + 5.0) as f32).collect::<Vec<_>>()
    };
    let features = Matrix::new(N, D, (0..N).flat_map(row).collect()).unwrap();
    Question { features, target, fold: (0..N).map(|row| row / 4 % FOLDS).collect(), weight: (0..N).map(weight_of).collect() }
}

/// In every fold, a class has as many rows of weight 2 as of weight 1.
fn weight_of(row: usize) -> f64 {
    if (row / (4 * FOLDS)).is_multiple_of(2) { 1.0 } else { 2.0 }
}

impl Question {
    fn ours(&self, weighted: bool) -> Vec<f64> {
        let weight = weighted.then_some(self.weight.as_slice());
        probe(&self.features, &[ProbeTask { target: &self.target, fold: &self.fold, weight }]).remove(0)
    }

    /// linfa's log-odds, of each row by the model that was not trained on its fold.
    fn peer(&self, weighted: bool) -> Vec<f64> {
        let mut decisions = vec![f64::NAN; N];
        for held_out in 0..FOLDS {
            let training: Vec<usize> = (0..N).filter(|row| self.fold[*row] != held_out).collect();
            let n = training.len() as f64;
            let value = |row: usize, k: usize| f64::from(self.features.row(row)[k]);
            let mean = |k: usize| training.iter().map(|row| value(*row, k)).sum::<f64>() / n;
            let means: Vec<f64> = (0..D).map(mean).collect();
            let spread = |k: usize| (training.iter().map(|row| (value(*row, k) - means[k]).powi(2)).sum::<f64>() / n).sqrt();
            let spreads: Vec<f64> = (0..D).map(spread).collect();
            let standardised = |row: usize| (0..D).map(move |k| (k, row)).map(|(k, row)| (value(row, k) - means[k]) / spreads[k]);
            // Three copies of a positive weigh as much as its three negatives.
            let copies = |row: usize| {
                let own = if weighted { self.weight[row] as usize } else { 1 };
                own * if self.target[row] == Some(true) { 3 } else { 1 }
            };
            let rows: Vec<usize> = training.iter().flat_map(|row| std::iter::repeat_n(*row, copies(*row))).collect();
            let positives = rows.iter().filter(|row| self.target[**row] == Some(true)).count();
            assert_eq!(2 * positives, rows.len(), "both classes weigh the same");
            let records = Array2::from_shape_vec((rows.len(), D), rows.iter().flat_map(|row| standardised(*row)).collect());
            let targets: Array1<bool> = rows.iter().map(|row| self.target[*row] == Some(true)).collect();
            let model = LogisticRegression::default()
                .alpha(rows.len() as f64 / (C * n))
                .gradient_tolerance(1e-6)
                .max_iterations(500)
                .fit(&DatasetBase::new(records.unwrap(), targets))
                .unwrap();
            let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
            for row in (0..N).filter(|row| self.fold[*row] == held_out) {
                let margin: f64 = standardised(row).zip(model.params()).map(|(z, w)| z * w).sum();
                decisions[row] = sign * (margin + model.intercept());
            }
        }
        decisions
    }
}

/// The largest difference of two log-odds, in standard deviations of the peer's.
fn furthest(ours: &[f64], peer: &[f64]) -> f64 {
    let deviation = (peer.iter().map(|x| x * x).sum::<f64>() / peer.len() as f64).sqrt();
    let apart = ours.iter().zip(peer).map(|(a, b)| (a - b).abs());
    apart.map(|apart| if apart.is_nan() { f64::INFINITY } else { apart }).fold(0.0, f64::max) / deviation
}

#[test]
fn log_odds_are_those_of_linfa() {
    let question = drawn();
    let (equal, weighted) = (question.peer(false), question.peer(true));
    for (found, peer) in [(question.ours(false), &equal), (question.ours(true), &weighted)] {
        let apart = furthest(&found, peer);
        assert!(apart < 1e-5, "{apart:e} of a deviation apart");
    }
    assert!(furthest(&question.ours(false), &weighted) > 1e-2, "weights show");
    let mut disturbed = drawn();
    disturbed.target.swap(0, 1);
    assert!(furthest(&disturbed.ours(false), &equal) > 1e-2, "two labels exchanged show");
}
