//! What is copied or handed out means the same anywhere: command lines, reports; and looking leaves nothing behind.

use crate::desk::{Desk, Inject, Said, program};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};
use visavis::{
    study::watch::Watch,
    tui::{Session, Theme},
};
use visavis_core::store::{Injection, Workspace};

const STUDY: &str = "experiments/small.yaml";
const CONTRASTS: &str = "contrasts:\n  features: { pair: [pixels, blocks] }\nstatistics:";

fn session(root: &Path, store: Option<PathBuf>) -> Session {
    let workspace = Workspace::new(root.to_owned(), store).unwrap();
    Session::new(Watch::new(&workspace, 2), (130, 40), Theme::Dark, 1_795_000_000_000)
}

/// What `y` copies after these keys; `None` where it says why it copies nothing.
fn copied(seen: &mut Session, keys: &str) -> Option<String> {
    seen.press(keys);
    seen.press("y");
    seen.left.pop()
}

/// Pastes a line into a shell in some other folder.
fn paste(line: &str, folder: &Path) -> Said {
    let bin = Path::new(&program()).parent().unwrap().to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path).output().unwrap().into()
}

fn listing(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry.clone());
            }
            found.insert(entry);
        }
    }
    found
}

#[test]
fn a_copied_line_does_the_same_from_any_folder() {
    let desk = Desk::empty();
    // Names that a shell would take apart.
    let root = "it's a $(place) of \"mine\"";
    for name in ["labels.csv", "images.txt", "pixels.npy", "blocks.npy"] {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits").join(name);
        desk.write(&format!("{root}/data/digits/{name}"), &fs::read(sample).unwrap());
    }
    let text = crate::desk::SMALL.replace("statistics:", CONTRASTS).replace("    pixels:", "    \"raw pixels' own\":");
    let text = text.replace("[pixels, blocks]", "[\"raw pixels' own\", blocks]");
    desk.write(&format!("{root}/{STUDY}"), text.as_bytes());
    let (folder, elsewhere) = (desk.path(root), desk.path("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    let store = desk.path("a store.db");
    let mut seen = session(&folder, Some(store.clone()));
    // Nothing was run: what would fail is not copied, and it is said why.
    for keys in ["3", "4", "5", "5 G"] {
        assert_eq!(copied(&mut seen, keys), None, "{keys}");
        assert!(seen.text().contains("nothing is copied: "), "{keys}: {}", seen.text());
    }
    let run = copied(&mut seen, "1").unwrap();
    assert!(
        run.starts_with("visavis run ") && run.contains("--only") && run.contains(" --workspace ") && run.contains(" --store ")
    );
    let said = paste(&run, &elsewhere);
    assert_eq!(said.code, 0, "{run}: {}", said.err);
    let whole = ["run", &format!("{root}/{STUDY}"), "--workspace", root, "--store", "a store.db", "--quiet"].map(str::to_owned);
    assert_eq!(desk.visavis(&whole.iter().map(String::as_str).collect::<Vec<_>>()).code, 0);

    let mut seen = session(&folder, Some(store));
    let mut lines = Vec::new();
    for keys in ["1", "1 l", "2", "2 G", "3", "3 Space j Space", "4", "4 l", "5 g"] {
        let line = copied(&mut seen, keys).unwrap_or_else(|| panic!("{keys}: {}", seen.text()));
        let said = paste(&line, &elsewhere);
        assert_eq!(said.code, 0, "{line}\n{}{}", said.out, said.err);
        lines.push(line);
    }
    assert!(
        lines.iter().any(|line| line.starts_with("visavis compare "))
            && lines.iter().any(|line| line.starts_with("visavis export "))
    );
    // The report was written by the line of its screen; its audit is copied only now.
    assert!(desk.path(&format!("{root}/reports/small.html")).is_file());
    let mut seen = session(&folder, Some(desk.path("a store.db")));
    let audit = copied(&mut seen, "5 G").unwrap();
    assert!(audit.starts_with("visavis audit "), "{audit}");
    let said = paste(&audit, &elsewhere);
    assert_eq!(said.code, 0, "{audit}\n{}{}", said.out, said.err);
    assert_eq!(listing(&elsewhere), BTreeSet::new(), "nothing was left where it was pasted");
}

#[test]
fn what_waits_or_failed_is_explained_and_not_run() {
    let desk = Desk::with_pretence();
    let study = "experiments/micro.yaml";
    let mishaps = "train resnet34-softmax=input";
    let failed = desk.command(&["run", study, "--quiet"]).inject(Injection::Mishaps, mishaps).output().unwrap();
    assert_eq!(failed.status.code(), Some(3));
    let mut seen = session(&desk.path(""), None);
    seen.press("1 g");
    let line = copied(&mut seen, "1").unwrap();
    assert!(line.starts_with("visavis explain ") && line.contains(" --study "), "{line}");
    let said = paste(&line, &std::env::temp_dir());
    assert!(said.code == 0 && said.out.contains("resnet34-softmax"), "{line}\n{}{}", said.out, said.err);
    // What is printed to be done next holds in another folder too.
    let root = desk.path("").display().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    let look = ["explain", "train", "resnet34-softmax", "--workspace", &root];
    let said = Said::from(desk.command(&look).current_dir(elsewhere.path()).output().unwrap());
    let next = said.out.lines().find_map(|line| line.trim().strip_prefix("→ ")).unwrap_or_else(|| panic!("{}", said.out));
    let said = paste(&next[next.find("visavis ").unwrap()..], elsewhere.path());
    assert_eq!(said.code, 0, "{next}: {}{}", said.out, said.err);
    assert_eq!(listing(elsewhere.path()), BTreeSet::new());
    assert!(desk.succeed(&["explain", "train", "resnet34-softmax"]).contains("done"));
    // A study that cannot be read is no study to run.
    desk.edit(study, "projections:", "projektions:");
    seen.refresh();
    assert_eq!(copied(&mut seen, "3"), None);
    assert!(seen.text().contains("cannot be read"), "{}", seen.text());
    // Two that the study does not hold against each other.
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let mut seen = session(&desk.path(""), None);
    assert_eq!(copied(&mut seen, "3 Space j Space"), None);
    assert!(seen.text().contains("names no contrasts"), "{}", seen.text());
}

#[test]
fn a_run_with_failed_jobs_exits_three_however_it_is_followed() {
    let study = "experiments/micro.yaml";
    for (mishap, flags) in [("input", &["--json"][..]), ("memory", &[]), ("input", &["--quiet", "--devices", "cpu,pretend:0"])] {
        let desk = Desk::with_pretence();
        let arguments = [&["run", study, "--attempts", "1"], flags].concat();
        let mishaps = format!("train resnet34-softmax={mishap}");
        let said = Said::from(desk.command(&arguments).inject(Injection::Mishaps, &mishaps).output().unwrap());
        assert_eq!(said.code, 3, "{mishap} {flags:?}: {}{}", said.out, said.err);
    }
    let desk = Desk::with_pretence();
    let mishaps = "train resnet34-softmax=input";
    let begun = desk.command(&["run", study, "--detach"]).inject(Injection::Mishaps, mishaps).output().unwrap();
    assert_eq!(begun.status.code(), Some(0));
    // It may be over already; then there is nothing to attach to.
    let said = desk.visavis(&["attach", "--quiet"]);
    assert!(said.code == 3 || said.code == 2 && said.err.contains("nothing runs"), "{}: {}", said.code, said.err);
}

/// Every command that only reads, in a folder that is not a workspace yet.
#[test]
fn looking_leaves_nothing_behind() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "statistics:", CONTRASTS);
    let study = desk.path(STUDY).display().to_string();
    let page = desk.path("reports/small.html").display().to_string();
    let array = desk.path("data/digits").display().to_string();
    let (empty, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["check", &study],
        vec!["plan", &study],
        vec!["status"],
        vec!["show", &study],
        vec!["show", &study, "--results"],
        vec!["compare", &study],
        vec!["find", &study, "--model", "pixels", "even"],
        vec!["find", &study, "--model", "pixels", "--like", "0003.png"],
        vec!["logs"],
        vec!["explain", "index", "--study", &study],
        vec!["audit", &study],
        vec!["audit", &page],
        vec!["data", "check", &array],
        vec!["data", "stats", &array],
        vec!["weights", "inspect", "none.safetensors"],
        vec!["store", "check"],
        vec!["store", "dump"],
        vec!["doctor"],
        vec!["completions", "bash"],
        vec!["attach"],
        vec!["pause"],
        vec!["retry"],
        vec!["cancel", "x"],
        vec!["drain"],
        vec!["unpin", &study, "x"],
    ];
    for what in [
        "scores",
        "coordinates",
        "features",
        "quality",
        "retrieval",
        "clicks",
        "ledger",
        "fairness",
        "contrasts",
        "verification",
        "metrics",
        "attempts",
    ] {
        commands.push(vec!["export", &study, "--what", what, "--model", "pixels"]);
    }
    for screen in ["matrix", "runs", "compare", "figures", "report"] {
        commands.push(vec!["tui", "--plain", "--screen", screen, "--study", &study]);
    }
    let look = |folder: &Path, arguments: &[&str]| -> Said {
        let mut command = desk.command(arguments);
        command.current_dir(folder).env("XDG_CACHE_HOME", cache.path()).output().unwrap().into()
    };
    // With a study elsewhere, and with data and a study here of which nothing was run.
    let before = listing(&desk.path(""));
    for arguments in &commands {
        for json in [false, true] {
            let arguments = if json { [&arguments[..], &["--json"]].concat() } else { arguments.clone() };
            look(empty.path(), &arguments);
            assert_eq!(listing(empty.path()), BTreeSet::new(), "{arguments:?}");
            look(&desk.path(""), &arguments);
            assert_eq!(listing(&desk.path("")), before, "{arguments:?}");
        }
    }
    assert!(look(empty.path(), &["plan", &study]).code == 0 && look(&desk.path(""), &["check", STUDY]).code == 0);
    assert!(!listing(cache.path()).is_empty(), "what was hashed is known the next time");
    let owners: Vec<PathBuf> = listing(cache.path()).into_iter().filter(|path| path.ends_with("workspace")).collect();
    let of_desk = |path: &PathBuf| fs::read_to_string(path).unwrap() == desk.path("").canonicalize().unwrap().to_str().unwrap();
    assert!(owners.iter().any(of_desk), "a cache says whose it is: {owners:?}");
    // A folder that nobody may write is looked at like any other; what was run there stays as it is.
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    let before = listing(&desk.path(""));
    for arguments in [&["status"][..], &["plan", &study], &["show", &study], &["compare", &study], &["check", &study]] {
        let said = look(&desk.path(""), arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
    }
    let lasting = |path: &&PathBuf| !["db-wal", "db-shm"].iter().any(|end| path.to_string_lossy().ends_with(end));
    let after = listing(&desk.path(""));
    let new: Vec<&PathBuf> =
        after.difference(&before).filter(lasting).filter(|path| !path.starts_with(desk.path("data/cache"))).collect();
    assert!(new.is_empty(), "{new:?}");
}

/// Everything a page holds, its packed evidence opened.
fn opened(page: &str) -> String {
    // Templates write a slash in letters.
    let mut text = page.replace("&#x2F;", "/");
    let evidence = page.split("id=\"visavis-evidence\">").nth(1).unwrap().split("</script>").next().unwrap();
    let evidence: serde_json::Value = serde_json::from_str(evidence).unwrap();
    let mut packed: Vec<&str> = ["manifests", "claims", "small_objects"].map(|part| evidence[part].as_str().unwrap()).into();
    packed.extend(evidence["objects"].as_object().unwrap().values().map(|value| value.as_str().unwrap()));
    for packed in packed {
        let mut bytes = Vec::new();
        flate2::read::DeflateDecoder::new(STANDARD.decode(packed).unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
        text += &String::from_utf8_lossy(&bytes);
    }
    text
}

#[test]
fn a_report_says_nothing_of_where_its_files_were() {
    let desk = Desk::with_digits();
    let outside = tempfile::tempdir().unwrap();
    // Features from elsewhere, named absolutely; two of one file name.
    for folder in ["one", "other"] {
        fs::create_dir(outside.path().join(folder)).unwrap();
    }
    let (one, other) = (outside.path().join("one/x.npy"), outside.path().join("other/x.npy"));
    fs::copy(desk.path("data/digits/pixels.npy"), &one).unwrap();
    fs::copy(desk.path("data/digits/blocks.npy"), &other).unwrap();
    desk.edit(STUDY, "../data/digits/pixels.npy", &format!("\"{}\"", one.display()));
    desk.edit(STUDY, "../data/digits/blocks.npy", &other.display().to_string());
    desk.edit(STUDY, "about: Do", &format!("# was {}/notes.txt once\nabout: Do", desk.path("").display()));
    let study = desk.path(STUDY).display().to_string();
    desk.succeed(&["run", &study, "--quiet"]);
    desk.succeed(&["report", &study, "--quiet"]);
    let text = opened(&desk.page("reports/small.html"));
    for folder in [desk.path(""), outside.path().to_owned(), std::env::current_dir().unwrap()] {
        let folder = folder.display().to_string();
        assert!(!text.contains(folder.trim_end_matches('/')), "{folder} is in the page");
    }
    assert!(text.contains("\"study_file\":\"experiments/small.yaml\"") && text.contains("visavis run experiments/small.yaml"));
    assert!(text.contains("file x.npy (2)") && text.contains("file data/digits/images.txt"));
    let host = machine();
    assert!(host.len() < 4 || !text.contains(&host), "the machine's name is in the page");
    // The audit finds everything again, also from another folder, also in a copy of the workspace with the inputs beside it.
    let audit = desk.json(&["audit", "reports/small.html", "--recompute", "features"]);
    assert_eq!(audit["differs"].as_u64(), Some(0), "{audit}");
    let root = desk.path("").display().to_string();
    let said = desk
        .command(&["audit", &format!("{root}/reports/small.html"), "--workspace", &root, "--json"])
        .current_dir(outside.path())
        .output()
        .unwrap();
    let audit: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((audit["differs"].as_u64(), audit["unchecked"].as_u64()), (Some(0), Some(0)), "{audit}");
}

fn machine() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
