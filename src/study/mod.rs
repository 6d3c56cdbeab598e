//! A study on its way: what there is and what is missing → plan → dispatch → the read model that every face shows.

mod altered;
mod carried;
mod checks;
mod cluster;
mod cost;
pub mod curves;
pub mod devices;
mod dispatch;
pub mod draft;
mod examine;
mod explain;
mod explorer;
mod figures;
mod job_requests;
pub mod labelling;
pub mod make_up;
pub mod map_images;
pub mod matrix_snapshot;
mod missing;
mod model_files;
mod names;
mod namesakes;
mod networks;
mod offers;
mod open_store;
pub mod origin;
pub mod pairs;
pub mod picture;
mod pins;
pub mod placing;
mod plan;
mod programs;
mod queue;
mod results;
pub mod standing;
mod steps;
mod tasks;
#[cfg(test)]
mod testing;
mod time_left;
mod timeline;
mod torch;
mod trained_with;
mod used;
pub mod watch;

pub use carried::{CarriedObjects, CarriedStudy, names_variables};
pub use cluster::{ClusterRun, RunPlaces};
pub use cost::{CostEstimate, Costs};
pub use dispatch::{
    Dispatch, DispatcherJob, MadeApart, Notice, RunSummary, SubmittedDispatcher, carry_out_apart, dispatch, submission,
};
pub use examine::{Examined, examine};
pub use explain::{Explained, Stale, explain};
pub use explorer::{ExploredStudy, ExplorerContents, FacesFolder, FacesPlace};
pub use figures::known_figures;
pub use job_requests::JobRequests;
pub use missing::{Lack, Missing};
pub use names::{Piece, StudyNames, text_of};
pub use namesakes::{Namesake, digest_of_named, namesakes};
pub use networks::NetworkPrograms;
pub use offers::Offers;
pub use open_store::{OpenedStore, open_store};
pub use pins::Pins;
pub(crate) use plan::sources::is_of_verification;
pub use plan::{Plan, StageStatus, Tally, sources::is_of_training};
pub use programs::{WorkerProgram, folder_on_path};
pub(crate) use results::most_held;
pub use results::{
    AxisFinding, CellVerdict, ClaimNumbers, HeldNuisances, HypothesisPart, LayerRetrieval, LayersOn, MaskedBackground,
    ModelClicks, ModelFairness, ModelRetained, ModelTraining, NamedScore, OnSharedCrop, PartOf, ProjectionClusters,
    ProjectionQuality, ScoreOf, ScoreSource, Seen, SharedCropOutcome, Sourced, StudyOutcome, StudyResults, StudyVisibility,
    TestedHypothesis, VerifiedPairs,
};
pub use steps::{Node, Step, features, features_name, last_layer};
pub use time_left::{OpenStage, Progress, Running, TimeLeft, duration};
pub use timeline::{HeldBecause, Phase, Timeline};
pub(crate) use trained_with::as_trained;
pub use used::{UsedResults, used_results};
pub use visavis_core::store::typed_paths;

pub use visavis_core::{
    dataset::{
        People,
        faces::{Level, Planted, Truth},
    },
    domain::loss::{LOSSES, LossSpec},
    projection::{METHODS, MethodSpec, words as projection_words},
    store::{AuditDifference, LastAudit, WrittenPage},
    weights::families,
};

use crate::config::{self, StudyFile};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::{self, DigestCache, SAY_IDENTITIES, Survey, UNKNOWN_IDENTITIES},
    domain::{
        Digest, Fault, Key, Result,
        annotation::Answers,
        contrast::{self, ContrastSides},
        model::twins,
        result::Provenance,
        shared_crop::SideCrops,
        study::{DeviceClass, RunOn, Study},
        text::printable,
    },
    scoring::agreements,
    store::Workspace,
};

/// What a study file's text says that the study is about; `None` where it says nothing, or is no study file.
pub fn about_of(text: &str) -> Option<String> {
    config::about_of(&config::Text { path: "".into(), source: text.to_owned() })
}

/// A study file with what was found of the data it names.
pub struct OpenedStudy {
    pub file: StudyFile,
    pub survey: Survey,
    /// The digests of the files that tasks consume, of those that are there: given features with their rows, weights.
    pub files: BTreeMap<PathBuf, Digest>,
    pub missing: Vec<Missing>,
    /// Oddities that stop nothing, each fit for a terminal.
    pub warnings: Vec<String>,
    /// What was done and is as it should be.
    pub notes: Vec<String>,
}

/// Reads a study file and looks at its data.
///
/// # Errors
/// A study file that is wrong, data that are there and cannot be used. What is absent is no error.
pub fn open(path: &Path, workspace: &Workspace) -> Result<OpenedStudy> {
    survey(config::read(path)?, workspace)
}

/// The same, for a run at these places, whatever its file says: on the nodes of a cluster there are cards.
///
/// # Errors
/// As those of [`open`].
pub fn open_for(path: &Path, workspace: &Workspace, places: RunPlaces) -> Result<OpenedStudy> {
    let mut file = config::read(path)?;
    match (places.is_on_cluster(&file.study), &file.study.run) {
        (true, RunOn::Local) => file.study.run = RunOn::Slurm(Box::default()),
        (false, RunOn::Slurm(_)) => file.study.run = RunOn::Local,
        _ => {}
    }
    survey(file, workspace)
}

/// A study and its data as they are, whether or not its questions can be answered with them: who labels pictures for it comes first.
///
/// # Errors
/// A study file that is wrong, data that are there and cannot be used.
pub fn look_at(path: &Path, workspace: &Workspace) -> Result<(Study, Survey)> {
    let file = config::read(path)?;
    let mut digests = DigestCache::open(workspace.digests());
    let survey = dataset::survey(&file.study, &answers_for(&file.study, workspace)?, &mut digests)?;
    digests.keep();
    Ok((file.study, survey))
}

/// Looks at the data of a study that was read.
fn survey(mut file: StudyFile, workspace: &Workspace) -> Result<OpenedStudy> {
    let mut digests = DigestCache::open(workspace.digests());
    // What is wrong between the data and the study, and in no file of its own, stands in the study file.
    let placed = |fault: Fault| if fault.place.is_none() { fault.in_file(&file.text.path) } else { fault };
    let answers = answers_for(&file.study, workspace)?;
    let survey = dataset::survey(&file.study, &answers, &mut digests).map_err(placed)?;
    // Nothing is planned of a study whose images are not there.
    let files = if survey.images.is_some() { digests_of(&file.study, &mut digests)? } else { BTreeMap::new() };
    digests.keep();
    workspace.sign_user_cache();
    checks::in_words_of_labels(&mut file.study, &survey);
    let mut warnings = Vec::new();
    if survey.images.is_some() && survey.people == People::Unknown {
        let say = if file.study.evaluation.dataset.is_some() {
            SAY_IDENTITIES
        } else {
            "name a data set: `identities:` of it says who is who"
        };
        warnings.push(format!("{UNKNOWN_IDENTITIES}; {say}"));
    }
    warnings.extend(checks::check(&file, &survey)?);
    checks::partial_fc(&file, &survey)?;
    pairs::check(&file, &survey)?;
    warnings.extend(trained_with::other_preparations(&file.study));
    warnings.extend(twins(&file.study.models).into_iter().map(|[first, second]| {
        format!("the models `{first}` and `{second}` are one under two names: every test of one is made again of the other")
    }));
    warnings.extend(crops_differ(&file.study));
    warnings.extend(pairs::warning(&file.study));
    warnings.extend(altered::warnings(&file.study));
    warnings.extend(survey.warnings.clone());
    if file.study.pretends() {
        warnings
            .push("networks only pretend to learn (`numerics.device: pretend`): what this study finds means nothing".to_owned());
    }
    let may_have_cards = || file.study.run != RunOn::Local || devices::has_cards();
    let cards = file.study.numerics.device == DeviceClass::Cuda && may_have_cards();
    let missing = missing::missing(&file.study, &survey, cards);
    let plain = |said: &[String]| said.iter().map(|line| printable(line)).collect();
    let agreed = survey.annotators.iter().flat_map(|(attribute, annotators)| {
        agreements(annotators).into_iter().map(move |of| format!("`{attribute}`: {}", of.sentence()))
    });
    let notes = trained_with::filled_in(&file.study).into_iter().chain(pairs::notes(&file.study));
    let notes: Vec<String> = notes.chain(survey.notes.iter().cloned()).chain(agreed).collect();
    let (warnings, notes) = (plain(&warnings), plain(&notes));
    Ok(OpenedStudy { file, survey, files, missing, warnings, notes })
}

/// What annotators said in this workspace, of the attributes that a study reads from there.
fn answers_for(study: &Study, workspace: &Workspace) -> Result<Answers> {
    let mut answers = Answers::new();
    let asked = study.evaluation.journaled();
    if !asked.is_empty()
        && let Some(index) = open_store(workspace)?.index
    {
        for attribute in asked {
            answers.extend(index.answers(Some(attribute))?);
        }
    }
    Ok(answers)
}

/// Contrasts whose sides see different parts of the pictures, each once.
fn crops_differ(study: &Study) -> Vec<String> {
    let names = StudyNames::of(study);
    let warning = |held: ContrastSides| {
        let SideCrops::Differ { fields: [left, right], is_one_model } = SideCrops::of(&held, study) else { return None };
        let shared = SideCrops::of(&held, study).shared()?;
        Some(format!(
            "contrast `{}`: the pictures of {} are cropped `{left}` and those of {} `{right}`: an attribute that lies outside of a crop (a \
             hat, a necklace) is not visible to that side, so a difference may be one of the crops; {}",
            study.contrasts[held.contrast].name(),
            names.side(&held.left),
            names.side(&held.right),
            if is_one_model {
                "with one crop the two are one model".to_owned()
            } else {
                format!("both are scored on the crop `{shared}` too")
            }
        ))
    };
    contrast::held(study).into_iter().filter_map(warning).collect()
}

/// The digests of the files that a study's tasks consume, of those that are there.
fn digests_of(study: &Study, digests: &mut DigestCache) -> Result<BTreeMap<PathBuf, Digest>> {
    let paths = study.models.iter().flat_map(|model| model_files::files_of(&model.source));
    let memory = model_files::memory_of_this_machine();
    let digest_of = |path: PathBuf| {
        // Before it is read for minutes. One that was read in this workspace before has results, perhaps of a larger machine.
        if !digests.knows(&path) {
            model_files::fits_memory(&path, memory)?;
        }
        digests.of(&path).map(|digest| (path, digest))
    };
    paths.filter(|path| path.exists()).map(digest_of).collect()
}

/// The plan of an opened study with what people pinned. For that the store is looked at, and brought up to date first: see [`open_store()`].
///
/// # Errors
/// Those of [`Plan::new`]. A store that cannot be read is none: the plan says that nobody knows what is pinned.
pub fn plan(opened: &OpenedStudy, workspace: &Workspace) -> Result<Plan> {
    Plan::new(opened, workspace, Pins::stored(workspace, &opened.file.study.name))
}

/// The plan of an opened study as it stood when these were all its results, as a page names them: by key, with the digest of their
/// content and who made them; `None`: as it stands with all of them.
///
/// # Errors
/// As [`plan()`].
pub fn plan_of_results(
    opened: &OpenedStudy,
    workspace: &Workspace,
    pins: Pins,
    keys: Option<HashMap<Key, (Digest, Provenance)>>,
) -> Result<Plan> {
    match keys {
        Some(keys) => {
            let lookup = plan::OnlyThese { keys, of: workspace.clone() };
            Plan::over(opened, workspace, pins, Box::new(lookup))?.as_it_stands()
        }
        None => Plan::new(opened, workspace, pins)?.as_it_stands(),
    }
}
