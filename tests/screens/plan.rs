//! What the screens and `plan` say before anything runs: what can run here, what is missing, what forms offer.

use super::{holds, session};
use crate::desk::{Desk, program};

/// The program for networks is taken for granted here: only its name is looked for.
fn with_pictures() -> Desk {
    let desk = Desk::with_pretence();
    for i in 0..40 {
        desk.write(&format!("data/dots/{i:02}.png"), b"not looked into");
    }
    for name in ["one", "another"] {
        desk.write(&format!("data/faces/{name}/0.png"), b"not looked into");
    }
    desk
}

fn plan(desk: &Desk) -> serde_json::Value {
    let output = desk.command(&["plan", "experiments/micro.yaml", "--json"]).env("VISAVIS_TORCH", program()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn total(plan: &serde_json::Value, what: &str) -> u64 {
    plan["stages"].as_array().unwrap().iter().map(|stage| stage[what].as_u64().unwrap()).sum()
}

#[test]
fn a_plan_counts_what_can_run_here() {
    let study = "experiments/micro.yaml";
    let desk = with_pictures();
    desk.edit(study, "device: pretend", "device: cpu");
    let without = plan(&desk);
    assert_eq!((without["missing"].as_array().unwrap().len(), total(&without, "waiting")), (0, 0), "{without}");
    // What no visavis of this release can train is named, and neither counted nor priced.
    desk.edit(study, "      - seresnet34\n", "      - seresnet34\n      - iresnet50\n      - irse50\n");
    let with = plan(&desk);
    let missing: Vec<&str> = with["missing"].as_array().unwrap().iter().map(|of| of["input"].as_str().unwrap()).collect();
    assert!(
        missing.iter().any(|of| of.contains("iresnet50 trained here")) && missing.iter().any(|of| of.contains("irse50")),
        "{missing:?}"
    );
    assert_eq!(total(&with, "to_run"), total(&without, "to_run"), "{with}");
    assert_eq!(with["seconds"], without["seconds"]);
    assert!(total(&with, "waiting") > 0 && with["waiting"].as_u64() > Some(0));
    let text =
        String::from_utf8(desk.command(&["plan", study]).env("VISAVIS_TORCH", program()).output().unwrap().stdout).unwrap();
    assert!(text.contains("waiting") && text.contains(&format!("{} stages to run", total(&without, "to_run"))), "{text}");
    // Without the program nothing of a network would run.
    let bare = desk.command(&["plan", study, "--json"]).env("VISAVIS_TORCH", "/nowhere").output().unwrap();
    let bare: serde_json::Value = serde_json::from_slice(&bare.stdout).unwrap();
    let train = bare["stages"].as_array().unwrap().iter().find(|stage| stage["kind"] == "train").unwrap();
    assert_eq!((train["to_run"].as_u64(), bare["waiting"].clone()), (Some(0), bare["cells"].clone()), "{bare}");
    // The images, what is measured of them, what the two sets share, in three stages, and pictures made small, in three.
    assert!(total(&bare, "to_run") <= 8, "{bare}");
}

#[test]
fn a_card_that_is_not_here_is_named_before_anything_runs() {
    let desk = with_pictures();
    desk.edit("experiments/micro.yaml", "device: pretend", "device: cuda");
    let plan = plan(&desk);
    let missing = plan["missing"].as_array().unwrap();
    if visavis::study::devices::has_cards() {
        let names_it = missing.iter().any(|of| of["input"].as_str().unwrap().contains("graphics card"));
        assert!(!names_it, "there is a card here: {plan}");
        return;
    }
    assert!(missing.len() == 1 && missing[0]["input"].as_str().unwrap().contains("graphics card"), "{plan}");
    assert_eq!((&plan["waiting"], &missing[0]["cells"]), (&plan["cells"], &plan["cells"]));
    assert!(plan["seconds"].as_f64().unwrap() < 1.0 && total(&plan, "to_run") <= 8, "{plan}");
    assert!(session(&desk, (150, 45)).text().contains("waits"), "{}", session(&desk, (150, 45)).text());
}

#[test]
fn forms_offer_what_can_be_run() {
    let study = "experiments/micro.yaml";
    // Pretending can pretend anything.
    let desk = with_pictures();
    let mut seen = session(&desk, (140, 60));
    seen.press("x");
    holds(&seen, &["cosface", "triplet"]);
    desk.edit(study, "device: pretend", "device: cpu");
    desk.edit(study, "  faces: {", "  gone: { folders: { root: ../data/gone } }\n  faces: {");
    desk.edit(study, "  whole: {", "  aligned: { crop: aligned, size: 32, pad: zero, scale: imagenet }\n  whole: {");
    let mut seen = session(&desk, (140, 60));
    seen.press("x");
    holds(&seen, &["cosface", "combined", "sphereface", "subcentre", "adaface", "triplet"]);
    let text = seen.text();
    for absent in ["gone", "aligned"] {
        assert!(!text.contains(absent), "{absent} is offered:\n{text}");
    }
    // What is typed all the same is told before it is written.
    seen.press("Esc a j j j Enter 'irse50 Enter");
    holds(&seen, &["irse50 trained here", "would wait"]);
}
