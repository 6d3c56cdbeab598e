//! How the rate goes on over the steps of a training.

use visavis_core::domain::study::{Recipe, Schedule};

/// The share of the rate at a step (from 0) of so many; `epoch` is how many steps an epoch has.
pub(crate) fn share(recipe: &Recipe, step: usize, steps: usize, epoch: usize) -> f64 {
    let warmup = ((recipe.warmup * epoch as f64).round() as usize).min(steps);
    if step < warmup {
        // Goyal et al. (2017): in a straight line, up to the whole rate at the last step of the warm-up.
        return (step + 1) as f64 / warmup as f64;
    }
    let at = (step - warmup) as f64 / (steps - warmup).max(1) as f64;
    match recipe.schedule {
        Schedule::Constant => 1.0,
        Schedule::Linear => 1.0 - at,
        // A tenth at half the way, a hundredth at three quarters.
        Schedule::Step => 0.1f64.powi(i32::from(at >= 0.5) + i32::from(at >= 0.75)),
        // Loshchilov and Hutter (ICLR 2017), without restarts.
        Schedule::Cosine => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * at)),
        Schedule::Polynomial => libm::pow(1.0 - at, recipe.power),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(recipe: &Recipe) -> Vec<f64> {
        (0..10).map(|step| (share(recipe, step, 10, 2) * 1000.0).round() / 1000.0).collect()
    }

    fn recipe(schedule: Schedule) -> Recipe {
        Recipe { schedule, ..Recipe::default() }
    }

    #[test]
    fn the_rate_falls_by_its_schedule() {
        assert_eq!(shares(&recipe(Schedule::Linear)), [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
        assert_eq!(shares(&recipe(Schedule::Polynomial)), [1.0, 0.81, 0.64, 0.49, 0.36, 0.25, 0.16, 0.09, 0.04, 0.01]);
        let cubed = Recipe { power: 3.0, ..recipe(Schedule::Polynomial) };
        assert_eq!(shares(&cubed)[5], 0.125);
        assert_eq!(shares(&recipe(Schedule::Step)), [1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01]);
        assert_eq!(shares(&recipe(Schedule::Cosine))[5], 0.5);
    }

    #[test]
    fn the_rate_rises_in_the_warm_up_and_falls_over_what_is_left() {
        let warm = Recipe { warmup: 2.5, ..recipe(Schedule::Linear) };
        assert_eq!(shares(&warm), [0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2]);
        let all = Recipe { warmup: 9.0, ..recipe(Schedule::Linear) };
        assert_eq!(shares(&all)[9], 1.0, "a warm-up of the whole training");
    }
}
