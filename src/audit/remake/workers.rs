//! The threads that make stages again: each takes the next stage of the queue, carries it out and compares.

use super::{
    Recompute, Remade, RemadeStatus,
    queue::{NextStage, RemakeQueue},
};
use crate::audit::{reach::LARGEST_PICTURE, sources::AuditSources};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Component, Path},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
};
use visavis_core::{
    dataset::array,
    domain::{
        Digest, Ending, Fault, Result,
        image::Images,
        result::Manifest,
        stage::{Input, Location, Task, Work},
    },
    store::origin,
};

/// What all threads share.
pub(crate) struct RemakeWorkers {
    manifests: Vec<Manifest>,
    sources: AuditSources,
    recompute: Recompute,
    threads: usize,
    queue: Mutex<RemakeQueue>,
    wake: Condvar,
}

impl RemakeWorkers {
    /// `jobs`: the places of the stages that are made again.
    pub(crate) fn new(
        manifests: Vec<Manifest>,
        jobs: &[usize],
        sources: AuditSources,
        recompute: Recompute,
        threads: usize,
    ) -> Arc<Self> {
        let queue = RemakeQueue::new(&manifests, jobs, |input| sources.holds(input));
        Arc::new(RemakeWorkers { manifests, sources, recompute, threads, queue: Mutex::new(queue), wake: Condvar::new() })
    }

    pub(crate) fn manifest(&self, place: usize) -> &Manifest {
        &self.manifests[place]
    }

    /// Begins no further stage.
    pub(crate) fn stop(&self) {
        self.queue().stop();
        self.wake.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, RemakeQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each of the threads does: the next stage, until there is none.
    pub(crate) fn work(&self, send: &Sender<(usize, RemadeStatus)>) {
        while let Some((place, share)) = self.next() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(share).stack_size(8 << 20).build();
            let (standing, outputs) = match pool {
                Ok(pool) => pool.install(|| self.make(place)),
                Err(_) => (RemadeStatus::Unchecked("the machine has no thread left".to_owned()), vec![]),
            };
            self.queue().finish(place, &self.manifests[place].inputs, outputs);
            self.wake.notify_all();
            if send.send((place, standing)).is_err() {
                return;
            }
        }
    }

    /// The next stage, and how many threads are for it; waits for one to be ready.
    fn next(&self) -> Option<(usize, usize)> {
        let mut queue = self.queue();
        loop {
            match queue.next(self.threads) {
                NextStage::Make { place, threads } => return Some((place, threads)),
                NextStage::End => return None,
                NextStage::Wait => queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn given(&self, digest: Digest) -> Option<Arc<Vec<u8>>> {
        self.queue().given(digest)
    }

    fn read(&self, input: &Input) -> Result<Vec<u8>> {
        if let Some(bytes) = self.given(input.digest) {
            return Ok(bytes.to_vec());
        }
        self.sources.read(input)
    }

    /// Makes the stage again and compares; what it gave is for others if it is what it should be.
    fn make(&self, place: usize) -> (RemadeStatus, Vec<Vec<u8>>) {
        let manifest = &self.manifests[place];
        let mut task = Task { work: manifest.work.clone(), inputs: manifest.inputs.clone() };
        for input in &manifest.inputs {
            if self.given(input.digest).is_none()
                && let Err(fault) = self.sources.look_for(input)
            {
                return (unchecked(fault), vec![]);
            }
        }
        if let Err(fault) = self.pictures(&mut task) {
            return (unchecked(fault), vec![]);
        }
        // The first input that could not be read says why, whatever the stage makes of that.
        let lost: RefCell<Option<Fault>> = RefCell::default();
        let read = |input: &Input| {
            self.read(input).inspect_err(|fault| {
                lost.borrow_mut().get_or_insert_with(|| fault.clone());
            })
        };
        // The page is not believed to hold what a stage can work on.
        let made = catch_unwind(AssertUnwindSafe(|| (self.recompute)(&task, manifest.provenance.threads, &read)));
        if let Some(fault) = lost.into_inner() {
            return (unchecked(fault), vec![]);
        }
        match made {
            Err(_) => (RemadeStatus::Broken("cannot be made again: the stage stopped in the middle of it".to_owned()), vec![]),
            Ok(Err(fault)) if fault.ending == Ending::Missing => (RemadeStatus::Unchecked(fault.what), vec![]),
            Ok(Err(fault)) => (RemadeStatus::Broken(format!("cannot be made again: {}", fault.what)), vec![]),
            Ok(Ok(made)) => self.compare(manifest, made),
        }
    }

    fn compare(&self, manifest: &Manifest, made: Remade) -> (RemadeStatus, Vec<Vec<u8>>) {
        let is_same =
            |(name, bytes): &(String, Vec<u8>)| manifest.output(name).is_some_and(|output| output.digest == Digest::of(bytes));
        let as_many = made.outputs.len() == manifest.outputs.len() && made.facts == manifest.facts;
        if as_many && made.outputs.iter().all(is_same) {
            return (RemadeStatus::Same, made.outputs.into_iter().map(|(_, bytes)| bytes).collect());
        }
        let Remade { outputs, facts } = made;
        if let (Work::Train(_), Some(elsewhere)) = (&manifest.work, trained_elsewhere(manifest)) {
            return (RemadeStatus::Unchecked(elsewhere), vec![]);
        }
        let off = if as_many && matches!(manifest.work, Work::Extract(_)) { self.off(manifest, &outputs) } else { None };
        match off {
            Some(off) if off <= self.sources.tolerance.features => (RemadeStatus::Near(off), vec![]),
            _ => (RemadeStatus::Other { outputs, facts }, vec![]),
        }
    }

    /// How far a network's features are from those that were recorded, at most; `None` where these are not here, or of another shape.
    fn off(&self, manifest: &Manifest, outputs: &[(String, Vec<u8>)]) -> Option<f64> {
        let mut most = 0.0f64;
        for (name, bytes) in outputs {
            let recorded = self.sources.object(manifest.output(name)?.digest)?;
            let path = Path::new(name);
            let (own, theirs) = (array::from_npy(bytes, path).ok()?, array::from_npy(&recorded, path).ok()?);
            if (own.rows(), own.columns()) != (theirs.rows(), theirs.columns()) {
                return None;
            }
            for (own, theirs) in own.values().iter().zip(theirs.values()) {
                let off = (f64::from(*own) - f64::from(*theirs)).abs();
                most = if off.is_nan() { f64::INFINITY } else { most.max(off) };
            }
        }
        Some(most)
    }

    /// Looks at every picture that the stage would open, and says where they are.
    fn pictures(&self, task: &mut Task) -> Result<()> {
        for input in &mut task.inputs {
            let Location::Pictures(folder) = input.at.clone() else { continue };
            let listing = self.read(input)?;
            let images = std::str::from_utf8(&listing).ok().and_then(Images::from_text);
            let images = images.ok_or_else(|| Fault::differs("its list of pictures is none"))?;
            let reach = &self.sources.reach;
            // A file that holds the pictures is read where they stand in it, and its index beside it.
            if let Ok(file) = reach.find(&folder, u64::MAX) {
                let index = file.with_extension("idx");
                if index.exists() {
                    reach.find(&index, u64::MAX)?;
                }
                input.at = Location::Pictures(file);
                continue;
            }
            let folder = reach.folder(&folder)?;
            for id in images.ids() {
                let is_plain = Path::new(id).components().all(|part| matches!(part, Component::Normal(_)));
                if !is_plain {
                    return Err(Fault::missing(format!("path outside the folder of its pictures: {id}")));
                }
                reach.find(&folder.join(id), LARGEST_PICTURE)?;
            }
            input.at = Location::Pictures(folder);
        }
        Ok(())
    }
}

/// Why a training that came to other weights says nothing here: last bits grow with every step, and other processors and cards have
/// others.
fn trained_elsewhere(manifest: &Manifest) -> Option<String> {
    let made_on = manifest.provenance.card.as_ref().unwrap_or(&manifest.provenance.cpu);
    let here = if manifest.work.needs_card() { None } else { Some(origin::cpu()) };
    let is_elsewhere = here.as_ref() != Some(made_on);
    is_elsewhere.then(|| format!("it was trained on {made_on}, and other processors and cards come to other weights"))
}

/// Inputs that are not those that were consumed differ; others are not here.
fn unchecked(fault: Fault) -> RemadeStatus {
    if fault.ending == Ending::Differs { RemadeStatus::Broken(fault.what) } else { RemadeStatus::Unchecked(fault.what) }
}
