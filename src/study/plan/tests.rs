use super::*;
use crate::study::testing::{ResultMap, result, sources, study_of};
use std::{collections::BTreeMap, fs, path::Path};
use visavis_core::domain::{
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    ledger::{Candidate, CellId, Ledger, LedgerRow, ShownAs},
    projection::View,
    result::Output,
    stage::{Kind, Ranking},
    study::DeviceClass,
};

/// A plan over results in memory.
fn plan_of(study: &Study, results: &ResultMap) -> Plan {
    Plan::in_memory(study, sources(study), results.clone())
}

/// A result of a task, as a worker would leave it.
fn made(plan: &Plan, key: Key, step: Step) -> Manifest {
    Manifest { key, ..result(&plan.study, step) }
}

/// Makes what is ready, again and again, until nothing is; all steps that were made, in their order.
fn run(plan: &mut Plan, results: &ResultMap) -> Vec<Step> {
    let mut ran = Vec::new();
    loop {
        let ready = plan.newly_ready();
        if ready.is_empty() {
            return ran;
        }
        for (key, step) in ready {
            results.put(key, StoredResult::Whole(Box::new(made(plan, key, step))));
            plan.finished(key, true).unwrap().expect("its result is there");
            ran.push(step);
        }
    }
}

fn ready(plan: &mut Plan) -> Vec<Step> {
    plan.newly_ready().into_iter().map(|(_, step)| step).collect()
}

const FEATURES: [Step; 2] =
    [Step::Features { model: ModelIx(0), layer: LayerIx(0) }, Step::Features { model: ModelIx(1), layer: LayerIx(0) }];
/// Figures that a ledger of two models on one comparison will show at most, as a plan counts them before it is there.
const FIGURES: usize = 2 + 3;
const TWO: [(&str, &str); 2] = [("one", "one.npy"), ("two", "two.npy")];

#[test]
fn of_nothing_only_what_needs_no_other_stage_is_ready() {
    let mut plan = plan_of(&study_of(&TWO), &ResultMap::default());
    assert_eq!(ready(&mut plan), [Step::Index]);
    assert!(plan.newly_ready().is_empty(), "it was told already");
    assert!(plan.has_grown() && !plan.has_grown());
    // Of each model: features, their scores, a projection, its scores, its quality, verification; and index, tests, ledger, figures.
    assert_eq!((plan.to_run(), plan.stored(), plan.open_steps().count()), (16 + FIGURES, 0, 16));
}

#[test]
fn networks_to_run_are_counted_and_given_features_need_none() {
    assert_eq!(plan_of(&study_of(&TWO), &ResultMap::default()).networks_to_run(), 0);
    for device in [DeviceClass::Cpu, DeviceClass::Pretend] {
        let mut study = crate::study::testing::study();
        study.numerics.device = device;
        let plan = plan_of(&study, &ResultMap::default());
        let needs_one = |step: &&Step| matches!(step, Step::Train { .. } | Step::Extract { .. });
        let expected = plan.runs().iter().filter(needs_one).count();
        assert!(expected > 0 && plan.networks_to_run() == expected, "{expected}");
    }
}

#[test]
fn a_result_makes_the_tasks_of_what_consumes_it() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    assert!(plan.task(FEATURES[0]).is_none());
    let (key, step) = plan.newly_ready()[0];
    results.put(key, StoredResult::Whole(Box::new(made(&plan, key, step))));
    plan.finished(key, true).unwrap();
    assert_eq!(ready(&mut plan), FEATURES);
    assert_eq!(plan.newly_found(), [(Step::Index, key)]);
    let (_, task) = plan.task(FEATURES[1]).unwrap();
    let consumed: Vec<&str> = task.inputs.iter().map(|input| input.role.as_str()).collect();
    assert_eq!(consumed, ["array", "rows", "images"]);
}

#[test]
fn what_a_run_made_the_next_plan_finds() {
    let results = ResultMap::default();
    let study = study_of(&TWO);
    let mut plan = plan_of(&study, &results);
    let ran = run(&mut plan, &results);
    assert_eq!((ran.len(), plan.stored(), plan.to_run(), plan.open_steps().count()), (16, 0, 0, 0));
    assert_eq!(plan.cells_done(), plan.cells());
    let mut next = plan_of(&study, &results);
    assert_eq!((ready(&mut next), next.is_ready(), next.stored(), next.to_run()), (vec![], false, 16, 0));
    // Forced, all of it is made again.
    next.force().unwrap();
    assert_eq!((next.stored(), next.to_run()), (0, 16 + FIGURES));
    assert!(next.again(Step::Rank));
    assert_eq!(run(&mut next, &results), ran);
    assert!(!next.again(Step::Rank));
}

#[test]
fn a_result_that_another_made_counts_as_stored() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    let (key, step) = plan.newly_ready()[0];
    results.put(key, StoredResult::Whole(Box::new(made(&plan, key, step))));
    plan.finished(key, false).unwrap();
    assert_eq!(plan.stored(), 1);
}

#[test]
fn two_models_of_the_same_features_share_every_stage_of_them() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&[("one", "same.npy"), ("two", "same.npy")]), &results);
    let ran = run(&mut plan, &results);
    let of_second =
        |step: &&Step| matches!(step, Step::Features { model: ModelIx(1), .. } | Step::Project { model: ModelIx(1), .. });
    assert_eq!(ran.iter().filter(of_second).count(), 0, "{ran:?}");
    assert_eq!(plan.open_steps().count(), 0, "what was made for one is there for both");
}

#[test]
fn a_damaged_or_incomplete_result_is_made_again_in_its_place() {
    let results = ResultMap::default();
    let study = study_of(&TWO);
    run(&mut plan_of(&study, &results), &results);
    let key = |step: Step| plan_of(&study, &results).task(step).unwrap().0;
    let (first, second) = (key(FEATURES[0]), key(FEATURES[1]));
    results.put(first, StoredResult::Damaged("cut short".into()));
    results.put(second, StoredResult::Part);
    let mut plan = plan_of(&study, &results);
    assert_eq!(plan.damaged, [(FEATURES[0], "cut short".to_owned())]);
    assert_eq!(ready(&mut plan), FEATURES);
    assert!(FEATURES.iter().all(|step| plan.again(*step)));
}

#[test]
fn a_failed_task_bars_what_needs_it_until_it_is_forgiven() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    let (index, _) = plan.newly_ready()[0];
    results.put(index, StoredResult::Whole(Box::new(made(&plan, index, Step::Index))));
    plan.finished(index, true).unwrap();
    let (key, step) = plan.newly_ready()[0];
    plan.failed(key, "a row is not finite").unwrap();
    assert_eq!(plan.status(step), Some(&StageStatus::Failed("a row is not finite".into())));
    assert_eq!(plan.status(Step::FeatureScores { model: ModelIx(0), layer: LayerIx(0) }), Some(&StageStatus::Barred));
    assert_eq!(plan.failures(), 1);
    // The other model goes on, and is ranked alone.
    let ran = run(&mut plan, &results);
    assert!(ran.is_empty(), "what was ready was told before");
    plan.replan(HashMap::new(), &[]).unwrap();
    assert!(run(&mut plan, &results).contains(&Step::Rank));
    plan.replan(HashMap::new(), &[key]).unwrap();
    assert_eq!((plan.failures(), ready(&mut plan)), (0, vec![step]));
}

#[test]
fn what_people_set_aside_is_not_ready_and_what_is_done_stays_done() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    let aside: HashMap<JobId, JobState> =
        [(plan.job(FEATURES[0]), JobState::Paused), (plan.job(FEATURES[1]), JobState::Cancelled)].into();
    plan.replan(aside.clone(), &[]).unwrap();
    assert_eq!(run(&mut plan, &results), [Step::Index]);
    assert_eq!((plan.count_aside(JobState::Paused), plan.count_aside(JobState::Cancelled)), (1, 1));
    assert_eq!(plan.status(Step::Rank), Some(&StageStatus::Open), "it waits for what is paused");
    plan.replan(HashMap::new(), &[]).unwrap();
    assert_eq!(run(&mut plan, &results).len(), 15);
    plan.replan(aside, &[]).unwrap();
    assert_eq!(plan.open_steps().count(), 0);
}

#[test]
fn on_a_shared_folder_a_result_is_there_once_it_is_listed() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    let (key, step) = plan.newly_ready()[0];
    results.put(key, StoredResult::Whole(Box::new(made(&plan, key, step))));
    results.share(Some(key));
    assert!(plan.finished(key, true).unwrap().is_none(), "it does not show yet");
    assert_ne!(plan.status(step), Some(&StageStatus::Done));
    results.share(None);
    assert!(plan.finished(key, true).unwrap().is_some());
    assert_eq!(plan.status(step), Some(&StageStatus::Done));
}

#[test]
fn a_filter_keeps_what_it_names_and_what_that_needs() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    plan.only("project TWO").unwrap();
    let kept: Vec<Step> = plan.steps().map(|(step, _)| step).collect();
    assert_eq!(
        kept,
        [Step::Index, FEATURES[1], Step::Project { model: ModelIx(1), layer: LayerIx(0), projection: ProjectionIx(0), seed: 0 }]
    );
    assert!(plan.only("project three").unwrap_err().what.contains("project three"));
    plan.only("=features two · embedding").unwrap();
    assert_eq!(plan.steps().count(), 2);
}

fn features_of_one() -> Missing {
    let (input, expected_at) = ("features of one".to_owned(), "one.npy".to_owned());
    Missing { lack: crate::study::missing::Lack::Input, input, expected_at, need: Need::Models([ModelIx(0)].into()), cells: 1 }
}

#[test]
fn what_is_found_to_be_missing_counts_as_if_it_had_been_known_from_the_start() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    run(&mut plan, &results);
    plan.only("project two").unwrap();
    plan.force().unwrap();
    plan.lack(features_of_one()).unwrap();
    assert_eq!(plan.steps().count(), 16, "what the filter left out is back");
    assert_eq!(plan.status(FEATURES[0]), Some(&StageStatus::Barred), "though its result is there");
    assert_eq!(plan.status(FEATURES[1]), Some(&StageStatus::Done), "it is not forced any more");
    plan.only("project two").unwrap();
    assert_eq!(plan.missing, [], "nothing that is kept waits for it");
    plan.lack(Missing { need: Need::Models([ModelIx(1)].into()), ..features_of_one() }).unwrap();
    assert_eq!(plan.missing.len(), 2, "what the filter hid is missing still");
}

#[test]
fn what_waits_for_something_missing_is_barred_and_not_counted_as_to_run() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    plan.lack(features_of_one()).unwrap();
    assert_eq!(plan.status(FEATURES[0]), Some(&StageStatus::Barred));
    let tally: BTreeMap<Kind, Tally> = plan.tally().into_iter().collect();
    assert_eq!(tally[&Kind::Features], Tally { stored: 0, to_run: 1, waiting: 1 });
    assert_eq!((plan.cells_waiting(), plan.cells()), (1, 2));
    assert!(run(&mut plan, &results).contains(&Step::Rank), "the other model is ranked alone");
}

#[test]
fn a_ledger_brings_the_figures_that_it_shows() {
    let results = ResultMap::default();
    let mut plan = plan_of(&study_of(&TWO), &results);
    let cell = CellId {
        model: ModelIx(1),
        layer: LayerIx(0),
        projection: ProjectionIx(0),
        view: View::Axis(0),
        comparison: ComparisonIx(0),
    };
    let row = |cell: CellId, shown_as: Vec<ShownAs>| LedgerRow {
        candidate: Candidate { cell, a: None, b: None, unranked: None },
        rank: Some(1),
        picked: !shown_as.is_empty(),
        chosen: true,
        low: None,
        shown_as,
        reason: String::new(),
    };
    let ledger = Ledger {
        format: 1,
        cells: 2,
        ranked: 2,
        unranked: 0,
        picked: 1,
        optimism: None,
        projections: vec![],
        standings: vec![],
        rows: vec![row(CellId { model: ModelIx(0), ..cell }, vec![]), row(cell, vec![ShownAs::Best])],
    };
    let digest = results.put_object(&serde_json::to_vec(&ledger).unwrap());
    let output = Output { name: Ranking::LEDGER.to_owned(), digest, bytes: 1 };
    let mut ran = Vec::new();
    loop {
        let ready = plan.newly_ready();
        let Some(&(key, step)) = ready.first() else { break };
        for (key, step) in ready {
            let mut manifest = made(&plan, key, step);
            if step == Step::Rank {
                manifest.outputs.push(output.clone());
            }
            if matches!(step, Step::Project { .. }) {
                manifest.facts.insert("explained".to_owned(), vec![0.5]);
            }
            results.put(key, StoredResult::Whole(Box::new(manifest)));
            plan.finished(key, true).unwrap();
            ran.push(step);
        }
        assert!(plan.task(step).is_some_and(|(known, _)| *known == key));
    }
    let figures: Vec<Step> = ran.into_iter().filter(|step| matches!(step, Step::Draw(_) | Step::Robustness(_))).collect();
    assert_eq!(figures, [Step::Robustness(cell), Step::Draw(cell)]);
    assert_eq!(plan.shown(&ledger), [(cell, vec![ShownAs::Best])]);
}

#[test]
fn a_study_that_ran_in_part_stands_as_it_is() {
    let results = ResultMap::default();
    let study = study_of(&TWO);
    let mut plan = plan_of(&study, &results);
    plan.only("project").unwrap();
    run(&mut plan, &results);
    let plan = plan_of(&study, &results).as_it_stands().unwrap();
    assert!(!plan.is_ready());
    assert_eq!(plan.results().count(), 5, "index, and of each model features and a projection");
    assert_eq!(plan.status(Step::Rank), Some(&StageStatus::Barred), "of no scores there is no ledger");
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), vec![]);
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn making_a_plan_writes_nothing_and_takes_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let (mut labels, mut rows) = ("image,glasses\n".to_owned(), String::new());
    for person in 0..8 {
        for picture in 0..2 {
            write(&format!("faces/{person}/{picture}.png"), "not looked into");
            labels += &format!("{person}/{picture}.png,{picture}\n");
            rows += &format!("{person}/{picture}.png\n");
        }
    }
    write("l.csv", &labels);
    write("one.npy", "not looked into");
    write("rows.txt", &rows);
    write("data/journals/none", "");
    let study = "format: 1
study: s
datasets: { faces: { folders: { root: faces, identities: folder } } }
evaluation: { dataset: faces, labels: [{ file: l.csv, attribute: glasses }] }
models: { named: { one: { features: { embedding: one.npy, images: rows.txt } } } }
projections: [pca: { axes: 1 }]
comparisons: { x: { A: glasses, B: not glasses } }
";
    write("s.yaml", study);
    let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
    let opened = crate::study::open(&folder.path().join("s.yaml"), &workspace).unwrap();
    let before = files(folder.path());
    let plan = Plan::new(&opened, &workspace, Pins::default()).unwrap();
    assert!(plan.is_ready() && plan.images() == 16, "{:?}", plan.missing);
    assert_eq!(files(folder.path()), before, "a lock would have left its file");
}
