//! The terminal UI, typed at: keys in, frames out, on real workspaces. What a key leaves to be done is a command line, which is
//! done with the real program.

use crate::desk::{Desk, Inject, SMALL, program};
use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use visavis::{
    study::watch::Watch,
    tui::{Session, Theme},
};
use visavis_core::store::{Injection, Workspace};

const STUDY: &str = "experiments/small.yaml";
/// A day in 2026.
const NOW: u64 = 1_795_000_000_000;

fn session(desk: &Desk, size: (u16, u16)) -> Session {
    let workspace = Workspace::new(desk.path(""), None).unwrap();
    Session::new(Watch::new(&workspace, 2), size, Theme::Dark, NOW)
}

/// Does what the keys left to be done, and tells the session how that ended.
fn follow(desk: &Desk, session: &mut Session) -> Vec<String> {
    let mut done = Vec::new();
    while let Some(line) = session.left.pop() {
        // As a person would paste it.
        let bin = Path::new(&program()).parent().unwrap().to_owned();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh").args(["-c", &line]).current_dir(desk.path("")).env("PATH", path).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        session.ended(&line, output.status.code().unwrap(), &text(&output.stdout), &text(&output.stderr));
        done.push(line);
    }
    done
}

fn wait_for(session: &mut Session, words: &str) {
    let begun = Instant::now();
    while !session.text().contains(words) {
        assert!(begun.elapsed() < Duration::from_secs(60), "never showed {words:?}:\n{}", session.text());
        std::thread::sleep(Duration::from_millis(100));
        session.refresh();
    }
}

/// Places of the sample's files are relative to the study's folder, which sessions see from elsewhere.
fn holds(session: &Session, words: &[&str]) {
    let text = session.text();
    for word in words {
        assert!(text.contains(word), "no {word:?} in\n{text}");
    }
}

#[test]
fn from_an_empty_workspace_to_an_audited_report_by_keys_alone() {
    let desk = Desk::empty();
    let mut seen = session(&desk, (120, 40));
    holds(&seen, &["no study yet", "Enter starts one"]);
    seen.press("Enter");
    holds(&seen, &["a study of my own", "scanned digits"]);
    seen.press("j Enter");
    assert!(follow(&desk, &mut seen)[0].ends_with("demo --digits --prepare"));
    // The whole sample takes half a minute: the small study stands in for it.
    fs::remove_file(desk.path("experiments/digits.yaml")).unwrap();
    desk.write(STUDY, SMALL.as_bytes());
    let mut seen = session(&desk, (120, 40));
    holds(&seen, &["· not run", "r runs the study"]);
    seen.press("r");
    let line = seen.left.last().unwrap().clone();
    assert!(line.starts_with("visavis run ") && line.ends_with("--detach"), "{line}");
    follow(&desk, &mut seen);
    wait_for(&mut seen, "everything is done");
    seen.press("1");
    holds(&seen, &["zero or one", "AUC", "rank", "other views", "identities"]);
    // Pin the figure that is looked at, build, audit.
    seen.press("p 'for_the_<b>_record Enter");
    follow(&desk, &mut seen);
    wait_for(&mut seen, "small");
    seen.press("5 b");
    follow(&desk, &mut seen);
    follow(&desk, &mut seen);
    holds(&seen, &["pinned: for the <b> record"]);
    let page = desk.read("reports/small.html");
    assert!(page.contains("for the &lt;b&gt; record") && !page.contains("for the <b>"), "a note is text");
    let ledger = desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "csv"]);
    assert_eq!(ledger.lines().filter(|line| line.contains("pinned")).count(), 1);
    seen.press("A");
    follow(&desk, &mut seen);
    holds(&seen, &["◆ identical", "reports/small.html: identical"]);
    seen.press("G Enter");
    holds(&seen, &["▾ ◆ identical"]);
    seen.press("1");
    wait_for(&mut seen, "◆");
    holds(&seen, &["◆ verified"]);
    seen.press("q");
    assert!(seen.quits());
}

#[test]
fn every_state_is_told_by_sign_and_word() {
    let desk = Desk::with_pretence();
    let mut seen = session(&desk, (140, 40));
    holds(&seen, &["· not run"]);
    let mishaps = "train resnet34-softmax=input";
    desk.command(&["run", "experiments/micro.yaml", "--quiet"]).inject(Injection::Mishaps, mishaps).output().unwrap();
    seen.refresh();
    holds(&seen, &["✕ failed", "R tries it again"]);
    // The failed cell is taken up again, by its job.
    seen.press("R");
    let line = seen.left.last().unwrap().clone();
    assert!(line.starts_with("visavis retry "), "{line}");
    follow(&desk, &mut seen);
    seen.press("2 / 'state=failed Enter");
    holds(&seen, &["train resnet34-softmax", "its input"]);
    desk.succeed(&["run", "experiments/micro.yaml", "--quiet"]);
    seen = session(&desk, (140, 40));
    let text = seen.text();
    assert!(!text.contains("✕"), "{text}");
    // Stale: the labels are other ones now.
    let labels = desk.read("data/dots.csv");
    desk.write("data/dots.csv", labels.replacen("00.png,0,1", "00.png,0,0", 1).as_bytes());
    let mut seen = session(&desk, (140, 40));
    seen.press("l");
    holds(&seen, &["◌ stale", "r makes it again"]);
    // Waits: the data are gone.
    fs::remove_file(desk.path("data/dots.csv")).unwrap();
    holds(&session(&desk, (140, 40)), &["… waits", "waits for"]);
}

#[test]
fn two_models_are_held_against_each_other() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "statistics:", "contrasts:\n  features: { pair: [pixels, blocks] }\nstatistics:");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let mut seen = session(&desk, (130, 40));
    seen.press("Space j Space d");
    // The same numbers as on the command line; the first marked less the second.
    let said = desk.json(&["compare", STUDY]);
    let of = said["differences"].as_array().unwrap().iter().find(|of| of["comparison"] == "even or odd").unwrap();
    let score = |value: &serde_json::Value| format!("{:.3}", value.as_f64().unwrap());
    let text = seen.text();
    let row = text.lines().find(|line| line.contains("even or odd  ")).unwrap();
    // Whatever was marked first: right less left of the contrast, in the words of the command line.
    assert!(row.contains(of["verdict"].as_str().unwrap()), "{row} {of}");
    assert!(row.contains(&score(&of["left_value"])) && row.contains(&score(&of["right_value"])), "{row} {of}");
    let difference = of["difference"]["value"].as_f64().unwrap();
    let sign = if difference < 0.0 { "−" } else { "+" };
    assert!(row.contains(&format!("{sign}{:.3}", difference.abs())), "{row} {of}");
    holds(&seen, &["blocks minus pixels", "features"]);
    let told = desk.succeed(&["compare", STUDY]);
    let counted = told.lines().last().unwrap().trim().strip_prefix("blocks against pixels: ").unwrap();
    holds(&seen, &[counted]);
    let exported = desk.succeed(&["export", STUDY, "--what", "contrasts", "--format", "jsonl"]);
    for line in exported.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let of = said["differences"].as_array().unwrap().iter().find(|of| of["comparison"] == row["comparison"]).unwrap();
        assert_eq!((&row["verdict"], &row["left"]), (&of["verdict"], &of["left"]));
    }
    desk.succeed(&["report", STUDY, "--quiet"]);
    for of in said["differences"].as_array().unwrap() {
        let cell = format!("<td class=\"text\">{}</td></tr>", of["verdict"].as_str().unwrap());
        assert!(desk.read("reports/small.html").contains(&cell), "{of}");
    }
    seen.press("Esc / 'auc>2 Enter");
    holds(&seen, &["no model fits the filter"]);
    seen.press("Esc / 'acu>1");
    holds(&seen, &["no field `acu`"]);
    seen.press("Esc / 'model=pixels Enter");
    holds(&seen, &["Compare · 1 model"]);
    // A comparison that is named restricts what scores are means of, and takes no model away.
    seen.press("Esc / 'comparison:\"zero_or_one\" Enter");
    holds(&seen, &["Compare · 2 models", "zero or one"]);
    assert!(!seen.text().contains("even or odd ."), "{}", seen.text());
    seen.press("y");
    let (file, root) = (desk.path(STUDY).display().to_string(), desk.path(""));
    let root = root.components().collect::<std::path::PathBuf>().display().to_string();
    let line = seen.left.pop().unwrap();
    assert!(line.starts_with(&format!("visavis compare {file} pixels blocks --workspace {root}")), "{line}");
}

#[test]
fn a_change_to_the_study_is_shown_written_and_undone() {
    let desk = Desk::with_pretence();
    let study = "experiments/micro.yaml";
    let commented = desk.read(study).replace("      - arcface\n", "      - arcface   # with its usual margin\n");
    desk.write(study, commented.as_bytes());
    let mut seen = session(&desk, (140, 45));
    // Down to a loss that is on offer: four architectures, a heading, softmax, arcface, normface, cosface.
    seen.press("x j j j j j j j j");
    seen.press("Space");
    holds(&seen, &["+2 models", "+24 cells", "cosface", "Enter writes it"]);
    assert_eq!(desk.read(study), commented, "nothing is written before it is wanted");
    seen.press("Enter");
    let written = desk.read(study);
    assert!(written.contains("      - arcface   # with its usual margin\n      - cosface\n"), "{written}");
    seen.press("Esc z");
    assert_eq!(desk.read(study), commented);
    // A form, with completion; what is wrong is said and what was typed is kept.
    seen.press("a Enter 'odds Enter 'Odd Enter 'od Tab Enter 'Even Enter 'not_o Tab Enter Enter");
    holds(&seen, &["`odd or even` and `odds` ask the same", "not odd"]);
    seen.press("'thi Tab Enter");
    holds(&seen, &["+ ", "odds:", "within", "Enter writes it"]);
    // Somebody else was faster.
    desk.write(study, commented.replace("seed: 5", "seed: 6").as_bytes());
    seen.press("Enter");
    holds(&seen, &["edited elsewhere"]);
    assert!(desk.read(study).contains("seed: 6") && !desk.read(study).contains("odds"));
    // And a mistake is shown where it is, and goes when it is mended.
    desk.write(study, commented.replace("- softmax", "- sofmax").as_bytes());
    seen.press("Enter");
    wait_for(&mut seen, "micro");
    let mut seen = session(&desk, (140, 45));
    holds(&seen, &["cannot be read", "micro.yaml:", "softmax"]);
    desk.write(study, commented.as_bytes());
    seen.refresh();
    wait_for(&mut seen, "Matrix · ");
}

#[test]
fn hostile_names_and_every_size_draw_and_steer_nothing() {
    let desk = Desk::with_digits();
    let hostile = "  \"\\e[31mred\\e]0;x\\a\": { \"女性\": \"digit=2\", \"مرحبا \\u202e\": \"digit=3\" }\n  ink:";
    desk.edit(STUDY, "  ink:", hostile);
    let said = desk.visavis(&["check", STUDY]);
    // Names that steer are refused by the study file already; those that are merely odd are not.
    assert_eq!(said.code, 2, "{}", said.err);
    desk.edit(STUDY, "\\e[31mred\\e]0;x\\a", "🙂 e\u{301}\u{301}\u{301} ﷽ very long name of a comparison that goes on and on");
    desk.edit(STUDY, " \\u202e", "");
    desk.succeed(&["run", STUDY, "--quiet"]);
    for size in [(40, 12), (41, 13), (80, 24), (120, 40), (200, 60), (20, 5), (1, 1), (300, 12), (40, 100)] {
        let mut seen = session(&desk, size);
        for keys in [
            "1",
            "l l l",
            "Enter",
            "Esc x",
            "2",
            "3",
            "Space j Space d",
            "4",
            "Enter",
            "v l",
            "5",
            "?",
            "Esc :",
            "Esc 1 a",
            "Enter",
            "Esc E",
            "T",
            "T",
            "T",
            "I",
            "I",
        ] {
            seen.press(keys);
            let text = seen.text();
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{size:?} {keys}: {text:?}");
            assert!(text.lines().count() == usize::from(size.1));
        }
        seen.resize(40, 12);
        seen.resize(9, 2);
        seen.resize(120, 40);
        holds(&seen, &["small"]);
    }
    let small = session(&desk, (20, 5));
    holds(&small, &["needs 40"]);
}

#[test]
fn a_damaged_or_vanished_store_is_told_and_comes_back() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let sound = fs::read(desk.path("data/visavis.db")).unwrap();
    let mut seen = session(&desk, (120, 40));
    holds(&seen, &["everything is done"]);
    desk.write("data/visavis.db", b"no database at all, and quite long enough to be looked at as one");
    let mut broken = session(&desk, (120, 40));
    holds(&broken, &["✕ store"]);
    // The matrix is there all the same: results are the truth.
    broken.press("1");
    desk.write("data/visavis.db", &sound);
    wait_for(&mut broken, "everything is done");
    fs::remove_file(desk.path("data/visavis.db")).unwrap();
    seen.refresh();
    seen.press("2");
    wait_for(&mut seen, "small");
}

/// Times of files say nothing: a report is of what is here now where its digests say so, and an audit likewise.
#[test]
fn a_report_and_its_audit_are_current_by_digests_alone() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    desk.succeed(&["audit", "reports/small.html", "--quiet"]);
    let shown = |desk: &Desk| {
        let mut seen = session(desk, (150, 40));
        seen.press("5");
        seen.text()
    };
    let current = "of what is here now";
    let text = shown(&desk);
    assert!(
        text.contains(current) && !text.contains("not of what") && text.contains("  reports/small.html: identical"),
        "{text}"
    );
    // Written long ago, by the clock; and everything else touched since.
    let page = desk.path("reports/small.html");
    fs::File::options().append(true).open(&page).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    desk.write(STUDY, desk.read(STUDY).as_bytes());
    assert!(!shown(&desk).contains("not of what"), "{}", shown(&desk));
    // A label changes: stages are stale, however new the page is.
    let labels = desk.read("data/digits/labels.csv");
    desk.edit("data/digits/labels.csv", "0000.png,0,1", "0000.png,1,0");
    fs::File::options().append(true).open(&page).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    let text = shown(&desk);
    assert!(text.contains("not of what is here now: results are other ones") && text.contains("to run"), "{text}");
    assert!(text.contains("of results that are no longer the study's"), "{text}");
    desk.write("data/digits/labels.csv", labels.as_bytes());
    assert!(!shown(&desk).contains("not of what"), "back to what it was");
    // A sentence of the study file stands in the page.
    desk.edit(STUDY, "about: Do", "about: Whether");
    assert!(shown(&desk).contains("not of what is here now: the study file was edited"));
    // Written anew: another page than the one that was audited, of the same results.
    desk.succeed(&["report", STUDY, "--quiet"]);
    let text = shown(&desk);
    assert!(!text.contains("not of what") && text.contains("of another page than is here now"), "{text}");
    // Whatever lies there is no report because of its name.
    desk.write("reports/small.html", b"<html>of what is here now</html>");
    assert!(shown(&desk).contains("it does not say what it was made of"), "{}", shown(&desk));
}

#[test]
fn a_pin_follows_its_figure_or_is_told_lost() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let figure = "pixels · embedding · pca axis 1 · zero or one";
    desk.succeed(&["pin", STUDY, figure, "--note", "the first that was seen"]);
    let pinned = |desk: &Desk| -> Vec<String> {
        desk.succeed(&["run", STUDY, "--quiet"]);
        let ledger = desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "jsonl"]);
        let rows = ledger.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let pinned = rows.filter(|row| row["shown_as"].as_str().is_some_and(|shown| shown.contains("pinned")));
        pinned.map(|row| format!("{} {}", row["model"].as_str().unwrap(), row["comparison"].as_str().unwrap())).collect()
    };
    assert_eq!(pinned(&desk), ["pixels zero or one"]);
    // Its model, its comparison and its projection are called otherwise; another has the old name.
    desk.edit(STUDY, "    blocks:", "    pixels2:");
    desk.edit(STUDY, "    pixels:", "    raw:");
    desk.edit(STUDY, "    pixels2:", "    pixels:");
    desk.edit(STUDY, "  zero or one:", "  nought or one:");
    assert_eq!(pinned(&desk), ["raw nought or one"]);
    let mut seen = session(&desk, (150, 40));
    seen.press("5");
    holds(&seen, &["raw · embedding · pca axis 1 · nought or one", "pinned: the first that was seen"]);
    assert!(!desk.succeed(&["show", STUDY]).contains("lost"));
    desk.succeed(&["report", STUDY, "--quiet"]);
    assert!(desk.read("reports/small.html").contains("the first that was seen"));
    // Pinned again by its new name, it is one pin; and is taken off by it.
    desk.succeed(&["pin", STUDY, "raw axis 1 nought", "--note", "seen again"]);
    assert_eq!(pinned(&desk), ["raw nought or one"]);
    // Gone with its comparison: told, and not silently dropped.
    desk.edit(STUDY, "  nought or one: { Zero: \"digit=0\", One: \"digit=1\" }\n", "");
    assert_eq!(pinned(&desk), [""; 0]);
    let lost = "lost: names no figure of this study";
    let shown = desk.succeed(&["show", STUDY]);
    assert!(shown.contains(figure) && shown.contains(lost), "{shown}");
    assert_eq!(desk.json(&["show", STUDY])["lost_pins"][0], figure);
    let mut seen = session(&desk, (150, 40));
    seen.press("5");
    holds(&seen, &[figure, lost]);
    let said = desk.visavis(&["report", STUDY]);
    assert!(said.code == 0 && said.err.contains(lost), "{}", said.err);
    assert!(desk.read("reports/small.html").contains("the study no longer has them"));
    desk.succeed(&["unpin", STUDY, figure]);
    assert!(!desk.succeed(&["show", STUDY]).contains("lost"));
}

#[test]
fn after_an_act_status_says_what_explain_says() {
    let desk = Desk::with_pretence();
    let study = "experiments/micro.yaml";
    let mishaps = "train resnet34-softmax=input";
    desk.command(&["run", study, "--quiet"]).inject(Injection::Mishaps, mishaps).output().unwrap();
    let status = |state: &str| desk.json(&["status"])["jobs"][state].as_u64().unwrap();
    let explained = |job: &str| desk.json(&["explain", job])["state"].as_str().unwrap().to_owned();
    // Jobs that wait for the failed one, and the failed one itself; nothing runs meanwhile.
    let (waiting, failed) = ("features resnet34-softmax", "train resnet34-softmax");
    let (queued, ended) = (status("queued"), status("failed"));
    assert_eq!((explained(waiting).as_str(), explained(failed).as_str(), ended), ("waiting", "failed", 1));
    desk.succeed(&["pause", "features", "resnet34-softmax"]);
    desk.succeed(&["cancel", "train", "resnet34-softmax"]);
    assert_eq!((explained(waiting).as_str(), status("paused")), ("paused", 1));
    assert_eq!((explained(failed).as_str(), status("cancelled"), status("failed")), ("cancelled", 1, 0));
    let text = desk.succeed(&["status"]);
    assert!(text.contains("1 paused") && text.contains("1 cancelled"), "{text}");
    let mut seen = session(&desk, (140, 40));
    seen.press("2 / 'state=paused Enter");
    holds(&seen, &["features resnet34-softmax"]);
    desk.succeed(&["retry"]);
    assert_eq!((explained(waiting).as_str(), explained(failed).as_str()), ("waiting", "failed"));
    assert_eq!((status("paused"), status("cancelled"), status("failed"), status("queued")), (0, 0, 1, queued));
    let mut seen = session(&desk, (140, 40));
    seen.press("2 / 'state=paused Enter");
    assert!(!seen.text().contains("features resnet34-softmax"), "{}", seen.text());
}

/// The program for networks is taken for granted here: only its name is looked for.
fn with_pictures() -> Desk {
    let desk = Desk::with_pretence();
    for i in 0..40 {
        desk.write(&format!("data/dots/{i:02}.png"), b"not looked into");
    }
    for name in ["one", "another"] {
        desk.write(&format!("data/faces/{name}/0.png"), b"not looked into");
    }
    desk
}

fn plan(desk: &Desk) -> serde_json::Value {
    let output = desk.command(&["plan", "experiments/micro.yaml", "--json"]).env("VISAVIS_TORCH", program()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn total(plan: &serde_json::Value, what: &str) -> u64 {
    plan["stages"].as_array().unwrap().iter().map(|stage| stage[what].as_u64().unwrap()).sum()
}

#[test]
fn a_plan_counts_what_can_run_here() {
    let study = "experiments/micro.yaml";
    let desk = with_pictures();
    desk.edit(study, "device: pretend", "device: cpu");
    let without = plan(&desk);
    assert_eq!((without["missing"].as_array().unwrap().len(), total(&without, "waiting")), (0, 0), "{without}");
    // What no visavis of this release can train is named, and neither counted nor priced.
    desk.edit(study, "      - arcface\n", "      - arcface\n      - triplet\n      - adaface\n");
    let with = plan(&desk);
    let missing: Vec<&str> = with["missing"].as_array().unwrap().iter().map(|of| of["input"].as_str().unwrap()).collect();
    assert!(missing.iter().any(|of| of.contains("triplet")) && missing.iter().any(|of| of.contains("adaface")), "{missing:?}");
    assert_eq!(total(&with, "to_run"), total(&without, "to_run"), "{with}");
    assert_eq!(with["seconds"], without["seconds"]);
    assert!(total(&with, "waiting") > 0 && with["waiting"].as_u64() > Some(0));
    let text =
        String::from_utf8(desk.command(&["plan", study]).env("VISAVIS_TORCH", program()).output().unwrap().stdout).unwrap();
    assert!(text.contains("waiting") && text.contains(&format!("{} stages to run", total(&without, "to_run"))), "{text}");
    // Without the program nothing of a network would run.
    let bare = desk.command(&["plan", study, "--json"]).env("VISAVIS_TORCH", "/nowhere").output().unwrap();
    let bare: serde_json::Value = serde_json::from_slice(&bare.stdout).unwrap();
    let train = bare["stages"].as_array().unwrap().iter().find(|stage| stage["kind"] == "train").unwrap();
    assert_eq!((train["to_run"].as_u64(), bare["waiting"].clone()), (Some(0), bare["cells"].clone()), "{bare}");
    assert!(total(&bare, "to_run") <= 2, "{bare}");
}

#[test]
fn a_card_that_is_not_here_is_named_before_anything_runs() {
    let desk = with_pictures();
    desk.edit("experiments/micro.yaml", "device: pretend", "device: cuda");
    let plan = plan(&desk);
    let missing = plan["missing"].as_array().unwrap();
    if visavis::study::devices::has_cards() {
        assert!(missing.is_empty() && plan["waiting"] == 0, "there is a card here: {plan}");
        return;
    }
    assert!(missing.len() == 1 && missing[0]["input"].as_str().unwrap().contains("graphics card"), "{plan}");
    assert_eq!((&plan["waiting"], &missing[0]["cells"]), (&plan["cells"], &plan["cells"]));
    assert!(plan["seconds"].as_f64().unwrap() < 1.0 && total(&plan, "to_run") <= 2, "{plan}");
    assert!(session(&desk, (150, 45)).text().contains("waits"), "{}", session(&desk, (150, 45)).text());
}

#[test]
fn forms_offer_what_can_be_run() {
    let study = "experiments/micro.yaml";
    // Pretending can pretend anything.
    let desk = with_pictures();
    let mut seen = session(&desk, (140, 60));
    seen.press("x");
    holds(&seen, &["cosface", "triplet"]);
    desk.edit(study, "device: pretend", "device: cpu");
    desk.edit(study, "  faces: {", "  gone: { folders: { root: ../data/gone } }\n  faces: {");
    desk.edit(study, "  whole: {", "  aligned: { crop: aligned, size: 32, pad: zero, scale: imagenet }\n  whole: {");
    let mut seen = session(&desk, (140, 60));
    seen.press("x");
    holds(&seen, &["cosface"]);
    let text = seen.text();
    for absent in ["triplet", "adaface", "gone", "aligned"] {
        assert!(!text.contains(absent), "{absent} is offered:\n{text}");
    }
    // What is typed all the same is told before it is written.
    seen.press("Esc a j j Enter 'triplet Enter");
    holds(&seen, &["the loss triplet", "would wait"]);
}

/// What was looked at may be gone when a study is edited, or another is opened.
#[test]
fn a_study_that_shrinks_takes_nothing_down() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let whole = desk.read(STUDY);
    let mut seen = session(&desk, (120, 40));
    // A figure put aside, a level fixed, a note begun; then all of it goes.
    seen.press("1 t > > j l G p 'why");
    seen.press("Esc 4 G v k 1 l l G");
    let small = whole
        .replace("  even or odd: { Even: \"even\", Odd: \"not even\" }\n  ink: { quantity: ink }\n", "")
        .replace("    blocks:\n      features: { embedding: ../data/digits/blocks.npy, images: ../data/digits/images.txt }\n", "")
        .replace("pca: { axes: 3, pairs: [[1, 2]] }", "pca: { axes: 1, pairs: [] }");
    assert!(small.len() + 150 < whole.len());
    desk.write(STUDY, small.as_bytes());
    seen.refresh();
    for keys in ["1", "2", "3", "4", "5", "1 Enter", "v", "p", "Esc Esc 4 Enter v", "1 0 G l l l"] {
        seen.press(keys);
        assert!(seen.text().contains("small"), "{keys}");
    }
    // A broken file is told, and what was read before stays.
    desk.write(STUDY, small.replace("projections:", "projektions:").as_bytes());
    seen.refresh();
    holds(&seen, &["✕", "projektions"]);
    // Names that look like the matrix's own trainings, and are not.
    let desk = Desk::with_pretence();
    let odd = "    train: { recipe: quick }\n  named:\n    \"x@0\": { architecture: resnet34, loss: softmax, trained_on: faces, prepare: whole, train: { recipe: quick } }\n    \"x@5000000000\": { baseline: pixels, prepare: whole }\n";
    desk.edit("experiments/micro.yaml", "    train: { recipe: quick }\n", odd);
    holds(&session(&desk, (140, 40)), &["x@0", "x@5000000000"]);
}

#[test]
fn screens_have_twins_without_a_terminal() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    for screen in ["matrix", "runs", "compare", "figures", "report"] {
        let plain = desk.succeed(&["tui", "--plain", "--screen", screen]);
        assert!(plain.lines().count() > 3, "{screen}: {plain}");
        let json = desk.json(&["tui", "--screen", screen]);
        let csv = desk.succeed(&["tui", "--csv", "--screen", screen]);
        let rows = json["rows"].as_array().unwrap().len();
        assert!(rows > 0 && json["format"] == 1, "{json}");
        assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).count(), rows, "{screen}");
    }
    let matrix = desk.json(&["tui", "--screen", "matrix"]);
    let scores = desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "jsonl"]);
    let chosen: serde_json::Value = scores
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|row| row["picked"] == true)
        .unwrap();
    let row = matrix["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["model"] == chosen["model"] && row["comparison"] == chosen["comparison"])
        .unwrap();
    assert_eq!(row["value"]["value"], chosen["value"], "the matrix quotes what the ledger does");
    // No terminal, and one that can do nothing.
    let said = desk.visavis(&[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no terminal") && said.err.contains("--plain"), "{}", said.err);
    assert_eq!(desk.visavis(&["tui", "--record", "x.png"]).code, 2);
    desk.succeed(&["tui", "--record", "screen.txt", "--size", "60x20", "--screen", "compare"]);
    assert_eq!(desk.read("screen.txt").lines().count(), 20);
}

/// In a real terminal: it is taken, drawn on, and given back, also when the process is told to go.
#[test]
fn a_real_terminal_is_given_back() {
    assert!(Command::new("script").arg("--version").output().is_ok(), "this test needs `script`, of util-linux (bsdutils)");
    let desk = Desk::with_digits();
    for end in ["key", "signal", "hangup"] {
        let line = format!("stty rows 40 cols 120; exec {} tui --theme dark", program());
        let mut child = Command::new("script")
            .args(["-qfec", &line, "/dev/null"])
            .current_dir(desk.path(""))
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).ok();
            bytes
        });
        std::thread::sleep(Duration::from_millis(1500));
        let mut keys = child.stdin.take().unwrap();
        if end == "key" {
            keys.write_all(b"2q").unwrap();
        } else {
            let running = Command::new("pgrep").args(["-P", &child.id().to_string()]).output().unwrap();
            let pid = String::from_utf8(running.stdout).unwrap();
            let pid = pid.split_whitespace().next().unwrap_or("0").to_owned();
            // `script` runs a shell, which became the program.
            if end == "signal" {
                Command::new("kill").args(["-TERM", &pid]).status().unwrap();
            } else {
                // The terminal itself goes: nobody is left to be given anything back, and nothing goes on reading.
                child.kill().unwrap();
                child.wait().unwrap();
                let begun = Instant::now();
                while Path::new(&format!("/proc/{pid}")).exists() {
                    assert!(begun.elapsed() < Duration::from_secs(10), "it reads a terminal that is gone");
                    std::thread::sleep(Duration::from_millis(50));
                }
                continue;
            }
        }
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end by {end}");
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(keys);
        let bytes = reader.join().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let (taken, given) = (text.find("\x1b[?1049h"), text.rfind("\x1b[?1049l"));
        assert!(taken.is_some() && given > taken, "{end}: the screen was not given back: {text:?}");
        assert!(text[given.unwrap()..].contains("\x1b[?25h"), "{end}: the cursor is hidden");
        assert!(text.contains("Matrix"), "{end}");
    }
}

/// The pictures in the documents are what the program draws of the digits' study; `VISAVIS_BLESS=1` draws them anew.
pub fn pictures_are_true(desk: &Desk) {
    let pictures = [
        ("matrix", Theme::Dark, (120, 36), "1 j"),
        ("compare", Theme::Light, (120, 36), "3 Space j Space d"),
        ("figures", Theme::Dark, (120, 44), "4 l"),
        ("report", Theme::Dark, (120, 24), "5"),
        ("help", Theme::Dark, (120, 44), "1 ?"),
        ("narrow", Theme::Sixteen, (80, 24), "1 j l"),
        ("monochrome", Theme::Plain, (80, 24), "1 j l"),
    ];
    for (name, theme, size, keys) in pictures {
        let workspace = Workspace::new(desk.path(""), None).unwrap();
        let written = fs::metadata(desk.path("reports/digits.html")).unwrap().modified().unwrap();
        let now = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        let mut seen = Session::new(Watch::new(&workspace, 2), size, theme, now);
        seen.press(keys);
        let drawn = seen.frame().svg();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/screens/{name}.svg"));
        if std::env::var_os("VISAVIS_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &drawn).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == drawn,
            "docs/screens/{name}.svg is not what the program draws: `make screens` draws it anew\n{}",
            seen.text()
        );
    }
}
