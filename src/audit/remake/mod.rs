//! Stages made again, several at a time, the longest first. What one gives is what the next consumes, so that a page need not hold
//! it. Results do not depend on the number of threads or on who finishes first: a stage waits for what it needs.

mod queue;
mod workers;

#[cfg(test)]
mod tests;

use super::{bounds, sources::AuditSources};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
};
use visavis_core::domain::{
    Key, Result,
    result::{Facts, Manifest},
    stage::{Input, Kind, Task},
};
use workers::RemakeWorkers;

/// What a stage gives when it is carried out again.
pub struct Remade {
    pub outputs: Vec<(String, Vec<u8>)>,
    pub facts: Facts,
}

/// Carries a task out again, its inputs read by the last argument; with so many threads as it was made with, where a network's bits
/// depend on them.
pub type Recompute = fn(&Task, usize, &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade>;

/// Which stages are made again: those of these kinds; with a sample, only those among them that it drew.
pub struct Again {
    pub kinds: &'static [Kind],
    pub sample: Option<BTreeSet<Key>>,
}

impl Again {
    fn takes(&self, manifest: &Manifest) -> bool {
        self.kinds.contains(&manifest.stage) && self.sample.as_ref().is_none_or(|drawn| drawn.contains(&manifest.key))
    }
}

/// How a stage stands after it was made again.
#[derive(Debug)]
pub enum RemadeStatus {
    Same,
    /// A network's features, off by at most so much.
    Near(f64),
    Other {
        outputs: Vec<(String, Vec<u8>)>,
        facts: Facts,
    },
    /// What it consumes is not here.
    Unchecked(String),
    NotAttempted,
    /// It could not be made again at all.
    Broken(String),
}

/// The work as it goes on. Threads end with the process, or at the next stage after it is stopped.
pub struct Remaking {
    /// Stages as they are done; it ends when all are.
    pub news: Receiver<(usize, RemadeStatus)>,
    standings: Vec<Option<RemadeStatus>>,
    workers: Arc<RemakeWorkers>,
    jobs: usize,
    done: usize,
}

impl Remaking {
    /// Begins to make stages again with so many threads. Of results with one key the first counts.
    pub fn start(manifests: Vec<Manifest>, again: &Again, sources: AuditSources, recompute: Recompute, threads: usize) -> Self {
        let mut standings: Vec<Option<RemadeStatus>> = Vec::with_capacity(manifests.len());
        let mut known = HashSet::new();
        for manifest in &manifests {
            let first = known.insert(manifest.key);
            standings.push(if first { sure(manifest, again) } else { Some(RemadeStatus::NotAttempted) });
        }
        let places: Vec<usize> = (0..manifests.len()).filter(|place| standings[*place].is_none()).collect();
        let jobs = places.len();
        let workers = RemakeWorkers::new(manifests, &places, sources, recompute, threads);
        let (send, news) = channel();
        for _ in 0..threads.clamp(1, jobs.max(1)) {
            let (workers, send) = (Arc::clone(&workers), send.clone());
            std::thread::spawn(move || workers.work(&send));
        }
        Remaking { news, standings, workers, jobs, done: 0 }
    }

    pub fn take(&mut self, (place, standing): (usize, RemadeStatus)) {
        self.standings[place] = Some(standing);
        self.done += 1;
    }

    /// Begins no further stage.
    pub fn stop(&self) {
        self.workers.stop();
    }

    /// Stages done, and in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.jobs)
    }

    pub fn what(&self, place: usize) -> String {
        let manifest = self.workers.manifest(place);
        format!("{} {}", manifest.work.cost_class(), manifest.key.short())
    }

    /// How each stage stands; `None`: it was not reached.
    pub fn standings(self) -> Vec<Option<RemadeStatus>> {
        self.standings
    }
}

/// How a stage stands that is not made again; `None` for one that is.
fn sure(manifest: &Manifest, again: &Again) -> Option<RemadeStatus> {
    let (theirs, own) = (manifest.version, manifest.work.version());
    if theirs != own {
        let what = format!("made by version {theirs} of the {} stage, and this program has version {own}", manifest.work.word());
        return Some(RemadeStatus::Broken(format!("{what}: audit it with the visavis that made it")));
    }
    let task = Task { work: manifest.work.clone(), inputs: manifest.inputs.clone() };
    if task.key() != manifest.key || manifest.work.kind() != manifest.stage {
        return Some(RemadeStatus::Broken(
            "its key does not follow from what it says it did: another program's, or changed".into(),
        ));
    }
    if let Some(what) = bounds::impossible(&manifest.work) {
        return Some(RemadeStatus::Broken(format!("it asks for what no study file can: {what}")));
    }
    if !again.takes(manifest) {
        return Some(RemadeStatus::NotAttempted);
    }
    bounds::too_much(&manifest.work).map(RemadeStatus::Unchecked)
}
