//! Stages made again, several at a time, the longest first. What one gives is what the next consumes, so that a page need not hold
//! it. Results do not depend on the number of threads or on who finishes first: a stage waits for what it needs.

use super::{bounds, reach::LARGEST_PICTURE, sources::Sources};
use std::{
    cell::RefCell,
    collections::{BTreeSet, BinaryHeap, HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Component, Path},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
};
use visavis_core::{
    dataset::array,
    domain::{
        Digest, Ending, Fault, Key, Result,
        image::Images,
        result::{Facts, Manifest},
        stage::{Input, Kind, Location, Task, Work},
    },
};

/// What a stage gives when it is carried out again.
pub struct Remade {
    pub outputs: Vec<(String, Vec<u8>)>,
    pub facts: Facts,
}

/// Carries a task out again, its inputs read by the second argument.
pub type Recompute = fn(&Task, &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade>;

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
    shared: Arc<Shared>,
    jobs: usize,
    done: usize,
}

impl Remaking {
    /// Begins to make stages again with so many threads. Of results with one key the first counts.
    pub fn start(manifests: Vec<Manifest>, again: &Again, sources: Sources, recompute: Recompute, threads: usize) -> Self {
        let mut standings: Vec<Option<RemadeStatus>> = Vec::with_capacity(manifests.len());
        let mut known = HashSet::new();
        for manifest in &manifests {
            let first = known.insert(manifest.key);
            standings.push(if first { sure(manifest, again) } else { Some(RemadeStatus::NotAttempted) });
        }
        let shared = Shared::new(manifests, &standings, sources, recompute, threads);
        let jobs = standings.iter().filter(|standing| standing.is_none()).count();
        let (send, news) = channel();
        for _ in 0..threads.clamp(1, jobs.max(1)) {
            let (shared, send) = (Arc::clone(&shared), send.clone());
            std::thread::spawn(move || shared.work(&send));
        }
        Remaking { news, standings, shared, jobs, done: 0 }
    }

    pub fn take(&mut self, (place, standing): (usize, RemadeStatus)) {
        self.standings[place] = Some(standing);
        self.done += 1;
    }

    /// Begins no further stage.
    pub fn stop(&self) {
        self.shared.queue().stopped = true;
        self.shared.wake.notify_all();
    }

    /// Stages done, and in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.done, self.jobs)
    }

    pub fn what(&self, place: usize) -> String {
        let manifest = &self.shared.manifests[place];
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
    if !again.takes(manifest) {
        return Some(RemadeStatus::NotAttempted);
    }
    bounds::too_much(&manifest.work).map(RemadeStatus::Unchecked)
}

struct Shared {
    manifests: Vec<Manifest>,
    sources: Sources,
    recompute: Recompute,
    threads: usize,
    queue: Mutex<RemakeQueue>,
    wake: Condvar,
}

struct RemakeQueue {
    /// Ready stages, the one with the longest way to the end first.
    ready: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    /// By stage: who waits for it, for how many each still waits, and how long the way to the end is.
    next: Vec<Vec<usize>>,
    lacks: Vec<usize>,
    ways: Vec<u64>,
    running: usize,
    left: usize,
    stopped: bool,
    /// What stages gave that others consume, and how many still do.
    given: HashMap<Digest, RemakeInput>,
}

struct RemakeInput {
    bytes: Option<Arc<Vec<u8>>>,
    wanted: usize,
}

impl Shared {
    fn new(
        manifests: Vec<Manifest>,
        standings: &[Option<RemadeStatus>],
        sources: Sources,
        recompute: Recompute,
        threads: usize,
    ) -> Arc<Self> {
        let jobs: Vec<usize> = (0..manifests.len()).filter(|place| standings[*place].is_none()).collect();
        let mut makers: HashMap<Digest, usize> = HashMap::new();
        for &place in jobs.iter().rev() {
            makers.extend(manifests[place].outputs.iter().map(|output| (output.digest, place)));
        }
        let mut queue = RemakeQueue {
            ready: BinaryHeap::new(),
            next: vec![vec![]; manifests.len()],
            lacks: vec![0; manifests.len()],
            ways: vec![0; manifests.len()],
            running: 0,
            left: jobs.len(),
            stopped: false,
            given: HashMap::new(),
        };
        for &place in &jobs {
            let mut waits_for = BTreeSet::new();
            for input in &manifests[place].inputs {
                let maker = makers.get(&input.digest).filter(|maker| **maker != place);
                if let Some(maker) = maker.filter(|_| !sources.holds(input)) {
                    waits_for.insert(*maker);
                    queue.given.entry(input.digest).or_insert(RemakeInput { bytes: None, wanted: 0 }).wanted += 1;
                }
            }
            queue.lacks[place] = waits_for.len();
            waits_for.into_iter().for_each(|maker| queue.next[maker].push(place));
        }
        queue.measure(&jobs, &manifests);
        queue.ready = jobs.iter().filter(|place| queue.lacks[**place] == 0).map(|&place| queue.entry(place)).collect();
        Arc::new(Shared { manifests, sources, recompute, threads, queue: Mutex::new(queue), wake: Condvar::new() })
    }

    fn queue(&self) -> MutexGuard<'_, RemakeQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each of the threads does: the next stage, until there is none.
    fn work(&self, send: &Sender<(usize, RemadeStatus)>) {
        while let Some((place, share)) = self.next() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(share).stack_size(8 << 20).build();
            let (standing, outputs) = match pool {
                Ok(pool) => pool.install(|| self.stand(place)),
                Err(_) => (RemadeStatus::Unchecked("the machine has no thread left".to_owned()), vec![]),
            };
            self.finish(place, outputs);
            if send.send((place, standing)).is_err() {
                return;
            }
        }
    }

    /// The next stage, and how many threads are for it.
    fn next(&self) -> Option<(usize, usize)> {
        let mut queue = self.queue();
        loop {
            if queue.stopped || queue.left == 0 {
                return None;
            }
            if let Some((_, std::cmp::Reverse(place))) = queue.ready.pop() {
                queue.running += 1;
                return Some((place, (self.threads / (queue.running + queue.ready.len())).max(1)));
            }
            if queue.running == 0 {
                // What is left waits for itself: no study is like that, a page may be. It is tried as it is.
                let stuck = (0..queue.lacks.len()).find(|place| queue.lacks[*place] > 0)?;
                queue.lacks[stuck] = 0;
                let entry = queue.entry(stuck);
                queue.ready.push(entry);
                continue;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn finish(&self, place: usize, outputs: Vec<Vec<u8>>) {
        let mut queue = self.queue();
        for bytes in outputs {
            let digest = Digest::of(&bytes);
            if let Some(given) = queue.given.get_mut(&digest).filter(|given| given.wanted > 0) {
                given.bytes = Some(Arc::new(bytes));
            }
        }
        for input in &self.manifests[place].inputs {
            if let Some(given) = queue.given.get_mut(&input.digest) {
                given.wanted = given.wanted.saturating_sub(1);
                if given.wanted == 0 {
                    given.bytes = None;
                }
            }
        }
        for next in std::mem::take(&mut queue.next[place]) {
            if queue.lacks[next] > 0 {
                queue.lacks[next] -= 1;
                if queue.lacks[next] == 0 {
                    let entry = queue.entry(next);
                    queue.ready.push(entry);
                }
            }
        }
        queue.running -= 1;
        queue.left -= 1;
        drop(queue);
        self.wake.notify_all();
    }

    fn given(&self, digest: Digest) -> Option<Arc<Vec<u8>>> {
        self.queue().given.get(&digest)?.bytes.clone()
    }

    fn read(&self, input: &Input) -> Result<Vec<u8>> {
        if let Some(bytes) = self.given(input.digest) {
            return Ok(bytes.to_vec());
        }
        self.sources.read(input)
    }

    /// Makes the stage again and compares; what it gave is for others if it is what it should be.
    fn stand(&self, place: usize) -> (RemadeStatus, Vec<Vec<u8>>) {
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
        let made = catch_unwind(AssertUnwindSafe(|| (self.recompute)(&task, &read)));
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
        if !matches!(task.work, Work::Baseline(_) | Work::Extract(_)) {
            return Ok(());
        }
        for input in &mut task.inputs {
            let Location::Pictures(folder) = input.at.clone() else { continue };
            let listing = self.read(input)?;
            let images = std::str::from_utf8(&listing).ok().and_then(Images::from_text);
            let images = images.ok_or_else(|| Fault::differs("its list of pictures is none"))?;
            let folder = self.sources.reach.folder(&folder)?;
            for id in images.ids() {
                let is_plain = Path::new(id).components().all(|part| matches!(part, Component::Normal(_)));
                if !is_plain {
                    return Err(Fault::missing(format!("path outside the folder of its pictures: {id}")));
                }
                self.sources.reach.find(&folder.join(id), LARGEST_PICTURE)?;
            }
            input.at = Location::Pictures(folder);
        }
        Ok(())
    }
}

/// Inputs that are not those that were consumed differ; others are not here.
fn unchecked(fault: Fault) -> RemadeStatus {
    if fault.ending == Ending::Differs { RemadeStatus::Broken(fault.what) } else { RemadeStatus::Unchecked(fault.what) }
}

impl RemakeQueue {
    fn entry(&self, place: usize) -> (u64, std::cmp::Reverse<usize>) {
        (self.ways[place], std::cmp::Reverse(place))
    }

    /// How long the way from each stage to the end is, by how long stages took when they were made.
    fn measure(&mut self, jobs: &[usize], manifests: &[Manifest]) {
        let mut lacks = self.lacks.clone();
        let mut order: Vec<usize> = jobs.iter().copied().filter(|place| lacks[*place] == 0).collect();
        let mut at = 0;
        while at < order.len() {
            for &next in &self.next[order[at]] {
                lacks[next] -= 1;
                if lacks[next] == 0 {
                    order.push(next);
                }
            }
            at += 1;
        }
        for &place in order.iter().rev() {
            let own = (manifests[place].provenance.seconds.clamp(0.0, 1e6) * 1000.0) as u64;
            let further = self.next[place].iter().map(|next| self.ways[*next]).max().unwrap_or(0);
            self.ways[place] = 1 + own + further;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Reach;
    use visavis_core::{
        domain::{
            projection::Method,
            result::{Output, Provenance},
            stage::{Index, ProjectFeatures},
            study::Tolerance,
        },
        numeric::Matrix,
        store::Workspace,
    };

    /// Gives its seed and what it consumed; seed 13 is none that ends well.
    fn fake(task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
        let seed = task.work.seed().unwrap();
        assert_ne!(seed, 13, "a bug");
        let mut bytes = seed.to_string().into_bytes();
        for input in &task.inputs {
            bytes.extend(read(input)?);
        }
        Ok(Remade { outputs: vec![("o".to_owned(), bytes)], facts: Facts::new() })
    }

    fn manifest(work: Work, inputs: &[&[u8]], output: (&str, &[u8])) -> Manifest {
        let input = |bytes: &&[u8]| Input { role: "x".into(), digest: Digest::of(bytes), at: Location::Object };
        let task = Task { work, inputs: inputs.iter().map(input).collect() };
        let (key, stage) = (task.key(), task.work.kind());
        let (name, bytes) = output;
        let outputs = vec![Output { name: name.into(), digest: Digest::of(bytes), bytes: bytes.len() as u64 }];
        let provenance = Provenance {
            program: String::new(),
            host: String::new(),
            cpu: String::new(),
            system: String::new(),
            threads: 1,
            worker: String::new(),
            attempt: 1,
            started: 0,
            seconds: 1.0,
        };
        let version = task.work.version();
        Manifest {
            format: 1,
            key,
            stage,
            version,
            work: task.work,
            inputs: task.inputs,
            outputs,
            facts: Facts::new(),
            provenance,
        }
    }

    fn project(seed: u64, inputs: &[&[u8]], output: &[u8]) -> Manifest {
        manifest(Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", 1), seed }), inputs, ("o", output))
    }

    fn run(manifests: Vec<Manifest>, recompute: Recompute, threads: usize, folder: &Path) -> Vec<String> {
        let workspace = Workspace::new(folder.to_owned(), None).unwrap();
        let sources = Sources {
            page: None,
            genuine: HashSet::new(),
            sizes: HashMap::new(),
            workspace: Some(workspace),
            reach: Reach::new(folder, &[]).unwrap(),
            tolerance: Tolerance { auc: 0.005, features: 0.0001 },
        };
        let again = Again { kinds: &[Kind::Project, Kind::Features], sample: None };
        let mut remaking = Remaking::start(manifests, &again, sources, recompute, threads);
        while let Ok(news) = remaking.news.recv() {
            remaking.take(news);
        }
        assert_eq!(remaking.progress().0, remaking.progress().1);
        let word = |standing: Option<RemadeStatus>| match standing.unwrap() {
            RemadeStatus::Same => "same".to_owned(),
            RemadeStatus::Near(_) => "near".to_owned(),
            RemadeStatus::Other { .. } => "other".to_owned(),
            RemadeStatus::Unchecked(why) => format!("unchecked: {why}"),
            RemadeStatus::NotAttempted => "not attempted".to_owned(),
            RemadeStatus::Broken(why) => format!("broken: {why}"),
        };
        remaking.standings().into_iter().map(word).collect()
    }

    #[test]
    fn a_stage_is_fed_with_what_others_gave_again() {
        let folder = tempfile::tempdir().unwrap();
        // Named before what they need; nothing but the first's inputs is anywhere.
        let chain = || {
            vec![
                project(3, &[b"21", b"1"], b"3211"),
                project(2, &[b"1"], b"21"),
                project(1, &[], b"1"),
                project(4, &[b"21"], b"421"),
            ]
        };
        for threads in [1, 2, 5] {
            assert_eq!(run(chain(), fake, threads, folder.path()), ["same"; 4], "{threads}");
        }
        // What comes out otherwise is no one's input.
        let mut forged = chain();
        forged[1] = project(2, &[b"1"], b"forged");
        forged[3] = project(4, &[b"forged"], b"4forged");
        let found = run(forged, fake, 2, folder.path());
        assert_eq!((found[1].as_str(), found[2].as_str()), ("other", "same"));
        assert!(found[0].starts_with("unchecked") && found[3].starts_with("unchecked"), "{found:?}");
    }

    #[test]
    fn stages_that_need_each_other_and_stages_that_fall_end() {
        let folder = tempfile::tempdir().unwrap();
        let found =
            run(vec![project(1, &[b"b"], b"a"), project(2, &[b"a"], b"b"), project(3, &[], b"3")], fake, 2, folder.path());
        assert!(found[0].starts_with("unchecked") && found[1].starts_with("unchecked") && found[2] == "same", "{found:?}");
        let found = run(vec![project(13, &[], b"13"), project(5, &[], b"5")], fake, 1, folder.path());
        assert!(found[0].starts_with("broken: cannot be made again") && found[1] == "same", "{found:?}");
    }

    #[test]
    fn what_was_changed_or_is_of_another_version_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let (mut changed, mut older) = (project(1, &[], b"1"), project(2, &[], b"2"));
        changed.work = Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", 2), seed: 1 });
        older.version += 1;
        let other = manifest(Work::Index(Index { take: None }), &[], (Index::IMAGES, b""));
        let twice = project(3, &[], b"3");
        let found = run(vec![changed, older, other, twice.clone(), twice], fake, 2, folder.path());
        assert!(found[0].contains("its key does not follow") && found[1].contains("made by version"), "{found:?}");
        assert_eq!(found[2..], ["not attempted", "same", "not attempted"]);
    }

    /// Features of a network that are off by a hundred-thousandth, and by a hundredth.
    #[test]
    fn a_networks_features_are_held_to_the_tolerance() {
        fn near(_: &Task, _: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
            Ok(Remade {
                outputs: vec![("o".to_owned(), array::to_npy(&Matrix::new(1, 2, vec![1.0, 2.00001]).unwrap()))],
                facts: Facts::new(),
            })
        }
        let work: Work = serde_json::from_value(serde_json::json!({ "extract": {
            "architecture": { "word": "resnet34", "width": 1.0 },
            "preparation": { "crop": "whole", "size": 32, "pad": "zero", "scale": "imagenet" },
            "layers": ["embedding"], "family": "visavis", "untrained": 1,
            "numerics": { "device": "cpu", "precision": "f32", "threads": null },
        } }))
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let objects = Workspace::new(folder.path().to_owned(), None).unwrap().objects();
        let of = |second: f32| {
            let recorded = array::to_npy(&Matrix::new(1, 2, vec![1.0, second]).unwrap());
            objects.put(&recorded).unwrap();
            run(vec![manifest(work.clone(), &[], ("o", &recorded))], near, 1, folder.path()).remove(0)
        };
        assert_eq!([of(2.00001), of(2.0), of(2.01), of(f32::NAN)], ["same", "near", "other", "other"]);
        // A stage that has the same bits everywhere is given no tolerance.
        let recorded = array::to_npy(&Matrix::new(1, 2, vec![1.0, 2.0]).unwrap());
        assert_eq!(run(vec![project(1, &[], &recorded)], near, 1, folder.path()), ["other"]);
    }
}
