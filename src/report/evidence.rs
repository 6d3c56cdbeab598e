//! What an auditor needs, packed into the page: sources, manifests, claims, and as many objects as there is room for.

use super::{Extras, claims::Claims, paths, source::ReportSource};
use crate::{
    audit::{self, EmbeddedObject, Evidence, PageContext, PinnedFigure},
    study::{Plan, Step, StudyOutcome, is_of_verification},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use visavis_core::domain::{
    Digest, Ending, Fault, Result,
    ledger::CellId,
    missing::MissingLabels,
    pin::Pinned,
    result::{Manifest, Provenance},
    stage::{
        AdjustScores, CompareLayers, ContrastAttention, FindClusters, FindOverlap, FindSubgroups, GroupFairness, IndexImages,
        Input, Location, MeasureAgreement, MeasureNuisances, MeasureQuality, MeasureRetained, MeasureVisibility, ProjectFeatures,
        Ranking, RetrieveImages, Robustness, ScoreFeatures, ScoreNuisances, ScoreViews, SimulateClicks, Simultaneous, Training,
        VerifyIdentities, VerifyPairs, role,
    },
};

/// Bytes of embedded coordinates, which deflate little: enough to make every score of a small study again, and those of the figures that
/// are shown first of a large one.
const ROOM: usize = 300_000;

/// Bytes of labels that are counted and of which no score is made: those of CelebA's forty attributes have a hundred megabytes. Without them the
/// ranking is made again beside the data alone.
const ROOM_FOR_LABELS: usize = 4_000_000;

/// The evidence of a page that shows these claims.
///
/// # Errors
/// Objects that are damaged.
pub(crate) fn of(outcome: &StudyOutcome, extras: &Extras, claims: &Claims) -> Result<Evidence> {
    let (plan, study) = (outcome.plan, &outcome.plan.study);
    let shareable = |path: &Path| plan.workspace().shareable(path);
    let study_text = paths::shareable_text(extras.study_text, &shareable);
    Ok(Evidence {
        format: audit::FORMAT,
        program: concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned(),
        study: study.name.clone(),
        study_file: shareable(extras.study_file).display().to_string(),
        context: Some(context(&ReportSource { outcome, claims }, extras, &study_text)),
        study_text,
        tolerance_auc: study.tolerance.auc,
        tolerance_features: study.tolerance.features,
        sources: plan.source_digests(),
        manifests: plan
            .results()
            .map(|(_, manifest)| nameless(manifest, &|path| shareable(&plan.workspace().locate(path))))
            .collect(),
        claims: claims.shown(),
        objects: objects(plan, &wanted(outcome), extras.of_page)?,
    })
}

/// What the page is rendered from beside the study and its results; `text`: the study's, as it is handed out.
fn context(source: &ReportSource, extras: &Extras, text: &str) -> PageContext {
    let plan = source.outcome.plan;
    let pinned = |of: &Pinned| PinnedFigure { name: of.name.clone(), note: source.shareable(&of.pin.note), cell: of.cell };
    let file = plan.workspace().shareable(extras.study_file).display().to_string();
    let shareable = |path: &Path| plan.workspace().shareable(path);
    let lost = || audit::lost_names(&plan.study, &source.about(extras.study_text), &file, text, &shareable);
    let spelled = |(attribute, of): (&String, &MissingLabels)| (attribute.clone(), of.spelled.keys().cloned().collect());
    PageContext {
        is_whole: extras.carries_context,
        study_text: extras.made_of.study,
        is_shortened: extras.made_of.study != Digest::of(text.as_bytes()),
        lost_names: if text == extras.study_text { vec![] } else { lost() },
        pins: extras.made_of.pins,
        remarks: plan.remarks.clone(),
        missing_labels: extras.missing_labels.iter().map(spelled).collect(),
        pinned: plan.pinned().iter().map(pinned).collect(),
        faces_of: extras.faces_of.clone(),
    }
}

/// An output that goes into the page: always, or while there is room.
struct Wanted {
    step: Step,
    output: &'static str,
    is_needed: bool,
}

/// What claims point into, and what ranks and counts are made of; then coordinates, of the figures shown first.
fn wanted(outcome: &StudyOutcome) -> Vec<Wanted> {
    let plan = outcome.plan;
    let needed = |step, output| Wanted { step, output, is_needed: true };
    let of_rank = [Ranking::LEDGER, Ranking::FREQUENCIES, Ranking::PLANTED, Ranking::RECOVERED];
    let mut wanted: Vec<Wanted> = of_rank.into_iter().map(|output| needed(Step::Rank, output)).collect();
    wanted.push(needed(Step::Index, "images"));
    wanted.extend(plan.results().filter_map(|(step, _)| Some(needed(step, output_with_claims(step)?))));
    let project = |cell: &CellId| Step::Project { model: cell.model, layer: cell.layer, projection: cell.projection, seed: 0 };
    let shown: BTreeSet<Step> = outcome.shown.iter().map(|(cell, _)| project(cell)).collect();
    let others = plan
        .results()
        .map(|(step, _)| step)
        .filter(|step| matches!(step.on_own_crop(), Step::Project { .. }) && !shown.contains(step));
    let coordinates = |step| Wanted { step, output: ProjectFeatures::COORDINATES, is_needed: false };
    wanted.extend(shown.iter().copied().chain(others).map(coordinates));
    wanted
}

/// The output that claims are of.
fn output_with_claims(step: Step) -> Option<&'static str> {
    match step.on_own_crop() {
        Step::Score { .. } => Some(ScoreViews::SCORES),
        Step::FeatureScores { .. } => Some(ScoreFeatures::SCORES),
        Step::Simultaneous | Step::SharedCropTests => Some(Simultaneous::TESTS),
        Step::Subgroups(_) => Some(FindSubgroups::SUBGROUPS),
        Step::LayerDifferences { .. } => Some(CompareLayers::LAYERS),
        Step::Visibility => Some(MeasureVisibility::SHARES),
        Step::Robustness(_) => Some(Robustness::FIGURE),
        Step::Fairness { .. } => Some(GroupFairness::GROUPS),
        Step::Quality { .. } => Some(MeasureQuality::QUALITY),
        Step::Clusters { .. } => Some(FindClusters::CLUSTERS),
        Step::Retrieval { .. } => Some(RetrieveImages::RETRIEVAL),
        Step::Clicks { .. } => Some(SimulateClicks::CLICKS),
        Step::Nuisances => Some(MeasureNuisances::ABOUT),
        Step::NuisanceScores { .. } | Step::FeatureNuisances { .. } => Some(ScoreNuisances::SCORES),
        Step::AdjustedScores(_) => Some(AdjustScores::SCORES),
        Step::Retained { .. } => Some(MeasureRetained::RETAINED),
        Step::Attention => Some(ContrastAttention::ATTENTION),
        Step::Verify { .. } => Some(VerifyIdentities::VERIFICATION),
        Step::VerifyPairs { .. } => Some(VerifyPairs::VERIFICATION),
        Step::Train { .. } => Some(Training::CURVES),
        Step::Overlap { .. } => Some(FindOverlap::OVERLAP),
        Step::Agreement => Some(MeasureAgreement::AGREEMENT),
        Step::Index
        | Step::HashEvaluation
        | Step::HashTraining { .. }
        | Step::SampleEvaluation
        | Step::SampleTraining { .. }
        | Step::Thumbnails
        | Step::Features { .. }
        | Step::Extract { .. }
        | Step::ExtractAltered { .. }
        | Step::ExtractPairs { .. }
        | Step::Baseline { .. }
        | Step::Project { .. }
        | Step::Rank
        | Step::DrawFrequencies
        | Step::DrawCurves { .. }
        | Step::Draw(_)
        | Step::Recropped(..) => None,
    }
}

/// `of_page`: coordinates that are not there are left out.
///
/// # Errors
/// Objects that are damaged, or are needed and not there.
fn objects(plan: &Plan, wanted: &[Wanted], of_page: bool) -> Result<BTreeMap<Digest, EmbeddedObject>> {
    let mut objects = BTreeMap::new();
    let mut room = ROOM;
    for of in wanted {
        let digest = plan.result(of.step).and_then(|manifest| manifest.output(of.output)).map(|output| output.digest);
        let bytes = match plan.bytes(of.step, of.output) {
            Err(fault) if of_page && !of.is_needed && fault.ending == Ending::Missing => continue,
            bytes => bytes?,
        };
        let (Some(bytes), Some(digest)) = (bytes, digest) else { continue };
        if !of.is_needed {
            let Some(left) = room.checked_sub(bytes.len()) else { continue };
            room = left;
        }
        objects.insert(digest, EmbeddedObject::of(&bytes));
    }
    let asked = asked_labels(plan);
    let is_needed = |name: &str| is_carried(name) && (!name.starts_with(role::LABELS) || asked.contains(name));
    let (mut here, mut room) = (BTreeSet::new(), ROOM_FOR_LABELS);
    for (name, bytes) in plan.sources().filter(|(name, _)| is_carried(name)) {
        if !is_needed(name) {
            let Some(left) = room.checked_sub(bytes.len()) else { continue };
            room = left;
        }
        here.insert(name);
        objects.entry(Digest::of(&bytes)).or_insert_with(|| EmbeddedObject::of(&bytes));
    }
    let absent = plan.source_names().find(|name| is_needed(name) && !here.contains(name));
    if let Some(absent) = absent {
        return Err(Fault::missing(format!("the page does not carry `{absent}`")));
    }
    Ok(objects)
}

/// The roles of labels that scores are made of. The others are counted alone, by the ranking.
fn asked_labels(plan: &Plan) -> BTreeSet<&str> {
    let scored = plan.results().filter(|(step, _)| *step != Step::Rank);
    scored.flat_map(|(_, manifest)| &manifest.inputs).map(|input| input.role.as_str()).collect()
}

/// What networks were trained on, and features of verification sets, are never made again from a page.
fn is_carried(role: &str) -> bool {
    let is_of_training = role.starts_with("pictures/") || role.starts_with("classes/");
    role != IndexImages::LISTING && !is_of_training && !is_of_verification(role)
}

/// A manifest without the name of the machine or of its folders: a report is handed out, and these prove nothing.
fn nameless(manifest: &Manifest, shareable: &dyn Fn(&Path) -> PathBuf) -> Manifest {
    let input = |input: &Input| Input {
        at: match &input.at {
            Location::Object => Location::Object,
            Location::File(path) => Location::File(shareable(path)),
            Location::Pictures(folder) => Location::Pictures(shareable(folder)),
        },
        ..input.clone()
    };
    Manifest {
        inputs: manifest.inputs.iter().map(input).collect(),
        provenance: Provenance { host: String::new(), ..manifest.provenance.clone() },
        ..manifest.clone()
    }
}
