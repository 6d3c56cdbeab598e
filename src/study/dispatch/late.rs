//! Results that a worker says it has made and that this machine does not see yet: on a shared folder, what was asked for too
//! early stays "not there" until a cache has run out.

use super::Run;
use std::time::{Duration, Instant};
use visavis_core::domain::{Key, Result};

/// So long a shared folder may take to show a result.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct Late {
    patience: Duration,
    keys: Vec<(Key, Instant)>,
    looked: Option<Instant>,
}

impl Late {
    /// On a disk of this machine alone nothing comes late.
    pub fn new(shared: bool) -> Self {
        Late { patience: if shared { PATIENCE } else { Duration::ZERO }, keys: vec![], looked: None }
    }

    pub fn wait_for(&mut self, key: Key, now: Instant) {
        self.keys.push((key, now));
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().map(|(key, _)| *key)
    }

    /// The keys that are to be looked for now, and whether each has one try left only.
    fn due(&mut self, now: Instant) -> Vec<(Key, bool)> {
        let is_last = |since: Instant| now.duration_since(since) >= self.patience;
        if self.looked.is_some_and(|looked| now.duration_since(looked) < LOOK) && !self.keys.iter().any(|(_, at)| is_last(*at)) {
            return vec![];
        }
        self.looked = Some(now);
        self.keys.iter().map(|(key, since)| (*key, is_last(*since))).collect()
    }

    fn settled(&mut self, key: Key) {
        self.keys.retain(|(other, _)| *other != key);
    }
}

impl Run<'_> {
    /// Takes up results that have shown since; one that did not show in time has failed.
    pub(super) fn look_for_late(&mut self) -> Result<()> {
        for (key, last) in self.late.due(Instant::now()) {
            match self.plan.finished(key, true)? {
                Some(manifest) => self.diary.result(manifest),
                None if last => self.plan.failed(key, &self.late.why())?,
                None => continue,
            }
            self.late.settled(key);
            self.take_up()?;
        }
        Ok(())
    }
}

impl Late {
    fn why(&self) -> String {
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
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut late = Late::new(true);
        late.wait_for(one, at(0.0));
        assert_eq!(late.due(at(0.1)), [(one, false)]);
        late.wait_for(two, at(0.2));
        assert!(late.due(at(0.3)).is_empty(), "not more often than needed");
        assert_eq!(late.due(at(0.7)), [(one, false), (two, false)]);
        late.settled(two);
        assert_eq!(late.due(at(89.9)), [(one, false)]);
        assert_eq!(late.due(at(90.0)), [(one, true)], "the last try");
        late.settled(one);
        assert!(late.is_empty() && late.due(at(91.0)).is_empty());
        let mut late = Late::new(false);
        late.wait_for(one, at(0.0));
        assert_eq!(late.due(at(0.0)), [(one, true)]);
        assert!(late.why().contains("vanished"));
    }
}
