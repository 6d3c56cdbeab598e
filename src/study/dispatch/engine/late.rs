//! Results that a worker says it has made and that this machine does not see yet: on a shared folder, what was asked for too
//! early stays "not there" until a cache has run out. Times are counted from the start of the run.

use std::time::Duration;
use visavis_core::domain::Key;

/// So long a shared folder may take to show a result.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct LateResults {
    patience: Duration,
    results: Vec<LateResult>,
    looked: Option<Duration>,
}

#[derive(Debug)]
struct LateResult {
    key: Key,
    /// This run made it.
    made: bool,
    since: Duration,
    /// It is looked for once more and not again.
    is_last_try: bool,
}

impl LateResults {
    /// On a disk of this machine alone nothing comes late.
    pub(crate) fn new(is_shared: bool) -> Self {
        LateResults { patience: if is_shared { PATIENCE } else { Duration::ZERO }, results: vec![], looked: None }
    }

    pub(crate) fn wait_for(&mut self, key: Key, made: bool, now: Duration) {
        self.results.push(LateResult { key, made, since: now, is_last_try: false });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.results.iter().map(|of| of.key)
    }

    pub(crate) fn waits_for(&self, key: Key) -> bool {
        self.keys().any(|of| of == key)
    }

    pub(crate) fn is_last_try(&self, key: Key) -> bool {
        self.results.iter().any(|of| of.key == key && of.is_last_try)
    }

    /// The results that are to be looked for now, and whether this run made each.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<(Key, bool)> {
        for of in &mut self.results {
            of.is_last_try = now.saturating_sub(of.since) >= self.patience;
        }
        let is_soon = self.looked.is_some_and(|looked| now.saturating_sub(looked) < LOOK);
        if is_soon && !self.results.iter().any(|of| of.is_last_try) {
            return vec![];
        }
        self.looked = Some(now);
        self.results.iter().map(|of| (of.key, of.made)).collect()
    }

    pub(crate) fn settle(&mut self, key: Key) {
        self.results.retain(|of| of.key != key);
    }

    /// Why a result is given up.
    pub(crate) fn why(&self) -> String {
        if self.patience.is_zero() {
            return "its result vanished as soon as it was there".to_owned();
        }
        format!("its worker has made it, but the shared folder did not show the result in {} s", self.patience.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::Digest;

    #[test]
    fn a_result_of_a_shared_folder_has_ninety_seconds_to_show_and_others_none() {
        let (one, two) = (Key(Digest::of(b"1")), Key(Digest::of(b"2")));
        let at = Duration::from_secs_f64;
        let mut late = LateResults::new(true);
        late.wait_for(one, true, at(0.0));
        assert_eq!(late.due(at(0.1)), [(one, true)]);
        late.wait_for(two, false, at(0.2));
        assert!(late.due(at(0.3)).is_empty(), "not more often than needed");
        assert_eq!(late.due(at(0.7)), [(one, true), (two, false)]);
        late.settle(two);
        assert!(late.waits_for(one) && !late.waits_for(two));
        assert_eq!(late.due(at(89.9)), [(one, true)]);
        assert!(!late.is_last_try(one));
        assert_eq!(late.due(at(90.0)), [(one, true)]);
        assert!(late.is_last_try(one));
        late.settle(one);
        assert!(late.is_empty() && late.due(at(91.0)).is_empty());
        let mut late = LateResults::new(false);
        late.wait_for(one, true, at(0.0));
        assert_eq!(late.due(at(0.0)), [(one, true)]);
        assert!(late.is_last_try(one) && late.why().contains("vanished"));
    }
}
