//! L-BFGS (Liu and Nocedal 1989) of a convex function, driven from outside: the caller evaluates gradients of many functions at once,
//! and preconditions many directions at once.
//!
//! ```text
//! loop { set gradient at `point` → take_gradient → if a direction is wanted: precondition `direction` → finish_direction }
//! ```

use crate::numeric::{multiversion::multiversion, sum::dot_lanes};
use std::collections::VecDeque;

/// Pairs of steps and changes of the gradient that are remembered.
const HISTORY: usize = 12;
/// The search ends when the Newton step is this short relative to the first, in the norm of the Hessian: there decisions move by not
/// much more, relative to their deviation.
const TOLERANCE: f64 = 1e-6;
/// It ends too when the rounding of gradients lets the step become no shorter for so many iterations.
const PATIENCE: usize = 8;

/// What the search waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SolverPhase {
    /// The gradient at `point`.
    Gradient,
    /// `direction` divided by an approximation of the Hessian.
    Preconditioner,
    /// Nothing: `accepted` is the minimum.
    Done,
}

/// A step, the change of the gradient along it, and 1 / their inner product.
struct Correction {
    step: Vec<f64>,
    change: Vec<f64>,
    inverse_curvature: f64,
}

/// The search for one minimum.
pub(super) struct Lbfgs {
    /// Where the gradient is wanted.
    pub point: Vec<f64>,
    /// The gradient there, set by the caller.
    pub gradient: Vec<f64>,
    /// The direction of search, between [`Lbfgs::take_gradient`] and [`Lbfgs::finish_direction`] half made.
    pub direction: Vec<f64>,
    pub phase: SolverPhase,
    /// Where the search along `direction` began.
    accepted: Vec<f64>,
    accepted_gradient: Vec<f64>,
    /// How far along `direction` `point` is.
    step: f64,
    /// The slope along `direction` where it began.
    slope: f64,
    history: VecDeque<Correction>,
    factors: Vec<f64>,
    /// Squared lengths of the first Newton step and of the shortest so far, in the norm of the Hessian.
    first: f64,
    shortest: f64,
    /// Iterations since the shortest.
    since_shortest: usize,
}

impl Lbfgs {
    /// A search from 0 in so many dimensions.
    pub(super) fn from_zero(dimensions: usize) -> Self {
        let zeros = vec![0.0; dimensions];
        Lbfgs {
            point: zeros.clone(),
            gradient: zeros.clone(),
            direction: zeros.clone(),
            phase: SolverPhase::Gradient,
            accepted: zeros.clone(),
            accepted_gradient: zeros,
            step: 0.0,
            slope: 0.0,
            history: VecDeque::new(),
            factors: vec![],
            first: 0.0,
            shortest: f64::INFINITY,
            since_shortest: 0,
        }
    }

    /// Goes back along the direction if it went too far; else remembers the step, and begins a new direction (the first half of the
    /// two-loop recursion). A convex function needs only slopes for that, and slopes stay exact to the end, where differences of values
    /// are lost in rounding.
    pub(super) fn take_gradient(&mut self) {
        if self.phase == SolverPhase::Done {
            return;
        }
        if self.slope < 0.0 {
            let slope = dot_lanes(&self.gradient, &self.direction);
            if slope > -0.5 * self.slope {
                self.step *= self.slope / (self.slope - slope);
                return self.try_step();
            }
            self.remember_step();
        }
        self.accepted.clone_from(&self.point);
        self.accepted_gradient.clone_from(&self.gradient);
        self.direction.clone_from(&self.gradient);
        self.factors.clear();
        for Correction { step, change, inverse_curvature } in &self.history {
            let factor = inverse_curvature * dot_lanes(step, &self.direction);
            add_scaled(&mut self.direction, -factor, change);
            self.factors.push(factor);
        }
        self.phase = SolverPhase::Preconditioner;
    }

    fn remember_step(&mut self) {
        let step: Vec<f64> = self.direction.iter().map(|value| self.step * value).collect();
        let change: Vec<f64> = self.gradient.iter().zip(&self.accepted_gradient).map(|(now, before)| now - before).collect();
        let curvature = dot_lanes(&step, &change);
        if curvature > 0.0 {
            self.history.truncate(HISTORY - 1);
            self.history.push_front(Correction { step, change, inverse_curvature: 1.0 / curvature });
        }
    }

    /// The second half of the recursion; then the whole step is tried, unless the search is over.
    pub(super) fn finish_direction(&mut self) {
        for (Correction { step, change, inverse_curvature }, factor) in self.history.iter().zip(&self.factors).rev() {
            let other = inverse_curvature * dot_lanes(change, &self.direction);
            add_scaled(&mut self.direction, factor - other, step);
        }
        self.direction.iter_mut().for_each(|value| *value = -*value);
        self.slope = dot_lanes(&self.gradient, &self.direction);
        let length = -self.slope;
        self.first = if self.shortest.is_finite() { self.first } else { length };
        self.since_shortest += 1;
        if length < self.shortest {
            (self.shortest, self.since_shortest) = (length, 0);
        }
        self.step = 1.0;
        // NaN ends the search too.
        let far = length > TOLERANCE * TOLERANCE * self.first;
        if !far || self.since_shortest > PATIENCE {
            self.phase = SolverPhase::Done;
        } else {
            self.try_step();
        }
    }

    fn try_step(&mut self) {
        self.phase = SolverPhase::Gradient;
        self.point.clone_from(&self.accepted);
        add_scaled(&mut self.point, self.step, &self.direction);
    }

    /// Goes to the last accepted point, and forgets the history.
    pub(super) fn settle(&mut self) {
        self.point.clone_from(&self.accepted);
        self.history.clear();
    }
}

multiversion! {
    /// `to += factor · what`
    fn add_scaled(to: &mut [f64], factor: f64, what: &[f64]) = add_scaled_kernel
}

#[inline(always)]
fn add_scaled_kernel(to: &mut [f64], factor: f64, what: &[f64]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to = factor.mul_add(*what, *to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Iterations to the minimum, with no preconditioner.
    fn minimise(solver: &mut Lbfgs, gradient: impl Fn(&[f64]) -> Vec<f64>) -> usize {
        for iteration in 0..500 {
            solver.gradient = gradient(&solver.point);
            solver.take_gradient();
            if solver.phase == SolverPhase::Preconditioner {
                solver.finish_direction();
            }
            if solver.phase == SolverPhase::Done {
                solver.settle();
                return iteration;
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn a_badly_scaled_quadratic_is_minimised() {
        let minimum = [3.0, -2.0, 0.5];
        let curvature = [1.0, 10.0, 0.1];
        let mut solver = Lbfgs::from_zero(3);
        let iterations = minimise(&mut solver, |x| (0..3).map(|i| curvature[i] * (x[i] - minimum[i])).collect());
        assert!(iterations < 40, "{iterations}");
        for (found, known) in solver.point.iter().zip(minimum) {
            assert!((found - known).abs() < 1e-5, "{:?}", solver.point);
        }
    }

    #[test]
    fn a_step_that_goes_too_far_is_shortened() {
        // The first step is 100 times too long.
        let mut solver = Lbfgs::from_zero(1);
        minimise(&mut solver, |x| vec![100.0 * (x[0] - 1.0)]);
        assert!((solver.point[0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_gradient_that_is_not_a_number_ends_the_search_at_the_last_accepted_point() {
        let mut solver = Lbfgs::from_zero(2);
        minimise(&mut solver, |_| vec![f64::NAN, 1.0]);
        assert_eq!(solver.point, [0.0, 0.0]);
    }
}
