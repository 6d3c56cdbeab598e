//! The screen of the report: what is current, and what is pinned.

use super::{STUDY, holds, session};
use crate::desk::Desk;
use std::fs;

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
