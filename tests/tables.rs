//! Tables as people have them: read rightly or refused with what to do; nothing lost, and what is only worth knowing no defect.

use crate::desk::{Desk, Said};
use std::fmt::Write;

const STUDY: &str = "format: 1
study: t
seed: 1
evaluation: { dataset: faces }
datasets: { faces: { images: { root: pics, labels: labels.csv } } }
models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }
projections: [pca: { axes: 3 }]
comparisons: { x: { A: \"x\", B: \"not x\" } }
statistics: { bootstraps: 50, permutations: 50 }
";
const IMAGES: usize = 60;

fn id(i: usize) -> String {
    format!("{i:04}.png")
}

/// Features of sixty images, and a study that asks for `x` of `labels.csv`.
fn desk() -> Desk {
    let desk = Desk::empty();
    let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({IMAGES}, 4), }}");
    let head = format!("{head:<117}\n");
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend((head.len() as u16).to_le_bytes());
    array.extend(head.as_bytes());
    for i in 0..IMAGES * 4 {
        array.extend(((i * i % 97) as f32).to_le_bytes());
    }
    desk.write("a.npy", &array);
    desk.write("rows.txt", (0..IMAGES).map(|i| id(i) + "\n").collect::<String>().as_bytes());
    desk.write("s.yaml", STUDY.as_bytes());
    desk
}

fn table(head: &str, row: impl Fn(usize) -> String) -> String {
    (0..IMAGES).fold(format!("{head}\n"), |mut text, i| {
        writeln!(text, "{}", row(i)).unwrap();
        text
    })
}

fn check(desk: &Desk, labels: &[u8]) -> Said {
    desk.write("labels.csv", labels);
    desk.visavis(&["check", "s.yaml"])
}

/// The columns that a run of the study would consume, by their digests.
fn notes(desk: &Desk) -> Vec<String> {
    let json = desk.json(&["check", "s.yaml"]);
    json["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned()).collect()
}

#[test]
fn tables_as_people_have_them_are_read_and_what_was_done_is_said() {
    let desk = desk();
    let plain = table("image_id,x", |i| format!("{},{}", id(i), i % 2));
    let variants: [(&str, String, &str); 14] = [
        ("plain", plain.clone(), ""),
        ("CR LF", plain.replace('\n', "\r\n"), "CR LF"),
        ("CR", plain.replace('\n', "\r"), "CR alone"),
        (
            "a mark and quotes",
            format!("\u{feff}{}", table("\"image_id\",\"x\"", |i| format!("\"{}\",\"{}\"", id(i), i % 2))),
            "byte order mark",
        ),
        ("semicolons", plain.replace(',', ";"), "separated by semicolons"),
        ("tabs", plain.replace(',', "\t"), "separated by tabs"),
        ("sep=", format!("sep=,\n{plain}"), "the first line says"),
        ("an index", table(",image_id,x", |i| format!("{i},{},{}", id(i), i % 2)), "counts rows"),
        ("an index with a name", table("Unnamed: 0,x,face", |i| format!("{i},{},{}", i % 2, id(i))), "`face` names the images"),
        ("another name", table("Filename,x", |i| format!("{},{}", id(i), i % 2)), "column `Filename`"),
        (
            "numbers called image_id",
            table("image_id,x,photo of", |i| format!("{i},{},{}", i % 2, id(i))),
            "`photo of` names the images",
        ),
        ("trailing commas", table("image_id,x,", |i| format!("{},{},", id(i), i % 2)), "no name"),
        ("dots", table("image_id,x", |i| format!("./{},{}", id(i), i % 2)), "`./`"),
        (
            "notes with line breaks, tabs, other encodings",
            table("image_id,x,note,note", |i| format!("{},{},\"one\ntwo, {}\",a\tb", id(i), i % 2, i)),
            "the column `note` is left out",
        ),
    ];
    for (name, text, says) in variants {
        let said = check(&desk, text.as_bytes());
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        for strange in ["have no row", "does not have"] {
            assert!(!said.err.contains(strange), "{name}: {}", said.err);
        }
        let notes = notes(&desk);
        assert_eq!(notes.is_empty(), says.is_empty(), "{name}: {notes:?}");
        assert!(notes.iter().any(|note| note.contains(says)) || says.is_empty(), "{name} lacks {says:?}: {notes:?}");
        // The same labels, and so the same results.
        let plan = desk.json(&["plan", "s.yaml"]);
        let missing = plan["missing"].as_array().unwrap();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
    desk.succeed(&["run", "s.yaml", "--quiet"]);
    let results = || std::fs::read_dir(desk.path("data/results")).unwrap().count();
    let once = results();
    for text in [
        plain.clone(),
        plain.replace(',', "\t").replace('\n', "\r\n"),
        table("x,img", |i| format!("{},{}", ["No", "YES"][i % 2], id(i))),
    ] {
        desk.write("labels.csv", text.as_bytes());
        desk.succeed(&["run", "s.yaml", "--quiet"]);
        assert_eq!(results(), once, "another spelling, the same keys: {}", &text[..30]);
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_what_to_do() {
    let desk = desk();
    let plain = table("image_id,x", |i| format!("{},{}", id(i), i % 2));
    let utf16 = |mark: &str| [mark, &plain].concat().encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let text = |head: &str, row: &dyn Fn(usize) -> String| table(head, row).into_bytes();
    let refusals: [(Vec<u8>, &[&str]); 9] = [
        (utf16("\u{feff}"), &["UTF-16 text (big-endian)", "save it as UTF-8"]),
        (utf16(""), &["UTF-16"]),
        (b"PK\x03\x04\x14\x00".to_vec(), &["a spreadsheet or a zip archive", "CSV UTF-8"]),
        (
            text("image_id,x", &|i| format!("{},{}", i, i % 2)),
            &["`0`, `1`, `10`", "`0000.png`, `0001.png`, `0002.png`", "write `0` as `0000.png`"],
        ),
        (text("image_id,x", &|i| format!("{:04},{}", i, i % 2)), &["the ending `.png`"]),
        (text("image_id,x", &|i| format!("faces\\{},{}", id(i), i % 2)), &["`faces/` taken off"]),
        (text("image_id,x", &|i| format!("other{i}.png,{}", i % 2)), &["is this the table of these images?"]),
        (text("who,x", &|i| format!("person{i},{}", i % 2)), &["no column names the images", "labels.csv:1:1"]),
        (format!("{plain}{},1\n", id(3)).into_bytes(), &["`0003.png` is labelled twice: first in line 5", "labels.csv:62:1"]),
    ];
    for (bytes, says) in refusals {
        let said = check(&desk, &bytes);
        assert_eq!((said.code, said.err.matches("error:").count()), (2, 1), "{says:?}: {}", said.err);
        for words in says {
            assert!(said.err.contains(words), "lacks {words:?}: {}", said.err);
        }
    }
    // A column that is asked for must be readable.
    let said = check(&desk, table("image_id,x,x", |i| format!("{},1,0", id(i))).as_bytes());
    assert!(said.code == 2 && said.err.contains("`x` is there twice") && said.err.contains("labels.csv:1:12"), "{}", said.err);
    let said = check(&desk, table("image_id,x", |i| format!("{},\"a\tb\"", id(i))).as_bytes());
    assert!(
        said.code == 2 && said.err.contains("control characters in `a\\tb`") && said.err.contains("labels.csv:2:"),
        "{}",
        said.err
    );
}

#[test]
fn a_line_without_end_is_one_clear_error_soon() {
    let desk = desk();
    let file = std::fs::File::create(desk.path("labels.csv")).unwrap();
    let mut from = std::io::Read::take(std::io::repeat(b'7'), 40 << 20);
    std::io::copy(&mut from, &mut &file).unwrap();
    let said = desk.visavis(&["check", "s.yaml"]);
    assert_eq!((said.code, said.err.matches("error:").count()), (2, 1), "{}", said.err);
    assert!(said.err.contains("longer than 1 MB") && said.err.contains("labels.csv:1:1"), "{}", said.err);
}

#[test]
fn missing_labels_are_told_as_spelled_and_can_be_said_otherwise() {
    let desk = desk();
    desk.edit("s.yaml", "{ x: { A: \"x\", B: \"not x\" } }", "{ r: { EU: \"region=EU\", Asia: \"region=Asia\" } }");
    let spelled = ["EU", "Asia", " n/a", "NULL", "NA", ""];
    let labels = table("image_id,region", |i| format!("{},{}", id(i), spelled[i % 6]));
    assert_eq!(check(&desk, labels.as_bytes()).code, 0);
    let told = notes(&desk);
    assert!(
        told.iter().any(|note| note == "`region`: 40 of 60 labels are missing (10 empty, 10 `NA`, 10 `NULL`, 10 `n/a`)"),
        "{told:?}"
    );
    let n = |desk: &Desk| {
        desk.succeed(&["run", "s.yaml", "--quiet"]);
        let scores = desk.succeed(&["export", "s.yaml", "--what", "scores"]);
        let mut lines = scores.lines();
        let place = lines.next().unwrap().split(',').position(|name| name == "n").unwrap();
        lines.find(|line| line.contains("knn_auc")).unwrap().split(',').nth(place).unwrap().to_owned()
    };
    assert_eq!(n(&desk), "20");
    // In quotes it is a class: North America.
    desk.edit("s.yaml", "\"region=Asia\"", "'region=\"NA\"'");
    assert_eq!(n(&desk), "20");
    let told = notes(&desk);
    assert!(told.iter().any(|note| note.contains("`NA` is a value (10 images)")), "{told:?}");
    assert!(told.iter().any(|note| note.contains("30 of 60 labels are missing")), "{told:?}");
    // Or the study says which words are missing.
    desk.edit("s.yaml", "labels: labels.csv", "labels: labels.csv, missing: [Asia]");
    desk.edit("s.yaml", "'region=\"NA\"'", "\"region=NULL or region=NA\"");
    assert_eq!(n(&desk), "30");
    assert!(notes(&desk).iter().any(|note| note.contains("20 of 60 labels are missing (10 empty, 10 `Asia`)")));
}

#[test]
fn a_label_file_of_its_own_may_lack_a_header_and_two_must_agree() {
    let desk = desk();
    let own = "evaluation: { dataset: faces, labels: [{ file: own.csv, attribute: x }, { file: more.csv, attribute: x, missing: [7] }] }";
    desk.edit("s.yaml", "evaluation: { dataset: faces }", own);
    desk.write("labels.csv", table("image_id,z", |i| format!("{},1", id(i))).as_bytes());
    let rows = |from: usize, to: usize| (from..to).map(|i| format!("{},{}\n", id(i), i % 2)).collect::<String>();
    desk.write("own.csv", rows(0, 40).as_bytes());
    desk.write("more.csv", format!("image_id,x\n{}", rows(30, 60)).replace("0059.png,1", "0059.png,7").as_bytes());
    let json = desk.json(&["check", "s.yaml"]);
    let told = json["notes"].to_string();
    for words in ["no header: its first line is read as an image's", "agree", "1 of 70 labels is missing (1 `7`)"] {
        assert!(told.contains(words), "lacks {words:?}: {told}");
    }
    desk.edit("more.csv", "0035.png,1", "0035.png,0");
    let said = desk.visavis(&["check", "s.yaml"]);
    assert_eq!(said.code, 2);
    for words in
        ["disagree on `x` of the image `0035.png`", "`1` in ", "own.csv, line 36", "`0` in ", "more.csv, line 7", "more.csv:7:1"]
    {
        assert!(said.err.contains(words), "lacks {words:?}: {}", said.err);
    }
}

/// A small CelebA: three tables, no pictures.
fn celeba(desk: &Desk, attributes: &str, identities: &str, partitions: &str) -> (i32, serde_json::Value) {
    desk.write("celeba/list_attr_celeba.csv", attributes.as_bytes());
    desk.write("celeba/identity_CelebA.txt", identities.as_bytes());
    desk.write("celeba/list_eval_partition.csv", partitions.as_bytes());
    let said = desk.visavis(&["data", "check", "celeba", "--json"]);
    (said.code, serde_json::from_str(said.out.trim()).unwrap_or_else(|_| panic!("{}{}", said.out, said.err)))
}

fn words(of: &serde_json::Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|found| found["defect"].as_str().unwrap()).collect()
}

#[test]
fn tables_of_celeba_with_or_without_headers_lose_no_row_and_benign_is_no_defect() {
    let desk = Desk::empty();
    let names: Vec<String> = visavis_core::dataset::celeba::ATTRIBUTES.iter().map(|name| (*name).to_owned()).collect();
    let row = |i: usize, word: &str| format!("{i:06}.jpg,{}", vec![if i.is_multiple_of(2) { "1" } else { word }; 40].join(","));
    let attributes =
        |word: &str| (1..=9).fold(format!("image_id,{}\r\n", names.join(",")), |text, i| text + &row(i, word) + "\r\n");
    let identities: String = (1..=9).map(|i| format!("{i:06}.jpg {} \n", i / 3)).collect();
    let partitions: String = (1..=9).map(|i| format!("{i:06}.jpg,{}\n", i % 3)).collect();

    let (code, found) = celeba(&desk, &attributes("-1"), &identities, &partitions);
    assert_eq!((code, words(&found["defects"])), (0, vec![]), "{found}");
    assert_eq!(
        (found["images"].as_u64(), found["identities"].as_u64(), found["attributes"].as_u64()),
        (Some(9), Some(4), Some(40))
    );
    assert_eq!(words(&found["notes"]), ["blanks", "crlf", "no-header"]);
    // With headers, and as commas where the name says text.
    let headed = format!("image_id,identity\n{}", identities.replace(" \n", "\n").replace(' ', ","));
    let (code, found) = celeba(&desk, &attributes("0"), &headed, &format!("image_id,partition\n{partitions}"));
    assert_eq!(
        (code, found["identities"].as_u64(), words(&found["notes"])),
        (0, Some(4), vec!["crlf", "zero-for-no"]),
        "{found}"
    );
    // What is missing is told; what is wrong is a defect.
    let (code, found) = celeba(&desk, &attributes("n/a"), &identities, &partitions);
    assert_eq!((code, words(&found["notes"]).contains(&"missing-labels")), (0, true), "{found}");
    assert!(found["notes"].to_string().contains("5 of 9 labels are missing (5 `n/a`)"), "{found}");
    let (code, found) =
        celeba(&desk, &attributes("-1").replacen("1,1", "1,8", 1), &identities.replace(".jpg", ".png"), &partitions);
    assert_eq!((code, words(&found["defects"])), (2, vec!["other-images", "wrong-value"]), "{found}");
    let text = found["defects"].to_string();
    for words in ["`000001.png`", "`000001.jpg`", "is `8`", "list_attr_celeba.csv:3:14"] {
        assert!(text.contains(words), "lacks {words}: {text}");
    }
}

#[test]
fn a_label_table_can_be_checked_by_itself() {
    let desk = Desk::empty();
    desk.write("l.csv", "file;race;age\na.jpg;asian;0,5\nb.jpg;?;\nc.jpg;white;3\n".as_bytes());
    let json = desk.json(&["data", "check", "l.csv"]);
    assert_eq!((json["kind"].as_str(), json["images"].as_u64(), json["attributes"].as_u64()), (Some("labels"), Some(3), Some(2)));
    assert_eq!(words(&json["notes"]), ["id-column", "missing-labels", "separator"]);
    assert!(json["notes"].to_string().contains("race: 1 of 3 labels is missing (1 `?`)"), "{json}");
    desk.write("l.csv", b"file,race\na.jpg,asian\na.jpg,white\nb.jpg,asian,3\n");
    let said = desk.visavis(&["data", "check", "l.csv", "--json"]);
    assert_eq!(said.code, 2);
    let json: serde_json::Value = serde_json::from_str(said.out.trim()).unwrap();
    assert_eq!(words(&json["defects"]), ["repeated-image", "wrong-columns"]);
}

/// Rows that a forgotten quote takes into its field, and what only looks alike: each is told, nothing is lost unseen.
#[test]
fn what_would_lose_rows_or_turn_labels_over_is_refused() {
    let desk = Desk::empty();
    let rows = |row: &dyn Fn(usize) -> String| (0..40).map(row).collect::<String>();
    let open = rows(&|i| format!("{i:02}.png,{},{}\n", i % 2, if i == 7 { "\"hello" } else { "fine" }));
    std::fs::write(desk.path("open.csv"), format!("image_id,x,note\n{open}")).unwrap();
    let told = desk.visavis(&["data", "check", "open.csv"]);
    assert!(told.code == 2 && (told.out + &told.err).contains("what looks like further rows"));

    let turned = |file: &str, word: &dyn Fn(usize) -> i32| {
        std::fs::write(desk.path(file), format!("image_id,x\n{}", rows(&|i| format!("{i:02}.png,{}\n", word(i))))).unwrap();
    };
    turned("two.csv", &|i| if i % 2 == 0 { -1 } else { 1 });
    turned("three.csv", &|i| i as i32 % 3 - 1);
    std::fs::create_dir_all(desk.path("experiments")).unwrap();
    std::fs::write(
        desk.path("experiments/two.yaml"),
        "format: 1\nstudy: two\nevaluation: { dataset: faces, labels: [{ file: ../two.csv, attribute: x }, { file: ../three.csv, attribute: x }] }\n\
         datasets: { faces: { images: { root: ../pics, labels: ../open2.csv, identities: each_image } } }\n\
         models: { named: { a: { features: { embedding: ../a.npy, images: ../rows.txt } } } }\nprojections: [pca]\n\
         comparisons: { c: { A: \"x=0\", B: \"x=1\" } }\n",
    )
    .unwrap();
    std::fs::write(desk.path("open2.csv"), format!("image_id,y\n{}", rows(&|i| format!("{i:02}.png,{}\n", i % 2)))).unwrap();
    let told = desk.visavis(&["check", "experiments/two.yaml"]);
    assert!(
        told.code == 2 && told.err.contains("`x` is yes or no in") && told.err.contains("has other values in"),
        "{}",
        told.err
    );
}
