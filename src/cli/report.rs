//! `visavis report STUDY`

use super::{
    Context, explore,
    output::{remark, say, say_json, tell_about, tell_namesakes, warn},
    page::{RenderedAs, carries_itself, page},
    pdf, report_summary,
};
use crate::{
    audit,
    report::ExploredReport,
    study::{self, Plan, names_variables},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::faces,
    domain::{
        Digest, Fault, Result,
        pin::LOST,
        text::{printable, size},
    },
    store::{WrittenPage, make_folder, write_out},
};

#[derive(clap::Args)]
pub(crate) struct ReportCommand {
    /// The study file
    study: PathBuf,
    /// Where to (default: reports/NAME.html in the workspace)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print it as a PDF beside it, too, with a Chromium that is on this machine
    #[arg(long, conflicts_with = "explore")]
    pdf: bool,
    /// Put some faces of data sets into the page whose pictures were not drawn here: you may hand them out
    #[arg(long)]
    embed_faces: bool,
    /// Put the explorer into it: every face at its place, with a script of Visavis’ own; --explore=folder has the faces of all images, however
    /// many, in a folder beside the page
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "page")]
    explore: Option<ExplorerFaces>,
}

/// Where the explorer has its faces.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ExplorerFaces {
    /// On the page: of very many images a sample
    Page,
    /// In a folder beside the page
    Folder,
}

/// What a page holds that not every page does.
#[derive(Clone, Copy, Default)]
pub(crate) struct OnPage {
    /// Faces of data sets whose pictures were not drawn here.
    embeds_faces: bool,
    explorer: Option<ExplorerFaces>,
}

impl ReportCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if self.pdf && self.output.as_ref().is_some_and(|file| file.extension().is_some_and(|end| end == "pdf")) {
            return Err(
                Fault::asked("the page cannot have the name of its PDF").next("write it as .html: the PDF lies beside it")
            );
        }
        let on_page = OnPage { embeds_faces: self.embed_faces, explorer: self.explore };
        let WrittenReport { file, plan, text } = write(context, &self.study, self.output.as_deref(), on_page)?;
        let pdf = self.pdf.then(|| file.with_extension("pdf"));
        if let Some(pdf) = &pdf {
            write_out(pdf, &pdf::print(&file)?)?;
        }
        if context.json {
            say_json(&report_summary::of(&plan, &text, &file)?);
        } else if !context.quiet {
            let audit = context.line(&["audit", &file.display().to_string()]);
            say(format!("{} · check it with: {audit}", file.display()));
            if let Some(pdf) = pdf {
                say(format!("{} · for paper; only the page can be audited", pdf.display()));
            }
        }
        Ok(())
    }
}

/// # Errors
/// A report that is there, and was made of another study file of the same name.
fn refuse_over_another(context: &Context, opened: &study::OpenedStudy, report: &Path) -> Result<()> {
    let (name, own) = (&opened.file.study.name, &opened.file.text);
    let others = study::namesakes(name, &own.path, &context.workspace);
    if others.is_empty() {
        return Ok(());
    }
    let made_of = WrittenPage::read(report).and_then(|page| page.made_of).map(|made| made.study);
    match others.iter().find(|of| Some(of.text) == made_of && of.text != Digest::of(own.source.as_bytes())) {
        None => {
            tell_namesakes(context, opened);
            Ok(())
        }
        Some(other) => Err(Fault::asked(format!(
            "the report that is there is of another study file of the name `{name}`: {}",
            context.workspace.shareable(&other.file).display()
        ))
        .in_file(report)
        .next("give one of the studies another name (`study:`), or say where to write with -o FILE")),
    }
}

/// A report that was written, and what of.
pub(crate) struct WrittenReport {
    pub file: PathBuf,
    plan: Plan,
    /// The study's text.
    text: String,
}

/// The data sets of which the page shows some faces: drawn ones, or all where a person says that these may be handed out.
pub(super) fn faces_of(opened: &study::OpenedStudy, plan: &Plan, embeds_all: bool) -> BTreeSet<String> {
    let is_shown = |name: &String| {
        let is_evaluated = plan.study.evaluation.dataset.as_ref() == Some(name);
        let is_drawn = || plan.training_set_at(name).is_some_and(|at: PathBuf| faces::is_drawn(&at));
        embeds_all || is_evaluated && opened.survey.truth.is_some() || is_drawn()
    };
    plan.study.datasets.keys().filter(|name| is_shown(name)).cloned().collect()
}

/// Writes the report of a study that was run.
pub(crate) fn write(context: &Context, study: &Path, output: Option<&Path>, on_page: OnPage) -> Result<WrittenReport> {
    let opened = study::open(study, &context.workspace)?;
    tell_about(context, &opened);
    let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
    // A report that silently lacked what people want in it would be another's.
    if let Some(fault) = plan.unread.clone() {
        return Err(fault);
    }
    let lost: Vec<String> =
        plan.lost_pins().map(|name| printable(&format!("pinned: {name} · {LOST}; `visavis unpin` takes it off"))).collect();
    warn(context, &lost);
    let made_of = plan.made_of(&opened.file.text.source);
    let faces_of = &faces_of(&opened, &plan, on_page.embeds_faces);
    let of = |carries_context| page(&plan, &opened, study, RenderedAs { made_of, carries_context, of_page: false, faces_of });
    let mut page = of(!names_variables(&opened.file.text.source))?;
    // A page that its own evidence would give otherwise does not say that it can be rendered from it.
    if !carries_itself(&page) {
        page = of(false)?;
    }
    let mut unread = audit::too_large(&page);
    let mut faces = None;
    if let Some(wanted) = on_page.explorer {
        let place = explore::place_of(&plan, &context.workspace, wanted == ExplorerFaces::Folder);
        let contents = explore::contents(&plan, &opened, study, faces_of, place, Some(context.workspace.graphs()))?;
        faces = contents.folder().cloned();
        page = ExploredReport { report: page, has_folder: faces.is_some() }.with(&contents)?;
        let is_too_large = page.len() as u64 > audit::LARGEST_PAGE;
        unread = unread.or_else(|| is_too_large.then(|| format!("it has {}", size(page.len() as u64))));
    }
    let file = output.map_or_else(|| context.workspace.report(&plan.study.name), Path::to_owned);
    if output.is_none() {
        refuse_over_another(context, &opened, &file)?;
        file.parent().map_or(Ok(()), make_folder)?;
    }
    if let Some(folder) = faces {
        explore::write_folder(context, &plan, &folder, &file)?;
    }
    write_out(&file, page.as_bytes())?;
    remark(context, format!("report: {}", size(page.len() as u64)));
    if let Some(why) = unread {
        remark(
            context,
            format!("`visavis audit` cannot check all of this page: {why}; `visavis audit` of the study file checks its results"),
        );
    }
    Ok(WrittenReport { file, plan, text: opened.file.text.source })
}
