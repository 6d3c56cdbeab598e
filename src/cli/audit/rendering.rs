//! The page rendered again beside a workspace: from the study file and the results there.

use crate::{
    audit::{self, Evidence, Reach, Rendered, RenderedFrom},
    cli::{
        explore,
        page::{self, RenderedAs, as_pin, carried, other_program},
    },
    study::{self, ExplorerContents, OpenedStudy, Pins},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Component, Path},
    sync::Arc,
};
use visavis_core::{
    domain::{
        Digest, Key, Result,
        made_of::MadeOf,
        result::{Manifest, Provenance},
    },
    store::{MADE_OF, Workspace},
};

const LARGEST_STUDY: u64 = 16 << 20;
/// Study files that are looked through for one that was renamed.
const MOST_STUDIES: usize = 1000;

/// The study of a page, as it is in a workspace.
pub(super) struct StudyBeside {
    opened: OpenedStudy,
}

/// What the comparison beside a workspace came to.
pub(super) struct RenderedBeside {
    pub rendered: Rendered,
    pub told: Told,
    /// Is the study file the one that the page was made of? `None`: there is none.
    pub is_study_same: Option<bool>,
}

/// What the comparison did not come to.
#[derive(Default)]
pub(super) struct Told {
    /// What was not compared, and why.
    pub not_compared: Vec<String>,
    /// What nothing here can show.
    pub lacks: Vec<String>,
}

impl StudyBeside {
    /// Of the study files of the workspace that hold a study of that name: the one that the page was made of, else the one that it
    /// names, else the first. Texts are compared before a study is opened: others may be wrong, or of large data.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn of(page: &str, evidence: &Evidence, reach: &Reach, workspace: &Workspace) -> std::result::Result<Self, String> {
        let named = Path::new(&evidence.study_file);
        // A name that leads out of the workspace is no name of a file that was moved within it.
        let others = workspace.studies().into_iter().take(if is_plain(named) { MOST_STUDIES } else { 0 });
        let others = others.map(|path| workspace.shareable(&path));
        let wanted = made_of(page).map(|of| of.study);
        let mut chosen = None;
        for file in std::iter::once(named.to_owned()).chain(others.filter(|other| other != named)) {
            if reach.find(&file, LARGEST_STUDY).is_err() {
                continue;
            }
            let Some(text) = study::digest_of_named(&evidence.study, &workspace.locate(&file)) else { continue };
            if Some(text) == wanted {
                chosen = Some(file);
                break;
            }
            chosen.get_or_insert(file);
        }
        let file = chosen.ok_or_else(|| {
            let is_there = reach.find(named, LARGEST_STUDY).is_ok();
            let why = if is_there { "holds no study of that name" } else { "is not in the workspace" };
            format!("the study file {} {why}", named.display())
        })?;
        let opened = study::open(&workspace.locate(&file), workspace)
            .map_err(|fault| format!("the study file {} cannot be used: {}", file.display(), fault.what))?;
        Ok(StudyBeside { opened })
    }

    /// Is its file the one that the page says it was made of?
    pub(super) fn is_of(&self, page: &str) -> bool {
        made_of(page).is_some_and(|of| of.study == Digest::of(self.opened.file.text.source.as_bytes()))
    }

    /// What the explorer shows of the results here, where these and the study are those that the report was made of.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub(super) fn explored(
        &self,
        report: &str,
        evidence: &Evidence,
        has_folder: bool,
        workspace: &Workspace,
    ) -> std::result::Result<ExplorerContents, String> {
        let plan = study::plan(&self.opened, workspace).and_then(study::Plan::as_it_stands).map_err(|fault| fault.what)?;
        let changed = made_of(report).ok_or("the page does not say what it was made of")?;
        let changed = changed.changed(&plan.made_of(&self.opened.file.text.source));
        if !changed.is_empty() {
            return Err(format!("since it was written, {}", changed.join(", ")));
        }
        let faces_of = evidence.context.as_ref().map(|context| context.faces_of.clone()).unwrap_or_default();
        let study = workspace.locate(Path::new(&evidence.study_file));
        let place = explore::place_of(&plan, workspace, has_folder);
        explore::contents(&plan, &self.opened, &study, &faces_of, place, None).map_err(|fault| fault.what)
    }

    /// The digests of its data today; `None` when they are not here.
    pub(super) fn data_today(&self, workspace: &Workspace) -> Option<BTreeMap<String, Digest>> {
        Some(study::Plan::new(&self.opened, workspace, Pins::default()).ok()?.source_digests())
    }

    /// The page of the study and its results here; `None` where these are others than the page names.
    fn page(&self, evidence: &Evidence, workspace: &Workspace, told: &mut Told) -> Result<Option<String>> {
        let of_page = |manifest: &Manifest| (manifest.key, (manifest.content(), manifest.provenance.clone()));
        let keys: HashMap<Key, (Digest, Provenance)> = evidence.manifests.iter().map(of_page).collect();
        let text = &self.opened.file.text.source;
        let stored = Pins::stored(workspace, &evidence.study);
        if let Some(fault) = &stored.unread {
            told.not_compared.push(format!("what is pinned: {}", fault.what));
        }
        // A page that names no result is held against what there is.
        let mut plan = study::plan_of_results(&self.opened, workspace, stored, (!keys.is_empty()).then(|| keys.clone()))?;
        let mut made_of = plan.made_of(text);
        if let Some(context) = evidence.context.as_ref().filter(|context| context.pins != made_of.pins) {
            const OTHERS: &str = "the page's pins and notes are not the workspace's: these were changed since, or the page was";
            // A note with a number would say something of results that nobody else says.
            let of_numbers = context.pinned.iter().any(|of| audit::holds_number(&of.note));
            if of_numbers { &mut told.lacks } else { &mut told.not_compared }.push(OTHERS.to_owned());
            let found = context.pinned.iter().map(as_pin).collect();
            plan = study::plan_of_results(&self.opened, workspace, Pins { found, unread: None }, Some(keys.clone()))?;
            made_of.pins = context.pins;
        }
        let found: HashSet<Key> = plan.results().map(|(_, manifest)| manifest.key).collect();
        if !keys.keys().all(|key| found.contains(key)) {
            return Ok(None);
        }
        let faces_of = evidence.context.as_ref().map(|context| context.faces_of.clone()).unwrap_or_default();
        let rendered = RenderedAs {
            made_of,
            carries_context: evidence.context.as_ref().is_some_and(|context| context.is_whole),
            of_page: false,
            faces_of: &faces_of,
        };
        // Under the name that it had then.
        page::page(&plan, &self.opened, &workspace.locate(Path::new(&evidence.study_file)), rendered).map(Some)
    }
}

/// The page as the results of a workspace give it.
pub(super) fn beside(
    page: &str,
    evidence: &Arc<Evidence>,
    study: std::result::Result<&StudyBeside, &String>,
    workspace: &Workspace,
) -> RenderedBeside {
    let mut told = Told::default();
    let is_study_same = study.ok().map(|study| study.is_of(page));
    if let Some(why) = other_program(evidence) {
        return RenderedBeside { rendered: Rendered::Not(why), told, is_study_same };
    }
    let of_study = match study {
        Ok(study) if is_study_same == Some(true) => study.page(evidence, workspace, &mut told),
        Ok(_) => Ok(None),
        Err(why) => {
            // Results are known by their keys: what models and classes are called, the study file alone says.
            told.lacks.push(format!("what models, classes and the rest are called: {why}"));
            told.not_compared.push("the data: without the study file nobody knows which they are".to_owned());
            Ok(None)
        }
    };
    let rendered = match of_study {
        Ok(Some(page)) => Rendered::Page { page, from: RenderedFrom::Results },
        // The study is another one or not here, or its data are: the study as the page has it, and the results that are here.
        Ok(None) => carried(page, evidence, Some(workspace)),
        Err(fault) => Rendered::Not(fault.what),
    };
    RenderedBeside { rendered, told, is_study_same }
}

/// Is it names alone, which lead nowhere but down?
pub(super) fn is_plain(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// What the page's head says it was made of.
fn made_of(page: &str) -> Option<MadeOf> {
    page.split_once(MADE_OF)?.1.split_once('"')?.0.parse().ok()
}
