//! Audits find what was changed, and say where.

use crate::{desk::Desk, report::with_report};
use std::fs;
use visavis_core::domain::stage::Ranking;

/// The first number the page shows for a claim of half B.
fn first_claim(page: &str) -> (String, String) {
    let at = page.find("class=\"auc\"").unwrap();
    let claim = page[at..].find("data-claim=\"").unwrap() + at + "data-claim=\"".len();
    let id = page[claim..].split('"').next().unwrap();
    let text = page[claim..].split('>').nth(1).unwrap().split('<').next().unwrap();
    (id.to_owned(), text.to_owned())
}

fn audit(desk: &Desk, arguments: &[&str]) -> (i32, serde_json::Value) {
    let said = desk.visavis(&[&["audit"], arguments, &["--json"]].concat());
    (said.code, serde_json::from_str(said.out.lines().last().unwrap_or("null")).unwrap())
}

fn differing(audit: &serde_json::Value) -> Vec<String> {
    audit["claims"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|claim| claim["verdict"] == "differs")
        .map(|claim| claim["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_honest_report_passes_alone_and_beside_its_results() {
    let (desk, page) = with_report();
    let (code, beside) = audit(&desk, &["reports/small.html"]);
    assert_eq!((code, beside["verdict"].as_str(), beside["unchecked"].as_u64()), (0, Some("identical"), Some(0)), "{beside}");
    let alone = Desk::empty();
    alone.write("r.html", page.as_bytes());
    // Every number is what the evidence in the file says.
    let (code, quick) = audit(&alone, &["r.html", "--quick"]);
    let claims = evidence_of(&page).0.claims.len() as u64;
    assert_eq!((code, quick["verdict"].as_str(), quick["unchecked"].as_u64()), (0, Some("consistent"), Some(0)), "{quick}");
    assert!(claims > 400 && quick["consistent"].as_u64() == Some(claims), "{claims}: {quick}");
    // A study file of the same name, where there are no results, says nothing of the page.
    let other = desk.read("experiments/small.yaml").replacen("about: Do", "about: Never do", 1);
    alone.write("experiments/small.yaml", other.as_bytes());
    let (code, beside_another) = audit(&alone, &["r.html"]);
    assert!(code == 0 && beside_another["not_compared"].to_string().contains("another one"), "{beside_another}");
    fs::remove_file(alone.path("experiments/small.yaml")).unwrap();
    // Figures, counts, the ledger and the scores it ranks are made again from the file; what is not says what it lacks.
    let (code, alone) = audit(&alone, &["r.html"]);
    assert_eq!((code, alone["verdict"].as_str()), (0, Some("identical")));
    let verdicts = alone["claims"].as_array().unwrap();
    for stage in ["rank", "draw"] {
        let of: Vec<_> = verdicts.iter().filter(|claim| claim["stage"] == stage).collect();
        assert!(of.len() >= 10 && of.iter().all(|claim| claim["verdict"] == "identical"), "{stage}: {of:?}");
    }
    let scores = |claim: &&serde_json::Value| claim["stage"] == "score" && claim["verdict"] == "identical";
    assert!(verdicts.iter().filter(scores).count() > 30, "{alone}");
    let unchecked: Vec<_> = verdicts.iter().filter(|claim| claim["verdict"] == "unchecked").collect();
    assert_eq!(Some(unchecked.len() as u64), alone["unchecked"].as_u64());
    assert!(unchecked.iter().all(|claim| claim["why"].as_str().unwrap().contains("its inputs are not here")), "{unchecked:?}");
}

#[test]
fn one_digit_of_one_shown_number_is_found_and_named() {
    let (desk, page) = with_report();
    let (id, shown) = first_claim(&page);
    let last = shown.chars().last().unwrap();
    let other = if last == '9' { '8' } else { '9' };
    let forged = format!("{}{other}", &shown[..shown.len() - 1]);
    let place = format!("data-claim=\"{id}\">{shown}<");
    desk.write("forged.html", page.replacen(&place, &format!("data-claim=\"{id}\">{forged}<"), 1).as_bytes());
    let (code, found) = audit(&desk, &["forged.html"]);
    assert_eq!((code, differing(&found)), (4, vec!["whole page".to_owned(), id.clone()]));
    let said = desk.visavis(&["audit", "forged.html"]);
    assert!(said.out.contains(&format!("✕ {id}")) && said.out.contains(&forged), "{}", said.out);
}

#[test]
fn changed_words_and_pictures_are_found() {
    let (desk, page) = with_report();
    desk.write("words.html", page.replacen("<h2>Summary</h2>", "<h2>Summery</h2>", 1).as_bytes());
    let (code, found) = audit(&desk, &["words.html"]);
    assert_eq!((code, differing(&found)), (4, vec!["seal".to_owned(), "whole page".to_owned()]));
    let svg = page.find("<title>Zero").unwrap();
    let mut picture = page.clone();
    picture.replace_range(svg + 7..svg + 11, "Nine");
    desk.write("picture.html", picture.as_bytes());
    let (code, found) = audit(&desk, &["picture.html"]);
    assert!(code == 4 && differing(&found).iter().any(|id| id.starts_with("figure ")), "{found}");
    desk.write("unbound.html", page.replacen("<footer>", "<data data-claim=\"c99999\">.999</data><footer>", 1).as_bytes());
    let (code, found) = audit(&desk, &["unbound.html"]);
    assert!(code == 4 && differing(&found).contains(&"c99999".to_owned()));
}

/// A forger who changes the claim and the page alike is found by making the score again.
#[test]
fn a_consistent_forgery_does_not_follow_from_its_evidence() {
    let (desk, page) = with_report();
    let forged = forge(&page);
    let alone = Desk::empty();
    alone.write("forged.html", forged.as_bytes());
    let (code, found) = audit(&alone, &["forged.html"]);
    assert_eq!(code, 4, "{found}");
    drop(desk);
}

fn evidence_of(page: &str) -> (visavis::audit::Evidence, usize, usize) {
    let start = page.find(visavis::audit::MARK).unwrap() + visavis::audit::MARK.len();
    let end = start + page[start..].find("</script>").unwrap();
    (serde_json::from_str(&page[start..end]).unwrap(), start, end)
}

fn sealed(page: &str) -> String {
    let old = page.split("name=\"visavis-seal\" content=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    page.replacen(&old, &visavis::audit::seal(page), 1)
}

/// A picture that is changed together with the digest that names it, and sealed again, is not what its stage draws.
#[test]
fn a_picture_forged_with_its_result_is_found_by_drawing_it_again() {
    let (_desk, page) = with_report();
    let (mut evidence, ..) = evidence_of(&page);
    let title = page.find("<title>How often").unwrap();
    let svg = page[..title].rfind("<svg").unwrap();
    let end = svg + page[svg..].find("</svg>\n").unwrap() + "</svg>\n".len();
    let (old, new) = (&page[svg..end], page[svg..end].replacen("How often", "How seldom", 1));
    assert_ne!(old, new);
    let digest = |svg: &str| visavis_core::domain::Digest::of(svg.as_bytes());
    let output =
        evidence.manifests.iter_mut().flat_map(|manifest| &mut manifest.outputs).find(|output| output.digest == digest(old));
    output.unwrap().digest = digest(&new);
    let forged = page.replacen(old, &new, 1);
    let (_, start, end) = evidence_of(&forged);
    let forged = sealed(&format!("{}{}{}", &forged[..start], evidence.to_page().unwrap(), &forged[end..]));
    let alone = Desk::empty();
    alone.write("forged.html", forged.as_bytes());
    let (code, found) = audit(&alone, &["forged.html"]);
    assert!(code == 4 && differing(&found).iter().any(|id| id.starts_with("draw result")), "{:?}", differing(&found));
}

/// No tolerance that the file itself names makes a forged score good, and no second result under its key hides it.
#[test]
fn neither_a_tolerance_nor_a_second_result_makes_a_forgery_pass() {
    let (_desk, page) = with_report();
    let honest = evidence_of(&page).0;
    let forged = forge(&page);
    let (mut evidence, start, end) = evidence_of(&forged);
    evidence.tolerance_auc = 1e9;
    for twice in [false, true] {
        if twice {
            evidence.manifests.extend(honest.manifests.clone());
        }
        let page = sealed(&format!("{}{}{}", &forged[..start], evidence.to_page().unwrap(), &forged[end..]));
        let alone = Desk::empty();
        alone.write("forged.html", page.as_bytes());
        assert_eq!(audit(&alone, &["forged.html"]).0, 4, "twice: {twice}");
    }
}

/// Rewrites the ledger's evidence so that it says other numbers, and everything that names it.
fn forge(page: &str) -> String {
    use visavis::audit::{EmbeddedObject, Evidence, MARK, seal};
    let start = page.find(MARK).unwrap() + MARK.len();
    let end = start + page[start..].find("</script>").unwrap();
    let mut evidence: Evidence = serde_json::from_str(&page[start..end]).unwrap();
    let claim = evidence.claims.iter_mut().find(|claim| claim.from.pointer.ends_with("/b/value") && claim.value < 0.99).unwrap();
    let (id, old) = (claim.id.clone(), claim.form.show(claim.value));
    claim.value = 0.999;
    let (key, pointer) = (claim.from.key, claim.from.pointer.clone());
    let digest = evidence.manifests[evidence.places()[&key]].output(Ranking::LEDGER).unwrap().digest;
    let mut ledger: serde_json::Value = serde_json::from_slice(&evidence.object(digest, None).unwrap().unwrap()).unwrap();
    *ledger.pointer_mut(&pointer).unwrap() = 0.999.into();
    let bytes = serde_json::to_vec(&ledger).unwrap();
    evidence.objects.insert(visavis_core::domain::Digest::of(&bytes), EmbeddedObject::of(&bytes));
    let manifest = evidence.manifests.iter_mut().find(|manifest| manifest.key == key).unwrap();
    manifest.outputs.iter_mut().find(|output| output.name == Ranking::LEDGER).unwrap().digest =
        visavis_core::domain::Digest::of(&bytes);
    let page = format!("{}{}{}", &page[..start], evidence.to_page().unwrap(), &page[end..]);
    let page = page.replace(&format!("data-claim=\"{id}\">{old}<"), &format!("data-claim=\"{id}\">.999<"));
    let old = page.split("name=\"visavis-seal\" content=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let sealed = seal(&page);
    page.replacen(&old, &sealed, 1)
}

#[test]
fn one_byte_of_one_object_is_found_and_named() {
    let (desk, _) = with_report();
    let shown = desk.json(&["show", "experiments/small.yaml"]);
    let project = shown["results"].as_array().unwrap().iter().find(|result| result["kind"] == "project").unwrap();
    let digest = project["outputs"][0]["digest"].as_str().unwrap().to_owned();
    let path = desk.path(&format!("data/objects/{}/{}", &digest[..2], &digest[2..]));
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    for what in ["reports/small.html", "experiments/small.yaml"] {
        let (code, found) = audit(&desk, &[what]);
        assert_eq!(code, 4, "{what}");
        assert!(differing(&found).contains(&format!("object {digest}")), "{what}: {:?}", differing(&found));
    }
    let said = desk.visavis(&["store", "check"]);
    assert!(said.code == 4 && said.out.contains(&digest[2..]), "{}", said.out);
    // It is mended by making it again, and the report holds again.
    desk.succeed(&["run", "experiments/small.yaml", "--force", "--quiet"]);
    let (code, again) = audit(&desk, &["reports/small.html"]);
    assert!(code == 0 && again["not_compared"].to_string().contains("times and machines"), "{again}");
}

#[test]
fn data_that_changed_since_are_found() {
    let (desk, _) = with_report();
    desk.edit("data/digits/labels.csv", "0000.png,0,1", "0000.png,1,0");
    let (code, found) = audit(&desk, &["reports/small.html"]);
    assert!(code == 4 && differing(&found).contains(&"labels/digit".to_owned()), "{:?}", differing(&found));
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    let desk = Desk::empty();
    desk.write("page.html", b"<html></html>");
    let said = desk.visavis(&["audit", "page.html"]);
    assert!(said.code == 2 && said.err.contains("no report of Visavis"), "{}", said.err);
    assert_eq!(desk.visavis(&["audit", "absent.html"]).code, 2);
}
