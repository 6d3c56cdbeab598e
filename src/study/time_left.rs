//! How long a run still takes: of what runs by how far it has come, of what waits by what such stages took.

use super::cost::Cost;

/// A stage that is not done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenStage {
    /// What one like it takes.
    pub cost: Cost,
    /// `None`: it waits.
    pub running: Option<Running>,
}

/// How far a running stage has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// Seconds since it began.
    pub since: f64,
    /// What it made known of itself.
    pub progress: Option<Progress>,
}

/// What a stage says while it runs: so many steps of so many, one in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    pub done: f64,
    pub of: f64,
    pub seconds_a_step: f64,
}

/// Seconds that are left, with an interval that holds four times in five if what is to come is like what was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeLeft {
    pub seconds: f64,
    pub low: f64,
    pub high: f64,
}

impl Progress {
    /// Seconds that are left at this pace.
    pub fn left(self) -> f64 {
        (self.of - self.done).max(0.0) * self.seconds_a_step
    }

    /// The share that is done.
    pub fn share(self) -> f32 {
        if self.of > 0.0 { (self.done / self.of).clamp(0.0, 1.0) as f32 } else { 0.0 }
    }
}

impl OpenStage {
    /// Seconds that it still takes, and their standard deviation.
    fn left(self) -> (f64, f64) {
        match self.running {
            None => (self.cost.seconds, self.cost.spread),
            // A step takes about as long as the one before: a tenth is what other work beside it changes.
            Some(Running { progress: Some(progress), .. }) => (progress.left(), progress.left() / 10.0),
            // One that takes longer than expected takes longer still: nobody knows how much.
            Some(Running { since, progress: None }) => {
                let left = (self.cost.seconds - since).max(since / 10.0).min(self.cost.seconds.max(since));
                (left, self.cost.spread)
            }
        }
    }
}

impl TimeLeft {
    /// In words: one time where the interval is narrow, else its ends.
    pub fn told(&self) -> String {
        let (low, high) = (duration(self.low), duration(self.high));
        if self.high < 1.0 {
            "a moment left".to_owned()
        } else if self.high <= 1.4 * self.low || low == high {
            format!("~{} left", duration(self.seconds))
        } else {
            format!("{low} to {high} left")
        }
    }

    /// Of these stages, as many at a time as there are workers: the greater of the work over the workers and of the longest stage that runs.
    pub fn of(open: &[OpenStage], workers: usize) -> Self {
        let workers = workers.max(1) as f64;
        let (mut work, mut variance, mut longest) = (0.0, 0.0, 0.0f64);
        for stage in open {
            let (left, spread) = stage.left();
            work += left;
            variance += spread.powi(2);
            if stage.running.is_some() {
                longest = longest.max(left);
            }
        }
        // That the mean of what such stages took is off concerns all that wait for it alike.
        let guessed: f64 =
            open.iter().filter(|of| of.running.is_none()).map(|of| of.cost.spread / (of.cost.seen.max(1) as f64).sqrt()).sum();
        let seconds = (work / workers).max(longest);
        let off = 1.2816 * (variance + guessed.powi(2)).sqrt() / workers;
        TimeLeft { seconds, low: (seconds - off).max(seconds / 4.0), high: seconds + off }
    }
}

/// As people say it.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_interval_is_one_time() {
        let told = |seconds: f64, low: f64, high: f64| TimeLeft { seconds, low, high }.told();
        assert_eq!(told(600.0, 550.0, 650.0), "~10 min left");
        assert_eq!(told(600.0, 240.0, 1200.0), "4 min to 20 min left");
        assert_eq!(told(0.2, 0.1, 0.3), "a moment left");
        assert_eq!(told(6000.0, 3000.0, 9000.0), "50 min to 2.5 h left");
    }

    fn cost(seconds: f64) -> Cost {
        Cost { seconds, spread: seconds / 5.0, bytes: 0.0, seen: 10 }
    }

    fn waits(seconds: f64) -> OpenStage {
        OpenStage { cost: cost(seconds), running: None }
    }

    #[test]
    fn what_waits_is_shared_by_the_workers() {
        let found = TimeLeft::of(&[waits(10.0); 8], 2);
        assert_eq!(found.seconds, 40.0);
        assert!(found.low < 40.0 && found.high > 40.0 && found.low > 20.0 && found.high < 60.0, "{found:?}");
        assert_eq!(TimeLeft::of(&[], 2), TimeLeft::default());
    }

    /// A training of an hour, a tenth of which is done in two minutes: what was learned of others does not count.
    #[test]
    fn a_stage_that_says_how_far_it_is_is_believed() {
        let progress = Progress { done: 100.0, of: 1000.0, seconds_a_step: 1.2 };
        let training = OpenStage { cost: cost(3600.0), running: Some(Running { since: 120.0, progress: Some(progress) }) };
        let found = TimeLeft::of(&[training], 2);
        assert_eq!(found.seconds, 1080.0);
        assert!(found.high < 1300.0, "{found:?}");
        // The one that runs is not shared: the other worker cannot help.
        assert_eq!(TimeLeft::of(&[training, waits(10.0)], 2).seconds, 1080.0);
    }

    #[test]
    fn a_stage_that_says_nothing_takes_what_others_took_and_longer_once_that_is_over() {
        let silent = |since: f64| OpenStage { cost: cost(100.0), running: Some(Running { since, progress: None }) };
        let left: Vec<f64> = [0.0, 50.0, 99.0, 400.0].iter().map(|since| TimeLeft::of(&[silent(*since)], 1).seconds).collect();
        assert_eq!(left, [100.0, 50.0, 9.9, 40.0]);
    }
}
