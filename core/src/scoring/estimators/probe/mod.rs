//! Linear probes: can a straight cut through the features tell the classes apart, for identities it was not shown? Logistic
//! regression with classes of equal weight, fitted on four folds and asked about the fifth.
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

use crate::{
    numeric::{
        Matrix,
        lanes::{self, LANES, Lanes},
        multiversion::multiversion,
        special::ln,
        sum::{dot, dot_lanes},
        tiled::{self, Panels, add_products_f32},
    },
    scoring::design::split::FOLDS,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// scikit-learn's C, the variance of the prior on each weight. With 512 features the prior of the log-odds has a deviation of
/// √(512 C) = 2.3, odds of ten to one; C = 1 would expect odds of 10¹⁰, and follows the noise of 3,000 rows.
pub const C: f64 = 0.01;

/// One question. All slices have an entry per row of the features.
pub struct ProbeTask<'a> {
    /// `None` takes no part.
    pub target: &'a [Option<bool>],
    /// 0 … [`FOLDS`] − 1; a row beyond takes no part.
    pub fold: &'a [usize],
    /// Weights within each class, such as those of reweighing; the classes weigh the same whatever they are.
    pub weight: Option<&'a [f64]>,
}

/// Per question and row the log-odds by the probe that was not shown the row's fold. NaN where the row takes no part, where the
/// training rows lack a class, and everywhere if a feature is not finite or there is none. What else is asked changes no bit.
pub fn probe(features: &Matrix, questions: &[ProbeTask]) -> Vec<Vec<f64>> {
    let mut found = vec![vec![f64::NAN; features.rows()]; questions.len()];
    if features.values().is_empty() || features.first_not_finite().is_some() {
        return found;
    }
    let table = StandardizedFeatures::new(features);
    let mut probes = probes(&table, questions);
    let bounds = HessianBound::of_all(&table, &probes);
    for batch in probes.chunks_mut(BATCH) {
        fit(&table, questions, &bounds, batch);
        for (probe, margins) in batch.iter().zip(table.margins(batch)) {
            let asked = &questions[probe.question];
            for (row, margin) in margins.into_iter().enumerate().filter(|(row, _)| asked.held_out(*row, probe.fold)) {
                let decision = f64::from(margin) + probe.offset();
                found[probe.question][row] = if decision.is_finite() { decision } else { f64::NAN };
            }
        }
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// Mean of the two classes' shares of rows decided rightly, at log-odds 0.
    pub balanced: Option<f64>,
    /// Share of rows decided rightly, the odds multiplied by those of the classes.
    pub plain: Option<f64>,
    /// The same of saying the larger class always.
    pub majority: Option<f64>,
}

/// Of the rows that have both a decision and a target; `None` where there are none, or (balanced) none of a class.
pub fn accuracy(decision: &[f64], target: &[Option<bool>]) -> Accuracy {
    let rows: Vec<(f64, bool)> =
        decision.iter().zip(target).filter_map(|(d, t)| t.filter(|_| !d.is_nan()).map(|t| (*d, t))).collect();
    let of = |class: bool| rows.iter().filter(|row| row.1 == class).count() as f64;
    let prior = ln(of(true)) - ln(of(false));
    let right =
        |class: bool, shift: f64| rows.iter().filter(|row| row.1 == class && (row.0 + shift > 0.0) == class).count() as f64;
    let share = |count: f64, of: f64| (of > 0.0).then(|| count / of);
    let all = rows.len() as f64;
    Accuracy {
        balanced: share(right(true, 0.0), of(true)).zip(share(right(false, 0.0), of(false))).map(|(a, b)| 0.5 * (a + b)),
        plain: share(right(true, prior) + right(false, prior), all),
        majority: share(of(true).max(of(false)), all),
    }
}

impl ProbeTask<'_> {
    fn takes_part(&self, row: usize) -> bool {
        self.target[row].is_some() && self.fold[row] < FOLDS
    }

    fn held_out(&self, row: usize, fold: usize) -> bool {
        self.takes_part(row) && self.fold[row] == fold
    }

    /// Class and weight of a row that a probe is shown; one without weight is still a row to standardise by.
    fn shown(&self, row: usize, fold: usize) -> Option<(bool, f64)> {
        let class = self.target[row].filter(|_| self.takes_part(row) && self.fold[row] != fold)?;
        Some((class, self.weight.map_or(1.0, |weight| if weight[row].is_finite() { weight[row].max(0.0) } else { 0.0 })))
    }

    /// Whether the same rows take part, in the same folds.
    fn same_rows(&self, other: &ProbeTask) -> bool {
        self.fold == other.fold && self.target.iter().zip(other.target).all(|(a, b)| a.is_some() == b.is_some())
    }
}

/// Number, mean and sum of squares about it of some rows' features.
#[derive(Clone)]
struct Moments {
    n: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// In two passes; of equal numbers exactly 0, for their sums are exact.
    fn of(features: &Matrix, rows: impl Iterator<Item = usize> + Clone) -> Self {
        let (mut n, mut means, mut squares) = (0.0, vec![0.0; features.columns()], vec![0.0; features.columns()]);
        for row in rows.clone() {
            n += 1.0;
            add_row(features.row(row), &mut means);
        }
        means.iter_mut().for_each(|mean| *mean /= f64::max(n, 1.0));
        rows.for_each(|row| add_squares(features.row(row), &means, &mut squares));
        Moments { n, means, squares }
    }

    /// Of both together (Chan, Golub and LeVeque 1983), again exactly 0 of equal numbers.
    fn and(mut self, other: &Moments) -> Self {
        let n = self.n + other.n;
        if self.n == 0.0 || other.n == 0.0 {
            return if self.n == 0.0 { other.clone() } else { self };
        }
        for k in 0..self.means.len() {
            let apart = other.means[k] - self.means[k];
            self.means[k] += apart * (other.n / n);
            self.squares[k] += other.squares[k] + apart * apart * (self.n * other.n / n);
        }
        Moments { n, ..self }
    }

    /// 1 / deviation; 0 where there is none.
    fn inverse(&self, column: usize) -> f64 {
        let inverse = 1.0 / (self.squares[column] / self.n).sqrt();
        if inverse.is_finite() { inverse } else { 0.0 }
    }
}

multiversion! { fn add_row(row: &[f32], sums: &mut [f64]) = add_row_kernel }

#[inline(always)]
fn add_row_kernel(row: &[f32], sums: &mut [f64]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += f64::from(*value);
    }
}

multiversion! { fn add_squares(row: &[f32], means: &[f64], sums: &mut [f64]) = add_squares_kernel }

#[inline(always)]
fn add_squares_kernel(row: &[f32], means: &[f64], sums: &mut [f64]) {
    for ((sum, value), mean) in sums.iter_mut().zip(row).zip(means) {
        let apart = f64::from(*value) - mean;
        *sum = apart.mul_add(apart, *sum);
    }
}

/// Probes that are fitted at once: their weights and gradients stay in a core's cache.
const BATCH: usize = 5 * LANES;
/// Rows that are standardised at once.
const ROWS: usize = 64;
/// Tiles above each other.
const HIGH: usize = ROWS / LANES;
/// Blocks whose products are summed in `f32`, and least a task has.
const SUMMED: usize = 4;
/// No more tasks than this, each with sums of its own.
const TASKS: usize = 32;

type Tile<T> = [[T; LANES]; LANES];
/// Gradients by panel and tile, and by panel those of the intercepts.
type Sums = (Vec<Tile<f64>>, Vec<[f64; LANES]>);

/// The features, standardised by all rows: what differs between probes is small, and is done to the weights.
struct StandardizedFeatures<'a> {
    features: &'a Matrix,
    centre: Vec<f32>,
    inverse: Vec<f32>,
}

/// A block of rows in the two orders that tiles take: rows beside each other, and columns.
struct RowBlock {
    rows: Vec<Tile<f32>>,
    columns: Vec<Tile<f32>>,
}

impl<'a> StandardizedFeatures<'a> {
    fn new(features: &'a Matrix) -> Self {
        const PART: usize = 4096;
        let n = features.rows();
        let parts: Vec<Moments> = (0..n.div_ceil(PART))
            .into_par_iter()
            .map(|part| Moments::of(features, part * PART..n.min((part + 1) * PART)))
            .collect();
        let all = parts[1..].iter().fold(parts[0].clone(), Moments::and);
        let inverse = (0..features.columns()).map(|column| all.inverse(column) as f32);
        // Beyond `f32` there is nothing to tell apart with.
        let inverse = inverse.map(|inverse| if inverse.is_finite() { inverse } else { 0.0 }).collect();
        StandardizedFeatures { features, centre: all.means.iter().map(|mean| *mean as f32).collect(), inverse }
    }

    /// Tiles beside each other.
    fn across(&self) -> usize {
        self.features.columns().div_ceil(LANES)
    }

    fn block(&self) -> RowBlock {
        let tiles = vec![[[0.0; LANES]; LANES]; self.across() * HIGH];
        RowBlock { rows: tiles.clone(), columns: tiles }
    }

    /// Rows beyond the last are 0.
    fn load(&self, first: usize, block: &mut RowBlock) {
        let scales = self.centre.chunks(LANES).zip(self.inverse.chunks(LANES));
        for high in 0..HIGH {
            for (wide, (centre, inverse)) in scales.clone().enumerate() {
                let tile = &mut block.columns[wide * HIGH + high];
                for (i, out) in tile.iter_mut().enumerate() {
                    let row = first + high * LANES + i;
                    if row >= self.features.rows() {
                        *out = [0.0; LANES];
                        continue;
                    }
                    let values = &self.features.row(row)[wide * LANES..][..centre.len()];
                    for (((out, value), centre), inverse) in out.iter_mut().zip(values).zip(centre).zip(inverse) {
                        *out = (value - centre) * inverse;
                    }
                }
                let turned = &mut block.rows[high * self.across() + wide];
                for i in 0..LANES {
                    for j in 0..LANES {
                        turned[i][j] = tile[j][i];
                    }
                }
            }
        }
    }

    /// The probes' weights, as they apply to this table.
    fn panels(&self, probes: &[ProbeFit]) -> Panels<f32, LANES> {
        let weight =
            |probe: usize, k: usize| probes[probe].scale.get(k).map_or(0.0, |scale| (probes[probe].tried[k] * scale) as f32);
        Panels::new(probes.len(), self.across() * LANES, weight)
    }

    /// Per probe the margins of all rows, without the offset.
    fn margins(&self, probes: &[ProbeFit]) -> Vec<Vec<f32>> {
        let panels = self.panels(probes);
        let blocks = (0..self.features.rows()).step_by(ROWS).collect::<Vec<_>>().into_par_iter();
        let margins: Vec<Vec<Tile<f32>>> = blocks
            .map_init(
                || self.block(),
                |block, first| {
                    self.load(first, block);
                    (0..probes.len().div_ceil(LANES)).flat_map(|panel| self.products(block, panels.panel(panel))).collect()
                },
            )
            .collect();
        let of = |probe: usize, row: usize| {
            let tile = &margins[row / ROWS][probe / LANES * HIGH + row % ROWS / LANES];
            tile[row % LANES][probe % LANES]
        };
        (0..probes.len()).map(|probe| (0..self.features.rows()).map(|row| of(probe, row)).collect()).collect()
    }

    /// A block's rows times the weights of a panel.
    fn products(&self, block: &RowBlock, panel: &[f32]) -> [Tile<f32>; HIGH] {
        let mut products = [[[0.0; LANES]; LANES]; HIGH];
        for (product, rows) in products.iter_mut().zip(block.rows.chunks_exact(self.across())) {
            add_products_f32(rows.as_flattened().as_flattened(), panel, product);
        }
        products
    }

    /// Sets every probe's gradient, of the loss alone, as it applies to this table; the intercept's is the last.
    fn gradients(&self, probes: &mut [ProbeFit], shown: &[Vec<[f32; LANES]>]) {
        let panels = self.panels(probes);
        let wide = probes.len().div_ceil(LANES);
        let mut offsets = vec![[0.0; LANES]; wide];
        for (place, probe) in probes.iter().enumerate() {
            offsets[place / LANES][place % LANES] = probe.offset() as f32;
        }
        let blocks = self.features.rows().div_ceil(ROWS);
        let task = blocks.div_ceil(TASKS).max(SUMMED);
        let run = |first: usize| -> Sums {
            let mut block = self.block();
            let (mut sums, mut totals) = (vec![[[0.0; LANES]; LANES]; self.across() * wide], vec![[0.0; LANES]; wide]);
            let mut part = vec![[[0.0; LANES]; LANES]; self.across() * wide];
            let last = blocks.min(first + task);
            for at in first..last {
                self.load(at * ROWS, &mut block);
                for panel in 0..wide {
                    let mut residuals = self.products(&block, panels.panel(panel));
                    let shown = &shown[panel][at * ROWS..][..ROWS];
                    residual(residuals.as_flattened_mut(), &offsets[panel], shown, &mut totals[panel]);
                    for (columns, part) in block.columns.chunks_exact(HIGH).zip(part[panel * self.across()..].iter_mut()) {
                        add_products_f32(columns.as_flattened().as_flattened(), residuals.as_flattened().as_flattened(), part);
                    }
                }
                if (at + 1 - first).is_multiple_of(SUMMED) || at + 1 == last {
                    add_tiles(part.as_flattened_mut().as_flattened_mut(), sums.as_flattened_mut().as_flattened_mut());
                }
            }
            (sums, totals)
        };
        let parts: Vec<Sums> = (0..blocks.div_ceil(task)).into_par_iter().map(|t| run(t * task)).collect();
        probes.par_iter_mut().enumerate().for_each(|(place, probe)| {
            let (panel, lane) = (place / LANES, place % LANES);
            let d = probe.scale.len();
            for k in 0..d {
                let tile = panel * self.across() + k / LANES;
                probe.gradient[k] = parts.iter().map(|part| part.0[tile][k % LANES][lane]).sum();
            }
            probe.gradient[d] = parts.iter().map(|part| part.1[panel][lane]).sum();
        });
    }
}

multiversion! { fn add_tiles(part: &mut [f32], sums: &mut [f64]) = add_tiles_kernel }

/// Moves one to the other.
#[inline(always)]
fn add_tiles_kernel(part: &mut [f32], sums: &mut [f64]) {
    for (sum, part) in sums.iter_mut().zip(part) {
        *sum += f64::from(std::mem::take(part));
    }
}

multiversion! {
    /// Of margins the slopes of the loss: weight × (σ(margin) − class).
    fn residual(margins: &mut [[f32; LANES]], offset: &[f32; LANES], shown: &[[f32; LANES]], totals: &mut [f64; LANES]) =
        lanes residual_kernel
}

#[inline(always)]
fn residual_kernel<L: Lanes>(
    margins: &mut [[f32; LANES]],
    offset: &[f32; LANES],
    shown: &[[f32; LANES]],
    totals: &mut [f64; LANES],
) {
    let (zero, one, offset) = (L::splat(0.0), L::splat(1.0), L::load(offset));
    for (margin, shown) in margins.iter_mut().zip(shown) {
        let shown = L::load(shown);
        let (size, positive) = (shown.max(zero.sub(shown)), shown.max(zero));
        let share = one.div(one.add(lanes::exp(zero.sub(L::load(margin).add(offset)))));
        size.fused(share, zero.sub(positive)).store(margin);
        for (total, value) in totals.iter_mut().zip(margin) {
            *total += f64::from(*value);
        }
    }
}

/// Per panel of probes, row and lane the row's weight, negative for the negative class; 0 where it is not shown.
fn shown(n: usize, questions: &[ProbeTask], probes: &[ProbeFit]) -> Vec<Vec<[f32; LANES]>> {
    let panel = |probes: &[ProbeFit]| {
        let mut weights = vec![[0.0; LANES]; n.next_multiple_of(ROWS)];
        for (lane, probe) in probes.iter().enumerate() {
            for (row, weights) in weights[..n].iter_mut().enumerate() {
                if let Some((class, weight)) = questions[probe.question].shown(row, probe.fold) {
                    let weight = (weight * probe.balance[usize::from(class)]) as f32;
                    weights[lane] = if class { weight } else { -weight };
                }
            }
        }
        weights
    };
    probes.par_chunks(LANES).map(panel).collect()
}

/// Pairs of steps and changes that L-BFGS keeps.
const KEPT: usize = 12;

/// One question with one fold held out, and how far its fit is. The intercept comes after the weights.
struct ProbeFit {
    question: usize,
    fold: usize,
    lambda: f64,
    /// By class, what brings the weights of its rows to a sum of ½.
    balance: [f64; 2],
    /// z = scale × table + shift
    scale: Vec<f64>,
    shift: Vec<f64>,

    tried: Vec<f64>,
    gradient: Vec<f64>,
    /// Where the search along `direction` began.
    from: Vec<f64>,
    gradient_from: Vec<f64>,
    direction: Vec<f64>,
    step: f64,
    slope: f64,
    kept: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    factors: Vec<f64>,
    /// Whether a direction is being made.
    turning: bool,
    /// Squares of the first Newton step's length and of the shortest so far, each in the norm of the Hessian.
    first: f64,
    shortest: f64,
    since: usize,
    done: bool,
}

impl ProbeFit {
    /// What the intercept is in terms of the table.
    fn offset(&self) -> f64 {
        let d = self.shift.len();
        self.tried[d] + dot(&self.tried[..d], &self.shift)
    }

    /// λ to the power of two below: those that have it in common share a bound.
    fn size(&self) -> i32 {
        libm::ilogb(self.lambda)
    }

    /// From the gradient of the loss by the table to that of the objective.
    fn whole_gradient(&mut self) {
        let d = self.scale.len();
        let total = self.gradient[d];
        for k in 0..d {
            self.gradient[k] = self.scale[k] * self.gradient[k] + self.shift[k] * total + self.lambda * self.tried[k];
        }
    }

    /// Goes back along the direction where it went too far; else remembers the step, and begins a direction (the first half of
    /// the recursion). A convex function needs no more than slopes for that, and slopes hold to the end, where values drown in
    /// rounding.
    fn judge(&mut self) {
        self.turning = false;
        if self.done {
            return;
        }
        if self.slope < 0.0 {
            let slope = dot_lanes(&self.gradient, &self.direction);
            if slope > -0.5 * self.slope {
                self.step *= self.slope / (self.slope - slope);
                return self.try_step();
            }
            let step: Vec<f64> = self.direction.iter().map(|value| self.step * value).collect();
            let change: Vec<f64> = self.gradient.iter().zip(&self.gradient_from).map(|(now, before)| now - before).collect();
            let curvature = dot_lanes(&step, &change);
            if curvature > 0.0 {
                self.kept.truncate(KEPT - 1);
                self.kept.push_front((step, change, 1.0 / curvature));
            }
        }
        self.from.clone_from(&self.tried);
        self.gradient_from.clone_from(&self.gradient);
        self.direction.clone_from(&self.gradient);
        self.factors.clear();
        for (step, change, inverse) in &self.kept {
            let factor = inverse * dot_lanes(step, &self.direction);
            add(&mut self.direction, -factor, change);
            self.factors.push(factor);
        }
        self.turning = true;
    }

    /// The second half, from what the bound made of the first.
    fn go_on(&mut self) {
        for ((step, change, inverse), factor) in self.kept.iter().zip(&self.factors).rev() {
            let other = inverse * dot_lanes(change, &self.direction);
            add(&mut self.direction, factor - other, step);
        }
        self.direction.iter_mut().for_each(|value| *value = -*value);
        self.slope = dot_lanes(&self.gradient, &self.direction);
        let length = -self.slope;
        self.first = if self.shortest.is_finite() { self.first } else { length };
        self.since += 1;
        if length < self.shortest {
            (self.shortest, self.since) = (length, 0);
        }
        // Not a number, too, is the end.
        let far = length > TOLERANCE * TOLERANCE * self.first;
        self.done = !far || self.since > PATIENCE;
        self.step = 1.0;
        if !self.done {
            self.try_step();
        }
    }

    fn try_step(&mut self) {
        self.tried.clone_from(&self.from);
        add(&mut self.tried, self.step, &self.direction);
    }
}

multiversion! {
    /// `to += factor · what`
    fn add(to: &mut [f64], factor: f64, what: &[f64]) = add_kernel
}

#[inline(always)]
fn add_kernel(to: &mut [f64], factor: f64, what: &[f64]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to = factor.mul_add(*what, *to);
    }
}

/// Those that have both classes to learn from.
fn probes(table: &StandardizedFeatures, questions: &[ProbeTask]) -> Vec<ProbeFit> {
    let n = table.features.rows();
    let original: Vec<usize> =
        (0..questions.len()).map(|q| (0..q).find(|o| questions[*o].same_rows(&questions[q])).unwrap_or(q)).collect();
    let moments = |question: usize| -> Vec<Moments> {
        let of = |fold| Moments::of(table.features, (0..n).filter(move |row| questions[question].held_out(*row, fold)));
        if original[question] == question { (0..FOLDS).into_par_iter().map(of).collect() } else { vec![] }
    };
    let moments: Vec<Vec<Moments>> = (0..questions.len()).map(moments).collect();
    let probe = |place: usize| {
        let (question, fold) = (place / FOLDS, place % FOLDS);
        let mut totals = [0.0; 2];
        for (class, weight) in (0..n).filter_map(|row| questions[question].shown(row, fold)) {
            totals[usize::from(class)] += weight;
        }
        let balance = totals.map(|total| 0.5 / total);
        if !balance.iter().all(|balance| balance.is_finite() && *balance > 0.0) {
            return None;
        }
        let mut others = (0..FOLDS).filter(|other| *other != fold).map(|other| &moments[original[question]][other]);
        let first = others.next()?.clone();
        let training = others.fold(first, Moments::and);
        let columns = 0..table.features.columns();
        let scale = columns.clone().map(|k| match f64::from(table.inverse[k]) {
            0.0 => 0.0,
            inverse => training.inverse(k) / inverse,
        });
        let shift = columns.map(|k| {
            let inverse = if table.inverse[k] == 0.0 { 0.0 } else { training.inverse(k) };
            (f64::from(table.centre[k]) - training.means[k]) * inverse
        });
        let (scale, shift): (Vec<f64>, Vec<f64>) = (scale.collect(), shift.collect());
        let zeros = vec![0.0; scale.len() + 1];
        Some(ProbeFit {
            question,
            fold,
            lambda: 1.0 / (C * training.n),
            balance,
            scale,
            shift,
            tried: zeros.clone(),
            gradient: zeros.clone(),
            from: zeros.clone(),
            gradient_from: zeros.clone(),
            direction: zeros,
            step: 0.0,
            slope: 0.0,
            kept: VecDeque::new(),
            factors: vec![],
            turning: false,
            first: 0.0,
            shortest: f64::INFINITY,
            since: 0,
            done: false,
        })
    };
    (0..questions.len() * FOLDS).into_par_iter().filter_map(probe).collect()
}

/// A fit ends when the Newton step is this short beside the first, in the norm of the Hessian: where decisions move by not
/// much more beside their deviation.
const TOLERANCE: f64 = 1e-6;
/// It ends too when `f32` lets the step become no shorter for so many iterations, or after so many passes.
const PATIENCE: usize = 8;
const PASSES: usize = 400;

fn fit(table: &StandardizedFeatures, questions: &[ProbeTask], bounds: &BTreeMap<i32, HessianBound>, probes: &mut [ProbeFit]) {
    let mut active = probes.len();
    let n = table.features.rows();
    let mut weights = shown(n, questions, probes);
    for _ in 0..PASSES {
        table.gradients(&mut probes[..active], &weights);
        probes[..active].par_iter_mut().for_each(|probe| {
            probe.whole_gradient();
            probe.judge();
        });
        for (size, bound) in bounds {
            let mut turning: Vec<&mut ProbeFit> =
                probes[..active].iter_mut().filter(|p| p.turning && p.size() == *size).collect();
            turning.par_chunks_mut(LANES).for_each(|panel| bound.solve(panel));
        }
        probes[..active].par_iter_mut().filter(|probe| probe.turning).for_each(ProbeFit::go_on);
        let panels = active.div_ceil(LANES);
        let left = probes[..active].iter().filter(|probe| !probe.done).count();
        if left == 0 {
            break;
        }
        // Those that are done give their lanes to others once that saves a panel; which lane changes no bit.
        if left.div_ceil(LANES) < panels {
            probes[..active].sort_by_key(|probe| probe.done);
            active = left;
            weights = shown(n, questions, &probes[..active]);
        }
    }
    for probe in probes.iter_mut() {
        probe.tried.clone_from(&probe.from);
        probe.kept.clear();
    }
}

/// ¼ of the features' correlations + λ: no Hessian of unweighted rows is larger. For the intercept, ¼.
enum HessianBound {
    /// Its factor L of L Lᵀ, D × D, row by row, with the inverses of its diagonal.
    Whole(Vec<f32>),
    /// The diagonal, of too many features.
    Diagonal(f64),
}

/// More features than this are too many for their correlations.
const MOST: usize = 4096;
/// Rows to know them by, a feature: with a quarter of these it takes some iterations more.
const ENOUGH: usize = 16;
/// Columns of the factor that are made at once.
const WIDE: usize = 64;

impl HessianBound {
    /// By the probes' size.
    fn of_all(table: &StandardizedFeatures, probes: &[ProbeFit]) -> BTreeMap<i32, HessianBound> {
        // In the middle of what shares it, so that it does not hang on who else does.
        let sizes: BTreeMap<i32, f64> = probes.iter().map(ProbeFit::size).map(|size| (size, libm::scalbn(1.5, size))).collect();
        let (n, d) = (table.features.rows(), table.features.columns());
        if d > MOST || sizes.is_empty() {
            return sizes.into_iter().map(|(size, lambda)| (size, HessianBound::Diagonal(0.25 + lambda))).collect();
        }
        let every = (n / (ENOUGH * d).max(1)).max(1);
        let values: Vec<f32> = (0..n).step_by(every).flat_map(|row| table.features.row(row)).copied().collect();
        let some = Matrix::new(n.div_ceil(every), d, values).expect("whole rows");
        let mut correlations = tiled::scatter(&some, &table.centre.iter().map(|mean| f64::from(*mean)).collect::<Vec<_>>());
        correlations.par_chunks_mut(d.max(1)).enumerate().for_each(|(i, row)| {
            let inverse = f64::from(table.inverse[i]) * 0.25 / some.rows() as f64;
            row.iter_mut().zip(&table.inverse).for_each(|(value, other)| *value *= inverse * f64::from(*other));
        });
        sizes.into_iter().map(|(size, lambda)| (size, HessianBound::new(correlations.clone(), d, lambda))).collect()
    }

    /// Cholesky's factor.
    fn new(mut a: Vec<f64>, d: usize, lambda: f64) -> Self {
        (0..d).for_each(|i| a[i * d + i] += lambda);
        for first in (0..d).step_by(WIDE) {
            let last = d.min(first + WIDE);
            let (block, below) = a[first * d..].split_at_mut((last - first) * d);
            for i in first..last {
                let (above, row) = block.split_at_mut((i - first) * d);
                for j in first..i {
                    let other = &above[(j - first) * d..][..=j];
                    row[j] = (row[j] - dot_lanes(&row[..j], &other[..j])) / other[j];
                }
                // No eigenvalue is smaller than λ, so no pivot is either.
                row[i] = (row[i] - dot_lanes(&row[..i], &row[..i])).max(lambda).sqrt();
            }
            below.par_chunks_mut(d).for_each(|row| {
                for (j, other) in (first..last).zip(block.chunks_exact(d)) {
                    row[j] = (row[j] - dot_lanes(&row[..j], &other[..j])) / other[j];
                }
            });
        }
        (0..d).for_each(|i| a[i * d + i] = 1.0 / a[i * d + i]);
        HessianBound::Whole(a.into_iter().map(|value| value as f32).collect())
    }

    /// Divides the directions of up to `LANES` probes.
    fn solve(&self, probes: &mut [&mut ProbeFit]) {
        let d = probes.first().map_or(0, |probe| probe.scale.len());
        probes.iter_mut().for_each(|probe| probe.direction[d] /= 0.25);
        let lower = match self {
            HessianBound::Whole(lower) => lower,
            HessianBound::Diagonal(value) => {
                return probes.iter_mut().for_each(|probe| probe.direction[..d].iter_mut().for_each(|along| *along /= value));
            }
        };
        let mut panel = vec![[0.0; LANES]; d];
        for (lane, probe) in probes.iter().enumerate() {
            panel.iter_mut().zip(&probe.direction).for_each(|(lanes, value)| lanes[lane] = *value as f32);
        }
        solve(lower, &mut panel);
        for (lane, probe) in probes.iter_mut().enumerate() {
            // What does not vary in the training rows stays out of it.
            for (k, lanes) in panel.iter().enumerate() {
                probe.direction[k] = if probe.scale[k] == 0.0 { 0.0 } else { f64::from(lanes[lane]) };
            }
        }
    }
}

multiversion! {
    /// x ← (L Lᵀ)⁻¹ x in every lane; on the diagonal of L stand the inverses.
    fn solve(lower: &[f32], x: &mut [[f32; LANES]]) = lanes solve_kernel
}

#[inline(always)]
fn solve_kernel<L: Lanes>(lower: &[f32], x: &mut [[f32; LANES]]) {
    const CHAINS: usize = 4;
    let d = x.len();
    for i in 0..d {
        let row = &lower[i * d..][..=i];
        let mut sums = [L::splat(0.0); CHAINS];
        for (factors, x) in row[..i].chunks_exact(CHAINS).zip(x.chunks_exact(CHAINS)) {
            for c in 0..CHAINS {
                sums[c] = L::splat(factors[c]).fused(L::load(&x[c]), sums[c]);
            }
        }
        for j in i - i % CHAINS..i {
            sums[0] = L::splat(row[j]).fused(L::load(&x[j]), sums[0]);
        }
        let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
        L::load(&x[i]).sub(sum).mul(L::splat(row[i])).store(&mut x[i]);
    }
    for i in (0..d).rev() {
        let row = &lower[i * d..][..=i];
        let value = L::load(&x[i]).mul(L::splat(row[i]));
        value.store(&mut x[i]);
        let less = L::splat(0.0).sub(value);
        for (factor, x) in row[..i].iter().zip(x.iter_mut()) {
            L::splat(*factor).fused(less, L::load(x)).store(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{PhiloxStream, multiversion::each_level};
    use crate::scoring::estimators::auc::Sorted;

    struct Question {
        target: Vec<Option<bool>>,
        fold: Vec<usize>,
        weight: Option<Vec<f64>>,
    }

    impl Question {
        fn asked(&self) -> ProbeTask<'_> {
            ProbeTask { target: &self.target, fold: &self.fold, weight: self.weight.as_deref() }
        }
    }

    fn ask(features: &Matrix, questions: &[Question]) -> Vec<Vec<f64>> {
        probe(features, &questions.iter().map(Question::asked).collect::<Vec<_>>())
    }

    fn bits(found: &[Vec<f64>]) -> Vec<Vec<u64>> {
        found.iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
    }

    /// Of each question one row in seven takes no part; the classes lean on the first columns.
    fn drawn(n: usize, d: usize, questions: usize) -> (Matrix, Vec<Question>) {
        let mut stream = PhiloxStream::for_test(3, 0);
        let features = Matrix::new(n, d, (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
        let question = |q: usize| {
            let class = |row: usize| features.row(row)[q % d] + 0.5 * features.row(row)[(q + 1) % d] > 0.3 * q as f32;
            Question {
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
            let questions = asked.iter().map(|asked| Question {
                target: serde_json::from_value(asked["target"].clone()).unwrap(),
                fold: serde_json::from_value(asked["fold"].clone()).unwrap(),
                weight: serde_json::from_value(asked["weight"].clone()).unwrap(),
            });
            let questions: Vec<Question> = questions.collect();
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
                    assert!((Sorted::new(scored.collect()).wins(|_| 1).auc().unwrap() - peer).abs() < 1e-3);
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

    /// More probes than a batch has, of which each is the same.
    #[test]
    fn batches_change_nothing() {
        let (features, mut questions) = drawn(150, 5, 1);
        let alone = bits(&ask(&features, &questions));
        let first = questions.remove(0);
        let again = || Question { target: first.target.clone(), fold: first.fold.clone(), weight: None };
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
        let question =
            Question { target: (0..n).map(|r| Some(class(r))).collect(), fold: (0..n).map(|r| r % 5).collect(), weight: None };
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
        let none = Question { target: vec![], fold: vec![], weight: None };
        assert_eq!(ask(&Matrix::new(0, 3, vec![]).unwrap(), &[none]), [Vec::<f64>::new()]);
        assert!(ask(&features, &[]).is_empty());
    }

    #[test]
    fn accuracies_are_counted_by_hand() {
        let target = [true, true, false, false, false, false, false, false].map(Some);
        let decision = [2.0, -0.5, -1.0, -1.0, 0.5, 0.5, 1.5, f64::NAN];
        // Of five negatives two are right at 0, four with the odds 2 : 5 (a shift of −0.92); of two positives one, and one.
        let of = accuracy(&decision, &target);
        assert_eq!(of, Accuracy { balanced: Some(0.5 * (0.5 + 0.4)), plain: Some(5.0 / 7.0), majority: Some(5.0 / 7.0) });
        assert_eq!(accuracy(&[f64::NAN], &[Some(true)]), Accuracy { balanced: None, plain: None, majority: None });
        assert_eq!(accuracy(&[-1.0], &[Some(true)]), Accuracy { balanced: None, plain: Some(1.0), majority: Some(1.0) });
    }
}
