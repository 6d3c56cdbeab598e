//! When it is told how the workers stand that come by themselves: a thousand may come one by one.

use std::time::Duration;
use visavis_core::domain::event::WorkersStanding;

/// What has changed is told at most that often, unless it is the first worker that comes or the last that was waited for.
const SELDOM: Duration = Duration::from_secs(30);

/// What was told last, and when.
#[derive(Debug, Default)]
pub(crate) struct StandingTold(Option<(WorkersStanding, Duration)>);

impl StandingTold {
    /// What is to be told now of how they stand, if anything.
    pub(crate) fn news(&mut self, standing: WorkersStanding, now: Duration) -> Option<WorkersStanding> {
        let is_due = match &self.0 {
            None => standing.here + standing.waiting > 0,
            Some((last, _)) if *last == standing => false,
            Some((last, at)) => {
                let is_turn = (last.here == 0) != (standing.here == 0) || (last.waiting > 0 && standing.waiting == 0);
                is_turn || now.saturating_sub(*at) >= SELDOM
            }
        };
        if !is_due {
            return None;
        }
        self.0 = Some((standing.clone(), now));
        Some(standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(here: usize, waiting: usize) -> WorkersStanding {
        WorkersStanding { by: "Slurm".to_owned(), here, waiting, why: None }
    }

    /// Which of these are told, each with the second it comes at.
    fn told(all: &[(u64, usize, usize)]) -> Vec<u64> {
        let mut last = StandingTold::default();
        let is_told = |(at, here, waiting): &(u64, usize, usize)| {
            last.news(standing(*here, *waiting), Duration::from_secs(*at)).is_some().then_some(*at)
        };
        all.iter().filter_map(is_told).collect()
    }

    #[test]
    fn a_thousand_workers_that_come_one_by_one_are_told_of_every_half_minute() {
        let coming: Vec<(u64, usize, usize)> = (0..=1000).map(|at| (at, at as usize, 1000 - at as usize)).collect();
        let told = told(&coming);
        assert_eq!((&told[..3], told.last()), (&[0, 1, 31][..], Some(&1000)), "the first, and that all are here, at once");
        assert!(told.len() < 40, "{told:?}");
    }

    #[test]
    fn nothing_is_told_before_workers_are_asked_for_nor_twice() {
        assert_eq!(told(&[(0, 0, 0), (1, 0, 0), (2, 0, 4), (3, 0, 4), (90, 0, 4)]), [2]);
    }

    #[test]
    fn a_reason_that_changes_is_told_when_half_a_minute_has_passed() {
        let mut last = StandingTold::default();
        let because = |why: &str| WorkersStanding { why: Some(why.to_owned()), ..standing(0, 2) };
        assert!(last.news(standing(0, 2), Duration::ZERO).is_some());
        assert_eq!(last.news(because("a"), Duration::from_secs(29)), None);
        assert_eq!(last.news(because("b"), Duration::from_secs(30)), Some(because("b")));
    }
}
