//! Reports that were forged so that they agree with themselves: each is found beside the results, and nearly each alone.

use crate::{desk::Desk, report::with_report};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::Digest as _;
use visavis::audit::{Evidence, MARK, seal};
use visavis_core::domain::Digest;

const SEAL: &str = "name=\"visavis-seal\" content=\"";
const STYLE: &str = include_str!("../templates/report.css");

/// Where the evidence stands in a page.
fn place(page: &str) -> std::ops::Range<usize> {
    let start = page.find(MARK).unwrap() + MARK.len();
    start..start + page[start..].find("</script>").unwrap()
}

fn evidence(page: &str) -> Evidence {
    serde_json::from_str(&page[place(page)]).unwrap()
}

fn sealed(page: &str) -> String {
    let at = page.find(SEAL).unwrap() + SEAL.len();
    let end = at + page[at..].find('"').unwrap();
    format!("{}{}{}", &page[..at], seal(page), &page[end..])
}

/// The page with its evidence changed, sealed again.
fn with_evidence(page: &str, change: impl FnOnce(&mut Evidence)) -> String {
    let mut of = evidence(page);
    change(&mut of);
    let place = place(page);
    sealed(&format!("{}{}{}", &page[..place.start], of.to_page().unwrap(), &page[place.end..]))
}

/// The page with a text in it replaced, which it must hold, sealed again.
fn with(page: &str, from: &str, to: &str) -> String {
    assert!(page.contains(from), "the page does not hold {from}");
    sealed(&page.replacen(from, to, 1))
}

/// Claims' numbers, taken out of a page.
fn without_claims(page: &str) -> String {
    let mut page = page.to_owned();
    while let Some(at) = page.find("<data data-claim=") {
        let end = at + page[at..].find("</data>").unwrap() + "</data>".len();
        page.replace_range(at..end, "");
    }
    page
}

/// Two figures' drawings, each in the other's place.
fn figures_exchanged(page: &str) -> String {
    let starts: Vec<usize> = page.match_indices(" data-result=\"").map(|(at, _)| at).collect();
    let drawing = |at: usize| at..at + page[at..].find("</svg>\n").unwrap();
    let (first, second) = (drawing(starts[0]), drawing(starts[1]));
    assert_ne!(page[first.clone()], page[second.clone()]);
    sealed(&format!(
        "{}{}{}{}{}",
        &page[..first.start],
        &page[second.clone()],
        &page[first.end..second.start],
        &page[first.clone()],
        &page[second.end..]
    ))
}

/// The claims of one model's scores shown for the other, and the other way round.
fn models_exchanged(page: &str) -> String {
    let of = evidence(page);
    let scores = |model: &str| -> Vec<_> {
        of.claims.iter().filter(|claim| claim.what.starts_with(model) && claim.what.contains("AUC")).collect()
    };
    let (pixels, blocks) = (scores("pixels"), scores("blocks"));
    let (one, other) = pixels
        .iter()
        .find_map(|one| Some((*one, *blocks.iter().find(|other| other.form.show(other.value) != one.form.show(one.value))?)))
        .unwrap();
    let shown = |claim: &visavis_core::domain::claim::Claim| {
        format!("<data data-claim=\"{}\">{}</data>", claim.id, claim.form.show(claim.value))
    };
    let page = page.replace(&shown(one), "\u{1}").replace(&shown(other), &shown(one));
    sealed(&page.replace('\u{1}', &shown(other)))
}

/// A number in the table to download.
fn table_changed(page: &str) -> String {
    let start = page.find("data:text/csv;base64,").unwrap() + "data:text/csv;base64,".len();
    let end = start + page[start..].find('"').unwrap();
    let table = String::from_utf8(STANDARD.decode(&page[start..end]).unwrap()).unwrap();
    let at = table.find("0.").unwrap() + 2;
    let digit = if &table[at..=at] == "9" { "8" } else { "9" };
    let table = format!("{}{digit}{}", &table[..at], &table[at + 1..]);
    sealed(&format!("{}{}{}", &page[..start], STANDARD.encode(table), &page[end..]))
}

/// A style and a policy of the forger's own, with what they let in.
fn restyled(page: &str) -> String {
    let style = format!("{STYLE}\ndata {{ display: none }}\n");
    let hash = |style: &str| STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
    let page = page.replacen(STYLE, &style, 1).replacen(&hash(STYLE), &hash(&style), 1);
    sealed(&page)
}

fn forgeries(page: &str) -> Vec<(&'static str, String)> {
    let other_page =
        "<script type=\"application/json\" id=\"more\">{}</script>\n<main><h1>All models separate everything</h1></main>";
    let emptied = |page: &str| {
        let page = with_evidence(&without_claims(page), |of| of.claims.clear());
        let end = page.find("</body>").unwrap();
        sealed(&format!("{}{other_page}{}", &page[..end], &page[end..]))
    };
    let nothing = |page: &str| {
        with_evidence(&without_claims(page), |of| {
            of.claims.clear();
            of.manifests.clear();
            of.objects.clear();
            of.sources.clear();
        })
    };
    let hidden = |page: &str| {
        let at = page.find("<data data-claim=").unwrap();
        sealed(&format!("{}<span class=\"none\">nine tenths</span> {}", &page[..at], &page[at..]))
    };
    let text = |page: &str| {
        with_evidence(page, |of| of.study_text = of.study_text.replacen("study: small", "study: small # as planned", 1))
    };
    vec![
        ("claims emptied, another page behind the evidence", emptied(page)),
        ("no evidence at all", nothing(page)),
        ("claims of two models exchanged", models_exchanged(page)),
        ("two figures exchanged", figures_exchanged(page)),
        ("words of a verdict changed", with(page, "inconclusive", "separates")),
        ("a model's name changed", with(page, ">pixels<", ">blocks<")),
        ("a script added, the policy removed", {
            let policy = page.split("<meta http-equiv=").nth(1).unwrap().split('\n').next().unwrap();
            let page = page.replacen(&format!("<meta http-equiv={policy}\n"), "", 1);
            with(&page, "</main>", "<script>document.title = 1</script></main>")
        }),
        ("a remote image added", with(page, "</main>", "<img src=\"https://example.org/x.png\" alt=\"\"></main>")),
        ("another style", restyled(page)),
        ("numbers in a table to download", table_changed(page)),
        ("other numbers shown beside the claims", hidden(page)),
        ("the study's text changed", text(page)),
        (
            "the list of images taken out",
            with_evidence(page, |of| {
                let index = of.manifests.iter().find(|manifest| manifest.stage.word() == "index").unwrap();
                let images = index.outputs[0].digest;
                assert!(of.objects.remove(&images).is_some());
            }),
        ),
    ]
}

#[test]
fn every_forgery_is_found_beside_the_results_and_none_is_called_identical_alone() {
    let (desk, page) = with_report();
    let alone = Desk::empty();
    let mut table = Vec::new();
    for (what, forged) in forgeries(&page) {
        assert_ne!(forged, page, "{what}");
        desk.write("reports/forged.html", forged.as_bytes());
        alone.write("forged.html", forged.as_bytes());
        let beside = desk.visavis(&["audit", "reports/forged.html"]);
        let of_itself = alone.visavis(&["audit", "forged.html"]);
        let quick = alone.visavis(&["audit", "forged.html", "--quick"]);
        table.push((what, beside.code, of_itself.code, quick.code));
    }
    for (what, beside, of_itself, quick) in &table {
        assert_eq!(*beside, 4, "{what}: {table:#?}");
        assert!(matches!(of_itself, 4 | 6) && matches!(quick, 4 | 6), "{what}: {table:#?}");
    }
    // What the file alone does not give away is what was taken out of it.
    let unfound: Vec<&str> = table.iter().filter(|(_, _, of_itself, _)| *of_itself == 6).map(|(what, ..)| *what).collect();
    assert_eq!(unfound, ["the list of images taken out"], "{table:#?}");
}

/// Somebody who names models otherwise, in the study's text and everywhere on the page, is found by the study file alone.
#[test]
fn a_study_that_was_rewritten_throughout_is_found_beside_its_study_file() {
    let (desk, page) = with_report();
    let place = place(&page);
    let renamed = |text: &str| text.replace("about: Do", "about: Never do");
    let mut of = evidence(&page);
    of.study_text = renamed(&of.study_text);
    let (old, new) = (Digest::of(desk.read("experiments/small.yaml").as_bytes()), Digest::of(of.study_text.as_bytes()));
    of.context.as_mut().unwrap().study_text = new;
    let words = |page: &str| page.replace("Do blocks", "Never do blocks").replace(&old.to_string(), &new.to_string());
    let forged = sealed(&format!("{}{}{}", words(&page[..place.start]), of.to_page().unwrap(), &page[place.end..]));
    desk.write("reports/small.html", forged.as_bytes());
    let said = desk.visavis(&["audit", "reports/small.html"]);
    assert!(said.code == 4 && said.out.contains("the study file is not the one"), "{}{}", said.out, said.err);
}

#[test]
fn the_workspace_is_found_from_the_reports_own_place() {
    let (desk, _) = with_report();
    let elsewhere = tempfile::tempdir().unwrap();
    let report = desk.path("reports/small.html");
    let ended = |report: &std::path::Path, code: i32| -> serde_json::Value {
        let mut command = desk.command(&["audit", report.to_str().unwrap(), "--json"]);
        let out = command.current_dir(elsewhere.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap()
    };
    let data =
        |told: &serde_json::Value| told["claims"].as_array().unwrap().iter().filter(|claim| claim["stage"] == "data").count();
    let audit = |report: &std::path::Path| ended(report, 0);
    let told = audit(&report);
    assert!(data(&told) > 0 && told["not_compared"].as_array().unwrap().is_empty(), "{}", told["not_compared"]);
    // A study file of another name is found by its study.
    std::fs::rename(desk.path("experiments/small.yaml"), desk.path("experiments/renamed.yaml")).unwrap();
    let told = audit(&report);
    assert!(data(&told) > 0, "{}", told["not_compared"]);
    // Without one the data are not compared, nor what anything is called, and that is said.
    std::fs::remove_file(desk.path("experiments/renamed.yaml")).unwrap();
    let told = ended(&report, 6);
    assert!(told["lacks"][0].as_str().unwrap().contains("are called"), "{}", told["lacks"]);
    assert!(data(&told) == 0 && told["not_compared"][0].as_str().unwrap().contains("the data"), "{}", told["not_compared"]);
    let copy = elsewhere.path().join("copy.html");
    std::fs::copy(&report, &copy).unwrap();
    let told = audit(&copy);
    assert!(told["not_compared"][0].as_str().unwrap().contains("results and data"), "{}", told["not_compared"]);
}

/// Names of digits, signs and markup, and notes: nothing of them is taken for a number without a claim, whether the page can be rendered
/// again or not, and a number changed beside one is found.
#[test]
fn names_full_of_digits_are_names_and_a_changed_number_beside_one_is_found() {
    let desk = Desk::with_digits();
    let study = "experiments/small.yaml";
    desk.edit(study, "    pixels:", "    \"resnet34-width0.0625.\":");
    desk.edit(study, "    blocks:", "    \"<b>0.999</b> ９９ 12.5 % −.871 e\\u0301 שלום\":");
    desk.edit(study, "  zero or one:", "  \"min_dist: 1e-3, 0,871 [.5]\":");
    desk.edit(study, "  even or odd:", "  '&lt;\"$HOME\" &#46;871':");
    desk.edit(study, "Zero:", "\"0.125\":");
    desk.edit(study, "about: Do", "about: \"of .999 and 95.5 %\" # Do");
    desk.succeed(&["run", study, "--quiet"]);
    desk.succeed(&["pin", study, "resnet34-width0.0625. min_dist: axis 1", "--note", "12.5 % better, AUC .999"]);
    desk.succeed(&["run", study, "--quiet"]);
    desk.succeed(&["report", study, "--quiet"]);
    let page = desk.read("reports/small.html");
    assert!(page.contains("<bdi>12.5 % better, AUC .999</bdi>"), "the note is on the page");
    // It names a variable, so it is never rendered from itself.
    let alone = Desk::empty();
    alone.write("r.html", page.as_bytes());
    let (beside, of_itself) = (desk.visavis(&["audit", "reports/small.html"]), alone.visavis(&["audit", "r.html"]));
    assert_eq!((beside.code, of_itself.code), (0, 6), "{}{}{}{}", beside.out, beside.err, of_itself.out, of_itself.err);
    let forged = with(&page, "<bdi>resnet34-width0.0625.</bdi>", "<bdi>resnet34-width0.0625.</bdi> 0.912");
    desk.write("reports/forged.html", forged.as_bytes());
    assert_eq!(desk.visavis(&["audit", "reports/forged.html"]).code, 4);
    for (from, to) in [
        ("<bdi>resnet34-width0.0625.</bdi>", "<bdi>resnet34-width0.0625.</bdi> 0.912"),
        ("<bdi>resnet34-width0.0625.</bdi>", "<bdi>resnet34-width0.0626.</bdi>"),
        ("<bdi>“0.125”</bdi>", "<bdi>0.125</bdi>"),
        ("<bdi>12.5 % better, AUC .999</bdi>", "<bdi>12.5 % better, AUC .998</bdi>"),
    ] {
        alone.write("forged.html", with(&page, from, to).as_bytes());
        assert_eq!(alone.visavis(&["audit", "forged.html", "--quick"]).code, 4, "{to}");
    }
}
