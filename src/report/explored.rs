//! A report with the explorer in it: the report as it is, and at five places what the explorer adds. Taken out again, the report's own bytes are
//! left, so whatever an audit knows of a report holds for it.

use super::explorer::{self, CONTENTS_MARK, CONTROLS, Framed, PROGRAM, SCRIPT, STYLE, hash};
use crate::study::ExplorerContents;
use visavis_core::domain::{Fault, Result};

/// How the element of the head begins that says which program put the explorer in.
const PROGRAM_MARK: &str = "<meta name=\"visavis-explored-by\" content=\"";
/// What the last line of a report says, and what it says with a script.
const FOOTER: &str = "<footer><p>Made by Visavis. One file, no request, no script.</p></footer>\n</main>\n";

/// A report without its explorer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExploredReport {
    /// The report without the explorer.
    pub report: String,
    /// Were the faces in a folder beside the page?
    pub has_folder: bool,
}

/// What a page with an explorer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explored {
    Report(ExploredReport),
    /// Another program put the explorer in.
    OfAnother(String),
    /// Its script, style, policy or controls are not those that this program puts in.
    Foreign,
}

impl Explored {
    /// `None` of a page without one.
    pub fn of(page: &str) -> Option<Self> {
        let said = page.split_once("</head>").and_then(|(head, _)| explorer::content(head, PROGRAM_MARK));
        let json = page.split_once(CONTENTS_MARK).and_then(|(_, rest)| Some(rest.split_once("</script>")?.0));
        match (said, json) {
            (None, None) => None,
            (Some(program), _) if program != PROGRAM => Some(Explored::OfAnother(program)),
            (_, json) => Some(json.and_then(|json| apart(page, json)).map_or(Explored::Foreign, Explored::Report)),
        }
    }
}

impl ExploredReport {
    /// The page with these contents in the explorer.
    ///
    /// # Errors
    /// Contents that JSON cannot write; a report that this program did not write.
    pub fn with(&self, contents: &ExplorerContents) -> Result<String> {
        let json = explorer::json_of(contents)?;
        let page = exchanged(&self.report, &json, |(without, with)| (without, with));
        page.ok_or_else(|| Fault::unexpected("the report has no place for the explorer"))
    }
}

/// `None` where the page is not what [`ExploredReport::with`] makes of what is left.
fn apart(page: &str, json: &str) -> Option<ExploredReport> {
    let has_folder = Framed::of(json)?.folder;
    let report = exchanged(page, json, |(without, with)| (with, without))?;
    let again = exchanged(&report, json, |(without, with)| (without, with));
    (again.as_deref() == Some(page)).then_some(ExploredReport { report, has_folder })
}

/// The page with a part of each pair in the place of the other. Each stands there once: in front of the style, which no study has a say in, or in markup,
/// whose signs are escaped in whatever a study says.
fn exchanged(page: &str, json: &str, turn: impl Fn((String, String)) -> (String, String)) -> Option<String> {
    let framed = Framed::of(json)?;
    let (policy, rest) = page.split_once("<style>")?;
    let exchange = |text: String, pair: (String, String)| {
        let (from, to) = turn(pair);
        let (before, after) = text.split_once(&from)?;
        (!after.contains(&from)).then(|| [before, &to, after].concat())
    };
    let policy = of_policy(&framed).into_iter().try_fold(policy.to_owned(), exchange)?;
    let rest = of_page(&framed, json).into_iter().try_fold(format!("<style>{rest}"), exchange)?;
    Some(policy + &rest)
}

/// What stands in the policy of a report, and what in one with an explorer.
fn of_policy(framed: &Framed) -> [(String, String); 2] {
    [
        (
            "default-src 'none'; style-src 'sha256-".to_owned(),
            format!("default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}' 'sha256-", hash(SCRIPT), hash(STYLE)),
        ),
        ("img-src data:; base-uri 'none'".to_owned(), format!("img-src {}; base-uri 'none'", framed.pictures())),
    ]
}

/// The same of the rest of the page. `json`: the contents, as they stand in the page.
fn of_page(framed: &Framed, json: &str) -> [(String, String); 3] {
    let own = format!("</style>\n<style>{STYLE}</style>\n{PROGRAM_MARK}{PROGRAM}\">\n</head>\n");
    let explorer = format!(
        "<section id=\"explorer\">\n<h2>Explorer</h2>\n{CONTROLS}</section>\n<footer><p>Made by Visavis. {} The one script is the explorer’s, and it is \
         readable: look at what it does.</p></footer>\n</main>\n{CONTENTS_MARK}{json}</script>\n<script>{SCRIPT}</script>\n",
        framed.requests()
    );
    [
        ("</style>\n</head>\n".to_owned(), own),
        ("</ol>\n</nav>\n".to_owned(), "<li><a href=\"#explorer\">Explorer</a></li>\n</ol>\n</nav>\n".to_owned()),
        (FOOTER.to_owned(), explorer),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit,
        report::{Extras, fixture::Fixture, render},
    };
    use std::path::Path;

    fn explored() -> (ExploredReport, String) {
        let missing_labels = Default::default();
        let extras = Extras::of_text(&missing_labels, Path::new("tiny.yaml"), "x");
        let report = render(&Fixture::new().outcome(), &extras).unwrap();
        let apart = ExploredReport { report, has_folder: false };
        let page = apart.with(&ExplorerContents::of_name("</script><b>")).unwrap();
        (apart, page)
    }

    #[test]
    fn a_report_comes_out_of_it_as_it_went_in() {
        let (apart, page) = explored();
        assert_eq!(Explored::of(&page), Some(Explored::Report(apart.clone())));
        assert_eq!(Explored::of(&apart.report), None);
        let newer = page.replacen(&format!("by\" content=\"{PROGRAM}"), "by\" content=\"Visavis 99.0", 1);
        assert_eq!(Explored::of(&newer), Some(Explored::OfAnother("Visavis 99.0".to_owned())));
        // Whatever a study calls things.
        let odd = apart.with(&ExplorerContents::of_name("img-src data:; base-uri 'none'")).unwrap();
        assert_eq!(Explored::of(&odd), Some(Explored::Report(apart.clone())));
        // Nothing stands behind the evidence, and there is one more element of contents, one more script and one more style.
        let (before, after) = page.split_once(audit::MARK).unwrap();
        assert!(!after.contains("explorer") && before.matches("<script").count() == 2 && before.matches("<style>").count() == 2);
        assert!(!page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn what_this_program_does_not_put_in_is_no_explorer_of_its() {
        let (_, page) = explored();
        for (from, to) in [
            ("'use strict'", "'use strict';alert(1)"),
            ("script-src 'sha256-", "script-src 'unsafe-inline' 'sha256-"),
            ("img-src data:", "img-src *"),
            ("<h2>Explorer</h2>", "<h2>Findings</h2>"),
            (".explorer-page{", ".explorer-page{color:red}.x{"),
            ("<script>", "<script>0</script><script>"),
        ] {
            let changed = page.replacen(from, to, 1);
            assert!(changed != page && Explored::of(&changed) == Some(Explored::Foreign), "{from}");
        }
        // Whatever else is changed is the report's, which an audit looks at by itself, or the contents', which are held against the results.
        let changed = page.replacen("<main>", "<main><p>0.99</p>", 1);
        let Some(Explored::Report(ExploredReport { report, .. })) = Explored::of(&changed) else {
            panic!("the explorer is as it was")
        };
        assert!(report.contains("<p>0.99</p>"));
    }
}
