use super::*;
use crate::study::{
    programs::WorkerProgram,
    results::OnSharedCrop,
    steps::Node,
    testing::{nodes, output_of, result, sources, study, with_verification},
};
use std::collections::BTreeMap;
use visavis_core::domain::{
    Digest, Key,
    alteration::Alteration,
    clicks::ClickSettings,
    clusters::ClusterMethod,
    made_with::{MadeItem, MadeWith},
    model::{ModelFile, ModelFormat},
    nuisance::{PictureNuisance, WantedNuisances},
    retrieval::Query,
    stage::StageName,
    study::{Contrast, Crop, Padding, Precision},
    visibility::FaceRegion,
};

/// Each node with its task, where everything it consumes is there.
fn tasks(study: &Study) -> Vec<(Node, Task)> {
    let nodes = nodes(study);
    let sources = sources(study);
    let results = nodes.iter().map(|node| (node.step, result(study, node.step))).collect();
    let known = KnownResults { study, sources: &sources, results: &results, recropped: None };
    let task = |node: Node| {
        let task = known.task(node.step).unwrap_or_else(|| panic!("{:?} has no task", node.step));
        (node, task)
    };
    nodes.into_iter().map(task).collect()
}

/// A contrast of two models, of which `pixels` alone is aligned; the others are given the whole pictures.
fn cropped_differently(pair: [&str; 2]) -> Study {
    let mut study = study();
    let tight = Preparation { size: 16, pad: Padding::Zero, ..Preparation::of(Crop::Aligned, 16) };
    study.preparations.insert("tight".to_owned(), tight);
    study.preparations.get_mut("small").unwrap().crop = Crop::Whole;
    let pixels = study.models.iter_mut().find(|model| model.name == "pixels").unwrap();
    let Source::Baseline { prepare, .. } = &mut pixels.source else { panic!("pixels are a baseline") };
    "tight".clone_into(prepare);
    study.visibility.regions.insert("glasses".to_owned(), FaceRegion::Glasses);
    study.contrasts = vec![Contrast::Pair { name: "crop".to_owned(), models: pair.map(str::to_owned) }];
    study
}

#[test]
fn the_model_of_the_wider_crop_is_given_the_narrower_one_whichever_is_left() {
    for pair in [["untrained", "pixels"], ["pixels", "untrained"]] {
        let study = cropped_differently(pair);
        let tasks = tasks(&study);
        let recropped: Vec<&(Node, Task)> = tasks.iter().filter(|(node, _)| matches!(node.step, Step::Recropped(..))).collect();
        assert!(recropped.iter().all(|(node, _)| study.models[node.step.model().unwrap()].name == "untrained"));
        let extractions: Vec<&Extraction> =
            recropped.iter().filter_map(|(_, task)| if let Work::Extract(of) = &task.work { Some(of) } else { None }).collect();
        let [extraction] = extractions[..] else { panic!("all layers of one network in one pass") };
        let own = &study.preparations["small"];
        assert_eq!(extraction.preparation, Preparation { crop: Crop::Aligned, ..own.clone() }, "its size and padding stay");
        let label = recropped[0].0.step.label(&study);
        assert!(label.ends_with("untrained · cropped like pixels"), "{label}");
    }
}

#[test]
fn both_sides_are_tested_on_the_shared_crop_as_all_cells_are_tested() {
    let study = cropped_differently(["untrained", "pixels"]);
    let tasks = tasks(&study);
    let tests: Vec<&Simultaneous> = tasks
        .iter()
        .filter_map(|(node, task)| match &task.work {
            Work::Simultaneous(of) if node.step == Step::SharedCropTests => Some(of),
            _ => None,
        })
        .collect();
    let [tests] = tests[..] else { panic!("one stage of all shared crops") };
    let sides = ContrastSides { contrast: 0, left: vec![ModelIx(0)], right: vec![ModelIx(1)] };
    assert_eq!(tests.held, [sides]);
    let slots = |model: usize| tests.slots.iter().filter(|slot| slot.model == ModelIx(model)).count();
    let layers = |name: &str| study.models.iter().find(|of| of.name == name).unwrap().layers(None).len();
    assert_eq!((slots(0), slots(1)), (layers("untrained") * 2, layers("pixels") * 2), "two projections, one comparison");
}

#[test]
fn a_contrast_of_equal_crops_adds_nothing_and_one_of_different_crops_changes_no_other_key() {
    let keys =
        |study: &Study| -> BTreeMap<Step, Key> { tasks(study).into_iter().map(|(node, task)| (node.step, task.key())).collect() };
    let is_shared = |step: &Step| matches!(step, Step::Recropped(..) | Step::SharedCropTests);
    let different = keys(&cropped_differently(["untrained", "pixels"]));
    let equal = keys(&cropped_differently(["untrained", "trained"]));
    assert!(different.keys().any(is_shared) && !equal.keys().any(is_shared));
    // What is held is in the key of the tests of all cells.
    let others = |keys: &BTreeMap<Step, Key>| -> BTreeMap<Step, Key> {
        let own = keys.iter().filter(|(step, _)| !is_shared(step) && !step.gathers());
        own.map(|(step, key)| (*step, *key)).collect()
    };
    assert_eq!(others(&different), others(&equal));
}

#[test]
fn what_cannot_be_made_again_is_not_and_what_would_be_one_model_is_not() {
    let shared = |study: &Study| SharedCrops::of(study).contrasts.len();
    let on = |study: &Study| OnSharedCrop::of(&contrast::held(study)[0], study);
    let given = cropped_differently(["given", "pixels"]);
    assert_eq!((shared(&given), on(&given)), (0, OnSharedCrop::Given { differ: false }));
    assert_eq!(on(&given).phrase().unwrap(), "crops may differ, not compared on a shared crop: features are given");
    // The same pixels of two crops.
    let mut one = cropped_differently(["pixels", "whole pixels"]);
    let mut whole = one.models.iter().find(|model| model.name == "pixels").unwrap().clone();
    "whole pixels".clone_into(&mut whole.name);
    let Source::Baseline { prepare, .. } = &mut whole.source else { panic!("pixels are a baseline") };
    "whole".clone_into(prepare);
    one.models.push(whole);
    one.preparations.insert("whole".to_owned(), Preparation { crop: Crop::Whole, ..one.preparations["tight"].clone() });
    assert_eq!(shared(&one), 0);
    assert!(on(&one).phrase().unwrap().ends_with("both sides are one model, so all of a difference is the crop's"));
}

fn query(wanted: &str) -> Query {
    Query { name: wanted.to_owned(), wanted: wanted.parse().unwrap() }
}

#[test]
fn a_query_whose_labels_are_not_there_waits_and_the_others_do_not() {
    let study = Study { queries: vec![query("no_such"), query("not glasses")], ..study() };
    let asked = tasks(&study).into_iter().find_map(|(_, task)| if let Work::Retrieval(of) = task.work { Some(of) } else { None });
    assert_eq!(asked.unwrap().queries, [query("not glasses").wanted]);
}

#[test]
fn a_step_is_of_the_stage_and_of_the_cost_class_that_its_task_has() {
    let mut met = BTreeSet::new();
    let with_clusters = Study { clusters: Some(ClusterMethod::Dbscan { min_points: 5 }), ..study() };
    let with_queries = Study { queries: vec![query("glasses")], clicks: Some(ClickSettings::default()), ..study() };
    let on_crops = cropped_differently(["untrained", "pixels"]);
    for study in [study(), with_verification(), with_clusters, with_queries, altered_and_contrasted(), on_crops] {
        for (node, task) in tasks(&study) {
            let step = node.step;
            assert_eq!(step.stage(), task.work.name(), "{step:?}");
            assert_eq!(step.kind(), task.work.kind(), "{step:?}");
            assert_eq!(step.cost_class(&study), task.work.cost_class(), "{step:?}");
            met.insert(step.stage());
        }
    }
    assert_eq!(met, StageName::ALL.iter().copied().collect(), "the study has a step of every stage");
}

#[test]
fn a_task_consumes_what_its_step_needs_and_nothing_else() {
    consumes_what_it_needs(&study());
    consumes_what_it_needs(&with_verification());
    consumes_what_it_needs(&Study { queries: vec![query("glasses")], clicks: Some(ClickSettings::default()), ..study() });
    consumes_what_it_needs(&altered_and_contrasted());
    consumes_what_it_needs(&cropped_differently(["untrained", "pixels"]));
    consumes_what_it_needs(&cropped_differently(["pixels", "trained"]));
}

fn consumes_what_it_needs(study: &Study) {
    let tasks = tasks(study);
    let names: BTreeSet<String> = tasks.iter().flat_map(|(node, _)| result(study, node.step).outputs).map(|of| of.name).collect();
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
    // Of this crop the template says what is visible.
    study.visibility.regions.insert("glasses".to_owned(), FaceRegion::Glasses);
    assert!(nodes(&study).iter().any(|node| node.step == Step::Visibility));
    assert_eq!(landmarks(&study), [StageName::Train, StageName::Extract, StageName::Baseline].into());
}

#[test]
fn nuisances_are_measured_of_pictures_that_are_read_and_others_where_the_study_lists_them() {
    let of = |study: &Study| -> BTreeSet<StageName> { tasks(study).iter().map(|(_, task)| task.work.name()).collect() };
    let stages = [StageName::Nuisances, StageName::NuisanceScores, StageName::AdjustedScores];
    let wanted = |study: &Study| stages.into_iter().filter(|stage| of(study).contains(stage)).collect::<Vec<_>>();
    assert_eq!(wanted(&study()), stages);
    let listing = |listed: Vec<Nuisance>| Study { nuisances: WantedNuisances::Listed(listed), ..study() };
    assert_eq!(wanted(&listing(vec![])), []);
    // A column of labels is read from no picture.
    let own = Nuisance::Column("glasses".to_owned());
    assert_eq!(wanted(&listing(vec![own])), stages[1..]);
    // Features that were made elsewhere need not have their pictures here.
    let mut given = study();
    given.models.truncate(1);
    assert_eq!(wanted(&given), []);
    given.nuisances = WantedNuisances::Listed(vec![Nuisance::Measured(PictureNuisance::Pose)]);
    assert_eq!(wanted(&given), stages);
    // A column without labels is not asked for.
    let absent = listing(vec![Nuisance::Column("stranger".to_owned()), Nuisance::Column("glasses".to_owned())]);
    let asked = tasks(&absent).into_iter().find_map(|(_, task)| match task.work {
        Work::NuisanceScores(of) => Some(of.nuisances),
        _ => None,
    });
    assert_eq!(asked.unwrap(), [Nuisance::Column("glasses".to_owned())]);
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

#[test]
fn verification_sets_are_asked_of_networks_alone_and_change_no_other_key() {
    let of = |study: &Study| -> BTreeMap<Step, Task> { tasks(study).into_iter().map(|(node, task)| (node.step, task)).collect() };
    let is_of_pairs = |step: &Step| matches!(step, Step::ExtractPairs { .. } | Step::VerifyPairs { .. });
    let (added, others): (BTreeMap<Step, Task>, BTreeMap<Step, Task>) =
        of(&with_verification()).into_iter().partition(|(step, _)| is_of_pairs(step));
    assert_eq!(others, of(&study()));
    let models: BTreeSet<ModelIx> = added.keys().map(|step| step.model().unwrap()).collect();
    assert_eq!((models, added.len()), ([ModelIx(1), ModelIx(2)].into(), 8), "two networks, two sets, features and pairs");
}

/// A study whose networks are shown altered pictures.
fn altered() -> Study {
    Study { alterations: vec![Alteration::BackgroundMasked, Alteration::Grey], ..study() }
}

/// The same, with a contrast of two networks.
fn altered_and_contrasted() -> Study {
    let pair = Contrast::Pair { name: "networks".to_owned(), models: ["untrained", "trained"].map(str::to_owned) };
    Study { contrasts: vec![pair], ..altered() }
}

/// What two sides attend to does not change with results of models that are in no contrast.
#[test]
fn attention_is_of_the_models_that_contrasts_name() {
    let study = altered_and_contrasted();
    let attention = |study: &Study| {
        tasks(study).into_iter().find_map(|(_, task)| if let Work::Attention(of) = task.work { Some(of) } else { None })
    };
    assert_eq!(attention(&study).unwrap().models, [ModelIx(1), ModelIx(2)]);
    let mut third = study.clone();
    let mut other = third.models[ModelIx(1)].clone();
    "another".clone_into(&mut other.name);
    third.models.push(other);
    assert_eq!(attention(&third).unwrap().models, [ModelIx(1), ModelIx(2)]);
    let mut of_pixels = study;
    of_pixels.contrasts = vec![Contrast::Pair { name: "pixels".to_owned(), models: ["untrained", "pixels"].map(str::to_owned) }];
    assert_eq!(attention(&of_pixels), None, "pixels are not altered");
}

#[test]
fn pictures_are_altered_for_networks_alone_and_change_no_other_key() {
    let of = |study: &Study| -> BTreeMap<Step, Task> { tasks(study).into_iter().map(|(node, task)| (node.step, task)).collect() };
    let is_altered = |step: &Step| matches!(step, Step::ExtractAltered { .. } | Step::Retained { .. });
    let (added, others): (BTreeMap<Step, Task>, BTreeMap<Step, Task>) =
        of(&altered()).into_iter().partition(|(step, _)| is_altered(step));
    assert_eq!(others, of(&study()));
    let models: BTreeSet<ModelIx> = added.keys().map(|step| step.model().unwrap()).collect();
    assert_eq!(models, [ModelIx(1), ModelIx(2)].into());
    let extractions: Vec<(&Step, &Task)> = added.iter().filter(|(_, task)| matches!(task.work, Work::Extract(_))).collect();
    assert_eq!(extractions.len(), 6, "two networks, two alterations and the control");
    for (step, task) in extractions {
        let (Step::ExtractAltered { alteration, .. }, Work::Extract(of)) = (step, &task.work) else { panic!("an extraction") };
        assert_eq!(of.alteration, Some(*alteration));
        let knows_faces = task.inputs.iter().any(|input| input.role == role::LANDMARKS);
        assert_eq!(knows_faces, *alteration == Alteration::BackgroundMasked, "landmarks say where the head is");
    }
    let Some((_, Task { work: Work::Retained(of), inputs })) =
        added.iter().find(|(step, _)| matches!(step, Step::Retained { .. }))
    else {
        panic!("what is retained")
    };
    assert_eq!(of.alterations, [Alteration::Grey, Alteration::BackgroundMasked, Alteration::EdgeArtefact]);
    assert_eq!(inputs.iter().filter(|input| input.role.starts_with(MeasureRetained::ALTERED)).count(), 3);
}

#[test]
fn pictures_of_pairs_are_prepared_as_the_models_own_where_that_is_known() {
    let mut study = with_verification();
    study.preparations.get_mut("small").unwrap().crop = Crop::Aligned;
    study.visibility.regions.insert("glasses".to_owned(), FaceRegion::Glasses);
    let extraction = |set: usize| {
        let step = Step::ExtractPairs { model: ModelIx(1), set: PairSetIx(set) };
        let (_, task) = tasks(&study).into_iter().find(|(node, _)| node.step == step).unwrap();
        let Work::Extract(of) = task.work else { panic!("an extraction") };
        let roles: Vec<String> = task.inputs.into_iter().map(|input| input.role).collect();
        (of, roles)
    };
    let (pickled, roles) = extraction(0);
    assert_eq!((pickled.preparation.crop, pickled.layers), (Crop::Whole, vec!["embedding".to_owned()]));
    assert_eq!((pickled.embedding, roles), (EmbeddingForm::OF_PAIRS, vec!["weights".to_owned(), "images".to_owned()]));
    let (listed, roles) = extraction(1);
    assert_eq!((listed.preparation.crop, roles.last().unwrap().as_str()), (Crop::Aligned, "landmarks"));
}
