use super::*;
use crate::study::{
    programs::WorkerProgram,
    steps::Node,
    testing::{nodes, output_of, result, sources, study},
};
use visavis_core::domain::{
    Digest,
    made_with::{MadeItem, MadeWith},
    model::{ModelFile, ModelFormat},
    stage::StageName,
    study::{Crop, Precision},
};

/// Each node with its task, where everything it consumes is there.
fn tasks(study: &Study) -> Vec<(Node, Task)> {
    let nodes = nodes(study);
    let sources = sources(study);
    let results = nodes.iter().map(|node| (node.step, result(study, node.step))).collect();
    let known = KnownResults { study, sources: &sources, results: &results };
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

#[test]
fn what_is_cropped_by_landmarks_consumes_them_and_nothing_else_does() {
    let mut study = study();
    let landmarks = |study: &Study| -> BTreeSet<StageName> {
        let consumes = |task: &Task| task.inputs.iter().any(|input| input.role == role::LANDMARKS);
        tasks(study).into_iter().filter(|(_, task)| consumes(task)).map(|(_, task)| task.work.name()).collect()
    };
    assert_eq!(landmarks(&study), BTreeSet::new());
    study.preparations.get_mut("small").unwrap().crop = Crop::Aligned;
    assert_eq!(landmarks(&study), [StageName::Train, StageName::Extract, StageName::Baseline].into());
}

#[test]
fn what_is_said_of_how_features_were_made_is_in_no_key() {
    let mut study = study();
    let keys = |study: &Study| -> Vec<_> { tasks(study).into_iter().map(|(_, task)| task.key()).collect() };
    let before = keys(&study);
    let Source::Given(given) = &mut study.models[ModelIx(0)].source else { panic!("the first model is given") };
    given.made_with = MadeWith::new([(MadeItem::Detector, "MTCNN".to_owned())].into());
    assert_eq!(keys(&study), before);
}

/// The study in memory whose trained network is a whole one in a file instead, called so and read so at its only layer.
fn of_whole(format: ModelFormat, architecture: &str, read: &str) -> Study {
    let mut study = study();
    let Source::Network(network) = &mut study.models[ModelIx(1)].source else { panic!("the second model is a network") };
    network.architecture.word = architecture.to_owned();
    network.layers = vec!["embedding".to_owned()];
    let reads = [("embedding".to_owned(), read.to_owned())].into();
    network.weights = Weights::Whole(ModelFile { file: "m".into(), format, reads, blake3: None });
    study
}

/// The extraction of that network.
fn extraction(study: &Study) -> (Step, Task) {
    let step = Step::Extract { model: ModelIx(1) };
    tasks(study).into_iter().find(|(node, _)| node.step == step).map(|(node, task)| (node.step, task)).unwrap()
}

#[test]
fn a_whole_network_is_keyed_by_its_file_its_runtime_and_what_is_read_and_not_by_its_label() {
    let key = |architecture: &str, read: &str| extraction(&of_whole(ModelFormat::Onnx, architecture, read)).1.key();
    assert_eq!(key("iresnet50", "683"), key("something of ours", "683"));
    assert_ne!(key("iresnet50", "683"), key("iresnet50", "682"));
    let (_, task) = extraction(&of_whole(ModelFormat::Onnx, "iresnet50", "683"));
    let Work::Extract(of) = task.work else { panic!("an extraction") };
    assert!(of.whole.unwrap().runtime.starts_with("onnxruntime "));
    assert_eq!(task.inputs[0].role, Extraction::WEIGHTS);
}

#[test]
fn onnx_models_run_on_processors_by_their_own_program_whatever_networks_run_on() {
    let on_cards = |format: ModelFormat| {
        let mut study = of_whole(format, "iresnet50", "0");
        study.numerics.device = DeviceClass::Cuda;
        study.numerics.precision = Precision::Brain;
        study
    };
    for (format, class, program) in [
        (ModelFormat::Onnx, DeviceClass::Cpu, WorkerProgram::Onnx),
        (ModelFormat::TorchScript, DeviceClass::Cuda, WorkerProgram::Torch),
    ] {
        let study = on_cards(format);
        let (step, task) = extraction(&study);
        let Work::Extract(of) = &task.work else { panic!("an extraction") };
        assert_eq!((step.class(&study), of.numerics.device, of.numerics.precision), (class, class, Precision::Single));
        assert_eq!(step.cost_class(&study), task.work.cost_class());
        assert_eq!(crate::study::steps::program(&study, step), Some(program));
    }
}
