//! When the controller may be asked, and when it may be given jobs: it serves everybody. A pure state machine over a clock that only goes on.

use std::time::Duration;

/// The shortest time between two queries, and the longest that grows while they bring no news.
const SOONEST: Duration = Duration::from_secs(30);
const LATEST: Duration = Duration::from_secs(180);

/// Jobs are submitted to replace others at most that often.
const REFILL: Duration = Duration::from_secs(60);

/// So many workers in a row that ended soon and never said hello stop the run: the next would not either.
const SILENT_STARTS: usize = 3;

/// And of these, two on one node bar that node.
const SILENT_STARTS_OF_NODE: usize = 2;

/// A worker ended "soon" when Slurm had it for less.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// How a command of Slurm ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It told something new.
    News,
    /// It told the same as before.
    Same,
    /// It failed, hung or made no sense. That is no news: nothing is concluded.
    Failed,
}

/// Paces the queries and the submissions of one run.
#[derive(Debug)]
pub(crate) struct Pace {
    wait: Duration,
    asked: Option<Duration>,
    submitted: Option<Duration>,
    /// Submissions that failed since one went well.
    refused: u32,
    /// The nodes of the workers in a row that ended soon, without a hello.
    silent: Vec<String>,
    by_node: std::collections::BTreeMap<String, usize>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { wait: SOONEST, asked: None, submitted: None, refused: 0, silent: vec![], by_node: Default::default() }
    }
}

impl Pace {
    /// Is the queue to be asked now? Never while every worker that was submitted gives signs of life; `doubted` workers do not.
    pub(crate) fn may_ask(&self, doubted: usize, now: Duration) -> bool {
        let since = self.asked.or(self.submitted);
        doubted > 0 && since.is_none_or(|since| now.saturating_sub(since) >= self.wait)
    }

    /// The queue was asked.
    pub(crate) fn asked(&mut self, how: Answered, now: Duration) {
        self.asked = Some(now);
        self.wait = match how {
            Answered::News => SOONEST,
            Answered::Same => (self.wait * 3 / 2).min(LATEST),
            Answered::Failed => (self.wait * 2).min(LATEST),
        };
    }

    /// May jobs be submitted now? The first time at once, then once a minute; after failures, and while workers end before they say hello,
    /// later and later.
    pub(crate) fn may_submit(&self, now: Duration) -> bool {
        let setbacks = self.refused.max((self.silent.len() / SILENT_STARTS) as u32);
        let wait = (REFILL * 2u32.saturating_pow(setbacks.min(5))).min(Duration::from_secs(1800));
        self.submitted.is_none_or(|since| now.saturating_sub(since) >= wait)
    }

    /// Jobs were submitted, or could not be.
    pub(crate) fn submitted(&mut self, well: bool, now: Duration) {
        self.submitted = Some(now);
        self.refused = if well { 0 } else { self.refused + 1 };
        // New jobs are worth a look after the shortest time.
        if well {
            self.wait = SOONEST;
            self.asked = Some(now);
        }
    }

    /// A worker is ready to work.
    pub(crate) fn settled(&mut self) {
        self.silent.clear();
    }

    /// A worker ended soon, without a hello; `node`: where, if Slurm says so.
    pub(crate) fn ended_silently(&mut self, node: &str) {
        self.silent.push(node.to_owned());
        if !node.is_empty() {
            *self.by_node.entry(node.to_owned()).or_default() += 1;
        }
    }

    /// So many ended like that, one after the other, that more would be a waste: unless others are still to come.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.silent.len() >= SILENT_STARTS
    }

    /// And on more than one node.
    pub(crate) fn is_hopeless_everywhere(&self) -> bool {
        self.is_hopeless() && self.silent.iter().collect::<std::collections::BTreeSet<_>>().len() > 1
    }

    /// Nodes on which workers end as soon as they begin: no more are sent there.
    pub(crate) fn barred(&self) -> Vec<&str> {
        self.by_node.iter().filter(|(_, count)| **count >= SILENT_STARTS_OF_NODE).map(|(node, _)| node.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn begun() -> Pace {
        let mut pace = Pace::default();
        pace.submitted(true, at(0));
        pace
    }

    /// The moments of an hour at which the queue is asked, when it always answers alike.
    fn queries(how: Answered, doubted: usize) -> Vec<u64> {
        let mut pace = begun();
        (0..3600).filter(|&now| pace.may_ask(doubted, at(now)).then(|| pace.asked(how, at(now))).is_some()).collect()
    }

    #[test]
    fn nothing_is_asked_while_all_workers_give_signs_of_life() {
        assert_eq!(queries(Answered::News, 0), [0; 0]);
    }

    #[test]
    fn news_is_asked_for_every_half_minute_and_silence_every_three_minutes() {
        assert_eq!(&queries(Answered::News, 1)[..4], [30, 60, 90, 120]);
        let same = queries(Answered::Same, 1);
        assert_eq!(&same[..3], [30, 75, 143]);
        assert!(same.windows(2).all(|pair| (30..=180).contains(&(pair[1] - pair[0]))) && same.len() < 25, "{same:?}");
        assert!(queries(Answered::Failed, 1).len() < 25);
    }

    #[test]
    fn a_change_brings_the_queries_back_to_half_a_minute() {
        let mut pace = begun();
        (1..10).for_each(|turn| pace.asked(Answered::Same, at(turn * 200)));
        assert!(!pace.may_ask(1, at(1800 + 179)) && pace.may_ask(1, at(1800 + 180)));
        pace.asked(Answered::News, at(1980));
        assert!(!pace.may_ask(1, at(2009)) && pace.may_ask(1, at(2010)));
    }

    #[test]
    fn jobs_are_submitted_at_once_and_then_once_a_minute() {
        let mut pace = Pace::default();
        assert!(pace.may_submit(at(0)));
        pace.submitted(true, at(0));
        assert!(!pace.may_submit(at(59)) && pace.may_submit(at(60)));
    }

    #[test]
    fn a_controller_that_refuses_is_tried_later_and_later() {
        let mut pace = Pace::default();
        pace.submitted(false, at(0));
        assert!(!pace.may_submit(at(119)) && pace.may_submit(at(120)));
        pace.submitted(false, at(120));
        assert!(!pace.may_submit(at(120 + 239)) && pace.may_submit(at(120 + 240)));
        pace.submitted(true, at(400));
        assert!(pace.may_submit(at(460)));
        (0..40).for_each(|_| pace.submitted(false, at(1000)));
        assert!(pace.may_submit(at(1000 + 1800)), "half an hour at most");
    }

    #[test]
    fn three_workers_that_never_said_hello_put_the_submissions_off_and_a_hello_forgives() {
        let mut pace = begun();
        pace.ended_silently("n1");
        pace.ended_silently("n2");
        pace.settled();
        pace.ended_silently("n1");
        pace.ended_silently("");
        assert!(!pace.is_hopeless() && pace.may_submit(at(60)));
        assert_eq!(pace.barred(), ["n1"]);
        pace.ended_silently("n3");
        assert!(pace.is_hopeless() && !pace.may_submit(at(119)) && pace.may_submit(at(120)));
        (0..300).for_each(|_| pace.ended_silently("n4"));
        assert!(!pace.may_submit(at(1799)) && pace.may_submit(at(1800)), "half an hour at most");
    }
}
