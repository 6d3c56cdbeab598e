//! A study as a page carries it: its text, the digests of its data, its results and some of their objects. Of these a plan is made
//! that needs no workspace, so that the page can be rendered again from itself.
//!
//! The text is somebody's: it names no file that is opened, takes no variable of this machine, and is counted before it is multiplied.

use super::{
    OpenedStudy, checks,
    plan::{
        Plan, ResultLookup, StoredResult,
        sources::{Sources, file_source},
    },
};
use crate::config::{self, Text};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Component, Path, PathBuf},
};
use visavis_core::{
    dataset::{People, Survey},
    domain::{
        Digest, Fault, Key, Result,
        image::{Column, Labels},
        missing::MissingLabels,
        model::{ModelFile, Network, Source as ModelSource, Weights},
        pin::Pinned,
        result::Manifest,
        stage::{IndexImages, role},
        study::{Dataset, Identities, Study},
    },
    store::Workspace,
};
use yaml_serde::Value;

/// A study without its workspace.
pub struct CarriedStudy {
    /// Where the study file was, from the workspace's root.
    pub file: PathBuf,
    pub text: String,
    /// The digests of everything outside that its stages consume, by name.
    pub sources: BTreeMap<String, Digest>,
    pub manifests: Vec<Manifest>,
    /// What was found odd about the data.
    pub remarks: Vec<String>,
    pub missing_labels: BTreeMap<String, MissingLabels>,
    pub pinned: Vec<Pinned>,
}

/// Gives the bytes of an object, verified.
pub type CarriedObjects = Box<dyn Fn(Digest) -> Result<Vec<u8>> + Send + Sync>;

/// A folder that no system has: what the text names from it is nowhere.
const ROOT: &str = "/dev/null/page";

const ELSEWHERE: &str = "/dev/null/elsewhere";

/// Models and views of a carried study, multiplied; the largest studies have a hundredth of it.
const MOST_COMBINED: usize = 100_000;
const LONGEST_TEXT: usize = 4 << 20;

impl CarriedStudy {
    /// The study, opened without its data, and its plan as it stands.
    ///
    /// # Errors
    /// A text that is no study's, or asks for more than any; always as something that is not here.
    pub fn plan(self, objects: CarriedObjects) -> Result<(OpenedStudy, PathBuf, Plan)> {
        let CarriedStudy { file, text, sources, manifests, remarks, missing_labels, pinned } = self;
        refuse_unusual(&file, &text)?;
        let path = Path::new(ROOT).join(&file);
        let mut file = config::parse(Text { path: path.clone(), source: text })
            .map_err(|fault| Fault::missing(format!("its study cannot be read: {}", fault.what)))?;
        let study = &file.study;
        let cells = [study.models.len(), study.projections.len(), study.comparisons.len()].iter().product::<usize>();
        if cells > MOST_COMBINED {
            return Err(too_many(cells));
        }
        let mut survey = Survey { people: people(study, &sources), missing_labels, ..Survey::default() };
        let asked = study.asked_attributes();
        for (name, digest) in &sources {
            let Some(attribute) = name.strip_prefix(role::LABELS).filter(|attribute| asked.contains(attribute)) else { continue };
            let column = objects(*digest).ok().and_then(|bytes| Column::from_text(std::str::from_utf8(&bytes).ok()?));
            if let Some(column) = column {
                survey.labels.insert(attribute.to_owned(), column);
            }
        }
        checks::in_words_of_labels(&mut file.study, &survey);
        // Large, and of no further use.
        survey.labels = Labels::default();
        let workspace = Workspace::new(ROOT.into(), None)?;
        put_elsewhere(&mut file.study, &sources, &|path| workspace.shareable(path));
        let verifies = sources.contains_key(role::IDENTITIES) || !sources.contains_key(IndexImages::LISTING);
        let found = Sources::carried(&file.study, &sources, &manifests, &|path| workspace.shareable(path));
        let lookup = CarriedResults { results: manifests.into_iter().map(|of| (of.key, of)).collect(), objects };
        let opened = OpenedStudy { file, survey, files: BTreeMap::new(), missing: vec![], warnings: remarks, notes: vec![] };
        let plan = Plan::carried(&opened, found, &workspace, pinned, verifies, Box::new(lookup))?;
        Ok((opened, path, plan.as_it_stands()?))
    }
}

/// Is it known who is on the pictures? As a look at the data says it.
fn people(study: &Study, sources: &BTreeMap<String, Digest>) -> People {
    let dataset = study.evaluation.dataset.as_ref().and_then(|name| study.datasets.get(name));
    match dataset.map(Dataset::identities) {
        Some(Identities::EachImage) => People::EachImage,
        _ if sources.contains_key(role::IDENTITIES) => People::Known,
        _ => People::Unknown,
    }
}

/// Gives files from outside of the workspace, of which the text has the last name alone, a place outside again.
fn put_elsewhere(study: &mut Study, sources: &BTreeMap<String, Digest>, shareable: &dyn Fn(&Path) -> PathBuf) {
    let put = |path: &mut PathBuf| {
        let last = PathBuf::from(path.file_name().unwrap_or_default());
        let is_known = |name: &Path| sources.contains_key(&file_source(name));
        if !is_known(&shareable(path)) && is_known(&last) {
            *path = Path::new(ELSEWHERE).join(last);
        }
    };
    for model in &mut study.models {
        match &mut model.source {
            ModelSource::Given(given) => given.layers.values_mut().chain([&mut given.images]).for_each(put),
            ModelSource::Network(Network {
                weights: Weights::File { file, .. } | Weights::Whole(ModelFile { file, .. }),
                ..
            }) => put(file),
            ModelSource::Network(_) | ModelSource::Baseline { .. } => {}
        }
    }
}

fn too_many(cells: usize) -> Fault {
    Fault::missing(format!(
        "its study would have {cells} models and views, more than the {MOST_COMBINED} that are read of a page"
    ))
}

/// A study that cannot be read away from its author's machine, or should not be.
fn refuse_unusual(file: &Path, text: &str) -> Result<()> {
    let is_below = file.components().all(|part| matches!(part, Component::Normal(_)));
    if !is_below || file.as_os_str().is_empty() {
        return Err(Fault::missing("its study file is named by no path below a workspace"));
    }
    if text.len() > LONGEST_TEXT {
        return Err(Fault::missing("its study's text is longer than any study's"));
    }
    if names_variables(text) {
        return Err(Fault::missing("its study names files by variables of its author's machine"));
    }
    let value: Value =
        yaml_serde::from_str(text).map_err(|error| Fault::missing(format!("its study is not valid YAML: {error}")))?;
    let combined = combined(&value);
    if combined > MOST_COMBINED { Err(too_many(combined)) } else { Ok(()) }
}

/// May the text name files by `~` or by variables, which mean other files on another machine?
pub fn names_variables(text: &str) -> bool {
    text.contains('$') || text.contains("~/")
}

/// How many combinations the lists of a study come to at most, as far as models and projections multiply them.
fn combined(study: &Value) -> usize {
    let of = |section: &str| study.get(section);
    let matrix = of("models").and_then(|models| models.get("matrix")).map_or(1, multiplied);
    let projections = match of("projections") {
        Some(Value::Sequence(all)) => all.iter().map(multiplied).fold(0, usize::saturating_add),
        _ => 1,
    };
    matrix.saturating_mul(projections.max(1))
}

/// The product of the lengths of all lists in a value, and of its `seeds`.
fn multiplied(value: &Value) -> usize {
    match value {
        Value::Sequence(list) => {
            let inner = list.iter().map(multiplied).max().unwrap_or(1);
            list.len().max(1).saturating_mul(inner)
        }
        Value::Mapping(map) => map.iter().fold(1, |product: usize, (key, value)| {
            let times = match key.as_str() {
                Some("exclude" | "pairs") => 1,
                Some("seeds") => value.as_u64().map_or(1, |seeds| usize::try_from(seeds).unwrap_or(usize::MAX).max(1)),
                _ => multiplied(value),
            };
            product.saturating_mul(times)
        }),
        Value::Tagged(tagged) => multiplied(&tagged.value),
        _ => 1,
    }
}

/// The results that a page carries.
struct CarriedResults {
    results: HashMap<Key, Manifest>,
    objects: CarriedObjects,
}

impl ResultLookup for CarriedResults {
    fn listed(&self) -> Result<Option<HashSet<Key>>> {
        Ok(None)
    }

    fn look_up(&self, key: Key) -> Result<StoredResult> {
        Ok(self.results.get(&key).map_or(StoredResult::Nothing, |manifest| StoredResult::Whole(Box::new(manifest.clone()))))
    }

    fn object(&self, digest: Digest) -> Result<Vec<u8>> {
        (self.objects)(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_study_multiplies_is_counted_before_it_is_made() {
        let of = |text: &str| combined(&yaml_serde::from_str(text).unwrap());
        assert_eq!(of("projections: [pca: { axes: 2 }, tsne: { perplexity: [5, 30], seeds: 3 }]"), 7);
        assert_eq!(of("models: { matrix: { architecture: [a, b], loss: [c, d, e], train: { seeds: 3 } } }"), 18);
        let list = format!("[{}]", vec!["x"; 100].join(","));
        let factors: String = (0..40).map(|factor| format!("f{factor}: {list}, ")).collect();
        assert_eq!(of(&format!("models: {{ matrix: {{ {factors} }} }}")), usize::MAX);
        assert!(refuse_unusual(Path::new("x.yaml"), &format!("models: {{ matrix: {{ {factors} }} }}")).is_err());
    }

    #[test]
    fn a_text_that_is_of_one_machine_alone_is_refused() {
        for text in ["root: $HOME/x", "root: ~/x", "root: ${DATA}/x"] {
            assert!(refuse_unusual(Path::new("x.yaml"), text).is_err(), "{text}");
        }
        for file in ["", "/x.yaml", "../x.yaml", "a/../../x.yaml"] {
            assert!(refuse_unusual(Path::new(file), "study: x").is_err(), "{file}");
        }
        assert!(refuse_unusual(Path::new("experiments/x.yaml"), "study: x # ~5 people").is_ok());
    }
}
