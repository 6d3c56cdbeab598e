//! Verification sets, from files to an audited page: numbers beside the protocol written out here, what a changed picture makes run
//! again, and files that cannot be used.

use crate::{
    desk::{Desk, Said},
    networks::{self, STUDY},
};
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

const SETS: &str = "verification:\n  far: 0.1\n  sets:\n    pickled: ../data/pairs.bin\n    own: { pairs: ../data/pairs.csv, root: ../data/own }\n";
const SUMMED: &str = "    summed: { architecture: { resnet34: { width: 0.1 } }, loss: softmax, trained_on: people, prepare: tiny, embedding: { \
                      flip: sum }, train: { recipe: short } }\n";

struct NamedPair {
    pictures: [String; 2],
    is_same: bool,
}

/// Forty pairs of the drawn faces, of one identity and of two by turns.
fn pairs(desk: &Desk) -> Vec<NamedPair> {
    let mut of_identity: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for line in desk.read("data/faces/identity_CelebA.txt").lines() {
        let (picture, identity) = line.split_once(' ').unwrap();
        of_identity.entry(identity.trim().parse().unwrap()).or_default().push(picture.to_owned());
    }
    let people: Vec<&Vec<String>> = of_identity.values().filter(|pictures| pictures.len() >= 2).collect();
    let pair = |place: usize| {
        let (one, other) = (people[place / 2 % people.len()], people[(place / 2 + 1 + place / 20) % people.len()]);
        let is_same = place.is_multiple_of(2);
        let second = if is_same { &one[1 + place / 28 % (one.len() - 1)] } else { &other[place % other.len()] };
        NamedPair { pictures: [one[0].clone(), second.clone()], is_same }
    };
    (0..40).map(pair).collect()
}

/// A pickle as Python 3 writes it: two lists, bytes and answers.
fn pickle(pictures: &[Vec<u8>], answers: &[bool]) -> Vec<u8> {
    let mut out = b"\x80\x03](".to_vec();
    for picture in pictures {
        out.push(b'B');
        out.extend((picture.len() as u32).to_le_bytes());
        out.extend(picture);
    }
    out.extend(b"e](");
    out.extend(answers.iter().map(|answer| if *answer { 0x88 } else { 0x89 }));
    out.extend(b"e\x86.");
    out
}

/// The drawn study with both kinds of verification sets, of the same pairs.
fn desk() -> (Desk, Vec<NamedPair>) {
    let desk = networks::desk();
    let pairs = pairs(&desk);
    let picture = |name: &String| fs::read(desk.path("data/faces/img_align_celeba").join(name)).unwrap();
    for name in pairs.iter().flat_map(|pair| &pair.pictures) {
        desk.write(&format!("data/own/{name}"), &picture(name));
    }
    let line = |pair: &NamedPair| format!("{},{},{}\n", pair.pictures[0], pair.pictures[1], u8::from(pair.is_same));
    desk.write("data/pairs.csv", ("one,other,same\n".to_owned() + &pairs.iter().map(line).collect::<String>()).as_bytes());
    let bytes: Vec<Vec<u8>> = pairs.iter().flat_map(|pair| &pair.pictures).map(picture).collect();
    let answers: Vec<bool> = pairs.iter().map(|pair| pair.is_same).collect();
    desk.write("data/pairs.bin", &pickle(&bytes, &answers));
    desk.edit(STUDY, "    pixels:", &format!("{SUMMED}    pixels:"));
    let contrasts = "contrasts: { learning: { pair: [untrained, summed] } }\n";
    desk.edit(STUDY, "statistics:", &format!("{SETS}{contrasts}statistics:"));
    (desk, pairs)
}

fn table(csv: &str) -> Vec<HashMap<String, String>> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let heads = lines.next().unwrap();
    lines.map(|cells| heads.iter().cloned().zip(cells).collect()).collect()
}

/// Accuracy, its deviation, TAR, its deviation and FAR, as InsightFace's `verification.py` defines them, of forty pairs or so.
fn protocol(distances: &[f64], is_same: &[bool], target: f64) -> [f64; 5] {
    let size = distances.len() / 10;
    let (mut accuracies, mut tars, mut fars) = (vec![], vec![], vec![]);
    for fold in 0..10 {
        let is_tested = |place: usize| place / size == fold;
        let count = |tested: bool, counts: &dyn Fn(f64, bool) -> bool| {
            let of = (0..distances.len()).filter(|place| is_tested(*place) == tested);
            of.filter(|place| counts(distances[*place], is_same[*place])).count() as f64
        };
        let right = |tested: bool, threshold: f64| count(tested, &|distance, same| (distance < threshold) == same);
        let mut best = 0;
        for step in 0..400 {
            if right(false, f64::from(step) * 0.01) > right(false, f64::from(best) * 0.01) {
                best = step;
            }
        }
        accuracies.push(right(true, f64::from(best) * 0.01) / size as f64);
        let rate = |tested: bool, same: bool, threshold: f64| {
            count(tested, &|distance, of| of == same && distance < threshold) / count(tested, &|_, of| of == same)
        };
        let thresholds: Vec<f64> = (0..4000).map(|step| f64::from(step) * 0.001).collect();
        let rates: Vec<f64> = thresholds.iter().map(|threshold| rate(false, false, *threshold)).collect();
        let below = rates.iter().rposition(|rate| *rate <= target).unwrap();
        let threshold = match rates.get(below + 1) {
            Some(above) => thresholds[below] + (target - rates[below]) / (above - rates[below]) * 0.001,
            None if rates[below] >= target => thresholds[below],
            None => 0.0,
        };
        tars.push(rate(true, true, threshold));
        fars.push(rate(true, false, threshold));
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let deviation = |values: &[f64]| (values.iter().map(|value| (value - mean(values)).powi(2)).sum::<f64>() / 10.0).sqrt();
    [mean(&accuracies), deviation(&accuracies), mean(&tars), deviation(&tars), mean(&fars)]
}

/// Squared distances of embeddings of length 1, by the features that the study exports of the same pictures.
fn distances(desk: &Desk, model: &str, pairs: &[NamedPair]) -> Vec<f64> {
    let csv = desk.succeed(&["export", STUDY, "--what", "features", "--model", model, "--layer", "embedding"]);
    let units: HashMap<String, Vec<f64>> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let (image, rest) = line.split_once(',').unwrap();
            let values: Vec<f64> = rest.split(',').map(|value| value.parse().unwrap()).collect();
            let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
            (image.to_owned(), values.iter().map(|value| value / length).collect())
        })
        .collect();
    let apart =
        |[one, other]: &[String; 2]| units[one].iter().zip(&units[other]).map(|(one, other)| (one - other).powi(2)).sum::<f64>();
    pairs.iter().map(|pair| apart(&pair.pictures)).collect()
}

#[test]
fn pairs_are_verified_as_insightface_does_shown_everywhere_and_made_again_where_a_picture_changes() {
    let (desk, pairs) = desk();
    desk.succeed(&["check", STUDY]);
    desk.succeed(&["run", STUDY, "--quiet"]);

    let rows = table(&desk.succeed(&["export", STUDY, "--what", "verification"]));
    let of = |set: &str| rows.iter().filter(|row| row["set"] == set).collect::<Vec<_>>();
    assert!(of("faces").iter().all(|row| row["protocol"] == "study" && row["accuracy"].is_empty() && !row["auc"].is_empty()));
    assert_eq!((of("faces").len(), of("pickled").len(), of("own").len()), (4, 3, 3), "no pairs of pixels");
    let is_same: Vec<bool> = pairs.iter().map(|pair| pair.is_same).collect();
    let expected = protocol(&distances(&desk, "summed", &pairs), &is_same, 0.1);
    assert!(expected[0] > 0.4, "the pairs say something: {expected:?}");
    for row in rows.iter().filter(|row| row["protocol"] == "insightface" && !row["model"].contains("untrained")) {
        let found =
            ["accuracy", "accuracy_deviation", "tar", "tar_deviation", "far"].map(|name| row[name].parse::<f64>().unwrap());
        let is_near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
        assert!(is_near, "{} on {}: {found:?}, not {expected:?}", row["model"], row["set"]);
        assert_eq!(
            (row["pairs_same"].as_str(), row["pairs_different"].as_str(), row["target_far"].as_str()),
            ("20", "20", "0.1")
        );
    }

    let accuracy = format!("{:.3} ± {:.3}", expected[0], expected[1]);
    let shown = desk.succeed(&["show", STUDY]);
    assert!(shown.contains("TAR at FAR 0.1 over ten folds") && shown.matches(&accuracy).count() >= 4, "{accuracy}\n{shown}");
    assert!(shown.contains("pairs cannot be verified by pixels"), "{shown}");
    let compared = desk.succeed(&["compare", STUDY]);
    assert!(compared.contains("verification sets, by InsightFace's protocol") && compared.contains(&accuracy), "{compared}");
    let compared = desk.json(&["compare", STUDY]);
    let sets: Vec<&str> = compared["verification"].as_array().unwrap().iter().map(|row| row["set"].as_str().unwrap()).collect();
    assert_eq!(sets, ["pickled", "own"]);
    let right = compared["verification"][1]["accuracy"]["right"]["mean"].as_f64().unwrap();
    assert!((right - expected[0]).abs() < 1e-6, "{right}");
    let screen = desk.json(&["tui", "--study", STUDY, "--screen", "compare"]);
    let row = screen["rows"].as_array().unwrap().iter().find(|row| row["model"] == "summed").unwrap();
    assert!((row["pairs"].as_f64().or(row["pairs"]["value"].as_f64()).unwrap() - expected[0]).abs() < 1e-6, "{row}");

    the_page_is_audited(&desk, &accuracy);

    // One picture of the list: the embeddings of that set, of the two networks that there are, and its pairs.
    assert_eq!(desk.ran(STUDY).1, 0);
    fs::copy(desk.path("data/own").join(&pairs[1].pictures[1]), desk.path("data/own").join(&pairs[0].pictures[0])).unwrap();
    let explained = desk.succeed(&["plan", STUDY]);
    assert!(explained.contains("stale"), "{explained}");
    let (kinds, ran) = desk.ran(STUDY);
    assert_eq!((kinds, ran), (vec!["features".to_owned(), "score".to_owned()], 4));
    let after = table(&desk.succeed(&["export", STUDY, "--what", "verification"]));
    let keys = |rows: &[HashMap<String, String>], set: &str| -> Vec<String> {
        rows.iter().filter(|row| row["set"] == set).map(|row| row["key"].clone()).collect()
    };
    assert_eq!(keys(&after, "pickled"), keys(&rows, "pickled"));
    assert!(keys(&after, "own").iter().zip(keys(&rows, "own")).all(|(after, before)| *after != before));
}

fn the_page_is_audited(desk: &Desk, accuracy: &str) {
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.read("reports/tiny.html");
    let section = page.split("<section id=\"verification-sets\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(
        section.contains("pickled") && section.contains("own") && section.contains("<b class=\"name\"><bdi>pixels</bdi></b>"),
        "{section}"
    );
    let audit = |file: &str| {
        let said = desk.visavis(&["audit", file, "--json"]);
        let found: serde_json::Value = serde_json::from_str(said.out.lines().last().unwrap_or("null")).unwrap();
        (said.code, found)
    };
    let (code, found) = audit("reports/tiny.html");
    assert_eq!((code, found["verdict"].as_str()), (0, Some("identical")), "{found}");
    let claims: Vec<&serde_json::Value> = found["claims"].as_array().unwrap().iter().collect();
    let of_pairs = |claim: &&&serde_json::Value| claim.to_string().contains("pairs of own");
    assert!(claims.iter().filter(of_pairs).count() >= 12, "accuracy, TAR, FAR and counts of three networks");
    assert!(claims.iter().filter(of_pairs).all(|claim| claim["verdict"] == "identical"), "{found}");
    // The first accuracy of the section, one off in the last digit.
    let (mean, _) = accuracy.split_once(' ').unwrap();
    let at = page.find(section).unwrap() + section.find(&format!(">{mean}</data>")).unwrap() + 1;
    let last = mean.chars().last().unwrap();
    let other = format!("{}{}", &mean[..mean.len() - 1], if last == '9' { '8' } else { '9' });
    desk.write("forged.html", format!("{}{other}{}", &page[..at], &page[at + mean.len()..]).as_bytes());
    let (code, found) = audit("forged.html");
    assert!(code == 4 && found.to_string().contains(&other), "{found}");
}

/// A study of one network that never learned, with a verification section.
fn with_sets(sets: &str) -> Desk {
    let desk = Desk::with_digits();
    let network = "    network: { baseline: untrained, architecture: { resnet34: { width: 0.1 } }, prepare: tiny }\n";
    let study = "experiments/small.yaml";
    desk.edit(study, "models:\n  named:\n", &format!("preparations: {{ tiny: {{ size: 32 }} }}\nmodels:\n  named:\n{network}"));
    desk.edit(study, "statistics:", &format!("verification:\n  sets:\n{sets}statistics:"));
    desk.write("data/own/a.jpg", &fs::read(fixture("0.jpg")).unwrap());
    desk.write("data/own/b.jpg", &fs::read(fixture("1.jpg")).unwrap());
    desk
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pairs").join(name)
}

fn checked(desk: &Desk) -> Said {
    desk.visavis(&["check", "experiments/small.yaml"])
}

#[test]
fn pairs_that_cannot_be_used_are_refused_before_anything_runs() {
    let own = "    own: { pairs: ../data/pairs.txt, root: ../data/own }\n";
    let list = |text: &str| {
        let desk = with_sets(own);
        desk.write("data/pairs.txt", text.as_bytes());
        desk
    };
    let pickled = |name: &str| {
        let desk = with_sets("    lfw: ../data/lfw.bin\n");
        desk.write("data/lfw.bin", &fs::read(fixture(name)).unwrap());
        desk
    };
    let good = "a.jpg b.jpg 1\na.jpg b.jpg 0\n".repeat(10);
    for (desk, told) in [
        (list(&(good.clone() + "a.jpg c.jpg 1\na.jpg d.jpg 0\n")), &["pairs.txt:21:1", "c.jpg", "1 pair more"][..]),
        (list(&(good.clone() + "a.jpg\n")), &["pairs.txt:21:1", "not a pair: `a.jpg`"]),
        (list("x.jpg y.jpg 1\n"), &["pairs.txt:1:1", "no pair whose pictures are here"]),
        (list("a.jpg b.jpg 1\na.jpg b.jpg 0\n"), &["small.yaml:", "fewer than ten pairs"]),
        (list(&("a.jpg b.jpg 1\n".repeat(10) + &"a.jpg b.jpg 0\n".repeat(10))), &["small.yaml:", "fold 1 or the rest"]),
        (pickled("calls.bin"), &["lfw.bin", "would call `posix.system`"]),
        (pickled("uneven.bin"), &["lfw.bin", "6 pictures and answers of 2 pairs"]),
        (with_sets("    lfw: ../data/pairs.txt\n"), &["small.yaml:25:10", "only a `.bin` file holds the pictures"]),
        (
            with_sets("    lfw: { pairs: ../data/pairs.txt, rot: ../data/own }\n"),
            &["small.yaml:25:", "unknown key `rot`", "root"],
        ),
    ] {
        let said = checked(&desk);
        let text = format!("{}{}", said.out, said.err);
        assert!(said.code == 2 && told.iter().all(|told| text.contains(told)), "{told:?} {}: {text}", said.code);
        let planned = desk.visavis(&["plan", "experiments/small.yaml"]);
        assert_eq!(planned.code, 2, "{}{}", planned.out, planned.err);
    }
    assert_eq!(checked(&list(&good)).code, 0);
}

#[test]
fn an_absent_set_is_waited_for_and_keeps_nothing_else_from_running() {
    let desk = with_sets("    lfw: ../data/lfw.bin\n");
    let said = checked(&desk);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let planned = desk.succeed(&["plan", "experiments/small.yaml"]);
    assert!(planned.contains("pairs of the verification set `lfw`") && planned.contains("lfw.bin"), "{planned}");
    let run = desk.command(&["run", "experiments/small.yaml", "--quiet"]).env("VISAVIS_TORCH", "/nowhere").output().unwrap();
    assert_eq!(run.status.code(), Some(5));
    // The given features were scored all the same.
    assert!(desk.succeed(&["show", "experiments/small.yaml"]).contains("verification sets, by InsightFace's protocol"));
}

/// Picture of the drawn faces → its key among records, as `train.lst` says it.
fn keys_of(desk: &Desk, list: &str) -> HashMap<String, String> {
    let key = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (fields[2].rsplit('/').next().unwrap().to_owned(), format!("{:08}", fields[0].parse::<u64>().unwrap()))
    };
    desk.read(list).lines().map(key).collect()
}

/// Learned from records, evaluated on records with labels of their keys, and asked of pairs of keys: the same network and the same numbers
/// as of files.
#[test]
fn a_study_of_records_from_training_to_an_audited_page_gives_what_one_of_files_gives() {
    let (desk, pairs) = desk();
    desk.succeed(&["run", STUDY, "--quiet"]);
    for set in ["faces", "people"] {
        desk.succeed(&["data", "convert", &format!("data/{set}"), &format!("data/{set}-rec"), "--quiet"]);
    }
    let keys = keys_of(&desk, "data/faces-rec/train.lst");
    let attributes = desk.read("data/faces/list_attr_celeba.txt");
    let smiling = attributes.lines().nth(1).unwrap().split_whitespace().position(|name| name == "Smiling").unwrap();
    let label = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        format!("{},{}\n", keys[fields[0]], u8::from(fields[1 + smiling] == "1"))
    };
    let labels = attributes.lines().skip(2).map(label).collect::<String>();
    desk.write("data/smiling.csv", ("image_id,Smiling\n".to_owned() + &labels).as_bytes());
    let line = |pair: &NamedPair| {
        let [one, other] = pair.pictures.each_ref().map(|name| keys[name].as_str());
        format!("{one} {other} {}\n", u8::from(pair.is_same))
    };
    desk.write("data/keys.txt", pairs.iter().map(line).collect::<String>().as_bytes());

    let records = "experiments/records.yaml";
    desk.write(records, desk.read(STUDY).as_bytes());
    for (from, to) in [
        ("study: tiny", "study: records"),
        ("celeba: { root: ../data/faces }", "recordio: { root: ../data/faces-rec }"),
        ("folders: { root: ../data/people }", "recordio: { root: ../data/people-rec }"),
        (
            "evaluation: { dataset: faces }",
            "evaluation: { dataset: faces, labels: [{ file: ../data/smiling.csv, attribute: Smiling }] }",
        ),
        ("{ pairs: ../data/pairs.csv, root: ../data/own }", "{ pairs: ../data/keys.txt, root: ../data/faces-rec/train.rec }"),
    ] {
        desk.edit(records, from, to);
    }
    desk.succeed(&["check", records]);
    desk.succeed(&["run", records, "--quiet"]);

    let trained = |study: &str| {
        let results = desk.json(&["show", study, "--results"]);
        let results = results["results"].as_array().unwrap();
        let training = results.iter().find(|result| result["kind"] == "train").unwrap();
        training["outputs"][0]["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(trained(records), trained(STUDY), "the pictures, their classes and their order are the same");
    let verified = |study: &str| table(&desk.succeed(&["export", study, "--what", "verification"]));
    let of_files = verified(STUDY);
    for row in verified(records).iter().filter(|row| row["protocol"] == "insightface") {
        let same = |other: &&HashMap<String, String>| other["model"] == row["model"] && other["set"] == row["set"];
        let other = of_files.iter().find(same).unwrap();
        for number in ["accuracy", "accuracy_deviation", "tar", "tar_deviation", "far"] {
            let [one, other] = [row, other].map(|row| row[number].parse::<f64>().unwrap());
            assert!((one - other).abs() < 1e-6, "{number} of {} on {}: {one}, not {other}", row["model"], row["set"]);
        }
    }
    // The halves are of the same identities, so the smile is found as well.
    assert!(desk.succeed(&["show", records]).contains("smile"));

    desk.succeed(&["report", records, "--quiet"]);
    let said = desk.visavis(&["audit", "reports/records.html", "--json"]);
    let found: serde_json::Value = serde_json::from_str(said.out.lines().last().unwrap_or("null")).unwrap();
    assert_eq!((said.code, found["verdict"].as_str()), (0, Some("identical")), "{found}");
    // A record that is not what it was: its pictures are read anew, and it is told.
    let file = desk.path("data/faces-rec/train.rec");
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 0x55;
    fs::write(&file, bytes).unwrap();
    let said = desk.visavis(&["check", records]);
    let stale = desk.visavis(&["plan", records]);
    assert!(said.code == 2 || stale.out.contains("stale"), "{}{}{}", said.out, said.err, stale.out);
}
