//! Networks that really learn, in small: what they leave is the same however they are interrupted, and bad input is told.

use crate::desk::{Desk, Inject, Said, needs_beside};
use rustix::process::{Pid, Signal, kill_process};
use std::{fs, path::Path, process::Stdio, time::Duration};
use visavis_core::{domain::loss::LOSSES, store::Injection};

pub(crate) const STUDY: &str = "experiments/tiny.yaml";

const TINY: &str = r#"format: 1
study: tiny
seed: 3
numerics: { device: cpu, threads: 1 }
datasets:
  faces: { celeba: { root: ../data/faces } }
  people: { folders: { root: ../data/people } }
preparations:
  tiny: { crop: whole, size: 32, pad: reflect, scale: symmetric }
recipes:
  short: { epochs: 4, batch: 8, optimizer: { sgd: { rate: 0.05 } } }
evaluation: { dataset: faces }
models:
  matrix:
    architecture:
      - resnet34: { width: 0.1 }
    loss:
      - softmax
    trained_on:
      - people
    prepare:
      - tiny
    train: { recipe: short }
  named:
    pixels: { baseline: pixels, prepare: tiny }
    untrained: { baseline: untrained, architecture: { seresnet34: { width: 0.1 } }, prepare: tiny }
layers: [layer2, embedding]
projections: [pca: { axes: 2 }]
comparisons:
  smile: { Smiling: "Smiling", Not: "not Smiling" }
statistics: { bootstraps: 20, min_positives: 2 }
resources:
  cpu: { slots: 2 }
"#;

pub(crate) fn desk() -> Desk {
    needs_beside("visavis-torch");
    let desk = Desk::empty();
    desk.write(STUDY, TINY.as_bytes());
    desk.succeed(&["data", "draw", "data/faces", "--identities", "14", "--images", "42", "--quiet"]);
    desk.succeed(&["data", "draw", "data/people", "--train", "varied", "--identities", "4", "--images", "32", "--quiet"]);
    desk
}

/// Runs what needs no network.
pub(crate) fn without_libtorch(desk: &Desk) {
    let run = said(desk, &["run", STUDY, "--quiet"], &[("VISAVIS_TORCH", "/nowhere")]);
    assert_eq!(run.code, 5, "{}{}", run.out, run.err);
}

fn said(desk: &Desk, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let mut command = desk.command(arguments);
    command.envs(environment.iter().copied());
    command.output().unwrap().into()
}

/// The manifest of the only training.
fn training(desk: &Desk) -> serde_json::Value {
    let results = fs::read_dir(desk.path("data/results")).unwrap();
    let manifests =
        results.map(|entry| serde_json::from_slice::<serde_json::Value>(&fs::read(entry.unwrap().path()).unwrap()).unwrap());
    manifests.into_iter().find(|manifest| manifest["stage"] == "train").expect("nothing was trained")
}

fn weights(desk: &Desk) -> String {
    training(desk)["outputs"][0]["digest"].as_str().unwrap().to_owned()
}

fn contents(desk: &Desk) -> String {
    let shown = desk.succeed(&["show", STUDY, "--results", "--json"]);
    assert!(shown.contains("score"), "{shown}");
    shown
}

#[test]
fn a_training_killed_at_three_steps_comes_to_the_weights_of_an_undisturbed_one() {
    // It keeps what it learned every second step, so of these three deaths two lose a step and one loses none.
    killed_and_undisturbed(|_| (), &["3", "8", "13"], "goes on from step 12 of 16");
}

#[test]
fn what_losses_and_optimizers_remember_outlives_a_kill() {
    // AdaFace has running statistics, AdamW two moments, balanced batches an order of their own; two batches are one step.
    let change = |desk: &Desk| {
        desk.edit(STUDY, "      - softmax\n", "      - adaface\n");
        let recipe = "batch: 8, accumulate: 2, balanced: 2, optimizer: { adamw: { rate: 0.002 } }, schedule: poly, warmup: 1, \
                      label_smoothing: 0.1";
        desk.edit(STUDY, "batch: 8, optimizer: { sgd: { rate: 0.05 } }", recipe);
    };
    killed_and_undisturbed(change, &["3", "5"], "goes on from step 4 of 8");
    let change = |desk: &Desk| desk.edit(STUDY, "      - softmax\n", "      - triplet\n");
    killed_and_undisturbed(change, &["7"], "goes on from step 6 of 16");
}

#[test]
fn the_best_epoch_of_held_out_identities_outlives_a_kill() {
    let change = |desk: &Desk| desk.edit(STUDY, "batch: 8,", "batch: 8, validation: { share: 0.5 },");
    killed_and_undisturbed(change, &["3", "5"], "goes on from step 4 of 8");
}

#[test]
fn a_training_ends_when_held_out_identities_are_told_apart_no_better() {
    let desk = desk();
    desk.edit(STUDY, "epochs: 4, batch: 8,", "epochs: 40, batch: 8, validation: { share: 0.5, patience: 2 },");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let facts = &training(&desk)["facts"];
    let curve: Vec<f64> = facts["validation"].as_array().unwrap().iter().map(|of| of.as_f64().unwrap()).collect();
    let best = (0..curve.len()).find(|epoch| curve.iter().all(|of| of <= &curve[*epoch])).unwrap();
    assert_eq!((curve.len(), facts["kept_epoch"][0].as_f64()), (best + 3, Some(best as f64 + 1.0)), "{curve:?}");
    assert!(curve.len() < 40 && curve.iter().all(|auc| (0.0..=1.0).contains(auc)), "{curve:?}");
    // Two of four identities, with eight pictures each, are learned from.
    assert_eq!(
        (&facts["classes"][0], &facts["images"][0], &facts["held_out_images"][0]),
        (&2.0.into(), &16.0.into(), &16.0.into())
    );
    let logs = desk.succeed(&["logs", "train"]);
    let ends = "no epoch was better than the best for 2 in a row: the training ends here";
    assert!(logs.contains("2 identities with 16 pictures are held out") && logs.contains(ends), "{logs}");
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = fs::read_to_string(desk.path("reports/tiny.html")).unwrap();
    assert!(page.contains("of held-out identities, the highest of its epochs, so it flatters"), "which epoch was kept");
    let audit = desk.json(&["audit", "reports/tiny.html", "--recompute", "training"]);
    assert_eq!((audit["verdict"].as_str(), audit["unchecked"].as_u64()), (Some("identical"), Some(0)), "{audit}");
    // The last weights are kept where that is asked for.
    desk.edit(STUDY, "patience: 2", "keep: last");
    desk.edit(STUDY, "epochs: 40", "epochs: 3");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let results = fs::read_dir(desk.path("data/results")).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let kept =
        results.map(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["facts"]["kept_epoch"][0].as_f64());
    assert!(kept.into_iter().any(|epoch| epoch == Some(3.0)), "the last of three");
}

#[test]
fn too_few_identities_to_hold_out_are_told() {
    let desk = desk();
    desk.succeed(&["data", "draw", "data/few", "--train", "varied", "--identities", "3", "--images", "24", "--quiet"]);
    desk.edit(STUDY, "../data/people", "../data/few");
    desk.edit(STUDY, "batch: 8,", "batch: 8, validation: { share: 0.5 },");
    let run = desk.visavis(&["run", STUDY]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(run.err.contains("of 3 identities of the training set, 2 can be held out"), "{}", run.err);
}

/// The study, changed so, run whole and with a death at each of the steps: the same results.
fn killed_and_undisturbed(change: impl Fn(&Desk), deaths: &[&str], goes_on: &str) {
    let desk = || {
        let desk = desk();
        change(&desk);
        desk
    };
    let undisturbed = desk();
    undisturbed.succeed(&["run", STUDY, "--quiet"]);
    let again = desk();
    for step in deaths {
        let mut run = again.command(&["run", STUDY, "--attempts", "1"]);
        let died: Said = run.inject(Injection::DieAtStep, step).inject(Injection::CheckpointEvery, "2").output().unwrap().into();
        let with = "is visavis-torch built with `--features fault-injection`, as `make test` does?";
        assert_eq!(died.code, 3, "{with}\n{}{}", died.out, died.err);
    }
    assert_eq!(fs::read_dir(again.path("data/checkpoints")).unwrap().count(), 1);
    again.succeed(&["run", STUDY, "--quiet"]);
    let logs = again.succeed(&["logs", "train"]);
    assert!(logs.contains(goes_on), "{logs}");
    assert_eq!(weights(&again), weights(&undisturbed));
    assert_eq!(contents(&again), contents(&undisturbed), "the same study twice has equal results");
    assert_eq!(fs::read_dir(again.path("data/checkpoints")).unwrap().count(), 0, "a result makes it needless");
    assert_eq!(undisturbed.ran(STUDY).1, 0);
}

/// What a file of weights is of is told by its tensors: what a loss remembers is not among them.
/// The page names its pictures and its networks; a machine with the pictures alone makes all of it again.
#[test]
fn an_audit_trains_again_and_runs_networks_again() {
    let desk = desk();
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    for depth in ["features", "training"] {
        let audit = desk.json(&["audit", "reports/tiny.html", "--recompute", depth]);
        assert_eq!((audit["verdict"].as_str(), audit["unchecked"].as_u64()), (Some("identical"), Some(0)), "{audit}");
    }
    // Without libtorch an audit says what it could not make again, and how much of that is a training.
    let unchecked = |depth: &str| {
        let audit =
            said(&desk, &["audit", "reports/tiny.html", "--json", "--recompute", depth], &[("VISAVIS_TORCH", "/nowhere")]);
        let told: serde_json::Value = serde_json::from_str(&audit.out).unwrap();
        assert!(audit.out.contains("networks cannot be run again here"), "{depth}: {}{}", audit.out, audit.err);
        told["unchecked"].as_u64().unwrap()
    };
    assert!(unchecked("training") > unchecked("features"));
}

/// Learned in one study, named in another: the features are the same, and nearly the same from half the bits.
#[test]
fn what_was_learned_is_saved_for_other_studies() {
    let desk = desk();
    let before = desk.visavis(&["weights", "save", STUDY, "w.safetensors"]);
    assert!(before.code == 5 && before.err.contains("has not been trained yet"), "{}{}", before.out, before.err);
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["weights", "save", STUDY, "w.safetensors"]);
    let half = desk.visavis(&["weights", "save", STUDY, "half.safetensors", "--half"]);
    assert!(half.code == 0 && half.err.contains("rounded to half precision"), "{}{}", half.out, half.err);
    let size = |file: &str| fs::metadata(desk.path(file)).unwrap().len();
    assert!(size("half.safetensors") < size("w.safetensors") * 6 / 10);
    let study = fs::read_to_string(desk.path(STUDY)).unwrap().replace("study: tiny", "study: named").replace(
        "  named:\n",
        "  named:\n    whole: { architecture: { resnet34: { width: 0.1 } }, loss: softmax, trained_on: people, prepare: tiny, weights: { file: \
         ../w.safetensors, family: visavis } }\n    half: { architecture: { resnet34: { width: 0.1 } }, loss: softmax, trained_on: people, \
         prepare: tiny, weights: { file: ../half.safetensors, family: visavis } }\n",
    );
    desk.write("experiments/named.yaml", study.as_bytes());
    desk.succeed(&["run", "experiments/named.yaml", "--quiet"]);
    let features = |model: &str| {
        let layer = ["--what", "features", "--layer", "embedding", "--format", "npy", "-o", "f.npy", "--model", model];
        desk.succeed(&[&["export", "experiments/named.yaml"], &layer[..]].concat());
        visavis_core::dataset::array::from_npy(&fs::read(desk.path("f.npy")).unwrap(), Path::new("f.npy")).unwrap()
    };
    let trained = features("resnet34-width0.1-softmax-people-tiny");
    assert_eq!(trained.values(), features("whole").values());
    let half = features("half");
    let largest = trained.values().iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let off = trained.values().iter().zip(half.values()).fold(0.0f32, |most, (one, other)| most.max((one - other).abs()));
    assert!(off > 0.0 && off < largest / 50.0, "{off} of {largest}");
}

#[test]
fn weights_of_every_loss_are_read_again() {
    let desk = desk();
    let losses: Vec<String> = LOSSES.iter().map(|of| format!("      - {}\n", of.word)).collect();
    desk.edit(STUDY, "      - softmax\n", &losses.concat());
    desk.edit(STUDY, "epochs: 4", "epochs: 1");
    // Every one is trained, and features are read by its weights.
    desk.succeed(&["run", STUDY, "--quiet"]);
    let results = fs::read_dir(desk.path("data/results")).unwrap();
    let kinds = results.map(|entry| {
        let text = fs::read(entry.unwrap().path()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["stage"].as_str().unwrap().to_owned()
    });
    let kinds: Vec<String> = kinds.collect();
    let count = |kind: &str| kinds.iter().filter(|other| *other == kind).count();
    // Features of `untrained` and `pixels`, hashes and a sample of the pictures of both sets, all made small, and nuisances, too.
    assert_eq!((count("train"), count("features")), (LOSSES.len(), LOSSES.len() + 8), "{kinds:?}");
}

#[test]
fn ctrl_c_in_a_training_keeps_what_was_learned() {
    let desk = desk();
    desk.edit(STUDY, "epochs: 4", "epochs: 400");
    let run = desk.command(&["run", STUDY, "--quiet"]).stderr(Stdio::piped()).spawn().unwrap();
    while !desk.visavis(&["logs", "train"]).out.contains("epoch 2 of 400") {
        std::thread::sleep(Duration::from_millis(50));
    }
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(desk.path("data/checkpoints")).unwrap().count(), 1);
    let second = desk.command(&["run", STUDY, "--quiet"]).stderr(Stdio::piped()).spawn().unwrap();
    while !desk.visavis(&["logs", "train"]).out.contains("goes on from step") {
        std::thread::sleep(Duration::from_millis(50));
    }
    kill_process(Pid::from_child(&second), Signal::TERM).unwrap();
    assert_eq!(second.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn too_little_memory_halves_what_is_taken_at_a_time_and_says_so() {
    let desk = desk();
    let run: Said = desk.command(&["run", STUDY, "--quiet"]).inject(Injection::MostPictures, "3").output().unwrap().into();
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let logs = desk.succeed(&["logs", "train"]);
    assert!(logs.contains("out of memory with 8 pictures at a time: goes on with 4, in the same batches"), "{logs}");
    assert_eq!(training(&desk)["facts"]["pictures_at_a_time"][0], 2.0);
}

#[test]
fn a_loss_that_is_no_number_ends_the_job_with_its_step() {
    let desk = desk();
    desk.edit(STUDY, "rate: 0.05", "rate: 99, momentum: 0.99, decay: 9");
    let run = desk.visavis(&["run", STUDY]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(run.err.contains("at step") && run.err.contains("diverged"), "{}", run.err);
    let attempts = desk.succeed(&["export", STUDY, "--what", "attempts", "--format", "csv"]);
    assert!(attempts.contains("diverged"), "{attempts}");
    assert_eq!(
        attempts.lines().filter(|line| line.contains(",train ")).count(),
        1,
        "it would diverge again: it is not tried again"
    );
}

#[test]
fn without_libtorch_the_rest_is_done_and_what_is_missing_is_named() {
    let desk = desk();
    without_libtorch(&desk);
    assert!(verified(&desk), "pixels take no network");
    let plan: serde_json::Value =
        serde_json::from_str(&said(&desk, &["plan", STUDY, "--json"], &[("VISAVIS_TORCH", "/nowhere")]).out).unwrap();
    assert!(plan["missing"][0]["input"].as_str().unwrap().contains("visavis-torch"), "{plan}");
    // One that does not start: a libtorch that is gone, or of another version.
    desk.write("broken", b"#!/bin/sh\necho 'error while loading shared libraries: libtorch_cpu.so' >&2\nexit 127\n");
    fs::set_permissions(desk.path("broken"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let broken = desk.path("broken");
    let run = said(&desk, &["run", STUDY], &[("VISAVIS_TORCH", broken.to_str().unwrap())]);
    assert_eq!(run.code, 5, "{}{}", run.out, run.err);
    assert!(run.err.contains("networks cannot run here: error while loading shared libraries: libtorch_cpu.so"), "{}", run.err);
}

#[test]
fn a_worker_of_another_build_is_refused_not_waited_for() {
    let desk = desk();
    without_libtorch(&desk);
    let key = "0".repeat(64);
    let script = format!(
        "#!/bin/sh\n[ $1 = doctor ] && echo fine && exit\nread order\necho '{{\"begun\":{{\"key\":\"{key}\"}}}}'\nsleep 60\n"
    );
    desk.write("older", script.as_bytes());
    fs::set_permissions(desk.path("older"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let older = desk.path("older");
    let run = said(&desk, &["run", STUDY, "--quiet"], &[("VISAVIS_TORCH", older.to_str().unwrap())]);
    assert_eq!(run.code, 5, "{}{}", run.out, run.err);
    assert!(run.err.contains("the worker is of another build than visavis") && run.err.contains("older"), "{}", run.err);
    desk.succeed(&["run", STUDY, "--quiet"]);
}

#[test]
fn a_device_that_is_not_here_is_missing() {
    let desk = desk();
    desk.edit(STUDY, "device: cpu, threads: 1", "device: cuda");
    let run = desk.visavis(&["run", STUDY]);
    assert_eq!(run.code, 5, "{}{}", run.out, run.err);
    assert!(run.err.contains("networks cannot run here"), "{}", run.err);
}

#[test]
fn weights_that_do_not_fit_are_told_by_tensor() {
    let desk = desk();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let digest = weights(&desk);
    let own = fs::read(desk.path(&format!("data/objects/{}/{}", &digest[..2], &digest[2..]))).unwrap();
    desk.write("data/own.safetensors", &own);
    let inspected = desk.json(&["weights", "inspect", "data/own.safetensors"]);
    assert_eq!((&inspected["family"], &inspected["digest"]), (&"visavis".into(), &digest.into()), "{inspected}");
    assert_eq!((&inspected["missing"], &inspected["extra"]), (&serde_json::json!([]), &serde_json::json!([])));
    let given = "    given: { architecture: { resnet34: { width: 0.1 } }, loss: softmax, trained_on: people, prepare: tiny, weights: { file: ../data/own.safetensors, family: visavis } }\n";
    desk.edit(STUDY, "  named:\n", &format!("  named:\n{given}"));
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.edit(STUDY, "{ width: 0.1 } }, loss: softmax", "{ width: 0.2 } }, loss: softmax");
    let run = desk.visavis(&["run", STUDY]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(
        run.err.contains("`conv1.weight` is [8, 3, 7, 7] and should be [16, 3, 7, 7]") && run.err.contains("own.safetensors"),
        "{}",
        run.err
    );
}

#[test]
fn a_data_set_with_defects_is_told_kind_by_kind() {
    let desk = desk();
    let check = |desk: &Desk| {
        let said = desk.visavis(&["data", "check", "data/faces", "--json"]);
        (said.code, serde_json::from_str::<serde_json::Value>(said.out.trim()).unwrap())
    };
    let whole = check(&desk);
    assert_eq!(
        (whole.0, whole.1["kind"].as_str(), whole.1["images"].as_u64(), whole.1["attributes"].as_u64()),
        (0, Some("celeba"), Some(42), Some(40))
    );
    assert_eq!((whole.1["identities"].as_u64(), whole.1["defects"].as_array().unwrap().len()), (Some(14), 0));

    let table = desk.read("data/faces/list_attr_celeba.txt");
    let picture = |name: &str| desk.path(&format!("data/faces/img_align_celeba/{name}"));
    let bytes = fs::read(picture("000003.jpg")).unwrap();
    fs::write(picture("000003.jpg"), &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(picture("000005.jpg")).unwrap();
    let row = |number: usize| table.lines().nth(number + 1).unwrap().to_owned();
    let spoiled = table
        .replace(&row(7), row(7).rsplit_once(' ').unwrap().0)
        .replace(&row(9), &row(9).replacen("-1", "7", 1))
        .replace('\n', "\r\n");
    desk.write("data/faces/list_attr_celeba.txt", spoiled.as_bytes());
    let (code, found) = check(&desk);
    assert_eq!(code, 2);
    for (defect, words) in [
        ("truncated", "cut short"),
        ("listed-and-absent", "000005.jpg is listed"),
        ("wrong-columns", "39 values where the table has 40"),
        ("wrong-value", "is `7`"),
    ] {
        let of = found["defects"].as_array().unwrap().iter().find(|of| of["defect"] == defect);
        let of = of.unwrap_or_else(|| panic!("{defect} is not told: {found}"));
        assert!(of["examples"][0].as_str().unwrap().contains(words), "{of}");
    }
    // What is read rightly is no defect.
    let words: Vec<&str> = found["notes"].as_array().unwrap().iter().filter_map(|of| of["defect"].as_str()).collect();
    assert!(words.contains(&"crlf"), "{words:?}");
    let run = desk.visavis(&["run", STUDY]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("next"), "{}", run.err);
}

#[test]
fn a_picture_cut_short_fails_what_needs_it_and_nothing_else() {
    let desk = desk();
    let path = desk.path("data/people/person0002/0003.jpg");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 300]).unwrap();
    let run = desk.visavis(&["run", STUDY]);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(run.err.contains("the picture is cut short") && run.err.contains("person0002/0003.jpg"), "{}", run.err);
    assert!(verified(&desk), "the others were read");
}

#[test]
fn celeba_has_the_same_keys_as_text_as_csv_and_in_a_doubled_folder() {
    let desk = desk();
    let keys = |desk: &Desk| {
        desk.succeed(&["run", STUDY, "--quiet", "--only", "features pixels"]);
        fs::read_dir(desk.path("data/results")).unwrap().count()
    };
    let once = keys(&desk);
    let crlf = desk.read("data/faces/list_attr_celeba.txt").replace('\n', "\r\n");
    desk.write("data/faces/list_attr_celeba.txt", crlf.as_bytes());
    assert_eq!(keys(&desk), once, "CR LF");
    let rows: Vec<String> = crlf.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(",")).collect();
    let csv = format!("image_id,{}\n{}\n", rows[0], rows[1..].join("\n"));
    desk.write("data/faces/list_attr_celeba.csv", csv.as_bytes());
    fs::remove_file(desk.path("data/faces/list_attr_celeba.txt")).unwrap();
    fs::rename(desk.path("data/faces/img_align_celeba"), desk.path("data/inner")).unwrap();
    fs::create_dir(desk.path("data/faces/img_align_celeba")).unwrap();
    fs::rename(desk.path("data/inner"), desk.path("data/faces/img_align_celeba/img_align_celeba")).unwrap();
    assert_eq!(keys(&desk), once, "CSV in a doubled folder");
}

#[test]
fn the_same_arguments_draw_the_same_bytes_and_truth_comes_first() {
    let desk = Desk::empty();
    for name in ["a", "b"] {
        desk.succeed(&["data", "draw", name, "--identities", "5", "--images", "11", "--seed", "9", "--twin", "b", "--quiet"]);
    }
    let mut names = Vec::new();
    let mut folders = vec![desk.path("a")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { names.push(entry) }
        }
    }
    assert!(names.len() > 11 + 37);
    for path in &names {
        let other = desk.path("b").join(path.strip_prefix(desk.path("a")).unwrap());
        assert!(fs::read(path).unwrap() == fs::read(&other).unwrap(), "{} differs", other.display());
    }
    let written = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let truth = written(&desk.path("a/truth.json"));
    assert!(names.iter().all(|path| written(path) >= truth));
    let full = desk.visavis(&["data", "draw", "a"]);
    assert_eq!(full.code, 2, "{}", full.err);
    assert!(full.err.contains("not empty"), "{}", full.err);
}

/// Did anything come to be verified?
fn verified(desk: &Desk) -> bool {
    let results = fs::read_dir(desk.path("data/results")).unwrap();
    results.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).any(|manifest| manifest.contains("verification.json"))
}
