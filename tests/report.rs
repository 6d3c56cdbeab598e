//! The page: self-contained, silent, every number a claim.

use crate::desk::Desk;

const STUDY: &str = "experiments/small.yaml";

/// A desk with a report on it, and the page's text.
pub(crate) fn with_report() -> (Desk, String) {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.read("reports/small.html");
    (desk, page)
}

/// What a reader sees: the text outside tags, scripts, styles and pictures; claims' numbers and names of code left out.
fn visible(page: &str) -> String {
    let mut text = page.to_owned();
    for (start, end) in [
        ("<script", "</script>"),
        ("<style", "</style>"),
        ("<svg", "</svg>"),
        ("<data", "</data>"),
        ("<code", "</code>"),
        ("<title", "</title>"),
    ] {
        while let Some(from) = text.find(start) {
            let to = from + text[from..].find(end).unwrap() + end.len();
            text.replace_range(from..to, " ");
        }
    }
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

#[test]
fn every_number_on_the_page_is_a_claim() {
    let (_desk, page) = with_report();
    let visible = visible(&page);
    // Names may hold digits (axis 1); scores and counts may not stand outside a claim.
    let rest = [
        "axis 1",
        "axis 2",
        "axis 3",
        "axes 1-2",
        "95&nbsp;%",
        "5&nbsp;%",
        "5 %",
        "layer1",
        "layer4",
        "&#x27;",
        "&#x2F;",
        "BLAKE3",
        "AIF360",
        "digit = 0",
        "digit = 1",
        "digit = 2",
        "digit = 3",
        "digit = 4",
        "digit = 5",
        "digit = 6",
        "digit = 7",
        "digit = 8",
        "digit = 9",
        "bold = 0",
        "bold = 1",
        // Constants of definitions, which no study decides, and what charts run over.
        "from 0.3 to 1",
        "from 0.3 at the bottom to 1 at the top",
        "from −0.5 to 0.5",
        "from −1 to 1",
        "from 0 to 1",
        "0.05",
        "0.5",
        "80&nbsp;%",
        "10,000",
        "numbered from 1",
        "AUC of 1 has",
        "1 − AUC",
        "1 is perfect",
    ]
    .iter()
    .fold(visible, |text, name| text.replace(name, ""));
    let stray: Vec<&str> = rest.lines().filter(|line| line.chars().any(|c| c.is_ascii_digit())).collect();
    assert!(stray.is_empty(), "numbers without a claim: {stray:?}");
    assert!(page.matches("<data data-claim=").count() > 100);
}

#[test]
fn the_page_asks_for_nothing_and_runs_nothing() {
    let (_desk, page) = with_report();
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe-inline"));
    for word in [" src=", "http://", "https://", "url(", "@import", " style=", " onclick", "javascript:"] {
        let body = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!body.contains(word), "the page holds `{word}`");
    }
    assert_eq!(page.matches("<script").count(), 1, "the evidence is the only script element, and it is data");
}

#[test]
fn a_run_that_measured_no_view_still_has_a_report() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", "experiments/small.yaml", "--only", "rank", "--quiet"]);
    desk.succeed(&["report", "experiments/small.yaml"]);
    let page = std::fs::read_to_string(desk.path("reports/small.html")).unwrap();
    assert!(!page.contains("#quality") && page.contains("#ledger"));
}

#[test]
fn hostile_names_stay_names() {
    let desk = Desk::with_digits();
    let hostile = r#"</script><script>alert('x')</script>"#;
    desk.edit("experiments/small.yaml", "    pixels:", &format!("    \"{hostile}\":"));
    desk.edit("experiments/small.yaml", "  zero or one:", "  \"../../etc/\\\"passwd\\\" '; DROP TABLE result; --\":");
    desk.edit("experiments/small.yaml", "Zero:", "\"<img src=x onerror=alert(1)>\":");
    desk.edit("experiments/small.yaml", "about: Do", "about: <b>&amp;</b> {{ claim(id=1) }} {{evidence}} .999 Do");
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.read("reports/small.html");
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains("<b>&amp;"));
    assert!(page.contains("&lt;script&gt;alert"));
    assert_eq!(desk.visavis(&["audit", "reports/small.html"]).code, 0);
    // And through exports, the store and the terminal.
    assert!(desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "jsonl"]).contains("DROP TABLE"));
    desk.succeed(&["show", STUDY]);
    desk.succeed(&["store", "check"]);
}

/// In a real browser with no network: no request, no message. Needs Chromium; `make test` installs it.
#[test]
fn a_browser_opens_the_page_without_a_request_or_a_message() {
    let (desk, page) = with_report();
    let opened = crate::browser::open(&desk, "reports/small.html", "");
    assert!(opened.dom.contains("<h2>Summary</h2>"), "{}", opened.messages);
    opened.assert_silent();
    assert_eq!(opened.dom.matches("data-claim=").count(), page.matches("data-claim=").count());
}

/// Every group beside the baseline's probe: on the page, in exports, and audited like all numbers.
#[test]
fn groups_stand_beside_a_baseline() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "statistics:", "baseline: pixels\nstatistics:");
    desk.succeed(&["run", STUDY, "--quiet"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.read("reports/small.html");
    assert!(
        page.contains("every model beside <bdi>pixels</bdi>, by group") && page.contains("The worst-served group of each model")
    );
    let exported = desk.succeed(&["export", STUDY, "--what", "fairness", "--format", "jsonl"]);
    let rows = |measure: &str| -> Vec<serde_json::Value> {
        let rows = exported.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.filter(|row| row["measure"] == measure).collect()
    };
    let beside = rows("AUC less baseline");
    assert!(!beside.is_empty() && beside.iter().all(|row| row["model"] == "blocks" && row["low"].is_number()), "{beside:?}");
    assert!(rows("share of resamples as worst served").iter().all(|row| row["share"].as_f64().unwrap() <= 1.0));
    assert_eq!(desk.visavis(&["audit", "reports/small.html"]).code, 0);
}
