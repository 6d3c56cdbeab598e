//! Outside files: what is believed of them between runs, and what is said of those that are not what they seem.

use crate::desk::Desk;
use std::{fs, path::Path, time::SystemTime};
use visavis_core::{dataset::array::to_npy, numeric::Matrix};

/// Forty images of two classes; their features tell the classes apart or not.
fn features(tell: bool) -> Vec<u8> {
    let value = |image: usize, column: usize| {
        let noise = ((image * 7 + column * 13) * 2_654_435_761 % 1000) as f32 / 1000.0;
        noise + if tell && column == 0 { 5.0 * (image % 2) as f32 } else { 0.0 }
    };
    let values = (0..40 * 3).map(|at| value(at / 3, at % 3)).collect();
    to_npy(&Matrix::new(40, 3, values).unwrap())
}

const GIVEN: &str = r#"format: 1
study: given
seed: 1
evaluation: { dataset: f }
datasets: { f: { images: { root: nopics, labels: labels.csv } } }
models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }
projections: [pca: { axes: 1 }]
comparisons: { x: { A: "x", B: "not x" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

/// A study of given features, in this folder of the desk.
fn given(desk: &Desk, folder: &str, tell: bool) {
    let ids = |line: &dyn Fn(usize) -> String| (0..40).map(line).collect::<String>();
    desk.write(&format!("{folder}/given.yaml"), GIVEN.as_bytes());
    desk.write(&format!("{folder}/a.npy"), &features(tell));
    desk.write(&format!("{folder}/rows.txt"), ids(&|i| format!("{i:02}.png\n")).as_bytes());
    desk.write(
        &format!("{folder}/labels.csv"),
        ("image_id,x\n".to_owned() + &ids(&|i| format!("{i:02}.png,{}\n", i % 2))).as_bytes(),
    );
}

/// Sets the time of modification, as `touch -r`, `cp -p`, `rsync -t` and archives do.
fn set_modified(path: &Path, to: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(to).unwrap();
}

/// The scores of a study, as they are exported.
fn scores(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let out = desk.succeed(&[arguments, &["--what", "scores"]].concat());
    out.lines().filter(|line| line.contains("knn_auc,")).map(|line| line.split(',').nth(6).unwrap().to_owned()).collect()
}

#[test]
fn features_made_again_with_the_old_ones_size_and_time_are_read_again() {
    let desk = Desk::empty();
    given(&desk, ".", true);
    desk.succeed(&["run", "given.yaml", "-q"]);
    let told_apart = scores(&desk, &["export", "given.yaml"]);
    let path = desk.path("a.npy");
    // Long enough after its last writing for its digest to be kept.
    let kept = fs::metadata(&path).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    desk.succeed(&["plan", "given.yaml"]);
    assert!(desk.read("data/cache/digests.tsv").contains("a.npy"), "what was still for long is kept");
    fs::write(&path, features(false)).unwrap();
    set_modified(&path, kept);
    desk.succeed(&["run", "given.yaml", "-q"]);
    assert_ne!(scores(&desk, &["export", "given.yaml"]), told_apart);
}

#[test]
fn two_folders_with_the_same_relative_names_in_one_workspace_are_two() {
    let desk = Desk::empty();
    let archived = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(86_400 * 365 * 20);
    let mut found = Vec::new();
    fs::create_dir(desk.path("shared")).unwrap();
    for (folder, tell) in [("one", true), ("two", false), ("one", true)] {
        given(&desk, folder, tell);
        set_modified(&desk.path(&format!("{folder}/a.npy")), archived);
        let said = desk.command(&["--workspace", "../shared", "run", "given.yaml", "-q"]).current_dir(desk.path(folder)).output();
        assert!(said.unwrap().status.success());
        found.push(scores(&desk, &["--workspace", "shared", "export", &format!("{folder}/given.yaml")]));
    }
    assert!(found[0] != found[1] && found[0] == found[2], "{found:?}");
}

#[test]
fn results_name_files_from_the_root_of_the_workspace() {
    let desk = Desk::empty();
    given(&desk, "deep/er", true);
    let elsewhere = desk.command(&["--workspace", "../..", "run", "given.yaml", "-q"]).current_dir(desk.path("deep/er")).output();
    assert!(elsewhere.unwrap().status.success());
    // The audit is given in another folder than the run was: it finds the files all the same, and what became of them.
    let audit = |expected: i32| {
        let said = desk.visavis(&["audit", "deep/er/given.yaml", "--recompute", "features", "--json"]);
        assert_eq!(said.code, expected, "{}{}", said.out, said.err);
        serde_json::from_str::<serde_json::Value>(said.out.lines().last().unwrap()).unwrap()
    };
    assert_eq!(audit(0)["unchecked"], 0);
}

/// An `.npy` file of one column after the other written row by row.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// Numbers of forty images and three columns, in double precision: the first column tells the classes apart, and lies at `offset`.
fn doubles(offset: f64, change: &dyn Fn(usize, f64) -> f64) -> Vec<u8> {
    let value = |at: usize| {
        let (image, column) = (at / 3, at % 3);
        // Quarters: what is added to them and taken away again leaves them as they were.
        let noise = ((image * 7 + column * 13) * 2_654_435_761 % 64) as f64 / 4.0;
        let value = if column == 0 { offset + noise + 20.0 * (image % 2) as f64 } else { noise };
        change(at, value)
    };
    let data: Vec<u8> = (0..120).flat_map(|at| value(at).to_le_bytes()).collect();
    npy("<f8", "(40, 3)", &data)
}

#[test]
fn features_far_from_0_give_the_scores_of_centred_ones() {
    let desk = Desk::empty();
    given(&desk, ".", true);
    let scores_of = |bytes: &[u8]| {
        desk.write("a.npy", bytes);
        desk.succeed(&["run", "given.yaml", "-q"]);
        scores(&desk, &["export", "given.yaml"])
    };
    let near = scores_of(&doubles(0.0, &|_, value| value));
    let far = doubles(1.7e9, &|_, value| value);
    assert_eq!(scores_of(&far), near);
    let remark = desk.succeed(&["check", "given.yaml"]);
    assert!(remark.contains("1 of 3 columns lie so far from 0") && remark.contains("centred"), "{remark}");
    desk.succeed(&["report", "given.yaml", "-q"]);
    assert!(desk.read("reports/given.html").contains("centred before they were kept"));
    // Whole numbers of 64 bits: beyond what even double precision holds exactly.
    let near = |at: i64| at * at * 31 % 101 + 300 * (at / 3 % 2);
    let whole: Vec<u8> = (0..120i64).flat_map(|at| ((1i64 << 62) + near(at)).to_le_bytes()).collect();
    let small: Vec<u8> = (0..120i64).flat_map(|at| near(at).to_le_bytes()).collect();
    assert_eq!(scores_of(&npy("<i8", "(40, 3)", &whole)), scores_of(&npy("<i8", "(40, 3)", &small)));
}

#[test]
fn what_single_precision_cannot_hold_is_said_with_its_image() {
    let desk = Desk::empty();
    given(&desk, ".", true);
    let refused = |bytes: &[u8], parts: &[&str]| {
        desk.write("a.npy", bytes);
        for command in [&["check", "given.yaml"][..], &["run", "given.yaml", "-q"]] {
            let said = desk.visavis(command);
            assert!(said.code != 0 && parts.iter().all(|part| said.err.contains(part)), "{command:?} {parts:?}\n{}", said.err);
            assert!(!said.err.contains("inf"), "{}", said.err);
        }
    };
    let with = |at: usize, new: f64| doubles(0.0, &move |place, value| if place == at { new } else { value });
    refused(&with(7 * 3 + 1, 1e300), &["`07.png`", "1e300", "column 1"]);
    let tiny = doubles(0.0, &|at, value| if at % 3 == 2 { value * 1e-60 } else { value });
    refused(&tiny, &["column 2", "differs by less than single precision"]);
    refused(&with(11 * 3, f64::NAN), &["`11.png`", "NaN", "column 0"]);
}

#[test]
fn cosines_are_refused_where_they_say_nothing_and_name_the_image() {
    let desk = Desk::empty();
    given(&desk, ".", true);
    desk.edit("given.yaml", "projections: [pca: { axes: 1 }]", "projections: [umap: { metric: cosine, seeds: 1 }]");
    let refused = |bytes: &[u8], part: &str| {
        desk.write("a.npy", bytes);
        for command in [&["check", "given.yaml"][..], &["run", "given.yaml", "-q"]] {
            let said = desk.visavis(command);
            assert!(said.code != 0 && said.err.contains(part), "{command:?}\n{}", said.err);
        }
    };
    refused(&doubles(0.0, &|at, value| if at / 3 == 23 { 0.0 } else { value + 1.0 }), "`23.png`");
    refused(&doubles(1.7e9, &|_, value| value), "where 0 is");
}

#[test]
fn a_check_opens_arrays_and_calls_them_what_they_are() {
    let desk = Desk::empty();
    given(&desk, ".", true);
    let half: Vec<u8> = (0..120).flat_map(|at| half::f16::from_f32((at % 11) as f32).to_be_bytes()).collect();
    desk.write("a.npy", &npy(">f2", "(40, 3, 1, 1)", &half));
    let said = desk.succeed(&["check", "given.yaml"]);
    assert!(said.contains("4 dimensions (40, 3, 1, 1)"), "{said}");
    let kinds: [(&[u8], &str); 6] = [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 480\n", "git lfs pull"),
        (&npy("|O", "(40, 3)", b"\x80\x04\x95"), "pickled Python objects"),
        (&npy("<f4", "(40,)", &[0; 160]), "one dimension"),
        (&npy("<f4", "(39, 3)", &[0; 468]), "39 rows of features, but 40 image ids"),
        (b"PK\x03\x04\x14\0\0\0\0\0embedding.npy", ".npz archive"),
        (b"", "empty"),
    ];
    for (bytes, what) in kinds {
        desk.write("a.npy", bytes);
        let said = desk.visavis(&["check", "given.yaml"]);
        assert!(said.code == 2 && said.err.contains(what) && said.err.contains("a.npy"), "{what}\n{}", said.err);
    }
}

const NETWORK: &str = r#"format: 1
study: network
seed: 1
evaluation: { dataset: f }
datasets: { f: { images: { root: pics, labels: labels.csv } } }
preparations: { small: { crop: whole, size: 16, pad: zero, scale: imagenet } }
models:
  named:
    m: { architecture: { resnet34: { width: 0.125 } }, loss: softmax, trained_on: x, prepare: small, weights: { file: w.safetensors, family: torchvision } }
projections: [pca: { axes: 1 }]
comparisons: { x: { A: "x", B: "not x" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

#[test]
fn a_check_opens_weights_and_says_what_is_left_out_of_their_names() {
    use visavis_core::{
        domain::model::{Architecture, WeightFamily},
        weights,
    };
    let desk = Desk::empty();
    desk.write("network.yaml", NETWORK.as_bytes());
    desk.write("labels.csv", b"image_id,x\na.png,1\nb.png,0\n");
    let layout =
        weights::layout(&Architecture { word: "resnet34".into(), width: 0.125 }, &WeightFamily::of("torchvision")).unwrap();
    let save = |name: &dyn Fn(&str) -> Option<String>| {
        let tensor = |entry: &weights::TensorEntry| {
            let values = vec![0.25; entry.shape.iter().product()];
            Some((name(&entry.name)?, weights::Tensor { shape: entry.shape.clone(), values }))
        };
        let tensors: Vec<(String, weights::Tensor)> = layout.iter().filter_map(tensor).collect();
        let bytes = weights::write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        desk.write("w.safetensors", &bytes);
    };
    save(&|name| Some(format!("state_dict.module.{name}")));
    let said = desk.succeed(&["check", "network.yaml"]);
    assert!(said.contains("begin with `state_dict.module.`"), "{said}");
    assert_eq!(desk.json(&["weights", "inspect", "w.safetensors"])["prefix"], "state_dict.module.");
    save(&|name| (name != "layer2.0.bn1.bias").then(|| format!("_orig_mod.{name}")));
    let said = desk.visavis(&["check", "network.yaml"]);
    assert!(said.code == 2 && said.err.contains("lack 1 tensor") && said.err.contains("layer2.0.bn1.bias"), "{}", said.err);
    desk.write("w.safetensors", b"<html><head><title>Sign in</title></head></html>");
    let said = desk.visavis(&["check", "network.yaml"]);
    assert!(said.code == 2 && said.err.contains("HTML page"), "{}", said.err);
}

/// A JPEG of bright and dark corners, with a note of the camera's how it lies.
fn jpeg(orientation: u8, blue: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(48, 32, |x, y| image::Rgb([(x * 5) as u8, (y * 7) as u8, blue]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let bytes = bytes.into_inner();
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&bytes[..2], b"\xff\xe1", &(exif.len() as u16 + 2).to_be_bytes()[..], &exif, &bytes[2..]].concat()
}

#[test]
fn pictures_are_turned_upright_unless_a_preparation_says_otherwise_and_cut_ones_are_named() {
    let desk = Desk::empty();
    desk.write("given.yaml", GIVEN.as_bytes());
    desk.edit("given.yaml", "nopics", "pics");
    desk.edit("given.yaml", "models: {", "preparations: { small: { crop: whole, size: 16, pad: edge, scale: raw } }\nmodels: {");
    desk.edit("given.yaml", "{ features: { embedding: a.npy, images: rows.txt } }", "{ baseline: pixels, prepare: small }");
    let row = |i: usize| format!("{i}.jpg,{}\n", i % 2);
    desk.write("labels.csv", ("image_id,x\n".to_owned() + &(0..6).map(row).collect::<String>()).as_bytes());
    (0..6).for_each(|i| desk.write(&format!("pics/{i}.jpg"), &jpeg(if i == 3 { 6 } else { 1 }, if i == 0 { 200 } else { 90 })));
    let features = |study: &str| {
        desk.succeed(&["run", study, "-q"]);
        let out = desk.succeed(&["export", study, "--what", "features", "--model", "a", "--format", "csv"]);
        out.lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let said = desk.succeed(&["check", "given.yaml"]);
    assert!(said.contains("1 of 6 pictures") && said.contains("exif: ignore"), "{said}");
    let found = desk.json(&["data", "check", "pics"]);
    assert_eq!(found["notes"][0]["defect"], "turned", "{found}");
    assert!(found["notes"][0]["count"] == 1 && found["notes"][0]["examples"][0].as_str().unwrap().contains("3.jpg"), "{found}");
    let upright = features("given.yaml");
    assert!(upright[3] != upright[2] && upright[4] == upright[2], "a picture that lies is turned");
    desk.write("lying.yaml", desk.read("given.yaml").replace("scale: raw", "scale: raw, exif: ignore").as_bytes());
    let lying = features("lying.yaml");
    assert!(lying[1..].iter().all(|row| *row == upright[2]), "and left as it lies where that is asked for");
    // A picture that breaks off is refused, also where somebody put an end mark back; what follows a whole one does not matter.
    desk.write("pics/4.jpg", &[&jpeg(1, 90)[..], b"MotionPhoto_Data", &[0; 2000]].concat());
    assert_eq!(features("given.yaml"), upright);
    let whole = jpeg(1, 90);
    desk.write("pics/5.jpg", &[&whole[..whole.len() * 2 / 3], b"\xff\xd9"].concat());
    for command in [&["check", "given.yaml"][..], &["run", "given.yaml", "-q"], &["data", "check", "pics"]] {
        let said = desk.visavis(command);
        assert!(said.code != 0 && (said.err + &said.out).contains("cut short"), "{command:?}");
    }
}

#[test]
fn formats_that_are_passed_over_are_counted_and_those_that_can_be_are_read() {
    let desk = Desk::empty();
    let picture = image::RgbImage::from_pixel(20, 20, image::Rgb([10, 20, 30]));
    for (name, format) in
        [("a.webp", image::ImageFormat::WebP), ("b.BMP", image::ImageFormat::Bmp), ("c.tif", image::ImageFormat::Tiff)]
    {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        desk.write(&format!("pics/{name}"), &bytes.into_inner());
    }
    assert_eq!(desk.json(&["data", "check", "pics"])["images"], 3);
    let mut clear = std::io::Cursor::new(Vec::new());
    image::RgbaImage::new(2, 2).write_to(&mut clear, image::ImageFormat::Png).unwrap();
    desk.write("pics/clear.png", &clear.into_inner());
    let found = desk.json(&["data", "check", "pics"]);
    assert_eq!((&found["notes"][0]["defect"], &found["notes"][0]["count"]), (&"transparent".into(), &1.into()), "{found}");
    desk.write("pics/d.heic", b"\0\0\0\x18ftypheic");
    desk.write("pics/e.gif", b"GIF89a");
    desk.write("pics/f.gif", b"GIF89a");
    let said = desk.visavis(&["data", "check", "pics"]);
    assert!(said.out.contains("3 × unread-format") && said.out.contains(".gif") && said.out.contains(".heic"), "{}", said.out);
}
