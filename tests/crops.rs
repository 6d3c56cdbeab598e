//! Crops that need to know where the face is: from CelebA's tables and from tables of one's own, and what is said where those fail.

use crate::desk::Desk;
use std::fs;

pub(crate) const ALIGNED: &str = "aligned.yaml";

const STUDY: &str = r#"format: 1
study: aligned
seed: 1
datasets: { faces: { celeba: { root: data/faces } } }
preparations:
  whole: { crop: whole, size: 16 }
  aligned: { crop: aligned, size: 16, pad: zero }
evaluation: { dataset: faces, partition: all }
models:
  named:
    whole: { baseline: pixels, prepare: whole }
    aligned: { baseline: pixels, prepare: aligned }
projections: [pca: { axes: 2 }]
comparisons: { smile: { Smiling: "Smiling", Not: "not Smiling" } }
contrasts: { crop: { pair: [whole, aligned] } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

const TABLE: &str = "data/faces/list_landmarks_align_celeba.txt";

pub(crate) fn desk() -> Desk {
    let desk = Desk::empty();
    desk.write(ALIGNED, STUDY.as_bytes());
    desk.succeed(&["data", "draw", "data/faces", "--identities", "6", "--images", "24", "--quiet"]);
    desk
}

/// Puts other numbers into the row of the first picture.
fn first_row(desk: &Desk, numbers: &str) {
    let table = desk.read(TABLE);
    let row = table.lines().find(|line| line.starts_with("000001.jpg")).unwrap().to_owned();
    desk.edit(TABLE, &row, &format!("000001.jpg {numbers}"));
}

fn refused(desk: &Desk, words: &[&str]) {
    let said = desk.visavis(&["check", ALIGNED]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    for word in words {
        assert!(said.err.contains(word), "{word}\n{}", said.err);
    }
}

#[test]
fn faces_are_aligned_by_celebas_landmarks_and_a_change_of_them_makes_only_these_features_again() {
    let desk = desk();
    let said = desk.visavis(&["check", ALIGNED]);
    assert!(said.err.contains("cropped `whole`") || said.out.contains("cropped `whole`"), "{}{}", said.out, said.err);
    desk.succeed(&["run", ALIGNED, "--quiet"]);
    let to_run = |kind: &str| {
        let plan = desk.json(&["plan", ALIGNED]);
        let stages = plan["stages"].as_array().unwrap().clone();
        stages.iter().find(|of| of["kind"] == kind).map_or(0, |of| of["to_run"].as_u64().unwrap())
    };
    assert_eq!(to_run("features"), 0);
    first_row(&desk, "60 110 110 111 85 140 66 158 104 158");
    assert_eq!(
        to_run("features"),
        3,
        "the aligned model's, those of the other on the shared crop, and nuisances, measured beside the head"
    );
}

const HATS: &str = r#"format: 1
study: hats
seed: 1
datasets: { people: { images: { root: data/people, labels: data/labels.csv, identities: each_image, landmarks: data/landmarks.csv } } }
preparations:
  whole: { crop: whole, size: 24 }
  aligned: { crop: aligned, size: 16, pad: zero }
evaluation: { dataset: people }
models:
  named:
    whole: { baseline: pixels, prepare: whole }
    aligned: { baseline: pixels, prepare: aligned }
projections: [pca: { axes: 2 }]
comparisons: { hat: { Hat: "Wearing_Hat", None: "not Wearing_Hat" } }
contrasts: { crop: { pair: [whole, aligned] } }
statistics: { bootstraps: 200, permutations: 200, min_positives: 5 }
"#;

/// Pictures of noise, every second of them with something bright above where its face is said to be.
fn hats() -> Desk {
    let desk = Desk::empty();
    desk.write("hats.yaml", HATS.as_bytes());
    std::fs::create_dir_all(desk.path("data/people")).unwrap();
    let (mut labels, mut landmarks) = ("image_id,Wearing_Hat\n".to_owned(), String::new());
    let mut noise: u32 = 1;
    for person in 0..120 {
        let picture = image::RgbImage::from_fn(160, 160, |_, y| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let has_hat = person % 2 == 0 && y < 40;
            let grey = if has_hat { 250 } else { (noise >> 25) as u8 };
            image::Rgb([grey; 3])
        });
        picture.save(desk.path(&format!("data/people/{person:03}.png"))).unwrap();
        labels += &format!("{person:03}.png,{}\n", u8::from(person % 2 == 0));
        // ArcFace's template, 24 to the right and 48 down: the crop begins below the bright part.
        landmarks += &format!("{person:03}.png,62.3,99.7,97.5,99.5,80.0,119.7,65.5,140.4,94.7,140.2\n");
    }
    desk.write("data/labels.csv", labels.as_bytes());
    desk.write("data/landmarks.csv", landmarks.as_bytes());
    desk
}

#[test]
fn a_hat_above_a_crop_tells_the_sides_apart_on_their_own_crops_and_not_on_the_shared_one_where_it_is_not_visible() {
    let desk = hats();
    desk.succeed(&["run", "hats.yaml", "--quiet"]);
    let stages = desk.json(&["plan", "hats.yaml"])["stages"].as_array().unwrap().clone();
    assert!(stages.iter().all(|of| of["to_run"] == 0), "they are stages like others: {stages:?}");

    let table = desk.visavis(&["export", "hats.yaml", "--what", "contrasts", "--format", "jsonl"]).out;
    let rows: Vec<serde_json::Value> = table.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let said: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["crop"].as_str().unwrap(), row["verdict"].as_str().unwrap())).collect();
    assert_eq!(said, [("own", "lower"), ("shared: aligned", "inconclusive")], "{table}");
    let said = desk.visavis(&["compare", "hats.yaml"]).out;
    assert!(said.contains("crops differ (whole and aligned); also compared on a shared crop (aligned)"), "{said}");
    assert!(said.contains("aligned against whole, on a shared crop: inconclusive on 1"), "{said}");

    let table = desk.visavis(&["export", "hats.yaml", "--what", "scores", "--format", "jsonl"]).out;
    let rows = || table.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    assert!(rows().filter(|row| row["model"] == "aligned").all(|row| row["visible"] == "no"), "{table}");
    assert!(rows().filter(|row| row["model"] == "whole").all(|row| row["visible"] == "yes" && row["visible_share"] == 1.0));
    let shown = desk.visavis(&["show", "hats.yaml"]).out;
    assert!(shown.contains("not visible: Wearing_Hat") && shown.contains("each on its own crop: lower on 1"), "{shown}");

    desk.succeed(&["report", "hats.yaml", "--quiet"]);
    let page = desk.page("reports/hats.html");
    assert!(page.contains("On a shared crop") && page.contains("of the hat that Wearing_Hat needs is inside the crop"));
    let audit = desk.visavis(&["audit", "reports/hats.html"]);
    assert_eq!(audit.code, 0, "{}{}", audit.out, audit.err);
}

#[test]
fn landmarks_that_cannot_be_are_refused_with_the_name_of_the_image() {
    let desk = desk();
    let table = desk.read(TABLE);
    first_row(&desk, "80 80 80 80 80 80 80 80 80 80");
    refused(&desk, &["000001.jpg", "all landmarks lie on one point", "leave_out"]);
    desk.write(TABLE, table.as_bytes());
    first_row(&desk, "600 610 900 611 750 800 640 950 860 950");
    refused(&desk, &["000001.jpg", "does not lie in it: it is 178 × 218"]);
    desk.write(TABLE, table.as_bytes());
    first_row(&desk, "60 110 110");
    refused(&desk, &["000001.jpg has 3 numbers where landmarks have 10"]);
    // An image without a row.
    desk.write(
        TABLE,
        table
            .lines()
            .filter(|line| !line.starts_with("000001.jpg"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            .as_bytes(),
    );
    refused(&desk, &["1 of 24 images have no landmarks here, such as 000001.jpg"]);
    desk.edit(ALIGNED, "partition: all }", "partition: all, on_missing: leave_out }");
    let said = desk.visavis(&["check", ALIGNED]);
    assert!(said.code == 0 && (said.err.clone() + &said.out).contains("1 of 24 images is left out"), "{}{}", said.out, said.err);
}

#[test]
fn a_table_that_is_absent_is_a_missing_input_and_only_its_models_wait() {
    let desk = desk();
    fs::remove_file(desk.path(TABLE)).unwrap();
    let plan = desk.json(&["plan", ALIGNED]);
    let missing = plan["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 1, "{plan}");
    assert_eq!(missing[0]["input"], "landmarks of the data set `faces`");
    assert!(missing[0]["expected_at"].as_str().unwrap().ends_with("list_landmarks_align_celeba.txt"));
    assert!(missing[0]["cells"].as_u64().unwrap() < plan["cells"].as_u64().unwrap());
}

#[test]
fn a_crop_around_the_face_takes_boxes_of_ones_own() {
    let desk = desk();
    desk.edit(ALIGNED, "crop: aligned, size: 16", "crop: face, margin: 1.2, size: 16");
    refused(&desk, &["there are no boxes of the pictures in img_align_celeba", "boxes: ../boxes.csv"]);
    desk.edit(ALIGNED, "root: data/faces }", "root: data/faces, boxes: data/boxes.csv }");
    let boxes = |first: &str| {
        let row = |image: usize| format!("{image:06}.jpg,40,60,100,120\n");
        let rows: String = (2..=24).map(row).collect();
        desk.write("data/boxes.csv", format!("image,left,top,width,height\n000001.jpg,{first}\n{rows}").as_bytes());
    };
    boxes("40,60,0,120");
    refused(&desk, &["the image 000001.jpg: a box of 0 × 120 pixels has no face in it"]);
    boxes("40,60,100,120");
    desk.succeed(&["run", ALIGNED, "--quiet"]);
}
