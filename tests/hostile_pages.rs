//! Pages that were made to deceive an auditor, or to keep the program busy: each is refused or told, at once.

use crate::{desk::Desk, report::with_report};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::Digest as _;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::{Duration, Instant},
};
use visavis::audit::{EmbeddedObject, Evidence, MARK, pack, seal};
use visavis_core::domain::{
    Digest, Key,
    claim::{Claim, ClaimSource, NumberForm},
    result::{Manifest, Output},
    stage::{Input, Kind, Location, MeasureQuality, Task, VerifyIdentities, Work},
};

/// A part of a second where nothing else runs; what would hang takes for ever.
const SOON: Duration = Duration::from_secs(8);

/// The evidence of an honest report, made once.
fn honest() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| with_report().1)
}

fn evidence() -> Evidence {
    let page = honest();
    let start = page.find(MARK).unwrap() + MARK.len();
    let end = start + page[start..].find("</script>").unwrap();
    serde_json::from_str(&page[start..end]).unwrap()
}

/// The honest evidence with nothing in it but what given features say of themselves.
fn small() -> Evidence {
    let mut evidence = evidence();
    evidence.manifests.retain(|manifest| manifest.stage == Kind::Features);
    let known: Vec<Key> = evidence.manifests.iter().map(|manifest| manifest.key).collect();
    evidence.claims.retain(|claim| known.contains(&claim.from.key));
    assert!(evidence.claims.len() >= 2, "features make claims");
    evidence.study_file = "experiments/none.yaml".into();
    evidence
}

const STYLE: &str = include_str!("../templates/report.css");

/// A page that shows the claims of some evidence, as small as a report can be; `more` is put into its body.
pub(crate) fn page_of(evidence: &Evidence, more: &str) -> String {
    let hash = STANDARD.encode(sha2::Sha256::digest(STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"visavis-seal\" content=\"\">\n<title>x</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    for claim in &evidence.claims {
        page += &format!("<p><data data-claim=\"{}\">{}</data></p>\n", claim.id, claim.form.show(claim.value));
    }
    page += more;
    page += &format!("\n{MARK}{}</script>\n</body>\n</html>\n", evidence.to_page().unwrap());
    sealed(&page)
}

fn sealed(page: &str) -> String {
    let head = "name=\"visavis-seal\" content=\"";
    let at = page.find(head).unwrap() + head.len();
    let end = at + page[at..].find('"').unwrap();
    format!("{}{}{}", &page[..at], seal(page), &page[end..])
}

/// Exit code, what was printed as JSON, and how long it took.
fn audit(desk: &Desk, arguments: &[&str]) -> (i32, serde_json::Value, Duration) {
    let begun = Instant::now();
    let said = desk.visavis(&[&["audit"], arguments, &["--json"]].concat());
    let told = serde_json::from_str(said.out.lines().last().unwrap_or("null"))
        .unwrap_or_else(|_| panic!("no JSON, exit {}: {}{}", said.code, said.out, said.err));
    (said.code, told, begun.elapsed())
}

fn whys(told: &serde_json::Value, verdict: &str) -> Vec<String> {
    let claims = told["claims"]
        .as_array()
        .unwrap_or_else(|| panic!("no claims: {told}"))
        .iter()
        .filter(|claim| claim["verdict"] == verdict);
    claims.map(|claim| format!("{}: {}", claim["id"].as_str().unwrap(), claim["why"].as_str().unwrap())).collect()
}

/// Such a page shows no ledger, so no program rendered it: nothing on it differs, and it is not called identical.
#[test]
fn a_small_page_agrees_with_itself() {
    let desk = Desk::empty();
    desk.write("r.html", page_of(&small(), "").as_bytes());
    let (code, told, _) = audit(&desk, &["r.html", "--quick"]);
    assert_eq!((code, told["verdict"].as_str(), told["differs"].as_u64()), (6, Some("unchecked"), Some(0)), "{told}");
    assert!(told["lacks"][0].as_str().unwrap().contains("not rendered again"), "{}", told["lacks"]);
    assert_eq!(told["consistent"].as_u64(), Some(small().claims.len() as u64));
    let (code, told, _) = audit(&desk, &["r.html"]);
    assert_eq!((code, told["differs"].as_u64()), (6, Some(0)), "{told}");
}

/// Files that must not be opened: they would never end, wait for ever, act, or give away what is none of the page's business.
#[test]
fn a_page_that_names_a_device_a_pipe_or_a_strangers_file_is_refused_at_once() {
    let (desk, elsewhere) = (Desk::empty(), tempfile::tempdir().unwrap());
    let pipe = |path: PathBuf| {
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path.to_str().unwrap().to_owned()
    };
    std::fs::create_dir(desk.path("data")).unwrap();
    let secret = elsewhere.path().join("secret");
    std::fs::write(&secret, b"secret").unwrap();
    std::os::unix::fs::symlink("/dev/zero", desk.path("data/zero")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), desk.path("data/folder")).unwrap();
    let (inside, outside) = (pipe(desk.path("data/pipe")), pipe(elsewhere.path().join("pipe")));
    let up = format!("data/../../{}/secret", elsewhere.path().file_name().unwrap().to_str().unwrap());
    for (path, why) in [
        ("/dev/zero", "path outside the workspace"),
        ("/dev/stdin", "path outside the workspace"),
        ("/dev/fd/0", "path outside the workspace"),
        ("/proc/self/environ", "path outside the workspace"),
        ("/proc/self/root/dev/zero", "path outside the workspace"),
        (secret.to_str().unwrap(), "path outside the workspace"),
        (&up, "path outside the workspace"),
        (&outside, "path outside the workspace"),
        ("data/zero", "path outside the workspace"),
        ("data/folder/secret", "path outside the workspace"),
        ("data/folder/pipe", "path outside the workspace"),
        (&inside, "not a regular file"),
        ("data", "not a regular file"),
        ("data/absent.npy", "file not here"),
    ] {
        let mut evidence = small();
        for input in evidence.manifests.iter_mut().flat_map(|manifest| &mut manifest.inputs) {
            if let Location::File(at) = &mut input.at {
                *at = path.into();
            }
        }
        let claims = evidence.claims.len();
        desk.write("r.html", page_of(&evidence, "").as_bytes());
        let (code, told, took) = audit(&desk, &["r.html", "--recompute", "features"]);
        let unchecked = whys(&told, "unchecked");
        assert!(code == 6 && unchecked.len() == claims, "{path}: {told}");
        assert!(unchecked.iter().all(|of| of.contains(why)), "{path}: {unchecked:?}");
        assert!(took < SOON, "{path}: {took:?}");
    }
    let said = desk.visavis(&["audit", "r.html", "--recompute", "features"]);
    assert!(said.out.contains("cannot be checked: file not here: data/absent.npy"), "{}", said.out);
}

/// A folder that the auditor names is read; the same file without that is not.
#[test]
fn inputs_are_read_from_a_folder_that_the_auditor_names() {
    let (desk, made) = (Desk::empty(), Desk::with_digits());
    let mut evidence = small();
    let folder = made.path("data/digits");
    for input in evidence.manifests.iter_mut().flat_map(|manifest| &mut manifest.inputs) {
        if let Location::File(at) = &mut input.at {
            *at = folder.join(at.file_name().unwrap());
        }
    }
    desk.write("r.html", page_of(&evidence, "").as_bytes());
    let data = ["r.html", "--recompute", "features", "--data", folder.to_str().unwrap()];
    let (code, told, _) = audit(&desk, &data);
    assert_eq!((code, told["verdict"].as_str(), told["unchecked"].as_u64()), (6, Some("unchecked"), Some(0)), "{told}");
    // Another file under that name is no absence: it differs.
    let array = made.path("data/digits/pixels.npy");
    let mut bytes = std::fs::read(&array).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&array, bytes).unwrap();
    let (code, told, _) = audit(&desk, &data);
    assert!(code == 4 && whys(&told, "differs").iter().any(|why| why.contains("not the one that was consumed")), "{told}");
    let said = desk.visavis(&["audit", "r.html", "--data", "absent"]);
    assert!(said.code == 2 && said.err.contains("no such folder"), "{}", said.err);
}

/// What a browser would show, run or ask for beside what the claims say.
#[test]
fn whatever_has_no_place_in_a_report_is_found() {
    let desk = Desk::empty();
    let evidence = small();
    let first = &evidence.claims[0].id;
    let hidden = |tag: &str| format!("<{tag}><data data-claim=\"{first}\">9,999</data></{tag}>");
    let mut pages: Vec<String> = [
        format!("<p><data data-claim=\"{first}\">9,999</data></p>"),
        format!("<p><data class=x data-claim='{first}'>9,999</data></p>"),
        format!("<p><DATA\nDATA-CLAIM={first}\n>9,999</DATA></p>"),
        format!("<p><data data-claim=\"&#{};{}\">9,999</data></p>", first.as_bytes()[0], &first[1..]),
        format!("<!-- <data data-claim=\"{first}\">9,999</data> -->"),
        hidden("template"),
        hidden("noscript"),
        hidden("textarea"),
        hidden("xmp"),
        "<p><data data-claim=\"c99999\">.999</data></p>".into(),
        "<p>AUC .999</p>".into(),
        "<p>AUC .<b>99</b>9</p>".into(),
        "<p>AUC &#46;9&#57;9</p>".into(),
        "<p><code>.999</code></p>".into(),
        "<p title=\".999\">x</p>".into(),
        "<p>AUC .9&#x200b;99</p>".into(),
        "<p>AUC .9&shy;99</p>".into(),
        "<p>AUC .9&#xfe0f;99</p>".into(),
        "<p>AUC \u{2024}999 and \u{ff0e}999</p>".into(),
        "<p>AUC ·999, 0,999</p>".into(),
        "<p>AUC .𝟡𝟡𝟡 or .٩٩٩</p>".into(),
        "<p>12.3 ％</p>".into(),
        "<p>AUC .9<span class=\"class\">99</span></p>".into(),
        "<p>AUC .9<img src=\"data:image/png;base64,AA\" alt=\"\">99</p>".into(),
        "<p>AUC .9<meta name=\"generator\" content=\"x\">99</p>".into(),
        "<p>AUC .9<code>99 by far</code></p>".into(),
        "<svg class=\"strip\"><text x=\"0\">.9</text><text x=\"2\">99</text></svg>".into(),
        "<svg viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9\"/></svg>".into(),
        "<svg class=\"strip\"><image href=\"data:image/png;base64,AA\"/></svg>".into(),
        format!("<p>9&#x200b;<data data-claim=\"{first}\">{}</data></p>", evidence.claims[0].form.show(evidence.claims[0].value)),
        "<script>document.title='x'</script>".into(),
        "<SCRIPT SRC=x.js></SCRIPT>".into(),
        "<img src=\"http://a.example/x.png\">".into(),
        "<img src=\"data:image/png;base64,AA\" srcset=\"//a.example/x.png 2x\">".into(),
        "<link rel=\"stylesheet\" href=\"//a.example/x.css\">".into(),
        "<style>@import '//a.example/x.css'</style>".into(),
        "<meta http-equiv=\"refresh\" content=\"0;url=//a.example\">".into(),
        "<iframe src=\"//a.example\"></iframe>".into(),
        "<svg><use href=\"//a.example/x.svg#a\"/></svg>".into(),
        "<svg><rect fill=\"url(//a.example/x)\"/></svg>".into(),
        "<form action=\"//a.example\"><p>x</p></form>".into(),
        "<p onclick=\"x()\">x</p>".into(),
        "<p style=\"display:none\">x</p>".into(),
        "<a href=\"//a.example\">x</a>".into(),
        "<a href=\"JavaScript:x()\">x</a>".into(),
        "<p><b>not closed</p>".into(),
        "<table>text<tr><td>x</td></tr></table>".into(),
    ]
    .iter()
    .map(|more: &String| page_of(&evidence, more))
    .collect();
    // Changed where it stands, and sealed again.
    let honest = page_of(&evidence, "");
    let shown = format!("data-claim=\"{first}\">");
    for (from, to) in [
        (shown.as_str(), format!("{shown}<b>9</b>")),
        (&shown, format!("value=\"9\" {shown}")),
        (&shown, format!("{shown}9")),
        ("<p><data", "<p>9<data".into()),
        ("<p><data", "<p>−<data".into()),
        ("<style>", "<style>p::after{content:'.999'}".into()),
        ("img-src data:", "img-src *".into()),
        ("<meta charset=\"utf-8\">", "<meta charset=\"utf-7\">".into()),
        ("<!DOCTYPE html>\n", String::new()),
    ] {
        assert!(honest.contains(from), "{from}");
        pages.push(sealed(&honest.replacen(from, &to, 1)));
    }
    for (number, page) in pages.iter().enumerate() {
        desk.write("r.html", page.as_bytes());
        let (code, told, took) = audit(&desk, &["r.html", "--quick"]);
        let differs = whys(&told, "differs");
        assert!(code == 4 && !differs.is_empty(), "page {number} passed: {told}\n{page}");
        assert!(!differs.iter().any(|why| why.starts_with("seal")), "page {number} is found for what it is: {differs:?}");
        assert!(took < SOON, "page {number}: {took:?}");
    }
}

/// What is marked up as a name is one of the study, and frees no equal number beside it.
#[test]
fn a_name_frees_its_own_number_and_no_other() {
    let desk = Desk::empty();
    let mut evidence = small();
    evidence.study_text =
        "about: AUC .777 was found before\nseparates_at: .871\nmodels: { vgg 0.125: x, 0.25: y, 0.0625: z }\n".into();
    for manifest in &mut evidence.manifests {
        manifest.provenance.program = "0.1.0".into();
        manifest.provenance.cpu = "CPU of 2.999 GHz".into();
        manifest.provenance.system = "Linux 5.15.167".into();
    }
    let code = |more: &str| {
        desk.write("r.html", page_of(&evidence, more).as_bytes());
        audit(&desk, &["r.html", "--quick"]).0
    };
    for more in [
        "<p><bdi>AUC .777 was found before</bdi>, in <b><bdi>vgg 0.125</bdi></b> and <bdi>“0.0625”</bdi>.</p>",
        "<p><code><bdi>0.1.0, CPU of 2.999 GHz, Linux 5.15.167</bdi></code></p>",
    ] {
        assert_eq!(code(more), 6, "{more}");
    }
    for more in [
        "AUC .777",
        "<bdi>AUC .777</bdi>",
        "<bdi>.777</bdi>",
        ".871",
        "<bdi>“.871”</bdi>",
        "vgg 0.125",
        "<bdi>0.0625</bdi>",
        "<bdi>vgg</bdi> 0.125",
        "<bdi>0.1.0, CPU of 2.999 GHz, Linux 5.15.167</bdi>",
        "<code>CPU of 2.999 GHz</code>",
        "<bdi>vgg</bdi>",
    ] {
        assert_eq!(code(&format!("<p>on the evaluation half {more}</p>")), 4, "{more}");
    }
}

#[test]
fn the_sample_report_is_clean() {
    let desk = Desk::empty();
    desk.write("r.html", include_bytes!("../reports/sample.html"));
    let (code, told, _) = audit(&desk, &["r.html", "--quick"]);
    assert_eq!(
        (code, told["verdict"].as_str(), told["differs"].as_u64()),
        (0, Some("consistent"), Some(0)),
        "{:?}",
        whys(&told, "differs")
    );
}

/// Which of two would be believed? Neither.
#[test]
fn a_page_with_two_elements_of_evidence_is_refused() {
    let desk = Desk::empty();
    for more in
        ["<script type=\"application/json\" id=\"visavis-evidence\">{}</script>", "<script id=visavis-evidence>1</script>"]
    {
        desk.write("r.html", page_of(&small(), more).as_bytes());
        let said = desk.visavis(&["audit", "r.html", "--quick"]);
        assert!(said.code == 4 && said.err.contains("a second element of evidence"), "{} {}", said.code, said.err);
    }
}

/// A manifest of made-up work on made-up inputs, with its key as it should be.
fn made_up(work: Work, inputs: Vec<Input>, like: &Manifest) -> Manifest {
    let task = Task { work, inputs };
    let (key, stage, version) = (task.key(), task.work.kind(), task.work.version());
    let output = Output { name: VerifyIdentities::VERIFICATION.into(), digest: Digest::of(b"{}"), bytes: 2 };
    let facts = [("n".to_owned(), vec![1.0])].into();
    Manifest { key, stage, version, work: task.work, inputs: task.inputs, outputs: vec![output], facts, ..like.clone() }
}

fn with_claim(manifest: Manifest, objects: &[&[u8]]) -> Evidence {
    let mut evidence = small();
    let from = ClaimSource { key: manifest.key, output: "facts".into(), pointer: "/n/0".into() };
    evidence.claims = vec![Claim { id: "c0".into(), what: "n".into(), form: NumberForm::Count, value: 1.0, from }];
    evidence.manifests = vec![manifest];
    evidence.objects = objects.iter().map(|bytes| (Digest::of(bytes), EmbeddedObject::of(bytes))).collect();
    evidence
}

/// Work that no machine could do, and inputs that no run gives.
#[test]
fn work_that_would_never_end_is_not_begun() {
    let desk = Desk::empty();
    let like = small().manifests.remove(0);
    let input = |role: &str, bytes: &[u8]| Input { role: role.into(), digest: Digest::of(bytes), at: Location::Object };
    let mut array =
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1048576), }".to_vec();
    array.resize(128, b' ');
    let images = b"a\t-\nb\t-\n".as_slice();
    let endless = made_up(Work::Verify(VerifyIdentities { bootstraps: 1 << 50, seed: 1 }), vec![input("images", images)], &like);
    desk.write("r.html", page_of(&with_claim(endless, &[images]), "").as_bytes());
    let (code, told, took) = audit(&desk, &["r.html"]);
    let unchecked = whys(&told, "unchecked");
    assert!(code == 6 && unchecked.iter().any(|why| why.contains("bootstraps")), "{told}");
    assert!(took < SOON);
    for (work, inputs) in [
        (Work::Verify(VerifyIdentities { bootstraps: 20, seed: 1 }), vec![input("images", images), input("points/0", &array)]),
        (Work::Quality(MeasureQuality { views: vec![], seed: 1 }), vec![input("features", &array)]),
        (Work::Verify(VerifyIdentities { bootstraps: 20, seed: 1 }), vec![]),
    ] {
        let odd = made_up(work, inputs, &like);
        desk.write("r.html", page_of(&with_claim(odd, &[images, &array]), "").as_bytes());
        let (code, told, took) = audit(&desk, &["r.html"]);
        assert!(code == 4 && whys(&told, "differs").iter().any(|why| why.contains("cannot be made again")), "{told}");
        assert!(took < SOON, "{took:?}");
    }
}

/// An object that says it has two bytes and has sixty-four million; and one that is not what it is named by.
#[test]
fn evidence_that_inflates_to_more_than_it_says_is_found() {
    let desk = Desk::empty();
    let like = small().manifests.remove(0);
    let work = || Work::Verify(VerifyIdentities { bootstraps: 20, seed: 1 });
    for forged in [vec![b' '; 64 << 20], b"{ }".to_vec()] {
        let mut evidence = with_claim(made_up(work(), vec![], &like), &[]);
        evidence.objects.insert(Digest::of(b"{}"), EmbeddedObject::of(&forged));
        evidence.claims[0].from.output = VerifyIdentities::VERIFICATION.into();
        desk.write("r.html", page_of(&evidence, "").as_bytes());
        let (code, told, took) = audit(&desk, &["r.html", "--quick"]);
        let differs = whys(&told, "differs");
        assert!(code == 4 && differs.iter().any(|why| why.starts_with("c0")), "{told}");
        assert!(differs.iter().any(|why| why.starts_with("object ")), "{told}");
        assert!(took < SOON, "{took:?}");
    }
}

/// Sixty objects of 128 MB that are none of what they are named by: they count as much as others do.
#[test]
fn broken_objects_do_not_inflate_for_ever() {
    let desk = Desk::empty();
    let mut evidence = small();
    let packed = pack(&vec![0; 128 << 20]);
    evidence.objects.extend((0..60u8).map(|number| (Digest::of(&[number]), EmbeddedObject::Packed(packed.clone()))));
    desk.write("r.html", page_of(&evidence, "").as_bytes());
    let said = desk.visavis(&["audit", "r.html", "--quick"]);
    assert!(said.code == 2 && said.err.contains("inflated, its evidence has more than"), "{} {}", said.code, said.err);
}

#[test]
fn the_study_file_is_looked_up_in_the_workspace_alone() {
    let (desk, page) = with_report();
    let start = page.find(MARK).unwrap() + MARK.len();
    let end = start + page[start..].find("</script>").unwrap();
    // From another folder, with the workspace named: the data are found and compared.
    let elsewhere = Desk::empty();
    let (workspace, report) = (desk.path(""), desk.path("reports/small.html"));
    let arguments = ["--workspace", workspace.to_str().unwrap(), report.to_str().unwrap()];
    let (code, told, _) = audit(&elsewhere, &arguments);
    let is_data = |claim: &&serde_json::Value| claim["stage"] == "data" && claim["verdict"] == "identical";
    assert!(code == 0 && told["claims"].as_array().unwrap().iter().any(|claim| is_data(&claim)), "{told}");
    // A study of that name in the current folder is not the workspace's.
    let alone = Desk::with_digits();
    alone.write("r.html", page.as_bytes());
    std::fs::create_dir(alone.path("empty")).unwrap();
    let (code, told, _) = audit(&alone, &["r.html", "--workspace", "empty", "--sample", "0"]);
    assert!(code == 0 && told["claims"].as_array().unwrap().iter().all(|claim| claim["stage"] != "data"), "{told}");
    for name in ["/dev/zero", "/dev/stdin", "../small.yaml", "/etc/passwd"] {
        let mut evidence: Evidence = serde_json::from_str(&page[start..end]).unwrap();
        evidence.study_file = name.into();
        alone.write("r.html", sealed(&format!("{}{}{}", &page[..start], evidence.to_page().unwrap(), &page[end..])).as_bytes());
        let (code, told, took) = audit(&alone, &["r.html", "--sample", "0"]);
        // The page's words name another study file than its evidence does.
        assert_eq!(code, 4, "{name}: {told}");
        assert!(whys(&told, "differs").iter().all(|why| why.contains("holds no such name")), "{name}: {told}");
        assert!(told["claims"].as_array().unwrap().iter().all(|claim| claim["stage"] != "data"), "{name}: {told}");
        assert!(took < Duration::from_secs(10), "{name}: {took:?}");
    }
}

#[test]
fn a_report_that_is_too_large_or_no_file_is_refused_at_once() {
    let desk = Desk::empty();
    std::fs::File::create(desk.path("large.html")).unwrap().set_len(2 << 30).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(desk.path("pipe.html")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", desk.path("zero.html")).unwrap();
    std::fs::create_dir(desk.path("folder.html")).unwrap();
    let begun = Instant::now();
    for (name, why) in [
        ("large.html", "more than the 134.2 MB"),
        ("pipe.html", "not a regular"),
        ("zero.html", "not a regular"),
        ("folder.html", "not a regular"),
    ] {
        let said = desk.visavis(&["audit", name]);
        assert!(said.code == 2 && said.err.contains(why), "{name}: {} {}", said.code, said.err);
    }
    assert!(begun.elapsed() < SOON);
}

/// What would take long or much is counted before it is done.
#[test]
fn what_is_more_than_a_report_has_is_refused_with_the_limit() {
    let desk = Desk::empty();
    let evidence = small();
    let honest = page_of(&evidence, "");
    let with = |more: &str| honest.replacen("<p>", &format!("{more}<p>"), 1);
    let bomb = |field: &str| {
        let text = evidence.to_page().unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json[field] = pack(&vec![b' '; (64 << 20) + 1]).into();
        honest.replace(&text, &json.to_string())
    };
    let mut factual = small();
    factual.manifests[0].facts.insert("n".to_owned(), vec![0.0; 1_000_001]);
    let many = |tag: &dyn Fn(usize) -> String, times: usize| (0..times).map(tag).collect::<String>();
    let value = "x".repeat(40);
    for (name, page, why) in [
        ("text", with(&"word ".repeat((64 << 20) / 5)), "more than the 67.1 MB"),
        ("tags", with(&"<br>".repeat(2_000_001)), "more than 2,000,000 tags"),
        ("body", with(&many(&|place| format!("<body a{place}>"), 200_000)), "more than 100 attributes"),
        ("page", with(&many(&|place| format!("<html a{place}>"), 200_000)), "more than 100 attributes"),
        ("tag", with(&format!("<p {}>", many(&|place| format!("a{place}={value} "), 200_000))), "more than 100 attributes"),
        ("claims", bomb("claims"), "its claims have more than the 67.1 MB"),
        ("facts", page_of(&factual, ""), "1,000,000 facts"),
        ("results", bomb("manifests"), "its results have more than the 67.1 MB"),
        (
            "texts",
            honest.replacen("\"sources\":{", &format!("\"more\":[{}\"\"],\"sources\":{{", "\"\",".repeat(400_000)), 1),
            "400,000 texts",
        ),
    ] {
        desk.write("r.html", page.as_bytes());
        let begun = Instant::now();
        let said = desk.visavis(&["audit", "r.html", "--quick"]);
        assert!(said.code == 2 && said.err.contains(why), "{name}: {} {}", said.code, said.err);
        assert!(begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
    }
}

/// One large object under two hundred names: it is not held two hundred times.
#[test]
fn an_object_of_many_names_is_inflated_so_often_and_no_oftener() {
    let desk = Desk::empty();
    let page = include_str!("../reports/sample.html");
    let start = page.find(MARK).unwrap() + MARK.len();
    let end = start + page[start..].find("</script>").unwrap();
    let mut evidence: Evidence = serde_json::from_str(&page[start..end]).unwrap();
    let labels = vec![b'a'; 64 << 20];
    evidence.objects.insert(Digest::of(&labels), EmbeddedObject::of(&labels));
    evidence.sources.extend((0..200).map(|number| (format!("labels/x{number}"), Digest::of(&labels))));
    desk.write("r.html", sealed(&format!("{}{}{}", &page[..start], evidence.to_page().unwrap(), &page[end..])).as_bytes());
    let begun = Instant::now();
    let (code, told, _) = audit(&desk, &["r.html", "--quick"]);
    assert!(code == 4 || code == 6, "{told}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// Twenty thousand claims; as many as a page may have where time is no matter.
#[test]
fn many_claims_are_checked_in_seconds() {
    let many = if std::env::var_os("VISAVIS_LONG").is_some() { 250_000 } else { 20_000 };
    let like = small().manifests.remove(0);
    let mut evidence = with_claim(made_up(Work::Verify(VerifyIdentities { bootstraps: 20, seed: 1 }), vec![], &like), &[]);
    let values: Vec<u32> = (0..many).collect();
    let bytes = serde_json::to_vec(&values).unwrap();
    let output = &mut evidence.manifests[0].outputs[0];
    (output.digest, output.bytes) = (Digest::of(&bytes), bytes.len() as u64);
    evidence.objects.insert(Digest::of(&bytes), EmbeddedObject::of(&bytes));
    let claim = |number: u32| Claim {
        id: format!("c{number}"),
        value: f64::from(number),
        from: ClaimSource {
            pointer: format!("/{number}"),
            output: VerifyIdentities::VERIFICATION.into(),
            ..evidence.claims[0].from.clone()
        },
        ..evidence.claims[0].clone()
    };
    evidence.claims = values.iter().map(|&number| claim(number)).collect();
    let desk = Desk::empty();
    let page = page_of(&evidence, "");
    desk.write("r.html", page.as_bytes());
    let (code, told, took) = audit(&desk, &["r.html", "--quick"]);
    assert_eq!((code, told["consistent"].as_u64()), (6, Some(u64::from(many))));
    assert!(took < Duration::from_secs(30), "{took:?}");
    desk.write("r.html", sealed(&page.replacen(">1,234<", ">1,235<", 1)).as_bytes());
    let (code, told, _) = audit(&desk, &["r.html", "--quick"]);
    assert_eq!((code, whys(&told, "differs").len()), (4, 1));
}

#[test]
fn results_do_not_hang_on_the_number_of_threads() {
    let desk = Desk::empty();
    desk.write("r.html", honest().as_bytes());
    let of = |threads: &str| {
        let (code, told, _) = audit(&desk, &["r.html", "--threads", threads]);
        assert_eq!(code, 0, "{told}");
        told
    };
    assert_eq!(of("1"), of("3"));
}

/// Stopped by Ctrl-C, it tells what it has checked, and does not pass for a whole audit.
#[test]
fn an_audit_that_is_stopped_tells_what_it_checked() {
    let desk = Desk::with_digits();
    desk.write("r.html", honest().as_bytes());
    desk.succeed(&["run", "experiments/small.yaml", "--quiet"]);
    for json in [false, true] {
        let mut command = desk.command(&["audit", "r.html", "--recompute", "features", "--threads", "1"]);
        if json {
            command.arg("--json");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        if json {
            // It has begun to listen for signals when its threads are there.
            let tasks = PathBuf::from(format!("/proc/{}/task", child.id()));
            let begun = Instant::now();
            while threads(&tasks) < 3 && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(100));
        } else {
            let first = lines.next().unwrap().unwrap();
            assert!(first.starts_with("the page alone: ") && first.contains("as its evidence has them"), "{first}");
            std::thread::sleep(Duration::from_millis(100));
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let last =
            lines.map_while(Result::ok).filter(|line| line.starts_with('{') || line.starts_with("verdict")).last().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{last}");
        if json {
            let told: serde_json::Value = serde_json::from_str(&last).unwrap();
            assert_eq!((told["verdict"].as_str(), told["extent"].as_str()), (Some("stopped"), Some("stopped")));
            assert!(told["stages_made_again"].as_u64() < told["stages"].as_u64());
            assert!(whys(&told, "not_attempted").iter().any(|why| why.contains("stopped before")));
        } else {
            assert!(last.starts_with("verdict: stopped · "), "{last}");
        }
        assert!(!desk.path("data/audits/small.json").exists(), "what saw a part is not kept as an audit");
    }
}

fn threads(tasks: &Path) -> usize {
    std::fs::read_dir(tasks).map_or(0, Iterator::count)
}

/// What a quick look finds is kept, and said to be a part; a quick look that finds nothing does not take a whole audit's place.
#[test]
fn a_quick_look_does_not_pass_for_an_audit() {
    let (desk, page) = with_report();
    assert_eq!(audit(&desk, &["reports/small.html", "--sample", "1"]).0, 0);
    let kept = desk.read("data/audits/small.json");
    let (code, told, _) = audit(&desk, &["reports/small.html", "--quick"]);
    assert_eq!((code, told["extent"].as_str(), told["verdict"].as_str()), (0, Some("page"), Some("consistent")));
    assert_eq!(desk.read("data/audits/small.json"), kept);
    let forged = page.replacen("<h2>Summary</h2>", "<h2>Summery</h2>", 1);
    desk.write("forged.html", forged.as_bytes());
    assert_eq!(audit(&desk, &["forged.html", "--quick"]).0, 4);
    assert_eq!(desk.read("data/audits/small.json"), kept, "a page from elsewhere says nothing of the report that is here");
    desk.write("reports/small.html", forged.as_bytes());
    assert_eq!(audit(&desk, &["reports/small.html", "--quick"]).0, 4);
    let kept: serde_json::Value = serde_json::from_str(&desk.read("data/audits/small.json")).unwrap();
    assert_eq!((kept["partial"].as_bool(), kept["verdict"].as_str()), (Some(true), Some("differs")));
    assert_eq!(desk.visavis(&["audit", "experiments/small.yaml", "--quick"]).code, 2);
}
