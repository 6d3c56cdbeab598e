//! The explorer: a page on which a person sees every face at its place on a map, and selects faces by eye. What it shows is looked at,
//! not found: none of it is a claim.
//!
//! `study/explorer/` says what the page's script is given; the script and its style stand in `templates/explorer/` and are put into the page
//! as they are. The page makes no request but for the faces of a folder beside it, where it has one. It is a function of the study, its results and pins, and whether faces may be handed out: its head says
//! what of, and an audit writes it again and compares every byte.

use crate::{audit::within_an_element, study::ExplorerContents};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use sha2::{Digest as _, Sha256};
use visavis_core::{
    domain::{Fault, Result, made_of::MadeOf},
    plot,
};

pub(super) const SCRIPT: &str = include_str!("../../templates/explorer/explorer.js");
pub(super) const STYLE: &str = include_str!("../../templates/explorer/explorer.css");
pub(super) const CONTROLS: &str = include_str!("../../templates/explorer/explorer.html");
/// Colours and letters are those of reports.
const REPORT_STYLE: &str = include_str!("../../templates/report.css");

/// What wrote a page.
pub(super) const PROGRAM: &str = concat!("Visavis ", env!("CARGO_PKG_VERSION"));
/// How elements of the page's head begin.
const PROGRAM_MARK: &str = "<meta name=\"generator\" content=\"";
const STUDY_MARK: &str = "<meta name=\"visavis-explorer\" content=\"";
const MADE_OF_MARK: &str = "<meta name=\"visavis-made-of\" content=\"";
/// Where faces of data sets that were not drawn here are on the page.
const FACES_MARK: &str = "<meta name=\"visavis-explorer-faces\" content=\"embedded\">\n";
/// How the element of the contents begins.
pub(super) const CONTENTS_MARK: &str = "<script type=\"application/json\" id=\"visavis-explorer\">";

/// Viridis at ten places (Smith and van der Walt 2015), for quantities.
const SCALE: [&str; 10] =
    ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];

/// How signs are written in an attribute, the first of them first.
const ESCAPES: [(&str, &str); 4] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")];

/// What an explorer's page says that it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplorerMark {
    program: String,
    /// From the workspace's root.
    pub study_file: String,
    pub made_of: MadeOf,
    /// It was written with `--embed-faces`.
    pub embeds_faces: bool,
}

/// Of the contents, what the page round them depends on.
#[derive(Deserialize)]
pub(super) struct Framed {
    study: String,
    /// Faces lie beside the page, if it has some.
    pub folder: bool,
    sheets: Vec<IgnoredAny>,
}

impl Framed {
    /// `json`: the contents, as they stand in a page.
    pub(super) fn of(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    fn asks(&self) -> bool {
        self.folder && !self.sheets.is_empty()
    }

    /// Where pictures may come from, as a policy says it: for a page that is opened from a disk, browsers differ in what `'self'` is.
    pub(super) fn pictures(&self) -> &'static str {
        if self.asks() { "data: 'self' file:" } else { "data:" }
    }

    /// What the page's last line says of requests.
    pub(super) fn requests(&self) -> &'static str {
        if self.asks() { "One file, and a folder of faces beside it: no other request." } else { "One file, no request." }
    }
}

impl ExplorerMark {
    /// Of a page that this program writes.
    pub fn new(study_file: String, made_of: MadeOf, embeds_faces: bool) -> Self {
        ExplorerMark { program: PROGRAM.to_owned(), study_file, made_of, embeds_faces }
    }

    /// `None` of a page that is no explorer.
    pub fn of_page(page: &str) -> Option<Self> {
        let head = page.split_once("</head>")?.0;
        Some(ExplorerMark {
            study_file: content(head, STUDY_MARK)?,
            program: content(head, PROGRAM_MARK)?,
            made_of: content(head, MADE_OF_MARK)?.parse().ok()?,
            embeds_faces: head.contains(FACES_MARK),
        })
    }

    /// The program that the page says wrote it, if that is another one than this.
    pub fn other_program(&self) -> Option<&str> {
        (self.program != PROGRAM).then_some(&self.program)
    }

    /// Does the page have its faces in a folder beside it?
    pub fn has_folder(page: &str) -> bool {
        let contents = page.split_once(CONTENTS_MARK).and_then(|(_, rest)| rest.split_once("</script>"));
        contents.and_then(|(json, _)| Framed::of(json)).is_some_and(|framed| framed.folder)
    }

    /// Is all but the contents what this program puts round them: script, style, policy, controls?
    pub fn frames(&self, page: &str) -> bool {
        let contents = page.split_once(CONTENTS_MARK).and_then(|(_, rest)| Some(rest.split_once("</script>")?.0));
        let framed = contents.and_then(|json| Some((json, Framed::of(json)?)));
        framed.is_some_and(|(json, framed)| framed_by(self, &framed, json) == page)
    }
}

/// The page.
///
/// # Errors
/// Contents that JSON cannot write.
pub fn explorer(contents: &ExplorerContents, mark: &ExplorerMark) -> Result<String> {
    let json = json_of(contents)?;
    let framed = Framed::of(&json).ok_or_else(|| Fault::unexpected("the explorer's contents cannot be read again"))?;
    Ok(framed_by(mark, &framed, &json))
}

/// The contents, and the colours in which they are drawn: those of the report's figures.
#[derive(Serialize)]
struct Coloured<'a> {
    colours: Vec<String>,
    scale: [&'static str; SCALE.len()],
    #[serde(flatten)]
    contents: &'a ExplorerContents,
}

/// The contents as they stand in a page.
pub(super) fn json_of(contents: &ExplorerContents) -> Result<String> {
    let colours = plot::class_colours().iter().map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}")).collect();
    let json = serde_json::to_string(&Coloured { colours, scale: SCALE, contents })
        .map_err(|error| Fault::unexpected(error.to_string()))?;
    Ok(within_an_element(&json))
}

/// What an element of the head that begins so says.
pub(super) fn content(head: &str, mark: &str) -> Option<String> {
    let (escaped, _) = head.split_once(mark)?.1.split_once('"')?;
    Some(ESCAPES.iter().rev().fold(escaped.to_owned(), |text, (sign, escaped)| text.replace(escaped, sign)))
}

/// A text within the quotes of an attribute.
pub(super) fn attribute(text: &str) -> String {
    ESCAPES.iter().fold(text.to_owned(), |text, (sign, escaped)| text.replace(sign, escaped))
}

/// As a policy names a script or a style.
pub(super) fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// `json`: the contents, as they stand in the page.
fn framed_by(mark: &ExplorerMark, framed: &Framed, json: &str) -> String {
    let style = format!("{REPORT_STYLE}\n{STYLE}");
    let study = tera::escape_html(&framed.study);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; \
         img-src {}; base-uri 'none'; form-action 'none'\">\n\
         {PROGRAM_MARK}{}\">\n{STUDY_MARK}{}\">\n{MADE_OF_MARK}{}\">\n{}<link rel=\"icon\" href=\"data:,\">\n\
         <title>{study} · explorer · Visavis</title>\n<style>{style}</style>\n</head>\n<body class=\"explorer-page\">\n<main>\n\
         <header><h1><bdi>{study}</bdi></h1></header>\n<section id=\"explorer\">\n<h2>Explorer</h2>\n{CONTROLS}</section>\n\
         <footer><p>Made by Visavis. {} The script below is readable: look at what it does.</p></footer>\n</main>\n\
         {CONTENTS_MARK}{json}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        hash(SCRIPT),
        hash(&style),
        framed.pictures(),
        attribute(&mark.program),
        attribute(&mark.study_file),
        mark.made_of,
        if mark.embeds_faces { FACES_MARK } else { "" },
        framed.requests(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_it_was_made_of_and_holds_names_as_text() {
        let contents = ExplorerContents::of_name("</script><b>");
        let mark = ExplorerMark::new("a&\"b\".yaml".to_owned(), MadeOf::new([].into_iter(), "x", &[]), true);
        let page = explorer(&contents, &mark).unwrap();
        assert_eq!(ExplorerMark::of_page(&page).as_ref(), Some(&mark));
        assert!(!page.contains("<b>") && page.matches("</script>").count() == 2, "{page}");
        let without = explorer(&contents, &ExplorerMark { embeds_faces: false, ..mark.clone() }).unwrap();
        assert!(!ExplorerMark::of_page(&without).unwrap().embeds_faces);
        assert_eq!(ExplorerMark::of_page("<head></head>"), None);
        assert!(!page.contains("http://") && !page.contains("https://"));
        assert!(mark.frames(&page) && mark.other_program().is_none());
        let hash = hash(SCRIPT);
        for (from, to) in [
            ("'use strict'", "'use strict';alert(1)"),
            ("default-src 'none'", "default-src *"),
            (hash.as_str(), "AAAA"),
            ("<h2>Explorer</h2>", "<h2>Findings</h2>"),
            ("</html>", "<p>more</p></html>"),
        ] {
            let changed = page.replacen(from, to, 1);
            assert!(changed != page && !mark.frames(&changed), "{from}");
        }
        // Other contents have the same frame: these are held against the results.
        let other = page.replacen("\"format\":0", "\"format\":7", 1);
        assert!(other != page && mark.frames(&other));
    }

    /// Readable as it stands, and small: nobody audits what is minified.
    #[test]
    fn the_script_is_small_and_is_no_module() {
        assert!(SCRIPT.len() <= 30_000, "{}", SCRIPT.len());
        for word in ["fetch(", "XMLHttpRequest", "eval(", "import(", "localStorage", "innerHTML", "document.cookie", "WebSocket"]
        {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
