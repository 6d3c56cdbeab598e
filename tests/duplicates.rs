//! `data check --deep`: faults between pictures, in a set and between two.

use crate::desk::Desk;
use std::{fs, path::Path};

/// Folders of a folder, sorted.
fn folders(root: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| root.join(name).is_dir());
    names.sort();
    names
}

/// How often a kind of finding was found, among `defects` or `notes`.
fn count(found: &serde_json::Value, of: &str, word: &str) -> u64 {
    let all = found[of].as_array().unwrap();
    all.iter().find(|entry| entry["defect"] == word).map_or(0, |entry| entry["count"].as_u64().unwrap())
}

/// Training folders that share 50 pictures and 20 identities with an evaluation set.
#[test]
fn what_a_training_set_shares_with_the_evaluation_set_is_found_and_named() {
    let desk = Desk::empty();
    let draw = |set: &str, seed: &str| {
        let words =
            ["data", "draw", set, "--train", "textures", "--identities", "30", "--images", "120", "--seed", seed, "--quiet"];
        desk.succeed(&words);
    };
    draw("train", "1");
    draw("drawn", "2");
    // The evaluation set: other textures under names of its own, but for twenty; and fifty pictures of the training set.
    let (train, drawn) = (folders(&desk.path("train")), folders(&desk.path("drawn")));
    for (place, name) in drawn.iter().enumerate() {
        let called = if place < 20 { format!("person{place:02}") } else { format!("other{place:02}") };
        let to = desk.path(&format!("eval/{called}"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(desk.path(&format!("drawn/{name}")), &to).unwrap();
    }
    for (place, name) in train.iter().enumerate() {
        let called = if place < 20 { format!("person{place:02}") } else { format!("else{place:02}") };
        fs::rename(desk.path(&format!("train/{name}")), desk.path(&format!("train/{called}"))).unwrap();
    }
    let mut copied = 0;
    for name in folders(&desk.path("train")) {
        let mut pictures: Vec<_> =
            fs::read_dir(desk.path(&format!("train/{name}"))).unwrap().map(|entry| entry.unwrap().path()).collect();
        pictures.sort();
        for picture in pictures.iter().take(2).take(50 - copied) {
            fs::copy(picture, desk.path(&format!("eval/other25/shared{copied:02}.jpg"))).unwrap();
            copied += 1;
        }
    }
    assert_eq!(copied, 50);
    let said = desk.visavis(&["data", "check", "train", "--deep", "--against", "eval", "--json"]);
    assert_eq!(said.code, 2, "{}", said.err);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(count(&found, "defects", "picture-in-both-sets"), 50);
    assert_eq!(count(&found, "notes", "identity-in-both-sets"), 20);
    let named = found["defects"].to_string() + &found["notes"].to_string();
    assert!(named.contains("other25/shared") && named.contains("`person00`"), "{named}");
    assert_eq!(found["deep"]["looked_at_before"], 0);
    // What was looked at is kept.
    let again: serde_json::Value =
        serde_json::from_str(&desk.visavis(&["data", "check", "train", "--deep", "--json"]).out).unwrap();
    assert_eq!(again["deep"]["looked_at_before"], 120);
}

const STUDY: &str = r#"format: 1
study: shared
seed: 3
numerics: { device: cpu, threads: 1 }
datasets:
  faces: { images: { root: data/faces/img_align_celeba, labels: data/people.csv, identities: { column: person } } }
  people: { folders: { root: data/people } }
preparations: { tiny: { crop: whole, size: 16 } }
recipes: { short: { epochs: 1, batch: 8, optimizer: { sgd: { rate: 0.05 } } } }
evaluation: { dataset: faces }
models:
  named:
    trained: { architecture: { resnet34: { width: 0.1 } }, loss: softmax, trained_on: people, prepare: tiny, train: { recipe: short } }
    pixels: { baseline: pixels, prepare: tiny }
projections: [pca: { axes: 2 }]
comparisons: { smile: { Smiling: "Smiling", Not: "not Smiling" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

/// Drawn faces to evaluate on, and others to learn from, that share twenty names, fifty pictures, and three more that were encoded anew.
fn shared() -> Desk {
    let desk = Desk::empty();
    desk.write("shared.yaml", STUDY.as_bytes());
    desk.succeed(&["data", "draw", "data/faces", "--identities", "40", "--images", "120", "--quiet"]);
    desk.succeed(&["data", "draw", "data/people", "--train", "varied", "--identities", "30", "--images", "90", "--quiet"]);
    let attributes = desk.read("data/faces/list_attr_celeba.txt");
    let names: Vec<&str> = attributes.lines().nth(1).unwrap().split_whitespace().collect();
    let smile = names.iter().position(|name| *name == "Smiling").unwrap();
    let mut table = "image_id,person,Smiling\n".to_owned();
    let identities = desk.read("data/faces/identity_CelebA.txt");
    let mut people: Vec<String> = Vec::new();
    for (row, identity) in attributes.lines().skip(2).zip(identities.lines()) {
        let (words, (image, person)) = (row.split_whitespace().collect::<Vec<_>>(), identity.split_once(' ').unwrap());
        assert_eq!(words[0], image);
        let person = format!("actor_{person}");
        table += &format!("{image},{person},{}\n", words[1 + smile]);
        people.push(person);
    }
    desk.write("data/people.csv", table.as_bytes());
    people.sort();
    people.dedup();
    let people_root = desk.path("data/people");
    for (folder, person) in folders(&people_root).iter().zip(&people).take(20) {
        fs::rename(people_root.join(folder), people_root.join(person)).unwrap();
    }
    let last = folders(&people_root).into_iter().rfind(|name| !name.starts_with("actor_")).unwrap();
    let picture = |image: usize| desk.path(&format!("data/faces/img_align_celeba/{image:06}.jpg"));
    for image in 1..=50 {
        fs::copy(picture(image), people_root.join(&last).join(format!("copied{image:02}.jpg"))).unwrap();
    }
    for image in 51..=53 {
        image::open(picture(image)).unwrap().save(people_root.join(&last).join(format!("anew{image}.png"))).unwrap();
    }
    desk
}

/// A row of the report's table of what is shared: its claims, and its text.
fn row<'a>(page: &'a str, head: &str) -> (Vec<&'a str>, &'a str) {
    let row = page.split(&format!("<th scope=\"row\">{head}</th>")).nth(1).unwrap_or_else(|| panic!("no row {head}"));
    let row = &row[..row.find("</tr>").unwrap()];
    (
        row.split("</data>")
            .filter_map(|part| part.rsplit_once('>'))
            .map(|(_, number)| number)
            .filter(|of| !of.is_empty())
            .collect(),
        row,
    )
}

/// The training needs no libtorch to be compared: the comparison is a step of the study like others.
#[test]
fn a_report_says_what_the_training_set_shares_with_the_evaluation_and_an_audit_finds_it_again() {
    let desk = shared();
    let run = desk.command(&["run", "shared.yaml", "--quiet"]).env("VISAVIS_TORCH", "/nowhere").output().unwrap();
    assert_eq!(run.status.code(), Some(5), "{}", String::from_utf8_lossy(&run.stderr));
    desk.succeed(&["report", "shared.yaml", "-o", "page.html", "--quiet"]);
    let page = desk.page("page.html").replace("&#x2F;", "/");
    assert!(page.contains("What the training set <span class=\"name\">people</span> shares with the evaluation"), "no table");
    let (same, near, names) = (
        row(&page, "the same picture, byte for byte"),
        row(&page, "a picture that looks the same"),
        row(&page, "identities of one name"),
    );
    assert_eq!((&same.0[..], &near.0[..]), (&["50", "50"][..], &["3", "3"][..]), "{}{}", same.1, near.1);
    assert!(same.1.contains("<code>000001.jpg</code> is <code>") && same.1.contains("/copied01.jpg</code>"), "{}", same.1);
    assert!(near.1.contains("<code>000051.jpg</code> is like <code>") && near.1.contains("/anew51.png</code>"), "{}", near.1);
    assert_eq!((names.0[0], names.0[1], names.0[3]), ("20", "40", "20"), "{}", names.1);
    assert!(names.1.contains("<code>actor_1</code>"), "{}", names.1);
    // Counted again from the hashes; and with the pictures, from these.
    for depth in ["metrics", "features"] {
        let audit = desk.visavis(&["audit", "page.html", "--recompute", depth, "--json"]);
        let found: serde_json::Value = serde_json::from_str(audit.out.lines().last().unwrap()).unwrap();
        assert_eq!((audit.code, found["verdict"].as_str()), (0, Some("identical")), "{depth} {found}");
    }
    let forged = desk.read("page.html").replacen(">50</data>", ">49</data>", 1);
    desk.write("forged.html", forged.as_bytes());
    assert_eq!(desk.visavis(&["audit", "forged.html", "--quick"]).code, 4);
    // A picture less to learn from: what is shared is stale, and only what follows from the pictures is made again.
    let copied = folders(&desk.path("data/people")).into_iter().rfind(|name| !name.starts_with("actor_")).unwrap();
    fs::remove_file(desk.path(&format!("data/people/{copied}/copied01.jpg"))).unwrap();
    let plan = desk.command(&["plan", "shared.yaml", "--json"]).env("VISAVIS_TORCH", "/nowhere").output().unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    let to_run = |kind: &str| {
        plan["stages"].as_array().unwrap().iter().find(|of| of["kind"] == kind).map_or(0, |of| of["to_run"].as_u64().unwrap())
    };
    assert_eq!((to_run("index"), to_run("project")), (0, 0), "{plan}");
    assert_eq!(to_run("features"), 2, "the hashes and the sample of the training set: {plan}");
}

#[test]
fn a_picture_under_two_identities_is_a_defect_and_one_that_only_looks_alike_a_note() {
    let desk = Desk::empty();
    let words = ["data", "draw", "set", "--train", "varied", "--identities", "4", "--images", "8", "--seed", "3", "--quiet"];
    desk.succeed(&words);
    let names = folders(&desk.path("set"));
    let picture = |name: &str| {
        let mut all: Vec<_> =
            fs::read_dir(desk.path(&format!("set/{name}"))).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all.remove(0)
    };
    let clean = desk.visavis(&["data", "check", "set", "--deep", "--json"]);
    assert_eq!(clean.code, 0, "{}{}", clean.out, clean.err);
    let original = image::open(picture(&names[0])).unwrap();
    original.save(desk.path(&format!("set/{}/again.png", names[1]))).unwrap();
    let near: serde_json::Value = serde_json::from_str(&desk.succeed(&["data", "check", "set", "--deep", "--json"])).unwrap();
    assert_eq!(count(&near, "notes", "near-duplicate-two-identities"), 1, "{near}");
    fs::copy(picture(&names[2]), desk.path(&format!("set/{}/same.jpg", names[3]))).unwrap();
    let said = desk.visavis(&["data", "check", "set", "--deep"]);
    assert_eq!(said.code, 2);
    let lines =
        ["same-picture-two-identities", &format!("`{}/same.jpg` of `{}`; this one is of `{}`", names[3], names[3], names[2])];
    assert!(lines.iter().all(|line| said.out.contains(line)), "{}", said.out);
}
