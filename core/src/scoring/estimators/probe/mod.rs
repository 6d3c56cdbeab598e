//! Linear probes: how well does a hyperplane in feature space separate the classes, for identities that it was not trained on? Logistic
//! regression with classes of equal weight, fitted on four folds and evaluated on the fifth.
//!
//! For each question and fold, over the training rows (those of other folds that take part), with z the features standardised by
//! those rows' mean and deviation (population; 0 where they do not vary), minimised over w and the intercept b:
//!
//! ```text
//! Σ s_i ln(1 + exp(−y_i (w·z_i + b))) / Σ s_i  +  |w|² / (2 C n)
//! ```
//!
//! n counts the training rows, y = ±1; s_i is the row's own weight (or 1) over the sum of those of its class, so that both
//! classes weigh the same. scikit-learn's `LogisticRegression(C=…, class_weight="balanced")` behind a `StandardScaler` says the
//! same.
//!
//! All probes of a matrix are fitted at once by L-BFGS (Liu and Nocedal 1989): an iteration is two products of the features with
//! as many columns as there are probes, in `f32`. It starts from the bound on the Hessian that all probes nearly share, ¼ of the
//! correlations + λ (Böhning and Lindsay 1988): where features are correlated, some forty iterations instead of two hundred.

mod accuracy;
mod design_matrix;
mod hessian_bound;
#[cfg(test)]
mod peer;
mod solver;

pub(crate) use accuracy::accuracy;

use crate::{
    numeric::{Matrix, lanes::LANES, sum::dot},
    scoring::design::split::FOLDS,
};
use design_matrix::{Moments, StandardizedFeatures, signed_class_weights};
use hessian_bound::HessianBound;
use rayon::prelude::*;
use solver::{Lbfgs, SolverPhase};
use std::collections::BTreeMap;

/// scikit-learn's C, the variance of the prior on each weight. With 512 features the prior of the log-odds has a deviation of
/// √(512 C) = 2.3, odds of ten to one; C = 1 would expect odds of 10¹⁰, and follows the noise of 3,000 rows.
pub(crate) const C: f64 = 0.01;

/// Probes that are fitted at once: their weights and gradients stay in a core's cache.
const BATCH: usize = 5 * LANES;
/// Gradients of one probe, at most.
const MOST_PASSES: usize = 400;

/// One question to the features. All slices have an entry per row of the features.
pub(crate) struct ProbeTask<'a> {
    /// The row's class; `None` takes no part.
    pub target: &'a [Option<bool>],
    /// 0 … [`FOLDS`] − 1; a row beyond takes no part.
    pub fold: &'a [usize],
    /// Weights within each class, such as those of reweighing; both classes weigh the same whatever they are. A weight that is negative
    /// or not finite counts as 0.
    pub weight: Option<&'a [f64]>,
}

/// Cross-fitted log-odds, one list a task with one number a row of `features` (N × D): by the probe that was not trained on the row's
/// fold. NaN where the row takes no part, where the training rows lack a class, and everywhere if a feature is not finite or there is
/// none. Other tasks change no bit of a task's answer.
pub(crate) fn probe(features: &Matrix, tasks: &[ProbeTask]) -> Vec<Vec<f64>> {
    FittedProbes::of(features, tasks).decisions(features)
}

/// Probes that were fitted to features, and can be asked of other features of the same rows.
pub(crate) struct FittedProbes<'a> {
    tasks: &'a [ProbeTask<'a>],
    /// `None` where nothing could be fitted: a feature is not finite, or there is none.
    table: Option<StandardizedFeatures<'a>>,
    probes: Vec<LinearProbe>,
}

impl<'a> FittedProbes<'a> {
    /// Of all tasks, with each fold held out.
    pub(crate) fn of(features: &'a Matrix, tasks: &'a [ProbeTask<'a>]) -> Self {
        if features.values().is_empty() || features.first_not_finite().is_some() {
            return FittedProbes { tasks, table: None, probes: vec![] };
        }
        let table = StandardizedFeatures::new(features);
        let mut probes = untrained(&table, tasks);
        let bounds = HessianBound::by_penalty_exponent(&table, &probes);
        probes.chunks_mut(BATCH).for_each(|batch| fit(&table, tasks, &bounds, batch));
        FittedProbes { tasks, table: Some(table), probes }
    }

    /// The log-odds of held-out rows as [`probe`] gives them, with these features in place of those that the probes were fitted to: as many
    /// rows, standardised as those were. NaN everywhere where their shape is another, or one is not finite.
    pub(crate) fn decisions(&self, features: &Matrix) -> Vec<Vec<f64>> {
        let mut decisions = vec![vec![f64::NAN; features.rows()]; self.tasks.len()];
        let Some(table) = self.table.as_ref().and_then(|table| table.seeing(features)) else { return decisions };
        for batch in self.probes.chunks(BATCH) {
            for (probe, margins) in batch.iter().zip(table.margins(batch)) {
                let task = &self.tasks[probe.task];
                for (row, margin) in margins.into_iter().enumerate().filter(|(row, _)| task.held_out(*row, probe.fold)) {
                    let decision = f64::from(margin) + probe.intercept();
                    decisions[probe.task][row] = if decision.is_finite() { decision } else { f64::NAN };
                }
            }
        }
        decisions
    }
}

impl ProbeTask<'_> {
    fn takes_part(&self, row: usize) -> bool {
        self.target[row].is_some() && self.fold[row] < FOLDS
    }

    fn held_out(&self, row: usize, fold: usize) -> bool {
        self.takes_part(row) && self.fold[row] == fold
    }

    /// Class and weight of a row that the probe of a fold is trained on. A row of weight 0 still counts for standardising.
    fn training_row(&self, row: usize, fold: usize) -> Option<(bool, f64)> {
        let class = self.target[row].filter(|_| self.takes_part(row) && self.fold[row] != fold)?;
        Some((class, self.weight.map_or(1.0, |weight| if weight[row].is_finite() { weight[row].max(0.0) } else { 0.0 })))
    }

    /// Whether the same rows take part, in the same folds.
    fn same_rows(&self, other: &ProbeTask) -> bool {
        self.fold == other.fold && self.target.iter().zip(other.target).all(|(a, b)| a.is_some() == b.is_some())
    }
}

/// From features standardised by all rows to those standardised by a probe's training rows: scale × value + shift, per column.
struct AffineMap {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl AffineMap {
    fn between(table: &StandardizedFeatures, training: &Moments) -> Self {
        let columns = 0..table.features.columns();
        let scale = columns.clone().map(|k| match f64::from(table.inverse[k]) {
            0.0 => 0.0,
            inverse => training.inverse_deviation(k) / inverse,
        });
        let shift = columns.map(|k| {
            let inverse = if table.inverse[k] == 0.0 { 0.0 } else { training.inverse_deviation(k) };
            (f64::from(table.centre[k]) - training.means[k]) * inverse
        });
        AffineMap { scale: scale.collect(), shift: shift.collect() }
    }
}

/// One task with one fold held out, and how far its fit is. The solver's vectors hold D weights, then the intercept.
struct LinearProbe {
    task: usize,
    fold: usize,
    /// The penalty: λ |w|² / 2.
    lambda: f64,
    /// By class, what brings the weights of its training rows to a sum of ½.
    class_balance: [f64; 2],
    map: AffineMap,
    solver: Lbfgs,
}

impl LinearProbe {
    /// The intercept, as it applies to features standardised by all rows.
    fn intercept(&self) -> f64 {
        let d = self.map.shift.len();
        self.solver.point[d] + dot(&self.solver.point[..d], &self.map.shift)
    }

    /// The binary order of magnitude of λ.
    fn penalty_exponent(&self) -> i32 {
        libm::ilogb(self.lambda)
    }

    /// Turns the gradient of the loss by weights of the shared table into that of the objective by the probe's own weights.
    fn complete_gradient(&mut self) {
        let LinearProbe { map, solver, lambda, .. } = self;
        let d = map.scale.len();
        let total = solver.gradient[d];
        for k in 0..d {
            solver.gradient[k] = map.scale[k] * solver.gradient[k] + map.shift[k] * total + *lambda * solver.point[k];
        }
    }
}

/// A probe for every task and fold whose training rows have both classes.
fn untrained(table: &StandardizedFeatures, tasks: &[ProbeTask]) -> Vec<LinearProbe> {
    let n = table.features.rows();
    // Tasks of the same rows and folds share their moments.
    let original: Vec<usize> = (0..tasks.len()).map(|q| (0..q).find(|o| tasks[*o].same_rows(&tasks[q])).unwrap_or(q)).collect();
    let moments = |task: usize| -> Vec<Moments> {
        let of_fold = |fold| Moments::of_rows(table.features, (0..n).filter(move |row| tasks[task].held_out(*row, fold)));
        if original[task] == task { (0..FOLDS).into_par_iter().map(of_fold).collect() } else { vec![] }
    };
    let moments: Vec<Vec<Moments>> = (0..tasks.len()).map(moments).collect();
    let probe = |place: usize| {
        let (task, fold) = (place / FOLDS, place % FOLDS);
        let mut totals = [0.0; 2];
        for (class, weight) in (0..n).filter_map(|row| tasks[task].training_row(row, fold)) {
            totals[usize::from(class)] += weight;
        }
        let class_balance = totals.map(|total| 0.5 / total);
        if !class_balance.iter().all(|balance| balance.is_finite() && *balance > 0.0) {
            return None;
        }
        let mut others = (0..FOLDS).filter(|other| *other != fold).map(|other| &moments[original[task]][other]);
        let first = others.next()?.clone();
        let training = others.fold(first, Moments::merged);
        let map = AffineMap::between(table, &training);
        let solver = Lbfgs::from_zero(map.scale.len() + 1);
        Some(LinearProbe { task, fold, lambda: 1.0 / (C * training.n), class_balance, map, solver })
    };
    (0..tasks.len() * FOLDS).into_par_iter().filter_map(probe).collect()
}

/// Fits all probes of a batch, together.
fn fit(table: &StandardizedFeatures, tasks: &[ProbeTask], bounds: &BTreeMap<i32, HessianBound>, probes: &mut [LinearProbe]) {
    let wants_direction = |probe: &LinearProbe| probe.solver.phase == SolverPhase::Preconditioner;
    let is_done = |probe: &LinearProbe| probe.solver.phase == SolverPhase::Done;
    let mut active = probes.len();
    let n = table.features.rows();
    let mut class_weights = signed_class_weights(n, tasks, probes);
    for _ in 0..MOST_PASSES {
        crate::numeric::pulse::beat();
        table.set_loss_gradients(&mut probes[..active], &class_weights);
        probes[..active].par_iter_mut().for_each(|probe| {
            probe.complete_gradient();
            probe.solver.take_gradient();
        });
        for (exponent, bound) in bounds {
            let mut waiting: Vec<&mut LinearProbe> =
                probes[..active].iter_mut().filter(|p| wants_direction(p) && p.penalty_exponent() == *exponent).collect();
            waiting.par_chunks_mut(LANES).for_each(|panel| bound.precondition(panel));
        }
        probes[..active].par_iter_mut().filter(|probe| wants_direction(probe)).for_each(|probe| probe.solver.finish_direction());
        let panels = active.div_ceil(LANES);
        let left = probes[..active].iter().filter(|probe| !is_done(probe)).count();
        if left == 0 {
            break;
        }
        // Probes that are done give their lanes to others once that saves a panel; which lane changes no bit.
        if left.div_ceil(LANES) < panels {
            probes[..active].sort_by_key(is_done);
            active = left;
            class_weights = signed_class_weights(n, tasks, &probes[..active]);
        }
    }
    probes.iter_mut().for_each(|probe| probe.solver.settle());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{PhiloxStream, multiversion::each_level};
    use crate::scoring::estimators::auc::Sorted;

    struct ProbeQuestion {
        target: Vec<Option<bool>>,
        fold: Vec<usize>,
        weight: Option<Vec<f64>>,
    }

    impl ProbeQuestion {
        fn task(&self) -> ProbeTask<'_> {
            ProbeTask { target: &self.target, fold: &self.fold, weight: self.weight.as_deref() }
        }
    }

    fn ask(features: &Matrix, questions: &[ProbeQuestion]) -> Vec<Vec<f64>> {
        probe(features, &questions.iter().map(ProbeQuestion::task).collect::<Vec<_>>())
    }

    fn bits(found: &[Vec<f64>]) -> Vec<Vec<u64>> {
        found.iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
    }

    /// Of each question one row in seven takes no part; the classes lean on the first columns.
    fn drawn(n: usize, d: usize, questions: usize) -> (Matrix, Vec<ProbeQuestion>) {
        let mut stream = PhiloxStream::for_test(3, 0);
        let features = Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
        let question = |q: usize| {
            let class = |row: usize| features.row(row)[q % d] + 0.5 * features.row(row)[(q + 1) % d] > 0.3 * q as f32;
            ProbeQuestion {
                target: (0..n).map(|row| (row % 7 != q).then(|| class(row))).collect(),
                fold: (0..n).map(|row| row / 2 % FOLDS).collect(),
                weight: (q == 1).then(|| (0..n).map(|row| (row % 4) as f64).collect()),
            }
        };
        let questions = (0..questions).map(question).collect();
        (features, questions)
    }

    /// `tests/probe.py` wrote what scikit-learn says.
    #[test]
    fn every_decision_is_the_peers() {
        let fixture: serde_json::Value = serde_json::from_str(include_str!("../../../../../tests/fixtures/probe.json")).unwrap();
        for set in fixture.as_array().unwrap() {
            let rows: Vec<Vec<f32>> = serde_json::from_value(set["features"].clone()).unwrap();
            let features = Matrix::new(rows.len(), rows[0].len(), rows.concat()).unwrap();
            let asked = set["questions"].as_array().unwrap();
            let questions = asked.iter().map(|asked| ProbeQuestion {
                target: serde_json::from_value(asked["target"].clone()).unwrap(),
                fold: serde_json::from_value(asked["fold"].clone()).unwrap(),
                weight: serde_json::from_value(asked["weight"].clone()).unwrap(),
            });
            let questions: Vec<ProbeQuestion> = questions.collect();
            for ((asked, question), found) in asked.iter().zip(&questions).zip(ask(&features, &questions)) {
                let peer: Vec<Option<f64>> = serde_json::from_value(asked["decision"].clone()).unwrap();
                let known: Vec<f64> = peer.iter().flatten().copied().collect();
                let deviation = (dot(&known, &known) / known.len() as f64).sqrt();
                let mut furthest = 0.0f64;
                for (peer, found) in peer.iter().zip(&found) {
                    assert_eq!(peer.is_none(), found.is_nan());
                    furthest = furthest.max((peer.unwrap_or(0.0) - if found.is_nan() { 0.0 } else { *found }).abs() / deviation);
                }
                assert!(furthest < 1e-4, "{furthest:e} of a deviation apart");
                let peer: Vec<f64> = serde_json::from_value(asked["auc"].clone()).unwrap();
                for (fold, peer) in peer.iter().enumerate() {
                    let rows = (0..found.len()).filter(|row| question.fold[*row] == fold);
                    let scored = rows.filter_map(|row| question.target[row].map(|class| (row as u32, found[row], class)));
                    assert!((Sorted::new(scored.collect()).u_statistic(|_| 1).auc().unwrap() - peer).abs() < 1e-3);
                }
            }
        }
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machine_nor_on_other_questions() {
        for (n, d) in [(700, 37), (90, 130)] {
            let (features, questions) = drawn(n, d, 5);
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| bits(&ask(&features, &questions)))
            };
            let one = with(1);
            for threads in [2, 16] {
                assert!(one == with(threads), "{threads} threads");
            }
            each_level(|level| assert!(one == with(2), "{level:?}"));
            for (question, of) in questions.chunks(1).zip(one) {
                assert!(bits(&ask(&features, question))[0] == of);
            }
        }
    }

    #[test]
    fn fitted_probes_are_asked_of_other_features_of_the_same_rows() {
        let (features, questions) = drawn(200, 5, 2);
        let tasks: Vec<ProbeTask> = questions.iter().map(ProbeQuestion::task).collect();
        let fitted = FittedProbes::of(&features, &tasks);
        assert_eq!(bits(&fitted.decisions(&features)), bits(&probe(&features, &tasks)));
        // A row that looks like another is decided as that one, by the probe that held both out.
        let mut values = features.values().to_vec();
        values.copy_within(10 * 5..11 * 5, 11 * 5);
        let other = fitted.decisions(&Matrix::new(200, 5, values).unwrap());
        assert_eq!(questions[0].fold[10], questions[0].fold[11]);
        assert_eq!(other[0][11], probe(&features, &tasks)[0][10]);
        for of in [Matrix::new(200, 4, vec![0.0; 800]).unwrap(), Matrix::new(200, 5, vec![f32::NAN; 1000]).unwrap()] {
            assert!(fitted.decisions(&of).iter().flatten().all(|value| value.is_nan()));
        }
    }

    /// More probes than a batch has, of which each is the same.
    #[test]
    fn batches_change_nothing() {
        let (features, mut questions) = drawn(150, 5, 1);
        let alone = bits(&ask(&features, &questions));
        let first = questions.remove(0);
        let again = || ProbeQuestion { target: first.target.clone(), fold: first.fold.clone(), weight: None };
        questions = (0..BATCH / FOLDS + 3).map(|_| again()).collect();
        assert!(bits(&ask(&features, &questions)).iter().all(|found| *found == alone[0]));
    }

    #[test]
    fn neither_units_nor_columns_that_do_not_vary_change_a_decision() {
        let (features, questions) = drawn(400, 6, 3);
        let moved = features.values().chunks(6).enumerate().flat_map(|(row, x)| {
            // The last column varies in one row alone: it does not where that is held out.
            [4.0, x[0] * 1e-6, x[1] * 1e9, x[2] + 300.0, x[3], x[4], x[5], 0.0, f32::from(u8::from(row == 8)) * 1e-3]
        });
        let moved = Matrix::new(400, 9, moved.collect()).unwrap();
        for ((one, other), question) in ask(&features, &questions).iter().zip(ask(&moved, &questions)).zip(&questions) {
            for row in
                (0..400).filter(|row| question.target[*row].is_some() && question.fold[*row] == question.fold[8] && *row != 8)
            {
                assert!((one[row] - other[row]).abs() < 2e-3, "{row}: {} {}", one[row], other[row]);
            }
        }
    }

    #[test]
    fn what_can_be_parted_is_and_no_probe_goes_to_infinity() {
        let (n, class) = (200, |row: usize| row.is_multiple_of(3));
        let values = (0..n).flat_map(|row| [if class(row) { 50.0 } else { -50.0 }, row as f32]).collect();
        let question = ProbeQuestion {
            target: (0..n).map(|r| Some(class(r))).collect(),
            fold: (0..n).map(|r| r % 5).collect(),
            weight: None,
        };
        let found = ask(&Matrix::new(n, 2, values).unwrap(), std::slice::from_ref(&question)).remove(0);
        assert!(found.iter().enumerate().all(|(row, d)| (*d > 0.0) == class(row) && d.abs() < 10.0));
        assert_eq!(accuracy(&found, &question.target).balanced, Some(1.0));
    }

    #[test]
    fn what_cannot_be_learnt_is_not_a_number_and_never_a_panic() {
        let nothing = |found: &[Vec<f64>]| found.iter().flatten().all(|value| value.is_nan());
        let (features, mut questions) = drawn(40, 3, 1);
        questions[0].target = vec![None; 40];
        assert!(nothing(&ask(&features, &questions)), "all rows without a target");
        questions[0].target = vec![Some(true); 40];
        assert!(nothing(&ask(&features, &questions)), "one class");
        // All negatives are in fold 0: only it has a probe.
        questions[0].target = questions[0].fold.iter().map(|fold| Some(*fold != 0)).collect();
        assert!(nothing(&ask(&features, &questions)[..1].iter().map(|f| f[..2].to_vec()).collect::<Vec<_>>()));
        assert!(ask(&features, &questions)[0][2..10].iter().all(|value| value.is_finite()));
        questions[0].weight = Some(vec![0.0; 40]);
        assert!(nothing(&ask(&features, &questions)), "rows without weight");
        (questions[0].weight, questions[0].fold) = (None, vec![FOLDS; 40]);
        assert!(nothing(&ask(&features, &questions)), "no fold");

        let (features, questions) = drawn(40, 3, 1);
        for (value, no_number) in [(f32::NAN, true), (f32::INFINITY, true), (f32::MAX, false)] {
            let mut values = features.values().to_vec();
            (values[5], values[8]) = (value, -value);
            let found = ask(&Matrix::new(40, 3, values).unwrap(), &questions);
            assert!(!no_number || nothing(&found));
        }
        let equal = ask(&Matrix::new(40, 3, vec![0.1; 120]).unwrap(), &questions);
        assert!(equal[0].iter().all(|value| value.is_nan() || value.abs() < 1e-6), "no column varies: {equal:?}");
        assert!(nothing(&ask(&Matrix::new(40, 0, vec![]).unwrap(), &questions)));
        let none = ProbeQuestion { target: vec![], fold: vec![], weight: None };
        assert_eq!(ask(&Matrix::new(0, 3, vec![]).unwrap(), &[none]), [Vec::<f64>::new()]);
        assert!(ask(&features, &[]).is_empty());
    }
}
