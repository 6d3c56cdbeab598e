//! What stages cost: learned from results of the same kind of work in this workspace, guessed where there are none; and how
//! long and how much a whole plan takes, with how sure that is.

use super::{
    plan::{Plan, StageStatus},
    queue::Waiting,
    steps::Step,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use visavis_core::{
    domain::{
        Key, Result,
        index::ModelIx,
        model::{Source, WeightFamily, Weights},
        projection::Method,
        stage::Kind,
    },
    projection,
    store::{Index, Spent},
    weights,
};

/// Seconds and bytes of one stage, and how much the seconds vary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    pub seconds: f64,
    /// Standard deviation of the seconds from stage to stage.
    pub spread: f64,
    pub bytes: f64,
    /// How many results this was learned from; 0: a guess.
    pub seen: usize,
}

#[derive(Debug, Default)]
pub struct Costs(HashMap<String, Cost>);

/// What is still to come, as intervals that hold four times in five if what is to come is like what was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CostEstimate {
    pub seconds: f64,
    pub low: f64,
    pub high: f64,
    pub bytes: f64,
    /// Some of it was guessed, for no result of its kind is here.
    pub guessed: bool,
}

impl Costs {
    /// # Errors
    /// A store that cannot be read.
    pub fn learn(index: Option<&Index>) -> Result<Self> {
        let spent = index.map_or(Ok(vec![]), Index::spent)?;
        let cost = |Spent { cost_class, count, seconds, spread, bytes }| {
            // Of one result alone, nobody knows how it varies.
            let spread = if count < 3 { seconds } else { spread };
            (cost_class, Cost { seconds, spread, bytes, seen: count })
        };
        Ok(Costs(spent.into_iter().map(cost).collect()))
    }

    /// Learns from one more result.
    pub fn note(&mut self, cost_class: &str, kind: Kind, seconds: f64) {
        let cost = self.0.entry(cost_class.to_owned()).or_insert(Cost { seen: 0, seconds: 0.0, ..guess(cost_class, kind) });
        cost.seen += 1;
        cost.seconds += (seconds - cost.seconds) / cost.seen as f64;
    }

    /// What work of this sort took here; else what takes most after it did, by the first words of its name
    /// (`train pretend` for `train pretend resnet34 …`); else a guess.
    pub fn of(&self, cost_class: &str, kind: Kind) -> Cost {
        // One word is a kind of work by itself: what a figure is made again in says nothing of a score.
        let is_like = |words: &str| words.contains(' ') || matches!(kind, Kind::Train | Kind::Project);
        let mut words = cost_class;
        loop {
            if let Some(cost) = self.0.get(words) {
                return *cost;
            }
            if let Some(cost) = self.mean_of(words).filter(|_| is_like(words)) {
                return cost;
            }
            match words.rsplit_once(' ') {
                Some((before, _)) if is_like(before) => words = before,
                _ => return guess(cost_class, kind),
            }
        }
    }

    /// The mean over what begins so. How far its members are apart is part of how it varies.
    fn mean_of(&self, words: &str) -> Option<Cost> {
        let begins = |cost_class: &str| cost_class.strip_prefix(words).is_some_and(|rest| rest.starts_with(' '));
        let like: Vec<&Cost> = self.0.iter().filter(|(cost_class, _)| begins(cost_class)).map(|(_, cost)| cost).collect();
        let n = like.len() as f64;
        let mean = |of: fn(&Cost) -> f64| like.iter().map(|cost| of(cost)).sum::<f64>() / n;
        let seconds = mean(|cost| cost.seconds);
        (!like.is_empty()).then(|| Cost {
            seconds,
            spread: (like.iter().map(|cost| (cost.seconds - seconds).powi(2)).sum::<f64>() / n).sqrt() + mean(|cost| cost.spread),
            bytes: mean(|cost| cost.bytes),
            seen: like.iter().map(|cost| cost.seen).sum(),
        })
    }
}

/// Columns of features that nobody has seen yet.
const COLUMNS: usize = 512;
/// Operations a second that projections come to on one thread, about: layouts wait for memory more than they calculate.
const RATE: f64 = 2e10;
/// Multiplications a second that networks come to on one thread, about.
const MULTIPLICATIONS: f64 = 2e10;

impl Costs {
    /// A projection's work grows faster than its images: what was learned is taken to as many as there are here; what was not
    /// is guessed from its operations.
    fn of_projection(&self, cost_class: &str, method: &Method, images: usize) -> Cost {
        let work = |images: usize| projection::operations(method, images, COLUMNS).max(1.0);
        match self.0.get(cost_class) {
            Some(learned) => {
                let images_then = (learned.bytes / (4.0 * method.axes() as f64)) as usize;
                let times = work(images) / work(images_then.max(1));
                let grown = images as f64 / images_then.max(1) as f64;
                Cost {
                    seconds: learned.seconds * times,
                    spread: learned.spread * times,
                    bytes: learned.bytes * grown,
                    seen: learned.seen,
                }
            }
            None => {
                let seconds = work(images) / RATE;
                Cost { seconds, spread: seconds, bytes: (4 * images * method.axes()) as f64, seen: 0 }
            }
        }
    }
}

/// Bytes that a hash of a picture takes in its result.
const HASH: usize = 33;
/// Seconds that hashing a picture takes on one thread, about: most of it is decoding.
const A_PICTURE: f64 = 0.003;

impl Costs {
    /// Hashing takes as long as there are pictures: a training set may have a thousand times as many as the evaluation.
    fn of_hashes(&self, cost_class: &str, pictures: usize) -> Cost {
        let bytes = (HASH * pictures) as f64;
        match self.0.get(cost_class).filter(|learned| learned.bytes > 0.0) {
            Some(learned) => {
                let times = bytes / learned.bytes;
                Cost { seconds: learned.seconds * times, spread: learned.spread * times, bytes, seen: learned.seen }
            }
            None => {
                let seconds = A_PICTURE * pictures as f64;
                Cost { seconds, spread: seconds, bytes, seen: 0 }
            }
        }
    }
}

/// What a kind of work takes for a few thousand images; it may take three times as long.
fn guess(cost_class: &str, kind: Kind) -> Cost {
    let (seconds, bytes) = match kind {
        Kind::Index => (0.05, 200_000.0),
        Kind::Train if cost_class.contains("width") => (60.0, 10_000_000.0),
        Kind::Train => (3600.0, 100_000_000.0),
        Kind::Features if cost_class.starts_with("features c") => (10.0, 10_000_000.0),
        Kind::Features => (0.1, 4_000_000.0),
        Kind::Project => (0.5, 150_000.0),
        Kind::Score => (0.5, 6_000.0),
        Kind::Rank => (0.1, 100_000.0),
        Kind::Draw => (0.1, 60_000.0),
    };
    Cost { seconds, spread: seconds, bytes, seen: 0 }
}

/// What scores of 3,392 images take, by cost class, about: seconds of a core. Between the demo's, the rehearsal's and those of CelebA's size.
const SCORED: [(&str, f64); 10] = [
    ("score", 0.22),
    ("score features", 4.0),
    ("score quality", 1.7),
    ("score nuisances", 0.2),
    ("score fairness", 5.0),
    ("score again", 12.0),
    ("score verification", 0.6),
    ("score grid", 1.2),
    ("score retained", 2.0),
    ("score attention", 0.05),
];
const SCORED_IMAGES: f64 = 3392.0;
/// By how much scores grow with images, from 1,500 to 202,599.
const SCORED_GROWTH: f64 = 1.2;
/// A shown figure is made again from no more images.
const AGAIN_IMAGES: usize = 10_000;

/// Seconds of a score that nobody has seen, of so many images.
fn guess_of_score(cost_class: &str, images: usize) -> Option<f64> {
    let known = SCORED.iter().find(|(class, _)| *class == cost_class)?.1;
    let images = if cost_class == "score again" { images.min(AGAIN_IMAGES) } else { images };
    Some(known * (images as f64 / SCORED_IMAGES).powf(SCORED_GROWTH))
}

impl Plan {
    /// What running the plan takes on so many slots, of the steps that can run: the greater of the work divided by the slots
    /// and of the longest chain (Graham's bounds, 1966).
    pub fn estimate(&self, costs: &Costs, slots: usize) -> CostEstimate {
        let mut kinds: BTreeMap<(String, Kind), (Cost, usize)> = BTreeMap::new();
        let runs = self.runs();
        for step in &runs {
            kinds.entry((step.cost_class(&self.study), step.kind())).or_insert_with(|| (self.cost(*step, costs), 0)).1 += 1;
        }
        let figures = self.tally().into_iter().find(|(kind, _)| *kind == Kind::Draw).map_or(0, |(_, tally)| tally.to_run);
        if !runs.is_empty() && figures > 0 {
            kinds.insert(("draw".to_owned(), Kind::Draw), (costs.of("draw", Kind::Draw), figures));
        }
        let (mut work, mut variance, mut estimate) = (0.0, 0.0, CostEstimate::default());
        for (cost, count) in kinds.values() {
            let n = *count as f64;
            work += n * cost.seconds;
            // Each stage varies by itself; that the mean itself is off concerns them all alike.
            variance += n * cost.spread.powi(2) + (n * cost.spread).powi(2) / cost.seen.max(1) as f64;
            estimate.bytes += n * cost.bytes;
            estimate.guessed |= cost.seen == 0;
        }
        let slots = slots.max(1) as f64;
        // What waits for something that is not here holds nothing up: nobody runs it.
        let running: HashSet<Step> = runs.iter().copied().collect();
        let chain = self.chains(|step| if running.contains(&step) { self.cost(step, costs).seconds } else { 0.0 });
        let chain = chain.into_values().fold(0.0, f64::max);
        estimate.seconds = (work / slots).max(chain);
        let off = 1.2816 * variance.sqrt() / slots;
        estimate.low = (estimate.seconds - off).max(estimate.seconds / 4.0);
        estimate.high = estimate.seconds + off;
        estimate
    }

    /// How much each step that is not done holds up: its own seconds and those of the longest chain of steps that wait for it
    /// (the upward rank of Topcuoglu et al., 2002).
    pub fn upward_ranks(&self, costs: &Costs) -> HashMap<Step, f64> {
        let done: HashSet<Step> =
            self.steps().filter(|(_, status)| **status == StageStatus::Done).map(|(step, _)| step).collect();
        self.chains(|step| if done.contains(&step) { 0.0 } else { self.cost(step, costs).seconds })
    }

    /// By step: its own seconds and those of the longest chain of steps that wait for it.
    fn chains(&self, own: impl Fn(Step) -> f64) -> HashMap<Step, f64> {
        let mut chains: HashMap<Step, f64> = HashMap::new();
        let steps: Vec<Step> = self.steps().map(|(step, _)| step).collect();
        for step in steps.into_iter().rev() {
            let whole = own(step) + chains.get(&step).copied().unwrap_or(0.0);
            chains.insert(step, whole);
            for need in self.needs(step) {
                let held = chains.entry(need).or_default();
                *held = held.max(whole);
            }
        }
        chains
    }

    pub(super) fn cost(&self, step: Step, costs: &Costs) -> Cost {
        if let Some(pictures) = self.hashed(step) {
            return costs.of_hashes(&step.cost_class(&self.study), pictures);
        }
        match step.on_own_crop() {
            Step::Train { model } | Step::Extract { model } | Step::ExtractAltered { model, .. } => {
                self.cost_of_network(step, model, costs)
            }
            Step::Project { projection, .. } if self.images() > 0 => {
                costs.of_projection(&step.cost_class(&self.study), &self.study.projections[projection].method, self.images())
            }
            other => {
                let learned = costs.of(&other.cost_class(&self.study), other.kind());
                let is_score = learned.seen == 0 && other.kind() == Kind::Score && self.images() > 0;
                match guess_of_score(&other.cost_class(&self.study), self.images()).filter(|_| is_score) {
                    Some(seconds) => Cost { seconds, spread: seconds, ..learned },
                    None => learned,
                }
            }
        }
    }

    /// What nobody has seen of a network is guessed from its multiplications, those of a training from its pictures and epochs.
    fn cost_of_network(&self, step: Step, model: ModelIx, costs: &Costs) -> Cost {
        let learned = costs.of(&step.cost_class(&self.study), step.kind());
        if learned.seen > 0 || self.study.pretends() {
            return learned;
        }
        let seconds = self.multiplications(step, model).map(|work| work / MULTIPLICATIONS);
        seconds.map_or(learned, |seconds| Cost { seconds, spread: seconds, ..learned })
    }

    fn multiplications(&self, step: Step, model: ModelIx) -> Option<f64> {
        let Source::Network(network) = &self.study.models[model].source else { return None };
        let family = match &network.weights {
            Weights::File { family, .. } => family.clone(),
            Weights::Recipe { .. } | Weights::Untrained { .. } => WeightFamily::own(),
            Weights::Whole(_) => return None,
        };
        let size = self.study.preparations.get(&network.prepare)?.size;
        let of_a_picture = weights::describe(&network.architecture, &family).ok()?.multiplications(size);
        let passes = match step {
            // Forward, and twice as much backward.
            Step::Train { .. } => 3.0 * self.pictures_learned(model)? as f64,
            _ => self.images() as f64,
        };
        Some(of_a_picture * passes)
    }

    /// A ready step as the queue takes it.
    pub fn waiting(&self, key: Key, step: Step, costs: &Costs, upward_ranks: &HashMap<Step, f64>) -> Waiting {
        let cost_class = step.cost_class(&self.study);
        let task = self.task(step).map(|(_, task)| task);
        debug_assert!(task.is_none_or(|task| task.work.cost_class() == cost_class), "{cost_class}");
        Waiting {
            key,
            step,
            job: self.job(step),
            seed: task.and_then(|task| task.work.seed()),
            class: step.class(&self.study),
            program: super::steps::program(&self.study, step),
            upward_rank: upward_ranks.get(&step).copied().unwrap_or(0.0),
            seconds: self.cost(step, costs).seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Within a factor of three of what was measured: of the demo, the rehearsal, and a study of CelebA's size.
    #[test]
    fn scores_that_nobody_has_seen_are_guessed_by_images() {
        for (class, images, measured) in [
            ("score", 1500, 0.053),
            ("score", 3392, 0.22),
            ("score quality", 1500, 0.65),
            ("score quality", 202_599, 80.0),
            ("score features", 3392, 6.6),
            ("score features", 202_599, 407.0),
            ("score again", 1500, 4.8),
            ("score again", 202_599, 113.0),
        ] {
            let guessed = guess_of_score(class, images).unwrap();
            assert!((guessed / measured).log2().abs() < 1.6, "{class} of {images}: {guessed}, measured {measured}");
        }
        assert_eq!(guess_of_score("rank", 1500), None);
    }

    #[test]
    fn one_word_is_a_kind_of_work_by_itself() {
        let mut costs = Costs::default();
        costs.note("score", Kind::Score, 0.1);
        costs.note("train cpu resnet34 softmax", Kind::Train, 60.0);
        assert_eq!(costs.of("score again", Kind::Score).seen, 0, "scores say nothing of figures made again");
        assert_eq!(costs.of("train cpu resnet34 arcface", Kind::Train).seconds, 60.0);
        let mut costs = Costs::default();
        costs.note("score fairness", Kind::Score, 2.0);
        assert_eq!(costs.of("score", Kind::Score).seen, 0, "nor do gaps of groups say anything of a score");
        assert_eq!(costs.of("score fairness", Kind::Score).seen, 1);
    }
}
