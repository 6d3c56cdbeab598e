//! `visavis weights`: files as people have them, and files that hold no weights.

use crate::desk::Desk;
use serde_json::json;
use std::{fs, path::Path};
use visavis_core::{
    domain::{
        Digest,
        model::{Architecture, WeightFamily},
    },
    weights,
};

/// A file of `core/tests/fixtures/weights`.
fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("core/tests/fixtures/weights").join(name).display().to_string()
}

/// A network that is known here, as a training script saves it, in both formats of `torch.save`.
const NARROW: [(&str, &str); 2] = [("resnet18_narrow.pth", "torch_zip"), ("resnet18_narrow_legacy.pth.tar", "torch_stream")];

#[test]
fn a_checkpoint_of_a_known_network_is_told_whole() {
    let desk = Desk::empty();
    for (file, container) in NARROW {
        let path = fixture(file);
        let found = desk.json(&["weights", "inspect", &path]);
        let expected = [
            ("family", json!("torchvision")),
            ("architecture", json!("resnet18-width0.125")),
            ("container", json!(container)),
            ("dict", json!("state_dict")),
            ("prefix", json!("module.")),
            ("outside", json!(["margin.kernel"])),
            ("missing", json!([])),
            ("differing", json!([])),
            ("extra", json!([])),
            // fc.weight, fc.bias, and the counters of twenty normalisations.
            ("needless", json!(22)),
            ("digest", json!(Digest::of(&fs::read(&path).unwrap()).to_string())),
        ];
        for (key, value) in expected {
            assert_eq!(found[key], value, "{file}: {key}");
        }
        assert_eq!((&found["beside"]["epoch"], &found["beside"]["arch"]), (&json!("9"), &json!("resnet18")), "{file}");
        let said = desk.succeed(&["weights", "inspect", &path]);
        for words in [
            "resnet18-width0.125 of the family torchvision, 123 tensors",
            "in `state_dict`",
            "begin with `module.`",
            "of half precision (float16), read as single",
            "margin.kernel",
            "epoch 9",
            "blake3 ",
            "weights: { file: ",
        ] {
            assert!(said.contains(words), "{file}: {words}\n{said}");
        }
    }
}

#[test]
fn the_suggested_lines_are_a_model_of_a_study() {
    let desk = Desk::empty();
    fs::copy(fixture(NARROW[0].0), desk.path("w.pth")).unwrap();
    let found = desk.json(&["weights", "inspect", "w.pth"]);
    let study = format!(
        "format: 1\nstudy: suggested\nseed: 1\nevaluation: {{ dataset: f }}\ndatasets: {{ f: {{ images: {{ root: pics, labels: \
         labels.csv }} }} }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: x, B: not x }} }}\nstatistics: {{ \
         bootstraps: 20, permutations: 20, min_positives: 2 }}\n{}",
        found["yaml"].as_str().unwrap()
    );
    desk.write("s.yaml", study.as_bytes());
    desk.write("labels.csv", b"image_id,x\na.png,1\nb.png,0\n");
    let said = desk.visavis(&["check", "s.yaml"]);
    let all = said.out + &said.err;
    assert!(said.code == 0 && all.contains("the weights are in `state_dict`") && all.contains("begin with `module.`"), "{all}");
    assert!(!all.contains("were trained with"), "the suggested preparation is the family's\n{all}");
    assert!(study.contains(&format!("blake3: \"{}\"", Digest::of(&fs::read(desk.path("w.pth")).unwrap()))), "{study}");
}

#[test]
fn converting_keeps_every_number_and_overwrites_nothing() {
    let desk = Desk::empty();
    let architecture = Architecture { word: "resnet18".into(), width: 0.125 };
    let family = WeightFamily::of("torchvision");
    let mut digests = Vec::new();
    for (file, _) in NARROW {
        let out = format!("{file}.safetensors");
        let done = desk.json(&["weights", "convert", &fixture(file), &out]);
        assert_eq!(done["architecture"], "resnet18-width0.125");
        let bytes = fs::read(desk.path(&out)).unwrap();
        assert_eq!(done["digest"], Digest::of(&bytes).to_string());
        let tensors = weights::tensors(&bytes).unwrap();
        let layout = weights::layout(&architecture, &family).unwrap();
        assert_eq!(tensors.len(), layout.len());
        for entry in &layout {
            // What `make.py` wrote.
            let start = 7 * entry.name.len();
            let expected = |i: usize| (37 * (i + start) % 64) as f32 / 8.0;
            let tensor = &tensors[&entry.name];
            assert_eq!(tensor.shape, entry.shape, "{}", entry.name);
            assert!(tensor.values.iter().enumerate().all(|(i, value)| *value == expected(i)), "{}", entry.name);
        }
        let again = desk.json(&["weights", "inspect", &out]);
        assert_eq!((&again["container"], &again["needless"], &again["prefix"]), (&json!("safetensors"), &json!(0), &json!("")));
        let refused = desk.visavis(&["weights", "convert", &fixture(file), &out]);
        assert!(refused.code == 2 && refused.err.contains("there already"), "{}", refused.err);
        assert_eq!(fs::read(desk.path(&out)).unwrap(), bytes);
        digests.push(done["digest"].clone());
    }
    assert_eq!(digests[0], digests[1], "one network, whatever file it came in");
    let unknown = desk.visavis(&["weights", "convert", &fixture("zip.pth"), "z.safetensors"]);
    assert!(unknown.code == 2 && unknown.err.contains("no network that is known here"), "{}", unknown.err);
    assert!(!desk.path("z.safetensors").exists());
}

/// The network of the other fixtures is no register's: what the file is, is told all the same.
#[test]
fn every_dialect_is_looked_through() {
    let desk = Desk::empty();
    // File, container, the dict of most tensors, tensors in it, a type that they have.
    let files = [
        ("zip.pth", "torch_zip", "", 9, "float32"),
        ("zip_protocol5.pth", "torch_zip", "", 9, "float32"),
        ("legacy.pth", "torch_stream", "", 9, "float32"),
        ("float16.pth", "torch_zip", "", 9, "float16"),
        ("bfloat16.pth", "torch_zip", "", 9, "bfloat16"),
        ("float64_legacy.pth", "torch_stream", "", 9, "float64"),
        ("parameters_only.pth", "torch_zip", "", 6, "float32"),
        ("imagenet_example.pth.tar", "torch_zip", "state_dict", 9, "float32"),
        ("cydonia_trainer.pth.tar", "torch_stream", "model_state_dict", 9, "float32"),
        ("arcface_checkpoint_gpu_0.pt", "torch_zip", "state_dict_backbone", 9, "float32"),
        ("magface_split.pth", "torch_zip", "state_dict", 10, "float32"),
        ("adaface.ckpt", "torch_zip", "state_dict", 13, "float32"),
        ("lightning.ckpt", "torch_zip", "state_dict", 10, "float32"),
        ("compiled_parallel.pth", "torch_zip", "model", 9, "float32"),
        ("two_networks.pth", "torch_zip", "state_dict", 9, "float32"),
        ("python2_protocol0.pkl", "pickle", "", 8, "float32"),
        ("python2_protocol1.pkl", "pickle", "state_dict", 8, "float32"),
        ("numpy1_protocol4.pkl", "pickle", "state_dict", 8, "float16"),
        ("numpy2_protocol5.pkl", "pickle", "", 8, "float32"),
        ("backbone.safetensors", "safetensors", "", 9, "float32"),
    ];
    for (file, container, dict, tensors, element) in files {
        let found = desk.json(&["weights", "inspect", &fixture(file)]);
        assert_eq!(found["family"], serde_json::Value::Null, "{file}");
        assert_eq!((&found["container"], &found["dict"]), (&json!(container), &json!(dict)), "{file}");
        assert_eq!(found["tensors"], tensors, "{file}");
        assert!(found["elements"][element].as_u64().unwrap() >= 6, "{file}: {found}");
    }
}

#[test]
fn files_that_hold_no_weights_are_called_what_they_are() {
    let desk = Desk::empty();
    let files = [
        ("os_system.pkl", "would call `posix.system`"),
        ("os_system.pth", "would call `posix.system`"),
        ("os_system_legacy.pth", "would call `posix.system`"),
        ("optimizer_only.pth", "the state of an optimizer only"),
        ("optimizer_nested.pth", "`optimizer_states[0]`"),
        ("no_tensors.pth", "its keys are `epoch`, `lr`"),
        ("whole_module.pth", "a whole module of class MainModel.KitModel"),
        ("whole_module_legacy.pth", "under `model`"),
        ("sparse.pth", "would call `torch._utils._rebuild_sparse_tensor`"),
        ("compressed.pth", "compressed"),
        ("arrays.npz", ".npz archive of NumPy arrays"),
        ("make.py", "plain text"),
    ];
    for (file, words) in files {
        let path = fixture(file);
        let path = path.as_str();
        for arguments in [&["weights", "inspect", path][..], &["weights", "convert", path, "o.safetensors"]] {
            let said = desk.visavis(arguments);
            assert!(said.code == 2 && said.err.contains(words) && said.err.contains(file), "{arguments:?}\n{}", said.err);
            assert!(!desk.path("o.safetensors").exists());
        }
    }
    let whole = fs::read(fixture("zip.pth")).unwrap();
    desk.write("cut.pth", &whole[..whole.len() / 2]);
    let said = desk.visavis(&["weights", "inspect", "cut.pth"]);
    assert!(said.code == 2 && said.err.contains("cut short") && said.err.contains("again"), "{}", said.err);
}
