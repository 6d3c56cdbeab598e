//! One self-contained page: what was asked, what was found, how sure that is, and all an auditor needs.
//!
//! Templates (in `templates/`) print numbers through `claim(id)` alone; the page makes no request, runs no script, and is
//! a pure function of the study and its results: the same results, the same bytes.

mod claims;
mod faithful;
mod findings;
mod groups;
mod known_truth;
mod label_noise;
mod paths;
mod sections;
mod training;

use crate::{
    audit::{self, Evidence},
    study::{Step, StudyOutcome, is_of_training},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use claims::Book;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use visavis_core::domain::{
    Digest, Fault, Result,
    projection::View,
    result::{Manifest, Provenance},
    stage::{
        GroupFairness, Index, Input, Location, MeasureQuality, ProjectFeatures, Ranking, Robustness, ScoreFeatures, ScoreViews,
        Simultaneous, Training, VerifyIdentities,
    },
};

const PAGE: &str = include_str!("../../templates/report.html");
const METHODS: &str = include_str!("../../templates/methods.html");
const STYLE: &str = include_str!("../../templates/report.css");

/// Embedded objects, packed: enough to make every score of a small study again, and never a slow page.
const ROOM: usize = 1_200_000;

/// Where the study file is, and tables to hand out with the page: name, bytes.
pub struct Extras<'a> {
    /// How many labels are missing in the files, and how that is spelled, by attribute.
    pub missing_labels: &'a std::collections::BTreeMap<String, visavis_core::domain::missing::MissingLabels>,
    pub study_file: &'a Path,
    pub study_text: &'a str,
    pub tables: Vec<(String, Vec<u8>)>,
}

/// The page.
///
/// # Errors
/// Results that are damaged, or a template that is.
pub fn render(outcome: &StudyOutcome, extras: &Extras) -> Result<String> {
    let book = Book::default();
    let mut context = sections::context(outcome, &book, extras)?;
    let style_hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    context.insert("made_of", &outcome.plan.made_of(extras.study_text).to_string());
    context.insert("style", STYLE);
    context.insert("style_hash", &style_hash);
    let tables: Vec<_> =
        extras.tables.iter().map(|(name, bytes)| serde_json::json!({ "name": name, "data": STANDARD.encode(bytes) })).collect();
    context.insert("tables", &tables);

    let mut tera = tera::Tera::default();
    let told = |error: tera::Error| Fault::unexpected(format!("the report's template is wrong: {error:?}"));
    tera.add_raw_templates([("report.html", PAGE), ("methods.html", METHODS)]).map_err(told)?;
    tera.register_function("claim", book.printer());
    // The evidence holds the claims that the page came to show, so the page is rendered before it.
    context.insert("evidence", "{{evidence}}");
    let page = tera.render("report.html", &context).map_err(told)?;
    let evidence = evidence(outcome, extras, &book)?.to_page()?;
    // No text of the study's can hold the element's beginning: its `<` would be escaped.
    let page = page.replacen(&format!("{}{{{{evidence}}}}", audit::MARK), &format!("{}{evidence}", audit::MARK), 1);
    let seal = audit::seal(&page);
    Ok(page.replacen("content=\"{{seal}}\"", &format!("content=\"{seal}\""), 1))
}

fn evidence(outcome: &StudyOutcome, extras: &Extras, book: &Book) -> Result<Evidence> {
    let (plan, study) = (outcome.plan, &outcome.plan.study);
    let shareable = |path: &Path| plan.workspace().shareable(path);
    let mut objects = BTreeMap::new();
    let mut room = ROOM;
    // What must be there: outputs that claims point into, and what ranks and counts are made of.
    let of_rank = [Ranking::LEDGER, Ranking::FREQUENCIES, Ranking::PLANTED, Ranking::RECOVERED];
    let mut wanted: Vec<(Step, &str, bool)> = of_rank.map(|output| (Step::Rank, output, true)).to_vec();
    wanted.push((Step::Index, Index::IMAGES, true));
    wanted.extend(plan.results().filter_map(|(step, _)| match step {
        Step::Score { .. } => Some((step, ScoreViews::SCORES, true)),
        Step::FeatureScores { .. } => Some((step, ScoreFeatures::SCORES, true)),
        Step::Simultaneous => Some((step, Simultaneous::TESTS, true)),
        Step::Robustness(_) => Some((step, Robustness::FIGURE, true)),
        Step::Fairness { .. } => Some((step, GroupFairness::GROUPS, true)),
        Step::Quality { .. } => Some((step, MeasureQuality::QUALITY, true)),
        Step::Verify { .. } => Some((step, VerifyIdentities::VERIFICATION, true)),
        Step::Train { .. } => Some((step, Training::CURVES, true)),
        _ => None,
    }));
    // Then coordinates while there is room: of the figures shown first.
    let project = |cell: &visavis_core::domain::ledger::CellId| Step::Project {
        model: cell.model,
        layer: cell.layer,
        projection: cell.projection,
        seed: 0,
    };
    let shown: BTreeSet<Step> = outcome.shown.iter().map(|(cell, _)| project(cell)).collect();
    let others =
        plan.results().map(|(step, _)| step).filter(|step| matches!(step, Step::Project { .. }) && !shown.contains(step));
    wanted.extend(shown.iter().copied().chain(others).map(|step| (step, ProjectFeatures::COORDINATES, false)));
    for (step, output, must) in wanted {
        let (Some(bytes), Some(digest)) =
            (plan.bytes(step, output)?, plan.result(step).and_then(|m| m.output(output)).map(|o| o.digest))
        else {
            continue;
        };
        let packed = audit::pack(&bytes);
        if must || packed.len() <= room {
            room = room.saturating_sub(packed.len());
            objects.insert(digest, packed);
        }
    }
    for (role, bytes) in plan.sources() {
        // What networks learned from is never made again from a page.
        if role != Index::LISTING && !is_of_training(role) {
            objects.insert(Digest::of(&bytes), audit::pack(&bytes));
        }
    }
    Ok(Evidence {
        format: 1,
        program: concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned(),
        study: study.name.clone(),
        study_file: shareable(extras.study_file).display().to_string(),
        study_text: paths::shareable_text(extras.study_text, &shareable),
        tolerance_auc: study.tolerance.auc,
        tolerance_features: study.tolerance.features,
        sources: plan.source_digests(),
        manifests: plan
            .results()
            .map(|(_, manifest)| nameless(manifest, &|path| shareable(&plan.workspace().locate(path))))
            .collect(),
        claims: book.shown(),
        objects,
    })
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

/// Is the view drawn with ridges (one axis) or points?
fn is_axis(view: View) -> bool {
    matches!(view, View::Axis(_))
}
