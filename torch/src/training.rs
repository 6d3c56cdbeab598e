//! Training: batch after batch, one step each, kept on the way, the same to the last bit however often it is interrupted.

use crate::{
    batches::{Batches, LEAST_PART},
    checkpoint::{Checkpoint, TrainingProgress},
    device,
    feed::{Fed, Feed, Scaler},
    head::{HeadShape, LossHead},
    held_out::{self, HeldOut, Parted},
    network::{Mode, TorchNetwork},
    norms,
    optimizer::Optimizer,
    parameters::Parameters,
    schedule,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tch::{Device, Kind};
use visavis_core::{
    dataset::Album,
    domain::{
        Fault, Key, Result,
        image::Column,
        job::Cause,
        model::WeightFamily,
        stage::Training,
        study::{KeptWeights, Validation},
    },
    stages::{Inputs, Listener, Outcome, StageOutput, because},
    store::Checkpoints,
    weights::{self, Tensor},
};

/// What a person would not want to lose more of.
const KEEP_EVERY: Duration = Duration::from_secs(20);

/// What training needs beside its task.
pub(crate) struct TrainingPlace<'a> {
    pub key: Key,
    pub device: Device,
    pub threads: usize,
    pub checkpoints: Checkpoints,
    /// Set from outside: keep what is there, and end.
    pub stop: &'a AtomicBool,
}

/// Trains the network of the task.
///
/// # Errors
/// Pictures that cannot be read; a loss that is no number any more; too little memory for one picture; a stop, with what was
/// learned kept.
pub(crate) fn train(
    training: &Training,
    inputs: &Inputs,
    place: &TrainingPlace,
    listener: &dyn Listener,
) -> Outcome<StageOutput> {
    let mut lesson = TrainingLoop::begin(training, inputs, place).map_err(because)?;
    lesson.go_on(training, place, listener).map_err(because)?;
    let mut kept = Instant::now();
    while !lesson.is_over(training) {
        lesson.step(training, listener)?;
        let stops = place.stop.load(Ordering::SeqCst);
        if stops || kept.elapsed() > KEEP_EVERY || injected::keeps(lesson.progress.step) {
            let kept_it = place.checkpoints.put(place.key, &lesson.checkpoint().to_bytes().map_err(because)?);
            kept_it.map_err(|fault| because(not_kept(&fault, lesson.progress.step)))?;
            kept = Instant::now();
        }
        injected::die(lesson.progress.step);
        if stops {
            let at = lesson.progress.step;
            return Err((Cause::Stopped, Fault::failed(format!("stopped at step {at}; it goes on from there"))));
        }
    }
    lesson.made(training)
}

/// Why a training ends that cannot keep where it stands.
fn not_kept(fault: &Fault, step: usize) -> Fault {
    let mut told = Fault::unexpected(format!("where the training stood at step {step} was not kept: {}", fault.what));
    told.place.clone_from(&fault.place);
    told.next("free some space and run the same command again: it goes on from what it kept before, or begins anew")
}

struct TrainingLoop {
    network: TorchNetwork,
    head: LossHead,
    parameters: Parameters,
    optimizer: Optimizer,
    feed: Feed,
    scaler: Scaler,
    device: Device,
    steps: usize,
    classes: usize,
    images: usize,
    held_out: Option<HeldOut>,
    progress: TrainingProgress,
    /// The weights of the best epoch so far, where they are what is kept.
    best: BTreeMap<String, Tensor>,
    clock: Instant,
}

impl TrainingLoop {
    fn begin(training: &Training, inputs: &Inputs, place: &TrainingPlace) -> Result<Self> {
        let album = inputs.album(Training::PICTURES, &training.preparation)?;
        let column = inputs.column(Training::CLASSES)?;
        let (album, held_out) = match &training.recipe.validation {
            None => (album, None),
            Some(of) => {
                let Parted { learned, held_out } = held_out::part(&named(&album, &column)?, of.share, training.seed)?;
                let held_out = album.only(&held_out);
                let (identities, _) = classes(&held_out, &column)?;
                (album.only(&learned), Some(HeldOut::new(held_out, identities, place.threads)))
            }
        };
        let (classes, count) = classes(&album, &column)?;
        let device = place.device;
        let family = WeightFamily::own();
        let columns = weights::describe(&training.architecture, &family)?.columns(training.preparation.size)?;
        let &(_, width) = columns.last().ok_or_else(|| Fault::unexpected("a network without a layer"))?;
        let mut parameters = Parameters::draw(&training.architecture, &family, training.seed, device)?;
        let network = TorchNetwork::new(&training.architecture, &family, &parameters)?;
        let shape = HeadShape { width, classes: count, seed: training.seed, device };
        let head = LossHead::new(&training.loss, &training.recipe, &mut parameters, &shape)?;
        let optimizer = Optimizer::new(&training.recipe, &parameters);
        let images = classes.len();
        let batches = Batches::new(classes, &training.recipe, &training.loss, training.seed)?;
        let part = batches.at_a_time();
        let feed = Feed::new(album, batches, training.seed, place.threads)?;
        Ok(TrainingLoop {
            steps: feed.batches().steps() * training.recipe.epochs,
            scaler: Scaler::new(&training.preparation, training.numerics.precision, device),
            progress: TrainingProgress { part, ..TrainingProgress::default() },
            network,
            head,
            parameters,
            optimizer,
            feed,
            device,
            held_out,
            best: BTreeMap::new(),
            classes: count,
            images,
            clock: Instant::now(),
        })
    }

    /// Takes up what an attempt before this one kept.
    fn go_on(&mut self, training: &Training, place: &TrainingPlace, listener: &dyn Listener) -> Result<()> {
        let Some(bytes) = place.checkpoints.get(place.key)? else {
            listener.line(&format!(
                "{} images of {} classes, {} steps on {}",
                self.images,
                self.classes,
                self.steps,
                device::words(self.device)
            ));
            if let Some(of) = &self.held_out {
                listener.line(&format!("{} are held out, and told apart after every epoch", of.words()));
            }
            if let Some(some) = self.head.classes_at_a_time() {
                listener.line(&format!("{some} of {} classes at every step, drawn by the seed", self.classes));
            }
            return Ok(());
        };
        match Checkpoint::from_bytes(&bytes) {
            Some(of) if !self.fits(training, &of) => {
                listener.line("what an attempt before kept is of no step of this training: begins anew");
            }
            Some(checkpoint) => {
                listener.line(&format!("goes on from step {} of {}", checkpoint.progress.step, self.steps));
                self.parameters.take(&checkpoint.tensors, self.device);
                self.optimizer.take(&checkpoint.optimizer);
                self.best = checkpoint.best;
                self.progress = checkpoint.progress;
            }
            None => listener.line("what an attempt before kept is damaged: begins anew"),
        }
        Ok(())
    }

    /// Can this training stand where a checkpoint says?
    fn fits(&self, training: &Training, of: &Checkpoint) -> bool {
        let validates = self.held_out.is_some();
        let keeps_best = validates && !of.progress.validation.is_empty() && keeps_best(training);
        of.progress.fits(self.steps, self.feed.batches().steps(), self.feed.batches().at_a_time(), validates)
            && of.best.is_empty() != keeps_best
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            progress: self.progress.clone(),
            tensors: self.parameters.values(),
            optimizer: self.optimizer.values(),
            best: self.best.clone(),
        }
    }

    /// All steps are taken, or patience is at its end.
    fn is_over(&self, training: &Training) -> bool {
        let stops = training.recipe.validation.as_ref().is_some_and(|of| of.is_over(&self.progress.validation));
        self.progress.step >= self.steps || stops
    }

    fn step(&mut self, training: &Training, listener: &dyn Listener) -> Outcome<()> {
        let step = self.progress.step;
        let fed = self.feed.at(step).map_err(because)?;
        self.head.begin(step, &fed.classes, self.device);
        let (loss, right) = self.learn(&fed, listener)?;
        if !loss.is_finite() {
            return Err((Cause::Diverged, diverged(&format!("the loss is {loss}"), step)));
        }
        let share = schedule::share(&training.recipe, step, self.steps, self.feed.batches().steps());
        self.optimizer.step(&self.parameters, step, share, self.head.rows().as_ref());
        listener.point("loss", step as u64, loss);
        let progress = &mut self.progress;
        let images = fed.classes.size()[0] as f64;
        progress.step += 1;
        progress.losses += loss * images;
        progress.right += right;
        progress.seen += images;
        if progress.step.is_multiple_of(self.feed.batches().steps()) {
            let (loss, accuracy) = (progress.losses / progress.seen, progress.right / progress.seen);
            progress.loss.push(loss);
            progress.accuracy.push(accuracy);
            listener.point("accuracy", step as u64, accuracy);
            listener.point("images_per_second", step as u64, progress.seen / self.clock.elapsed().as_secs_f64());
            listener.line(&format!(
                "epoch {} of {}: loss {loss:.3}, right {accuracy:.3}",
                progress.loss.len(),
                training.recipe.epochs
            ));
            (progress.losses, progress.right, progress.seen) = (0.0, 0.0, 0.0);
            self.validate(training, listener)?;
            self.clock = Instant::now();
        }
        Ok(())
    }

    /// After an epoch: how well held-out identities are told apart.
    fn validate(&mut self, training: &Training, listener: &dyn Listener) -> Outcome<()> {
        let (Some(held_out), Some(validation)) = (&mut self.held_out, &training.recipe.validation) else { return Ok(()) };
        let found = held_out.auc(&self.network, &self.scaler).map_err(because)?;
        let no_number = || (Cause::Diverged, diverged("embeddings of held-out identities are no numbers", self.progress.step));
        let auc = found.ok_or_else(no_number)?;
        let curve = &mut self.progress.validation;
        curve.push(auc);
        let is_best = Validation::best(curve) == Some(curve.len() - 1);
        if is_best && keeps_best(training) {
            self.best = self.parameters.values();
        }
        listener.point("validation", self.progress.step as u64 - 1, auc);
        listener.line(&format!("held-out identities: AUC {auc:.3}{}", if is_best { ", the best so far" } else { "" }));
        if validation.is_over(curve) && self.progress.step < self.steps {
            let waited = validation.patience.unwrap_or_default();
            listener.line(&format!("no epoch was better than the best for {waited} in a row: the training ends here"));
        }
        Ok(())
    }

    /// The gradient of a batch: in parts when memory asks for it, and then of the same sum.
    fn learn(&mut self, fed: &Fed, listener: &dyn Listener) -> Outcome<(f64, f64)> {
        let running = self.parameters.running();
        loop {
            let part = self.progress.part;
            let outcome = catch_unwind(AssertUnwindSafe(|| self.gradient(fed, part)));
            let panic = match outcome {
                Ok(numbers) => return Ok(numbers),
                Err(panic) => panic,
            };
            if !device::said(&*panic).is_some_and(device::is_memory) {
                std::panic::resume_unwind(panic);
            }
            if self.head.compares_pictures() {
                let fault = Fault::failed(format!(
                    "out of memory with {part} pictures at a time, which the loss compares with each other"
                ));
                return Err((Cause::Memory, fault.next("a smaller batch, size or width needs less")));
            }
            if part <= LEAST_PART {
                let fault = Fault::failed(format!("out of memory with {part} pictures at a time"));
                return Err((Cause::Memory, fault.next("a smaller size or width needs less")));
            }
            // What was done before memory ran out is done again.
            self.parameters.set_running(&running);
            for (_, tensor) in self.parameters.learning() {
                let mut gradient = tensor.grad();
                if gradient.defined() {
                    let _ = gradient.zero_();
                }
            }
            self.progress.part = part.div_ceil(2).max(LEAST_PART);
            listener.line(&format!(
                "out of memory with {part} pictures at a time: goes on with {}, in the same batches",
                self.progress.part
            ));
        }
    }

    fn gradient(&mut self, fed: &Fed, part: usize) -> (f64, f64) {
        let images = fed.classes.size()[0];
        let (mut loss, mut right) = (0.0, 0.0);
        let mut from = 0;
        while from < images {
            visavis_core::numeric::pulse::beat();
            // A part of one picture has no variance: it joins the one before it.
            let left = images - from;
            let length = if left <= part as i64 + 1 { left } else { part as i64 };
            if let Some(most) = injected::most_pictures()
                && length > most
            {
                std::panic::panic_any(format!("out of memory, as asked: {length} pictures at a time"));
            }
            let pixels = self.scaler.scaled(&fed.pixels.narrow(0, from, length));
            let classes = fed.classes.narrow(0, from, length).to_device(self.device);
            let (of_part, right_of_part) = self.head.loss(&self.network.embedding(&pixels, Mode::Learns), &classes);
            // A mean over the batch is the sum of its parts' means, each by its share.
            let share = length as f64 / images as f64;
            (&of_part * share).backward();
            loss += of_part.to_kind(Kind::Double).double_value(&[]) * share;
            right += right_of_part.double_value(&[]);
            from += length;
        }
        (loss, right)
    }

    fn made(&self, training: &Training) -> Outcome<StageOutput> {
        let mut tensors = if self.best.is_empty() { self.parameters.values() } else { self.best.clone() };
        tensors.retain(|name, _| !norms::is_of_training_alone(name));
        // The last step's loss was of the weights before it.
        if let Some((name, _)) = tensors.iter().find(|(_, tensor)| tensor.values.iter().any(|value| !value.is_finite())) {
            return Err((Cause::Diverged, diverged(&format!("`{name}` is no number"), self.progress.step)));
        }
        let bytes = weights::write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).map_err(because)?;
        let mut curves = serde_json::json!({ "loss": self.progress.loss, "accuracy": self.progress.accuracy });
        if self.held_out.is_some() {
            curves["validation"] = self.progress.validation.clone().into();
        }
        let made = StageOutput::default()
            .with(Training::WEIGHTS, bytes)
            .fact("loss", self.progress.loss.clone())
            .fact("accuracy", self.progress.accuracy.clone())
            .fact("images", vec![self.images as f64])
            .fact("classes", vec![self.classes as f64])
            .fact("pictures_at_a_time", vec![self.progress.part as f64])
            .with_json(Training::CURVES, &curves)
            .map_err(because)?;
        let made = match (&self.held_out, Validation::best(&self.progress.validation)) {
            (Some(of), Some(best)) => {
                let kept = if keeps_best(training) { best + 1 } else { self.progress.validation.len() };
                made.fact("validation", self.progress.validation.clone())
                    .fact("kept_epoch", vec![kept as f64])
                    .fact("held_out_images", vec![of.images() as f64])
            }
            _ => made,
        };
        Ok(match self.head.classes_at_a_time() {
            Some(some) => made.fact("classes_at_a_time", vec![some as f64]),
            None => made,
        })
    }
}

fn keeps_best(training: &Training) -> bool {
    training.recipe.validation.as_ref().is_some_and(|of| of.keep == KeptWeights::Best)
}

fn diverged(what: &str, step: usize) -> Fault {
    Fault::failed(format!("{what} at step {step}: the training diverged")).next("lower the rate of the recipe's optimizer")
}

/// What goes wrong on request, so that what follows can be tested.
mod injected {
    use visavis_core::store::Injection;

    /// More pictures at a time are too many for the memory.
    pub(crate) fn most_pictures() -> Option<i64> {
        Injection::MostPictures.number()
    }

    /// Whether a checkpoint is written after this step.
    pub(crate) fn keeps(step: usize) -> bool {
        Injection::CheckpointEvery.number().is_some_and(|every: usize| step.is_multiple_of(every.max(1)))
    }

    /// Ends the process if it shall end at this step.
    pub(crate) fn die(step: usize) {
        if Injection::DieAtStep.number() == Some(step) {
            std::process::abort();
        }
    }
}

/// The class of each picture of the album, by the place of its name among their sorted names; and how many there are.
fn classes(album: &Album, column: &Column) -> Result<(Vec<i64>, usize)> {
    let named = named(album, column)?;
    let names: BTreeSet<&str> = named.iter().copied().collect();
    let names: Vec<&str> = names.into_iter().collect();
    let class = |name: &&str| names.binary_search(name).unwrap_or_default() as i64;
    Ok((named.iter().map(class).collect(), names.len()))
}

/// The identity of each picture of the album.
fn named<'a>(album: &Album, column: &'a Column) -> Result<Vec<&'a str>> {
    let name = |id: &str| column.get(id).ok_or_else(|| Fault::unexpected(format!("the image {id} is in no class")));
    album.images.ids().map(name).collect()
}
