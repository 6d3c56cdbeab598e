//! `visavis explore STUDY`: every face at its place, as a page of its own.

use super::{
    Context,
    output::{remark, say, tell_about},
    report::faces_of,
};
use crate::{
    report::{ExplorerMark, explorer},
    study::{self, ExplorerContents, OpenedStudy, Plan, StudyOutcome},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{Fault, Result, text::size},
    scoring::Setting,
    store::{make_folder, write_out},
};

#[derive(clap::Args)]
pub(crate) struct ExploreCommand {
    /// The study file
    study: PathBuf,
    /// Where to (default: reports/NAME-explorer.html in the workspace)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put the faces of data sets into the page whose pictures were not drawn here: you may hand them out
    #[arg(long)]
    embed_faces: bool,
}

impl ExploreCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        tell_about(context, &opened);
        let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
        // What people pinned is on the page.
        if let Some(fault) = plan.unread.clone() {
            return Err(fault);
        }
        let study = context.workspace.shareable(&self.study);
        let page = page(&plan, &opened, &study, self.embed_faces)?;
        let default = || {
            let report = context.workspace.report(&plan.study.name);
            let name = report.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            report.with_file_name(format!("{name}-explorer.html"))
        };
        let file = self.output.clone().unwrap_or_else(default);
        if self.output.is_none() {
            file.parent().map_or(Ok(()), make_folder)?;
        }
        write_out(&file, page.as_bytes())?;
        remark(context, format!("explorer: {}", size(page.len() as u64)));
        if !context.quiet {
            let audit = context.line(&["audit", &file.display().to_string()]);
            say(format!("{} · open it in a browser · check it with: {audit}", file.display()));
        }
        Ok(())
    }
}

/// The page of a study as it stands: a function of the study, its results and pins, and whether faces are embedded. An audit makes it again.
///
/// # Errors
/// No index of the images yet; results that are damaged.
pub(super) fn page(plan: &Plan, opened: &OpenedStudy, study: &Path, embeds_faces: bool) -> Result<String> {
    let contents = contents(plan, opened, study, &faces_of(opened, plan, embeds_faces))?;
    let made_of = plan.made_of(&opened.file.text.source);
    explorer(&contents, &ExplorerMark::new(study.display().to_string(), made_of, embeds_faces))
}

/// What the explorer of a study shows, on a page of its own or in its report. `faces_of`: data sets whose faces may be on the page.
///
/// # Errors
/// As of a page.
pub(super) fn contents(plan: &Plan, opened: &OpenedStudy, study: &Path, faces_of: &BTreeSet<String>) -> Result<ExplorerContents> {
    let absent = || Fault::missing("the study has no results yet").next(format!("`visavis run {}` makes them", study.display()));
    let images = plan.listed_images()?.ok_or_else(absent)?;
    let outcome = StudyOutcome::load(plan)?;
    let survey = &opened.survey;
    let setting = Setting { images: &images, labels: &survey.labels, identities: survey.identities.as_ref() };
    let evaluated = plan.study.evaluation.dataset.as_ref();
    let has_faces = evaluated.is_some_and(|name| faces_of.contains(name));
    ExplorerContents::of(&outcome, &setting, has_faces)
}
