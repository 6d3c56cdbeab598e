//! The explorer's page: every face at its place, and nothing that was not found.

use crate::{
    browser,
    desk::Desk,
    networks::{self, STUDY},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{collections::HashMap, fs, path::Path};
use visavis_core::dataset::array;

const PAGE: &str = "reports/tiny-explorer.html";

/// A desk with drawn faces, what takes no network of a study of them, and its explorer.
fn with_explorer() -> (Desk, String) {
    let desk = networks::desk();
    networks::without_libtorch(&desk);
    desk.succeed(&["explore", STUDY, "--quiet"]);
    let page = desk.read(PAGE);
    (desk, page)
}

/// What the page's script is given.
fn contents(page: &str) -> Value {
    let start = "<script type=\"application/json\" id=\"visavis-explorer\">";
    let text = page.split_once(start).unwrap().1.split_once("</script>").unwrap().0;
    serde_json::from_str(text).unwrap()
}

fn bytes(of: &Value) -> Vec<u8> {
    STANDARD.decode(of.as_str().unwrap()).unwrap()
}

/// Of an address that is the picture itself.
fn picture(of: &Value) -> Vec<u8> {
    STANDARD.decode(of.as_str().unwrap().strip_prefix("data:image/jpeg;base64,").unwrap()).unwrap()
}

fn halves(of: &Value) -> Vec<u16> {
    bytes(of).as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)).collect()
}

fn names(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn every_face_is_its_own_and_stands_where_its_coordinates_say() {
    let (desk, page) = with_explorer();
    let contents = contents(&page);
    let images = names(&contents["images"]);
    assert_eq!((images.len(), contents["sheets"].as_array().unwrap().len()), (42, 1));
    assert!(contents["notes"].as_array().unwrap().is_empty(), "{}", contents["notes"]);

    // Each thumbnail is nearer to its own picture, made as small, than to any other.
    let cell = contents["cell"].as_u64().unwrap() as u32;
    let sheet = image::load_from_memory(&picture(&contents["sheets"][0])).unwrap().to_rgb8();
    let columns = contents["columns"].as_u64().unwrap() as u32;
    let thumbnail = |place: usize| {
        let (row, column) = (place as u32 / columns, place as u32 % columns);
        image::imageops::crop_imm(&sheet, column * cell, row * cell, cell, cell).to_image()
    };
    let small = |id: &str| {
        let picture = image::open(desk.path(&format!("data/faces/img_align_celeba/{id}"))).unwrap().to_rgb8();
        let (width, height) = picture.dimensions();
        let scale = cell as f32 / width.max(height) as f32;
        let [wide, tall] = [width, height].map(|side| ((side as f32 * scale).round() as u32).max(1));
        let small = image::imageops::resize(&picture, wide, tall, image::imageops::FilterType::Triangle);
        let mut square = image::RgbImage::new(cell, cell);
        image::imageops::overlay(&mut square, &small, i64::from((cell - wide) / 2), i64::from((cell - tall) / 2));
        square
    };
    let middle = |of: &image::RgbImage| -> Vec<i32> {
        let inner = image::imageops::crop_imm(of, cell / 4, cell / 4, cell / 2, cell / 2).to_image();
        inner.into_raw().into_iter().map(i32::from).collect()
    };
    let pictures: Vec<Vec<i32>> = images.iter().map(|id| middle(&small(id))).collect();
    for (place, id) in images.iter().enumerate() {
        let own = middle(&thumbnail(place));
        let apart = |other: &Vec<i32>| own.iter().zip(other).map(|(a, b)| (a - b).pow(2)).sum::<i32>();
        let nearest = (0..pictures.len()).min_by_key(|other| apart(&pictures[*other])).unwrap();
        assert_eq!(nearest, place, "{id}");
    }

    // Places are the coordinates that an export has, to one step of 65,534.
    let view = &contents["views"][0];
    let (model, layer) = view["features"].as_str().unwrap().split_once(" · ").unwrap();
    let exported = desk.succeed(&[
        "export",
        STUDY,
        "--what",
        "coordinates",
        "--model",
        model,
        "--layer",
        layer,
        "--projection",
        "pca",
        "--format",
        "jsonl",
    ]);
    let exported: HashMap<String, Value> = exported
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| (row["image"].as_str().unwrap().to_owned(), row))
        .collect();
    for (place, of) in halves(&view["of"]).as_chunks::<2>().0.iter().enumerate() {
        for axis in 0..2 {
            let [low, high] = ["low", "high"].map(|end| view[end][axis].as_f64().unwrap());
            let found = low + (high - low) * f64::from(of[axis]) / 65_534.0;
            let wanted = exported[images[place]][format!("a{}", axis + 1)].as_f64().unwrap();
            assert!((found - wanted).abs() <= (high - low) / 65_534.0, "{} axis {axis}: {found} {wanted}", images[place]);
        }
    }

    // Labels: yes, no.
    let smiling = contents["attributes"].as_array().unwrap().iter().find(|of| of["name"] == "Smiling").unwrap();
    assert_eq!(names(&smiling["values"]), ["no", "yes"]);

    // The nearest by features are those of an exhaustive search.
    let near = &contents["neighbours"][0];
    let (model, layer) = near["name"].as_str().unwrap().split_once(" · ").unwrap();
    let export =
        ["export", STUDY, "--what", "features", "--model", model, "--layer", layer, "--format", "npy", "-o", "features.npy"];
    desk.succeed(&export);
    let exported = array::from_npy(&fs::read(desk.path("features.npy")).unwrap(), Path::new("features.npy")).unwrap();
    // An export has the images by name, the page in an order that chance drew.
    let mut by_name = images.clone();
    by_name.sort_unstable();
    assert_ne!(by_name, images);
    let rows: Vec<usize> = images.iter().map(|id| by_name.binary_search(id).unwrap()).collect();
    let features = exported.take(&rows);
    let listed = halves(&near["of"]);
    for image in 0..features.rows() {
        let apart = |other: usize| -> f64 {
            features.row(image).iter().zip(features.row(other)).map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        let mut others: Vec<usize> = (0..features.rows()).filter(|other| *other != image).collect();
        others.sort_by(|a, b| apart(*a).total_cmp(&apart(*b)).then(a.cmp(b)));
        let found: Vec<usize> = listed[15 * image..15 * (image + 1)].iter().map(|row| usize::from(*row)).collect();
        assert_eq!(found, others[..15], "{}", images[image]);
    }
}

#[test]
fn an_audit_writes_the_page_again_and_names_what_was_changed() {
    let (desk, page) = with_explorer();
    let said = desk.visavis(&["audit", PAGE, "--quick"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("identical"), "{}", said.out);
    let said = desk.visavis(&["audit", PAGE, "--recompute", "features"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let place = page.find("\"sheets\":[\"").unwrap() + 400;
    let mut changed = page.clone().into_bytes();
    changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
    desk.write("changed.html", &changed);
    let said = desk.visavis(&["audit", "changed.html", "--quick"]);
    assert!(said.code == 4 && said.out.contains("whole page"), "{}{}", said.out, said.err);
    // Without the results it says so; another script is found there, too, and so is a name that leads elsewhere.
    let elsewhere = Desk::empty();
    let audited = |page: &str| {
        elsewhere.write("page.html", page.as_bytes());
        elsewhere.visavis(&["audit", "page.html"])
    };
    let said = audited(&page);
    assert!(said.code == 6 && said.err.contains("beside the results"), "{}{}", said.out, said.err);
    let said = audited(&page.replacen("'use strict'", "'use strict';alert(1)", 1));
    assert!(said.code == 4 && said.out.contains("script"), "{}{}", said.out, said.err);
    let said = audited(&page.replacen("content=\"experiments/tiny.yaml\"", "content=\"../x/tiny.yaml\"", 1));
    assert!(said.code == 6 && said.err.contains("not here"), "{}{}", said.out, said.err);
    // A page of before the study was changed accuses nobody.
    desk.edit(STUDY, "seed: 3", "about: another text\nseed: 3");
    let said = desk.visavis(&["audit", PAGE, "--quick"]);
    assert!(said.code == 6 && said.out.contains("the study file was edited"), "{}{}", said.out, said.err);
}

#[test]
fn a_report_may_hold_the_explorer_and_is_audited_with_it_and_without() {
    let (desk, own_page) = with_explorer();
    desk.succeed(&["report", STUDY, "--explore", "-o", "explored.html", "--quiet"]);
    desk.succeed(&["report", STUDY, "-o", "plain.html", "--quiet"]);
    let (page, plain) = (desk.read("explored.html"), desk.read("plain.html"));
    assert_eq!(contents(&page), contents(&own_page), "what a page of its own shows");
    assert!(plain.contains("no request, no script") && !plain.contains("explorer"));
    assert!(plain.contains("\"is_whole\":true"), "it carries what it is rendered from");
    let audited = |page: &str, how: &[&str]| {
        desk.write("page.html", page.as_bytes());
        desk.visavis(&[&["audit", "page.html"], how].concat())
    };
    let said = audited(&page, &[]);
    assert!(said.code == 0 && said.out.contains("identical"), "{}{}", said.out, said.err);
    let said = audited(&page, &["--quick"]);
    assert!(said.code == 6 && said.out.contains("the explorer was not made again: --quick"), "{}{}", said.out, said.err);
    // A face of another, a script of another, a number of another.
    let sheet = page.find("\"sheets\":[\"").unwrap() + 400;
    let of_sheet = |sign: &str| format!("{}{sign}{}", &page[..sheet], &page[sheet + 1..]);
    let other_face = of_sheet(if page.as_bytes()[sheet] == b'A' { "B" } else { "A" });
    let said = audited(&other_face, &[]);
    assert!(said.code == 4 && said.out.contains("explorer"), "{}{}", said.out, said.err);
    let said = audited(&page.replacen("'use strict'", "'use strict';alert(1)", 1), &["--quick"]);
    assert!(said.code == 4 && said.out.contains("script"), "{}{}", said.out, said.err);
    let number = page.find("<data data-claim=").unwrap();
    let digit = number + page[number..].find("\">").unwrap() + 2;
    let other = format!("{}9{}", &page[..digit], &page[digit + 1..]);
    assert_eq!(audited(&if other == page { page.replacen("</data>", "9</data>", 1) } else { other }, &["--quick"]).code, 4);
    // Alone, the report is held against its own evidence, and the explorer against nothing.
    let elsewhere = Desk::empty();
    elsewhere.write("page.html", page.as_bytes());
    let said = elsewhere.visavis(&["audit", "page.html"]);
    assert!(said.code == 6 && said.out.contains("the explorer was not made again"), "{} {}{}", said.code, said.out, said.err);
    desk.edit(STUDY, "seed: 3", "about: another text\nseed: 3");
    let said = audited(&page, &[]);
    assert!(said.out.contains("the study file was edited"), "{} {}{}", said.code, said.out, said.err);
}

#[test]
fn without_pictures_images_are_dots_and_the_page_says_so() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", "experiments/small.yaml", "--quiet"]);
    desk.succeed(&["explore", "experiments/small.yaml", "-o", "dots.html", "--quiet"]);
    let contents = contents(&desk.read("dots.html"));
    assert!(contents["sheets"].as_array().unwrap().is_empty());
    assert!(names(&contents["notes"]).iter().any(|note| note.contains("they are dots")), "{}", contents["notes"]);
    assert!(!contents["views"].as_array().unwrap().is_empty());
    let said = desk.visavis(&["explore", "experiments/nothing.yaml"]);
    assert_eq!(said.code, 2, "{}", said.err);
    fs::remove_dir_all(desk.path("data/results")).unwrap();
    let said = desk.visavis(&["explore", "experiments/small.yaml"]);
    assert!(said.code == 5 && said.err.contains("no results yet"), "{} {}", said.code, said.err);
}

#[test]
fn a_browser_draws_it_without_a_request_or_a_message() {
    let (desk, _) = with_explorer();
    desk.succeed(&["report", STUDY, "--explore", "-o", "explored.html", "--quiet"]);
    for page in [PAGE, "explored.html"] {
        let opened = browser::open(&desk, page, "");
        opened.assert_silent();
        assert!(!opened.dom.contains("id=\"explorer-body\" hidden"), "{page}: {}", opened.messages);
    }
    let opened = browser::open(&desk, PAGE, "");
    assert!(opened.dom.contains("id=\"explorer-app\""), "{}", opened.messages);
    // Hostile addresses change nothing.
    for fragment in ["#explorer;x=NaN;s=%%%;m=<b>", "#explorer;s=AAAA;q=((", "#nothing", "#explorer;;;=;v="] {
        browser::open(&desk, PAGE, fragment).assert_silent();
    }
}

/// A lasso stands in the address: the faces in it are counted by the page, and here from the coordinates.
#[test]
fn a_lasso_in_the_address_selects_what_lies_in_it_and_its_make_up_is_counted() {
    let (desk, page) = with_explorer();
    let contents = contents(&page);
    let view = contents["views"].as_array().unwrap().iter().position(|view| view["turns"] == false).unwrap();
    let of = &contents["views"][view];
    let key: String = format!("{}/{view}", of["name"].as_str().unwrap()).bytes().map(|byte| format!("%{byte:02X}")).collect();
    let lines = ["np", "", &key, &key, "false", "-0.1_-0.1+0.43_-0.1+0.43_1.1+-0.1_1.1"];
    let opened = browser::open(&desk, PAGE, &format!("#explorer;m={key};s={}", lines.join("%0A")));
    opened.assert_silent();
    let is_left: Vec<bool> =
        halves(&of["of"]).as_chunks::<2>().0.iter().map(|place| f64::from(place[0]) / 65_534.0 < 0.43).collect();
    let count = is_left.iter().filter(|is| **is).count();
    assert!(count > 3 && count < 39, "{count}");
    assert!(opened.dom.contains(&format!(">{count} of 42 selected<")), "{count}: {}", opened.dom);
    let smiling = contents["attributes"].as_array().unwrap().iter().find(|of| of["name"] == "Smiling").unwrap();
    let smile: Vec<bool> = bytes(&smiling["of"]).iter().map(|code| *code == 1).collect();
    let smiling = is_left.iter().zip(&smile).filter(|(left, smiles)| **left && **smiles).count();
    let row = opened.dom.split(">Smiling</bdi></th>").nth(1).unwrap_or_else(|| panic!("no row: {}", opened.dom));
    let cells = row.split("</tr>").next().unwrap();
    assert!(cells.contains(&format!("· {smiling} of {count}<")), "{smiling}: {cells}");
}

/// What the page saves is read as labels, and scored by rule.
#[test]
fn a_saved_selection_becomes_an_attribute_of_the_study() {
    let (desk, page) = with_explorer();
    let contents = contents(&page);
    let places = halves(&contents["views"][0]["of"]);
    let [column, mark] = names(&contents["mark"])[..] else { panic!("{}", contents["mark"]) };
    let line = |(place, id): (usize, &&str)| format!("{id},{},{mark}\n", u8::from(places[2 * place] < 32_000));
    let table: String = names(&contents["images"]).iter().enumerate().map(line).collect();
    let table = format!("image_id,Left,{column}\n{table}");
    desk.write("left.csv", table.as_bytes());
    desk.edit(
        STUDY,
        "evaluation: { dataset: faces }",
        "evaluation: { dataset: faces, labels: [{ file: ../left.csv, attribute: Left, provenance: perceived }] }",
    );
    desk.edit(STUDY, "  smile: {", "  left: { In: \"Left\", Out: \"not Left\" }\n  smile: {");
    networks::without_libtorch(&desk);
    let scores = desk.succeed(&["export", STUDY, "--what", "scores", "--format", "jsonl"]);
    let best = scores
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["comparison"] == "left")
        .filter(|row| row["projection"] == "pca")
        .filter_map(|row| row["value"].as_f64())
        .fold(0.0, f64::max);
    assert!(best > 0.9, "an axis that was cut in two tells its halves: {best}");
    // Other pictures of the same names are other images, and so are other names; without its mark a table is known by the names alone.
    let unmarked = table.replace(&format!(",{column}\n"), "\n").replace(&format!(",{mark}\n"), "\n");
    fs::copy(desk.path("data/faces/img_align_celeba/000002.jpg"), desk.path("data/faces/img_align_celeba/000001.jpg")).unwrap();
    let said = desk.visavis(&["check", STUDY]);
    assert!(said.code == 2 && said.err.contains("saved of other images"), "{} {} {}", said.code, said.out, said.err);
    desk.write("left.csv", unmarked.as_bytes());
    desk.succeed(&["check", STUDY]);
    let digits = Desk::with_digits();
    let labels = "dataset: digits\n  labels: [{ file: ../left.csv, attribute: Left, provenance: perceived }]\nmodels:";
    digits.edit("experiments/small.yaml", "dataset: digits\nmodels:", labels);
    // Here the pictures are not there to be told by: names are.
    let of_names = format!("image_id,Left,{column}\n0000.png,1,names-0123456789abcdef\n0001.png,0,names-0123456789abcdef\n");
    let not_one = "none of the table's 42 image ids";
    for (table, why) in [(&table, not_one), (&unmarked, not_one), (&of_names, "saved of other images")] {
        digits.write("left.csv", table.as_bytes());
        let said = digits.visavis(&["check", "experiments/small.yaml"]);
        assert!(said.code == 2 && said.err.contains(why), "{} {} {}", said.code, said.out, said.err);
    }
}

/// The faces lie beside the page: it finds them, and an audit holds each against the results.
#[test]
fn a_folder_beside_the_page_has_the_faces_and_is_audited() {
    let (desk, own) = with_explorer();
    desk.succeed(&["explore", STUDY, "--folder", "-o", "beside.html", "--quiet"]);
    desk.succeed(&["report", STUDY, "--explore=folder", "-o", "report.html", "--quiet"]);
    let [on_page, beside] = [contents(&own), contents(&desk.read("beside.html"))];
    assert_eq!(contents(&desk.read("report.html")), beside);
    assert_eq!(on_page["images"], beside["images"]);
    let address = names(&beside["sheets"])[0].to_owned();
    assert!(address.starts_with("tiny-faces/") && address.ends_with(".jpg"), "{address}");
    let sheet = fs::read(desk.path(&address)).unwrap();
    assert_eq!(sheet, picture(&on_page["sheets"][0]), "the same picture");
    for page in ["beside.html", "report.html"] {
        assert!(desk.read(page).contains("img-src data: 'self' file:;"), "{page}");
        let opened = browser::open(&desk, page, "");
        opened.assert_silent();
        let said = desk.visavis(&["audit", page]);
        assert!(said.code == 0 && said.out.contains("identical"), "{page}: {}{}", said.out, said.err);
    }
    assert!(!own.contains("'self'"), "a page that has its faces asks for nothing");
    let audited = |page: &str| desk.visavis(&["audit", page, "--recompute", "metrics"]);
    let mut other = sheet.clone();
    *other.last_mut().unwrap() ^= 1;
    desk.write(&address, &other);
    for page in ["beside.html", "report.html"] {
        let said = audited(page);
        assert!(
            said.code == 4 && said.out.contains("other faces than in the results"),
            "{page}: {} {}{}",
            said.code,
            said.out,
            said.err
        );
    }
    fs::remove_file(desk.path(&address)).unwrap();
    let said = audited("beside.html");
    assert!(
        said.code == 6 && said.out.contains("1 of 1 sheet in `tiny-faces` beside the page cannot be read"),
        "{} {}{}",
        said.code,
        said.out,
        said.err
    );
    let opened = browser::open(&desk, "beside.html", "");
    assert!(!opened.dom.contains("id=\"explorer-unreadable\" hidden"), "the page says that a sheet is not there");
    // Written anew, it is whole again; what is there stays.
    desk.succeed(&["explore", STUDY, "--folder", "-o", "beside.html", "--quiet"]);
    assert_eq!(fs::read(desk.path(&address)).unwrap(), sheet);
}
