//! `visavis init` by pointing at what is there: a study that reads well, and runs.

use crate::desk::{Desk, needs_beside};
use std::fs;
use visavis_core::{
    dataset::array,
    numeric::{Matrix, PhiloxStream},
};

/// Drawn faces in CelebA's format, and a folder a person to learn from.
#[test]
fn a_celeba_folder_and_a_folder_to_learn_from_are_a_study() {
    needs_beside("visavis-torch");
    let desk = Desk::empty();
    desk.succeed(&["data", "draw", "faces", "--identities", "60", "--images", "240", "--quiet"]);
    desk.succeed(&["data", "draw", "people", "--train", "varied", "--identities", "8", "--images", "64", "--quiet"]);
    let said = desk.visavis(&["init", "mine", "--faces", "faces", "--learn", "people", "--study", "drawn"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for line in [
        "faces: celeba, 240 images, 60 identities, 40 attributes",
        "people, folders, 64 images of 8 classes",
        "reads well: 3 models",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let text = fs::read_to_string(desk.path("mine/experiments/drawn.yaml")).unwrap();
    assert!(text.contains("loss: { factor: loss }") && text.contains("Not compared, for they are rarer"), "{text}");
    // It is not written over.
    let again = desk.visavis(&["init", "mine", "--faces", "faces", "--study", "drawn"]);
    assert!(again.code == 2 && again.err.contains("is there already"), "{}{}", again.out, again.err);
    let plan = desk.json(&["plan", "mine/experiments/drawn.yaml", "--workspace", "mine"]);
    assert_eq!(plan["waiting"].as_u64(), Some(0), "{plan}");
}

/// A label table and features that were made elsewhere: no picture at all. From there to scores.
#[test]
fn features_and_a_table_are_a_study_that_runs() {
    let desk = Desk::empty();
    let (n, mut stream) = (120, PhiloxStream::for_test(5, 5));
    let mut rows = String::from("image_id,smiles,hair colour,who,age,note\n");
    let mut values = Vec::new();
    for image in 0..n {
        let smiles = image % 2;
        let hair = ["black", "brown", "grey"][image % 3];
        rows += &format!("{image:03}.jpg,{smiles},{hair},p{},{}.5,n{image}\n", image / 2, 20 + image % 50);
        values.extend((0..4).map(|column| stream.uniform() as f32 + if column == 0 { smiles as f32 } else { 0.0 }));
    }
    desk.write("labels.csv", rows.as_bytes());
    desk.write("my features.npy", &array::to_npy(&Matrix::new(n, 4, values).unwrap()));
    desk.write("my features.txt", (0..n).map(|image| format!("{image:03}.jpg\n")).collect::<String>().as_bytes());
    let said = desk.visavis(&["init", ".", "--faces", "labels.csv", "--features", "my features.npy", "--study", "given"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let text = fs::read_to_string(desk.path("experiments/given.yaml")).unwrap();
    for part in ["smiles: {", "\"hair colour\": { black:", "age: { quantity: age }", "Not compared", "note"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    desk.succeed(&["run", "experiments/given.yaml", "--quiet"]);
    let shown = desk.visavis(&["show", "experiments/given.yaml"]);
    assert!(shown.code == 0 && shown.out.contains("smiles"), "{}{}", shown.out, shown.err);
}

#[test]
fn what_is_pointed_at_and_is_nothing_known_is_told() {
    let desk = Desk::empty();
    fs::create_dir_all(desk.path("empty")).unwrap();
    desk.write("flat/1.jpg", b"x");
    desk.write("labels.csv", b"image_id,a\n1.jpg,1\n");
    desk.write("f.npy", &array::to_npy(&Matrix::new(1, 1, vec![1.0]).unwrap()));
    for (arguments, words) in [
        (vec!["--faces", "empty"], "neither a picture nor a label table"),
        (vec!["--faces", "nowhere"], "not a folder"),
        (vec!["--faces", "flat", "--learn", "flat"], "its pictures are in no classes"),
        (vec!["--faces", "labels.csv", "--features", "f.npy"], "nothing says which image each row is of"),
        (vec!["--faces", "labels.csv", "--features", "g.npy"], "no such array"),
        (vec!["--faces", "labels.csv", "--study", "a/b"], "called by letters"),
    ] {
        let said = desk.visavis(&[vec!["init", "ws"], arguments.clone()].concat());
        assert!(said.code == 2 && said.err.contains(words), "{arguments:?}: {}{}", said.out, said.err);
        assert!(!desk.path("ws").exists(), "nothing is written: {arguments:?}");
    }
}
