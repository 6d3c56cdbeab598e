//! A study file that is changed while screens show it.

use super::{STUDY, holds, session, wait_for};
use crate::desk::Desk;

#[test]
fn a_change_to_the_study_is_shown_written_and_undone() {
    let desk = Desk::with_pretence();
    let study = "experiments/micro.yaml";
    let commented = desk.read(study).replace("      - arcface\n", "      - arcface   # with its usual margin\n");
    desk.write(study, commented.as_bytes());
    let mut seen = session(&desk, (140, 45));
    // Down to a loss that is on offer: twelve architectures, a heading, softmax, arcface, normface, cosface.
    seen.press(&format!("x{}", " j".repeat(16)));
    seen.press("Space");
    holds(&seen, &["+2 models", "+24 cells", "cosface", "Enter writes it"]);
    assert_eq!(desk.read(study), commented, "nothing is written before it is wanted");
    seen.press("Enter");
    let written = desk.read(study);
    assert!(written.contains("      - arcface   # with its usual margin\n      - cosface\n"), "{written}");
    seen.press("Esc z");
    assert_eq!(desk.read(study), commented);
    // A form, with completion; what is wrong is said and what was typed is kept.
    seen.press("a Enter 'odds Enter 'Odd Enter 'od Tab Enter 'Even Enter 'not_o Tab Enter Enter");
    holds(&seen, &["`odd or even` and `odds` ask the same", "not odd"]);
    seen.press("'thi Tab Enter");
    holds(&seen, &["+ ", "odds:", "within", "Enter writes it"]);
    // Somebody else was faster.
    desk.write(study, commented.replace("seed: 5", "seed: 6").as_bytes());
    seen.press("Enter");
    holds(&seen, &["edited elsewhere"]);
    assert!(desk.read(study).contains("seed: 6") && !desk.read(study).contains("odds"));
    // And a mistake is shown where it is, and goes when it is mended.
    desk.write(study, commented.replace("- softmax", "- sofmax").as_bytes());
    seen.press("Enter");
    wait_for(&mut seen, "micro");
    let mut seen = session(&desk, (140, 45));
    holds(&seen, &["cannot be read", "micro.yaml:", "softmax"]);
    desk.write(study, commented.as_bytes());
    seen.refresh();
    wait_for(&mut seen, "Matrix · ");
}

/// What was looked at may be gone when a study is edited, or another is opened.
#[test]
fn a_study_that_shrinks_takes_nothing_down() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let whole = desk.read(STUDY);
    let mut seen = session(&desk, (120, 40));
    // A figure put aside, a level fixed, a note begun; then all of it goes.
    seen.press("1 t > > j l G p 'why");
    seen.press("Esc 4 G v k 1 l l G");
    let small = whole
        .replace("  even or odd: { Even: \"even\", Odd: \"not even\" }\n  ink: { quantity: ink }\n", "")
        .replace("    blocks:\n      features: { embedding: ../data/digits/blocks.npy, images: ../data/digits/images.txt }\n", "")
        .replace("pca: { axes: 3, pairs: [[1, 2]] }", "pca: { axes: 1, pairs: [] }");
    assert!(small.len() + 150 < whole.len());
    desk.write(STUDY, small.as_bytes());
    seen.refresh();
    for keys in ["1", "2", "3", "4", "5", "1 Enter", "v", "p", "Esc Esc 4 Enter v", "1 0 G l l l"] {
        seen.press(keys);
        assert!(seen.text().contains("small"), "{keys}");
    }
    // A broken file is told, and what was read before stays.
    desk.write(STUDY, small.replace("projections:", "projektions:").as_bytes());
    seen.refresh();
    holds(&seen, &["✕", "projektions"]);
    // Names that look like the matrix's own trainings, and are not.
    let desk = Desk::with_pretence();
    let odd = "    train: { recipe: quick }\n  named:\n    \"x@0\": { architecture: resnet34, loss: softmax, trained_on: faces, prepare: whole, train: { recipe: quick } }\n    \"x@5000000000\": { baseline: pixels, prepare: whole }\n";
    desk.edit("experiments/micro.yaml", "    train: { recipe: quick }\n", odd);
    holds(&session(&desk, (140, 40)), &["x@0", "x@5000000000"]);
}
