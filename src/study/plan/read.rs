//! What a plan tells: results and their outputs, steps and their tasks, pins, sources.

use super::{Missing, Need, Plan, ResultLookup, StageStatus};
use crate::study::{
    figures,
    programs::WorkerProgram,
    steps::{self, Step},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use visavis_core::{
    domain::{
        Digest, Fault, Key, Result,
        image::{Column, Images},
        index::ModelIx,
        job::JobId,
        ledger::{CellId, Ledger, ShownAs},
        made_of::MadeOf,
        model::Source,
        pin::Pinned,
        result::Manifest,
        stage::{IndexImages, Ranking, Task},
        study::Recipe,
    },
    store::Workspace,
};

impl Plan {
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// How many images are evaluated; 0 while nobody knows.
    pub fn images(&self) -> usize {
        self.sources.images
    }

    /// The folder of a training set's pictures.
    pub fn training_set_at(&self, name: &str) -> Option<PathBuf> {
        self.sources.training_set_at(name).map(|at| self.workspace.locate(at))
    }

    /// How many pictures a training looks at, each as often as it does; `None` of a model that is not trained here, and while nobody knows.
    pub(in crate::study) fn pictures_learned(&self, model: ModelIx) -> Option<usize> {
        self.learned(model).map(|(recipe, images)| recipe.epochs * images)
    }

    /// How many steps a training has, batches that are summed up being one; `None` as of its pictures.
    pub(in crate::study) fn training_steps(&self, model: ModelIx) -> Option<usize> {
        let (recipe, images) = self.learned(model)?;
        let held_out = recipe.validation.as_ref().map_or(0.0, |of| of.share * images as f64) as usize;
        let images = (images - held_out).max(1);
        Some(recipe.epochs * (images / (recipe.batch.min(images) * recipe.accumulate)).max(1))
    }

    /// By which recipe and from how many pictures a model learns.
    fn learned(&self, model: ModelIx) -> Option<(&Recipe, usize)> {
        let Source::Network(network) = &self.study.models[model].source else { return None };
        let recipe = self.study.recipes.get(self.study.models[model].recipe()?)?;
        Some((recipe, self.sources.training_images(&network.trained_on))).filter(|(_, images)| *images > 0)
    }

    /// How many pictures a step hashes; `None` of a step that hashes none, and while nobody knows.
    pub(in crate::study) fn hashed(&self, step: Step) -> Option<usize> {
        let pictures = match step {
            Step::HashEvaluation => self.images(),
            Step::HashTraining { set } => self.sources.training_images(self.study.dataset(set)?.0),
            _ => 0,
        };
        (pictures > 0).then_some(pictures)
    }

    /// The bytes of the objects that tasks consume and no stage makes, by name; one at a time, for they may be large.
    pub fn sources(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.sources.contents(|digest| self.lookup.object(digest))
    }

    /// The names of these objects, also of those whose bytes are not here.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.names()
    }

    /// The labels of an attribute.
    pub fn labels(&self, attribute: &str) -> Option<&Column> {
        self.sources.labels(attribute)
    }

    /// The attributes whose labels are there.
    pub(in crate::study) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.sources.attributes()
    }

    /// Who is on each image, where the data set says so.
    pub(in crate::study) fn identities(&self) -> Option<&Column> {
        self.sources.identities()
    }

    /// The digests of everything outside that the study's stages consume; files by names that are the same on every machine.
    pub fn source_digests(&self) -> BTreeMap<String, Digest> {
        self.sources.digests(&|path| self.workspace.shareable(path))
    }

    /// Where results and their objects are looked up.
    pub(in crate::study) fn lookup(&self) -> &dyn ResultLookup {
        &*self.lookup
    }

    /// The ledger, which says what figures are to be drawn.
    ///
    /// # Errors
    /// A result that cannot be read.
    pub(super) fn ledger(&self) -> Result<Option<Ledger>> {
        let Some(bytes) = self.bytes(Step::Rank, Ranking::LEDGER)? else { return Ok(None) };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Fault::unexpected(format!("{} is not what it should be: {error}", Ranking::LEDGER)))
    }

    /// The figures that the report shows, and why.
    pub fn shown(&self, ledger: &Ledger) -> Vec<(CellId, Vec<ShownAs>)> {
        figures::shown(ledger, &self.pinned.iter().filter_map(|of| of.cell).collect())
    }

    /// Figures that people want in the report, those too that are lost.
    pub fn pinned(&self) -> &[Pinned] {
        &self.pinned
    }

    /// What is pinned, and no figure of the study any more: what it was called.
    pub fn lost_pins(&self) -> impl Iterator<Item = &str> {
        self.pinned.iter().filter(|of| of.cell.is_none()).map(|of| of.name.as_str())
    }

    /// What a person notes to a figure.
    pub fn note(&self, cell: CellId) -> Option<&str> {
        self.pinned.iter().find(|of| of.cell == Some(cell)).map(|of| of.pin.note.as_str())
    }

    /// The images that the study evaluates, in the order of all rows; `None` before they are listed.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn listed_images(&self) -> Result<Option<Images>> {
        let listed = self.bytes(Step::Index, IndexImages::IMAGES)?;
        Ok(listed.and_then(|bytes| Images::from_text(&String::from_utf8(bytes).ok()?)))
    }

    /// An output of a step's result; `None` while the result is not there.
    ///
    /// # Errors
    /// An object that is not there, or damaged.
    pub fn bytes(&self, step: Step, output: &str) -> Result<Option<Vec<u8>>> {
        let output = self.results.get(&step).and_then(|manifest| manifest.output(output));
        output.map(|output| self.lookup.object(output.digest)).transpose()
    }

    pub fn result(&self, step: Step) -> Option<&Manifest> {
        self.results.get(&step)
    }

    /// Every result of the study that is there, in the order of its steps.
    pub fn results(&self) -> impl Iterator<Item = (Step, &Manifest)> {
        self.states.iter().filter_map(|(step, _)| Some((step, self.results.get(&step)?)))
    }

    /// What a report of the plan's results would be made of; `text`: the study file's.
    pub fn made_of(&self, text: &str) -> MadeOf {
        MadeOf::new(self.results().map(|(_, manifest)| manifest), text, &self.pinned)
    }

    /// Every step with its status, prerequisites first.
    pub fn steps(&self) -> impl Iterator<Item = (Step, &StageStatus)> {
        self.states.iter()
    }

    /// Steps that have no result.
    pub fn open_steps(&self) -> impl Iterator<Item = Step> {
        self.steps().filter(|(_, status)| **status != StageStatus::Done).map(|(step, _)| step)
    }

    pub fn status(&self, step: Step) -> Option<&StageStatus> {
        self.states.status(step)
    }

    /// Does anything wait to run?
    pub fn is_ready(&self) -> bool {
        self.steps().any(|(_, status)| *status == StageStatus::Ready)
    }

    /// The programs that will run networks: train them, or extract their features.
    pub fn programs(&self) -> BTreeSet<WorkerProgram> {
        self.steps().filter(|(_, status)| status.is_to_come()).filter_map(|(step, _)| steps::program(&self.study, step)).collect()
    }

    /// What a step consumes.
    pub fn needs(&self, step: Step) -> Vec<Step> {
        self.states.needs(step)
    }

    /// The task of a step, once all it consumes is there.
    pub fn task(&self, step: Step) -> Option<&(Key, Task)> {
        self.tasks.get(&step)
    }

    /// Must the step be made even though a result of it may be there?
    pub fn again(&self, step: Step) -> bool {
        self.forced.contains(&step)
    }

    pub fn job(&self, step: Step) -> JobId {
        JobId::of(&self.study.name, &step.label(&self.study))
    }

    /// What the step itself lacks.
    pub fn lacking(&self, step: Step) -> Vec<&Missing> {
        let lacks = |missing: &&Missing| match (&missing.need, step.on_own_crop()) {
            (Need::Everything, _) => true,
            (Need::Models(models), step) => step.model().is_some_and(|model| models.contains(&model)),
            (Need::Attribute(attribute), Step::Score { comparison, .. }) => {
                self.study.comparisons[comparison].question.attributes().contains(attribute.as_str())
            }
            (Need::Pairs(waiting), Step::ExtractPairs { set, .. } | Step::VerifyPairs { set, .. }) => *waiting == set,
            (Need::Attribute(_) | Need::Pairs(_), _) => false,
        };
        self.missing.iter().filter(lacks).collect()
    }
}
