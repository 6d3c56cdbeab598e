//! A change to a study file, tried before it is written: how many cells it adds and what they cost.

use super::{Pins, Plan, watch::Watch};
use crate::config::{self, Text};
use std::path::{Path, PathBuf};
use visavis_core::{
    dataset::Survey,
    domain::{
        Fault, Result,
        comparison::{Comparison, Measured},
        membership::Members,
    },
    store::write_whole,
};

pub use crate::config::{Change, FACTORS};

/// A study file with changes that were not written yet.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyDraft {
    pub file: PathBuf,
    /// The text as it was read, and as it would be.
    pub before: String,
    pub after: String,
    pub costs: DraftCosts,
    /// What it would wait for that the study does not wait for yet: input, and where it is expected.
    pub missing: Vec<(String, String)>,
    /// New comparisons, and how many images are in each of their classes.
    pub classes: Vec<(String, Vec<(String, usize)>)>,
}

/// What a draft adds to a study (or takes, where less than nought).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DraftCosts {
    pub models: i64,
    pub cells: i64,
    /// Of these cells, those that would wait for what is missing.
    pub waiting: i64,
    /// Stages that a run here would make.
    pub stages: i64,
    pub seconds: f64,
}

impl Watch {
    /// # Errors
    /// What is wrong with the study as it would be, and where.
    pub fn draft(&self, change: &Change) -> Result<StudyDraft> {
        let plan = self.plan.as_ref().ok_or_else(|| Fault::missing("no study is open"))?;
        let file = self.file().ok_or_else(|| Fault::missing("no study is open"))?.to_owned();
        let before = Text::read(&file)?.source;
        let after = config::amend(&before, &file, change)?;
        let opened = super::survey(config::parse(Text { path: file.clone(), source: after.clone() })?, self.workspace())?;
        let new = Plan::new(&opened, self.workspace(), Pins::read(self.index(), &opened.file.study.name))?;
        let costs = DraftCosts {
            models: new.study.models.len() as i64 - plan.study.models.len() as i64,
            cells: new.cells() as i64 - plan.cells() as i64,
            stages: new.to_run() as i64 - plan.to_run() as i64,
            waiting: new.cells_waiting() as i64 - plan.cells_waiting() as i64,
            seconds: self.seconds(&new) - self.seconds(plan),
        };
        let known = |of: &&Comparison| !plan.study.comparisons.iter().any(|own| own.name == of.name);
        let classes = new.study.comparisons.iter().filter(known).map(|of| (of.name.clone(), sizes(of, &opened.survey))).collect();
        let awaited = |of: &&super::Missing| {
            let before = plan.missing.iter().find(|own| own.input == of.input && own.expected_at == of.expected_at);
            before.is_none_or(|own| own.cells < of.cells)
        };
        let missing = new.missing.iter().filter(awaited).map(|of| (of.input.clone(), of.expected_at.clone())).collect();
        Ok(StudyDraft { file, before, after, costs, missing, classes })
    }
}

/// How many images are in each class; nothing of a quantity, or while the data are missing.
fn sizes(of: &Comparison, survey: &Survey) -> Vec<(String, usize)> {
    let (Measured::Classes(_), Some(images)) = (&of.question.measured, &survey.images) else { return vec![] };
    of.classes.iter().cloned().zip(Members::of(images, &survey.labels, &of.question).sizes()).collect()
}

/// Writes a study file, unless somebody else has written it since `before` was read.
///
/// # Errors
/// A file that has changed meanwhile: it is left as it is.
pub fn write(file: &Path, before: &str, after: &str) -> Result<()> {
    if Text::read(file)?.source != before {
        return Err(Fault::asked("the study file was edited elsewhere meanwhile: it is left as it is")
            .in_file(file)
            .next("it was read again: make the change anew"));
    }
    write_whole(file, after.as_bytes())
}

/// What is wrong with a study file, if anything.
///
/// # Errors
/// The first mistake: what, where, what was expected.
pub fn check(file: &Path) -> Result<()> {
    config::read(file).map(|_| ())
}
