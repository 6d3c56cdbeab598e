use super::*;
use crate::config;
use visavis_core::domain::{
    Digest, Key,
    result::{Facts, Output, Provenance},
};

/// Every kind of model: given, trained, never trained, without a network.
const STUDY: &str = "format: 1
study: s
datasets:
  faces: { folders: { root: faces, identities: folder } }
  people: { folders: { root: people } }
preparations: { small: { size: 32 } }
recipes: { short: {} }
evaluation: { dataset: faces, labels: [{ file: l.csv, attribute: glasses }] }
models:
  named:
    given: { features: { embedding: a.npy, images: rows.txt } }
    trained: { architecture: resnet34, loss: arcface, trained_on: people, prepare: small, train: { recipe: short } }
    untrained: { baseline: untrained, architecture: resnet34, prepare: small }
    pixels: { baseline: pixels, prepare: small }
projections: [pca: { axes: 2 }, umap: { metric: cosine, seeds: 2 }]
comparisons: { x: { A: glasses, B: not glasses } }
fairness: { groups: [glasses] }
";

fn study() -> Study {
    config::parse(config::Text { path: "s.yaml".into(), source: STUDY.into() }).unwrap().study
}

/// Every step that a study can have, with all figures shown.
fn nodes(study: &Study) -> Vec<Node> {
    let cells = matrix::cells(study);
    let shown = cells.into_iter().flat_map(|cell| [steady(study, cell), figure(cell)]);
    steps(study).into_iter().chain(shown).collect()
}

fn input(role: &str) -> Input {
    Input { role: role.to_owned(), digest: Digest::of(role.as_bytes()), at: Location::Object }
}

fn output_of(step: Step, name: &str) -> Digest {
    Digest::of(format!("{step:?} {name}").as_bytes())
}

/// A result with every output that some stage has.
fn result(study: &Study, step: Step) -> Manifest {
    let fixed = [
        Index::IMAGES,
        FeatureImport::FEATURES,
        FeatureImport::OFFSETS,
        Training::WEIGHTS,
        Training::CURVES,
        ProjectFeatures::COORDINATES,
        ScoreViews::SCORES,
        ScoreViews::RANKS,
        ScoreViews::PERMUTED,
        ScoreFeatures::SCORES,
        ScoreFeatures::DECISIONS,
        Simultaneous::TESTS,
        Ranking::FREQUENCIES,
    ];
    let layers = study.models.iter().flat_map(|model| model.layers(None)).map(|layer| features_at(&layer));
    let names: BTreeSet<String> = fixed.map(str::to_owned).into_iter().chain(layers).chain([ranks_of(0)]).collect();
    let outputs = names.into_iter().map(|name| Output { digest: output_of(step, &name), name, bytes: 1 });
    Manifest {
        format: 1,
        key: Key(Digest::of(b"key")),
        stage: step.kind(),
        version: 1,
        work: Work::Index(Index { take: None }),
        inputs: vec![],
        outputs: outputs.collect(),
        facts: Facts::new(),
        provenance: Provenance {
            program: String::new(),
            host: String::new(),
            cpu: String::new(),
            system: String::new(),
            threads: 1,
            worker: String::new(),
            attempt: 1,
            started: 0,
            seconds: 0.0,
        },
    }
}

/// Each node with its task, where everything it consumes is there.
fn tasks(study: &Study) -> Vec<(Node, Task)> {
    let nodes = nodes(study);
    let roles = ["listing", "labels/glasses", "identities", "pictures/people", "classes/people"];
    let files = study.models.iter().filter_map(|model| match &model.source {
        Source::Given(given) => Some(given.layers.values().chain([&given.images])),
        _ => None,
    });
    let known = KnownResults {
        study,
        sources: &roles.map(|role| (role.to_owned(), input(role))).into(),
        files: &files.flatten().map(|path| (path.clone(), input(&path.display().to_string()))).collect(),
        results: &nodes.iter().map(|node| (node.step, result(study, node.step))).collect(),
        pictures_at: Some(&PathBuf::from("faces")),
        training_at: &[("people".to_owned(), PathBuf::from("people"))].into(),
    };
    let task = |node: Node| {
        let task = known.task(node.step).unwrap_or_else(|| panic!("{:?} has no task", node.step));
        (node, task)
    };
    nodes.into_iter().map(task).collect()
}

#[test]
fn a_step_is_of_the_stage_and_of_the_cost_class_that_its_task_has() {
    let study = study();
    let mut met = BTreeSet::new();
    for (node, task) in tasks(&study) {
        let step = node.step;
        assert_eq!(step.stage(), task.work.name(), "{step:?}");
        assert_eq!(step.kind(), task.work.kind(), "{step:?}");
        assert_eq!(step.cost_class(&study), task.work.cost_class(), "{step:?}");
        met.insert(step.stage());
    }
    assert_eq!(met, StageName::ALL.iter().copied().collect(), "the study has a step of every stage");
}

#[test]
fn a_task_consumes_what_its_step_needs_and_nothing_else() {
    let study = study();
    let tasks = tasks(&study);
    let names: BTreeSet<String> =
        tasks.iter().flat_map(|(node, _)| result(&study, node.step).outputs).map(|of| of.name).collect();
    let of = |step: Step| names.iter().map(move |name| (output_of(step, name), step));
    let made_by: HashMap<Digest, Step> = tasks.iter().flat_map(|(node, _)| of(node.step)).collect();
    // A step comes after those that it needs, so their needs are known when it is met.
    let mut all_needs: HashMap<Step, BTreeSet<Step>> = HashMap::new();
    for (node, task) in &tasks {
        let direct = node.needs.iter().copied();
        let needs: BTreeSet<Step> = direct.clone().chain(direct.flat_map(|need| all_needs[&need].clone())).collect();
        let consumed: BTreeSet<Step> = task.inputs.iter().filter_map(|input| made_by.get(&input.digest).copied()).collect();
        assert!(consumed.is_subset(&needs), "{:?} consumes {consumed:?}", node.step);
        assert_eq!(node.needs.is_empty(), consumed.is_empty(), "{:?}", node.step);
        all_needs.insert(node.step, needs);
    }
}

#[test]
fn networks_run_on_the_devices_that_the_study_names_and_all_else_on_processors() {
    let mut study = study();
    study.numerics.device = DeviceClass::Cuda;
    let on_cards: BTreeSet<StageName> =
        nodes(&study).iter().filter(|node| node.step.class(&study) != DeviceClass::Cpu).map(|node| node.step.stage()).collect();
    assert_eq!(on_cards, [StageName::Train, StageName::Extract].into());
}
