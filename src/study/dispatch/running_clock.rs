//! The time that a run has really run. A process that is frozen (Ctrl-Z, a paused container, a laptop asleep) hears nothing, and its
//! workers cannot be blamed for that: such time is not counted.

use std::time::{Duration, Instant};

/// The longest time between two looks that counts. The dispatcher looks ten times a second; a plan that is made anew may take longer, and
/// meanwhile nobody is heard either.
const LONGEST: Duration = Duration::from_secs(1);

/// Counts the time that a dispatcher runs, by looking often.
pub(super) struct RunningClock {
    looked: Instant,
    ran: Duration,
}

impl RunningClock {
    pub(super) fn start(now: Instant) -> Self {
        RunningClock { looked: now, ran: Duration::ZERO }
    }

    /// How long it has run, now that it is looked at.
    pub(super) fn at(&mut self, now: Instant) -> Duration {
        self.ran += now.saturating_duration_since(self.looked).min(LONGEST);
        self.looked = now;
        self.ran
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_the_dispatcher_was_frozen_is_not_counted() {
        let start = Instant::now();
        let after = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut clock = RunningClock::start(start);
        (1..=20).for_each(|tenth| _ = clock.at(after(f64::from(tenth) / 10.0)));
        assert_eq!(clock.at(after(2.0)), Duration::from_secs(2));
        assert_eq!(clock.at(after(3600.0)), Duration::from_secs(3), "an hour in the freezer");
        assert_eq!(clock.at(after(3600.5)), Duration::from_secs_f64(3.5));
        assert_eq!(clock.at(after(3000.0)), Duration::from_secs_f64(3.5), "never backwards");
    }
}
