//! The terminal UI, typed at: keys in, frames out, on real workspaces. What a key leaves to be done is a command line, which is
//! done with the real program.

mod pictures;
mod plan;
mod report;
mod study;
mod terminal;

pub(crate) use pictures::pictures_are_true;

use crate::desk::{Desk, Inject, SMALL, program};
use std::{
    fs,
    path::Path,
    process::Command,
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
    holds(&seen, &["my own pictures or features", "an empty study file", "scanned digits"]);
    seen.press("j j Enter");
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
