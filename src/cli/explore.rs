//! `visavis explore STUDY`: every face at its place, as a page of its own.

use super::{
    Context,
    output::{remark, say, tell_about, warn},
    report::faces_of,
};
use crate::{
    report::{ExplorerMark, explorer},
    study::{self, ExploredStudy, ExplorerContents, FacesFolder, FacesPlace, OpenedStudy, Plan, Step, StudyOutcome},
};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{
        Fault, Result,
        stage::MakeThumbnails,
        text::{count, size},
    },
    scoring::Setting,
    store::{Graphs, Workspace, make_folder, write_out, write_out_unless_there},
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
    /// Put the faces into a folder beside the page, which shows all images then, however many
    #[arg(long)]
    folder: bool,
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
        let place = place_of(&plan, &context.workspace, self.folder);
        let kept = Some(context.workspace.graphs());
        let contents = contents(&plan, &opened, &study, &faces_of(&opened, &plan, self.embed_faces), place, kept)?;
        let page = page(&plan, &opened, &study, &contents, self.embed_faces)?;
        let default = || {
            let report = context.workspace.report(&plan.study.name);
            let name = report.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            report.with_file_name(format!("{name}-explorer.html"))
        };
        let file = self.output.clone().unwrap_or_else(default);
        if self.output.is_none() {
            file.parent().map_or(Ok(()), make_folder)?;
        }
        if let Some(folder) = contents.folder() {
            write_folder(context, &plan, folder, &file)?;
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

/// Where a study's explorer has its faces. The folder is called after the study: a page that was renamed finds it.
pub(super) fn place_of(plan: &Plan, workspace: &Workspace, in_folder: bool) -> FacesPlace {
    let report = workspace.report(&plan.study.name);
    let name = report.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    if in_folder { FacesPlace::Folder(format!("{name}-faces")) } else { FacesPlace::Page }
}

/// Writes the sheets that the page names into a folder beside it. Those that are there stay.
///
/// # Errors
/// A folder or a file that cannot be written; thumbnails that are damaged.
pub(super) fn write_folder(context: &Context, plan: &Plan, folder: &FacesFolder, page: &Path) -> Result<()> {
    let at = page.with_file_name(&folder.name);
    if folder.sheets.is_empty() {
        remark(context, "there are no faces that may be shown: no folder was written");
        return Ok(());
    }
    make_folder(&at)?;
    let mut bytes = 0;
    for (number, sheet) in folder.sheets.iter().enumerate() {
        let output = MakeThumbnails::sheet(number);
        let lost = || Fault::differs(format!("the thumbnails lack `{output}`"));
        let picture = plan.bytes(Step::Thumbnails, &output)?.ok_or_else(lost)?;
        bytes += picture.len();
        write_out_unless_there(&at.join(FacesFolder::file(*sheet)), &picture)?;
    }
    let named: BTreeSet<OsString> = folder.sheets.iter().map(|sheet| FacesFolder::file(*sheet).into()).collect();
    let others = fs::read_dir(&at).into_iter().flatten().flatten().filter(|file| !named.contains(&file.file_name())).count();
    if others > 0 {
        let others = count(others, "file");
        warn(
            context,
            &[format!("{}: {others} there that this page does not name, such as sheets of an earlier one", at.display())],
        );
    }
    let files = count(folder.sheets.len(), "sheet");
    remark(context, format!("{}: {files} of faces, {}; hand it out with the page", at.display(), size(bytes as u64)));
    Ok(())
}

/// The page with these contents: a function of the study, its results and pins, where its faces are, and whether they may be shown. An audit makes
/// it again.
///
/// # Errors
/// Contents that JSON cannot write.
pub(super) fn page(
    plan: &Plan,
    opened: &OpenedStudy,
    study: &Path,
    contents: &ExplorerContents,
    embeds_faces: bool,
) -> Result<String> {
    let made_of = plan.made_of(&opened.file.text.source);
    explorer(contents, &ExplorerMark::new(study.display().to_string(), made_of, embeds_faces))
}

/// What the explorer of a study shows, on a page of its own or in its report. `faces_of`: data sets whose faces may be shown; `place`: where they are; `kept`: neighbours
/// that were kept.
///
/// # Errors
/// No index of the images yet; results that are damaged; thumbnails of a sample alone where a folder shows all.
pub(super) fn contents(
    plan: &Plan,
    opened: &OpenedStudy,
    study: &Path,
    faces_of: &BTreeSet<String>,
    place: FacesPlace,
    kept: Option<Graphs>,
) -> Result<ExplorerContents> {
    let absent = || Fault::missing("the study has no results yet").next(format!("`visavis run {}` makes them", study.display()));
    let images = plan.listed_images()?.ok_or_else(absent)?;
    let outcome = StudyOutcome::load(plan)?;
    let survey = &opened.survey;
    let setting = Setting { images: &images, labels: &survey.labels, identities: survey.identities.as_ref() };
    let evaluated = plan.study.evaluation.dataset.as_ref();
    let has_faces = evaluated.is_some_and(|name| faces_of.contains(name));
    ExplorerContents::of(&outcome, &ExploredStudy { setting, images_mark: survey.images_mark.clone(), place, has_faces, kept })
}
