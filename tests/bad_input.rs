//! Bad input gets one clear error: what, where, what to do; the exit code of the design; and nothing lost.

use crate::desk::Desk;

const STUDY: &str = "experiments/small.yaml";

/// A study file with one thing replaced: the exit code of `check`, and words its message must hold.
struct Slip {
    from: &'static str,
    to: &'static str,
    says: &'static [&'static str],
}

#[test]
fn slips_in_a_study_file_are_placed_and_their_mending_named() {
    let slips = [
        Slip {
            from: "comparisons:",
            to: "compariosns:",
            says: &["unknown key `compariosns`", "small.yaml:17:1", "did you mean `comparisons`?"],
        },
        Slip {
            from: "seed: 7",
            to: "seed: seven",
            says: &["seed: expected a whole number", "the text `seven`", "small.yaml:4:7"],
        },
        Slip { from: "seed: 7", to: "seed: 7\nseed: 8", says: &["`seed` is written twice", "small.yaml:5:1"] },
        Slip { from: "    blocks:", to: "    pixels:", says: &["`pixels` is written twice", "small.yaml:13:5"] },
        Slip {
            from: "\"digit=0\"",
            to: "\"digti=0\"",
            says: &["there is no attribute `digti`", "small.yaml:18:24", "did you mean `digit`?"],
        },
        Slip { from: "\"not even\"", to: "\"not evne\"", says: &["there is no attribute `evne`", "did you mean `even`?"] },
        Slip {
            from: "\"not even\"",
            to: "\"not even and\"",
            says: &["expected an attribute's name, found the end", "small.yaml:19:50"],
        },
        Slip { from: "\"not even\"", to: "\"even\"", says: &["the classes `Even` and `Odd`", "are the same", "small.yaml:19:"] },
        Slip { from: "\"even\"", to: "\"digit\"", says: &["`digit` is not a yes-or-no attribute", "digit=VALUE"] },
        Slip { from: "{ quantity: ink }", to: "{ quantity: inc }", says: &["there is no attribute `inc`", "small.yaml:20:"] },
        Slip {
            from: "groups: [bold]",
            to: "groups: [old]",
            says: &["there is no attribute `old`", "did you mean `bold`?", "small.yaml:23:"],
        },
        Slip { from: "- pca:", to: "- pcaa:", says: &["`pcaa` is not known", "did you mean `pca`?", "small.yaml:16:5"] },
        Slip { from: "[[1, 2]]", to: "[[1, 9]]", says: &["a whole number from 1 to 3, found 9", "small.yaml:16:"] },
        Slip { from: "axes: 3", to: "axes: 0", says: &["a whole number from 1 to 1000, found 0"] },
        Slip { from: "study: small", to: "study: ../../etc", says: &["the study's name is not a plain word", "small.yaml:2:8"] },
        Slip {
            from: "  dataset: digits",
            to: "  dataset: digit",
            says: &["there is no data set `digit`", "did you mean `digits`?"],
        },
        Slip { from: "format: 1", to: "format: 2", says: &["reads study files of format 1", "small.yaml:1:9"] },
        Slip {
            from: "    blocks:\n",
            to: "    \"blo\\u001b[31mcks\":\n",
            says: &["control character \\u{1b}", "small.yaml:13:5"],
        },
        Slip { from: "    blocks:\n", to: "    \"a\\nb\":\n", says: &["control character"] },
        Slip { from: "  zero or one: { Zero", to: "  zero or one: { \"\"", says: &["the class has an empty name"] },
        Slip { from: "about: Do", to: "about: [Do", says: &["not valid YAML", "small.yaml:"] },
        Slip { from: ", images: ../data/digits/images.txt", to: "", says: &["lacks `images`"] },
        Slip { from: "pixels.npy", to: "pixels.csv", says: &["cannot tell the format"] },
    ];
    for slip in slips {
        let desk = Desk::with_digits();
        desk.edit(STUDY, slip.from, slip.to);
        for command in ["check", "plan", "run"] {
            let said = desk.visavis(&[command, STUDY]);
            assert_eq!(said.code, 2, "{} → {}: {}{}", slip.from, slip.to, said.out, said.err);
            for words in slip.says {
                assert!(said.err.contains(words), "{} → {} lacks {words:?}:\n{}", slip.from, slip.to, said.err);
            }
            assert_eq!(said.err.matches("error:").count(), 1, "one error:\n{}", said.err);
            assert!(!said.err.contains('\u{1b}') && !said.err.contains("panicked"), "{}", said.err);
        }
        assert!(!desk.path("data/results").exists(), "nothing ran");
    }
}

const MATRIX: &str = "format: 1
study: m
datasets: { faces: { folders: { root: f } }, celeba: { celeba: { root: c } } }
preparations: { reflect: {} }
recipes: { small: {} }
evaluation: { dataset: celeba }
models:
  matrix:
    architecture: [resnet34]
    loss:
      - softmax
      - arcface: { s: 64, m: 0.5 }
    trained_on: [faces]
    prepare: [reflect]
    train: { recipe: small }
    exclude:
      - { loss: arcface }
  named:
    other:
      architecture: resnet34
      loss: softmax
      trained_on: anything
      prepare: reflect
      weights: { file: w.safetensors, family: torchvision }
projections: [pca]
comparisons:
  gender: { Male: \"Male\", Female: \"not Male\" }
";

#[test]
fn slips_in_a_matrix_are_placed() {
    let slips = [
        ("{ loss: arcface }", "{ architecture: resnet34 }", "every one of the 2 combinations of the matrix is excluded"),
        ("{ loss: arcface }", "{ loss: arcfase }", "did you mean `arcface`?"),
        ("{ loss: arcface }", "{}", "this excludes everything"),
        ("    other:", "    softmax:", "the model `softmax` is there already"),
        ("[resnet34]", "[resnet34, resnet34]", "two models of the matrix are named"),
        ("m: 0.5", "margin: 0.5", "arcface has no parameter `margin`"),
        ("m: 0.5", "m: 2", "a number from 0 to 1.5"),
        ("arcface: { s: 64, m: 0.5 }", "subcentre: { k: 2.5 }", "a whole number from 1 to 16"),
        ("small: {}", "small: { batch: 30, balanced: 4 }", "a batch of 30 pictures cannot hold 4 of each identity"),
        ("small: {}", "small: { epochs: 4, warmup: 5 }", "a warm-up of 5 epochs in a training of 4"),
        ("small: {}", "small: { schedule: { linear: { power: 3 } } }", "unknown key `power`"),
        (
            "small: {} }\nevaluation: { dataset: celeba }\nmodels:\n  matrix:\n    architecture: [resnet34]\n    loss:\n      - softmax",
            "small: { batch: 3 } }\nevaluation: { dataset: celeba }\nmodels:\n  matrix:\n    architecture: [resnet34]\n    loss:\n      - triplet",
            "compares two pictures each of two identities",
        ),
        ("trained_on: [faces]", "trained_on: [imagenet]", "there is no data set `imagenet`"),
        ("family: torchvision", "family: torchvison", "did you mean `torchvision`?"),
        ("\"Male\"", "\"Mail\"", "there is no attribute `Mail`"),
    ];
    let desk = Desk::empty();
    desk.write("m.yaml", MATRIX.as_bytes());
    assert!(desk.succeed(&["check", "m.yaml"]).contains("2 models (1 excluded)"));
    for (from, to, says) in slips {
        desk.write("m.yaml", MATRIX.as_bytes());
        desk.edit("m.yaml", from, to);
        let said = desk.visavis(&["check", "m.yaml"]);
        assert!(
            said.code == 2 && said.err.contains(says) && said.err.contains("m.yaml:"),
            "{from} → {to}:\n{}{}",
            said.out,
            said.err
        );
    }
    // A name that the matrix does not give is free: only factors of several levels are in it. A name that it gives is taken, also
    // where nothing is excluded.
    desk.write("m.yaml", MATRIX.replace("    other:", "    resnet34-softmax-faces-reflect:").as_bytes());
    assert!(desk.succeed(&["check", "m.yaml"]).contains("2 models (1 excluded)"));
    desk.write(
        "m.yaml",
        MATRIX.replace("exclude:\n      - { loss: arcface }\n", "exclude: []\n").replace("    other:", "    softmax:").as_bytes(),
    );
    let said = desk.visavis(&["check", "m.yaml"]);
    assert!(
        said.code == 2 && said.err.contains("the model `softmax` is there already") && said.err.contains("m.yaml:18:5"),
        "{}",
        said.err
    );
}

#[test]
fn an_empty_class_is_a_warning_and_its_cells_are_undefined() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "digit=1\"", "digit=11\", may_be_absent: true");
    let said = desk.visavis(&["check", STUDY]);
    assert!(
        said.code == 0 && said.err.contains("no image is in the class `One`") && said.err.contains("no label of `digit` is `11`"),
        "{}",
        said.err
    );
    desk.ran(STUDY);
    let ledger = desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "jsonl"]);
    let rows: Vec<serde_json::Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows: Vec<&serde_json::Value> = rows.iter().filter(|row| row["comparison"] == "zero or one").collect();
    assert!(rows.len() > 1 && rows.iter().all(|row| row["value"].is_null() && row["rank"].is_null() && row["picked"] == false));
    desk.succeed(&["report", STUDY, "--quiet"]);
    assert_eq!(desk.visavis(&["audit", "reports/small.html"]).code, 0);
}

/// An `.npy` file of f32.
fn npy(rows: usize, columns: usize, value: impl Fn(usize) -> f32) -> Vec<u8> {
    let matrix = visavis_core::numeric::Matrix::new(rows, columns, (0..rows * columns).map(value).collect()).unwrap();
    visavis_core::dataset::array::to_npy(&matrix)
}

#[test]
fn features_that_cannot_be_used_are_told_and_the_rest_is_done() {
    let cases: [(&str, Vec<u8>, &str); 6] = [
        (
            "NaN",
            npy(700, 4, |i| if i == 410 { f32::NAN } else { i as f32 }),
            "the features of the image `0102.png` hold NaN: row 102, column 2",
        ),
        ("too few rows", npy(699, 4, |i| i as f32), "699 rows of features, but 700 image ids"),
        ("one dimension of nothing", npy(700, 0, |i| i as f32), "features without columns"),
        ("all the same", npy(700, 4, |_| 1.0), "all 700 images have the same features"),
        ("no array", b"hello".to_vec(), "not an array: the file is plain text"),
        ("cut short", npy(700, 4, |i| i as f32)[..5000].to_vec(), "cut short or damaged"),
    ];
    for (case, bytes, says) in cases {
        let desk = Desk::with_digits();
        desk.write("data/digits/blocks.npy", &bytes);
        let said = desk.visavis(&["run", STUDY]);
        assert!(said.code == 3 && said.err.contains(says), "{case}: {}\n{}", said.code, said.err);
        // The other model was scored all the same.
        assert!(desk.succeed(&["export", STUDY, "--what", "scores"]).contains("pixels,embedding,pca,axis 1"), "{case}");
    }
}

#[test]
fn images_without_labels_are_named_with_their_line() {
    let desk = Desk::with_digits();
    desk.edit("data/digits/images.txt", "0001.png", "9999.png");
    let said = desk.visavis(&["plan", STUDY]);
    assert!(
        said.code == 2
            && said.err.contains("have no features of 1 of the 700 images that are evaluated: `0001.png`")
            && said.err.contains("such as `9999.png`")
            && said.err.contains("images.txt:2:1"),
        "{}",
        said.err
    );
    desk.edit("data/digits/images.txt", "9999.png", "0000.png");
    let said = desk.visavis(&["plan", STUDY]);
    assert!(said.code == 2 && said.err.contains("listed twice") && said.err.contains("images.txt:2:1"), "{}", said.err);
}

#[test]
fn label_files_that_cannot_be_used_are_placed() {
    let cases = [
        // A column of names that is called otherwise is recognised; without a header nobody knows what the columns are.
        ("image_id,digit,even,bold,ink\n", "", "the label file has no header", "labels.csv:1:1"),
        ("0001.png,1", "0000.png,1", "the image `0000.png` is labelled twice", "labels.csv:3:1"),
        ("0001.png,1,0,0", "0001.png,1,0", "fields where the header has", "labels.csv:3:1"),
        ("0001.png,1", "0001.png,\u{1b}]0;owned\u{7}", "control characters", "labels.csv:3:10"),
    ];
    for (from, to, says, place) in cases {
        let desk = Desk::with_digits();
        desk.edit("data/digits/labels.csv", from, to);
        let said = desk.visavis(&["plan", STUDY]);
        assert!(said.code == 2 && said.err.contains(says) && said.err.contains(place), "{from} → {to}: {}", said.err);
        assert!(!said.err.contains('\u{1b}'), "{}", said.err);
    }
}

#[test]
fn a_picture_with_a_steering_name_is_refused_and_printed_plainly() {
    let desk = Desk::with_digits();
    desk.write("data/digits/images/a\u{1b}[2Jb.png", b"x");
    let said = desk.visavis(&["plan", STUDY]);
    assert!(said.code == 2 && said.err.contains("control characters") && said.err.contains("a\\u{1b}[2Jb.png"), "{}", said.err);
}

#[test]
fn files_that_are_not_there_are_missing_inputs_for_a_plan_and_an_error_when_named() {
    let desk = Desk::with_digits();
    std::fs::remove_file(desk.path("data/digits/blocks.npy")).unwrap();
    let plan = desk.json(&["plan", STUDY]);
    let missing = &plan["missing"][0];
    assert_eq!((missing["expected_at"].as_str(), missing["cells"].as_u64()), (Some("data/digits/blocks.npy"), Some(12)));
    assert_eq!(desk.visavis(&["run", STUDY]).code, 5, "it did what it could");
    assert!(desk.succeed(&["export", STUDY, "--what", "scores"]).contains("pixels,"));
    let said = desk.visavis(&["run", "absent.yaml"]);
    assert!(said.code == 2 && said.err.contains("cannot read the study file: no such file or directory"), "{}", said.err);
    let said = desk.visavis(&["run", "experiments"]);
    assert!(said.code != 0 && said.err.contains("cannot read the study file: is a directory"), "{}", said.err);
}

#[test]
fn usage_that_is_wrong_exits_2_and_what_comes_later_exits_5() {
    let desk = Desk::with_digits();
    for wrong in [&["rnu"][..], &["run"], &["export", STUDY], &["run", STUDY, "--jobs", "0"], &["--threads", "x", "plan", STUDY]]
    {
        assert_eq!(desk.visavis(wrong).code, 2, "{wrong:?}");
    }
    for later in [&["run", STUDY, "--on", "slurm"][..], &["run", STUDY, "--devices", "cuda:0"], &["report", STUDY]] {
        assert_eq!(desk.visavis(later).code, 5, "{later:?}");
    }
}

#[test]
fn long_lists_of_values_run_and_monstrous_files_are_told_at_once() {
    let desk = Desk::with_digits();
    let list = (0..200).map(|value| format!("digit={}", value % 5)).collect::<Vec<_>>().join(" or ");
    desk.edit(STUDY, "\"even\"", &format!("\"{list}\""));
    desk.succeed(&["run", STUDY, "--quiet"]);
    for (monster, says) in [
        ("x: ".to_owned() + &"[".repeat(100_000), "nested too deeply"),
        (String::new(), "is empty"),
        ("\n \n".to_owned(), "is empty"),
    ] {
        desk.write("monster.yaml", monster.as_bytes());
        let said = desk.visavis(&["check", "monster.yaml"]);
        assert!(said.code == 2 && said.err.contains(says), "{}", said.err);
    }
    desk.write("long.yaml", format!("x: \"{}A\"", "A and ".repeat(100_000)).as_bytes());
    assert_eq!(desk.visavis(&["check", "long.yaml"]).code, 2);
    let said = desk.visavis(&["check", "/dev/zero"]);
    assert!(said.code == 2 && said.err.contains("it is a device or a socket, not a file"), "{}", said.err);
    assert_eq!(desk.visavis(&["plan", STUDY, "--workspace", "nowhere"]).code, 2);
    assert!(!desk.path("nowhere").exists());
}

#[test]
fn an_array_whose_header_overflows_is_damaged_and_no_bug() {
    let desk = Desk::with_digits();
    let honest = String::from_utf8_lossy(&npy(3, 2, |i| i as f32)[10..]).into_owned();
    let lying = honest.replacen("(3, 2", "(4611686018427387904, 12", 1);
    let header = lying.split('\n').next().unwrap().trim_end().to_owned() + "\n";
    let length = (header.len() as u16).to_le_bytes();
    desk.write("data/digits/blocks.npy", &[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[0; 48]].concat());
    let said = desk.visavis(&["run", STUDY]);
    assert!(
        said.code == 3 && said.err.contains("cut short or damaged") && !said.err.contains("a bug"),
        "{}: {}",
        said.code,
        said.err
    );
}

#[test]
fn names_that_are_one_to_people_are_one() {
    for (from, to, says) in [
        ("    blocks:", "    \" pixels\":", "begins or ends with a space"),
        ("  even or odd:", "  1: { A: even, B: not even }\n  \"1\":", "the key `1` is written twice"),
    ] {
        let desk = Desk::with_digits();
        desk.edit(STUDY, from, to);
        let said = desk.visavis(&["check", STUDY]);
        assert!(said.code == 2 && said.err.contains(says), "{}", said.err);
    }
}
