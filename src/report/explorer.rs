//! The explorer: a page on which a person sees every face at its place on a map, and selects faces by eye. What it shows is looked at,
//! not found: none of it is a claim.
//!
//! `study/explorer/` says what the page's script is given; the script and its style stand in `templates/explorer/` and are put into the page
//! as they are. The page makes no request. It is a function of the study, its results and whether faces may be handed out: an audit renders
//! it again and compares every byte.

use crate::study::ExplorerContents;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use visavis_core::domain::{Fault, Result};

const SCRIPT: &str = include_str!("../../templates/explorer/explorer.js");
const STYLE: &str = include_str!("../../templates/explorer/explorer.css");
const CONTROLS: &str = include_str!("../../templates/explorer/explorer.html");
/// Colours and letters are those of reports.
const REPORT_STYLE: &str = include_str!("../../templates/report.css");

/// How the element begins in the page's head that names the study file, from the workspace's root.
const STUDY_MARK: &str = "<meta name=\"visavis-explorer\" content=\"";
/// Where faces of data sets that were not drawn here are on the page.
const FACES_MARK: &str = "<meta name=\"visavis-explorer-faces\" content=\"embedded\">\n";

/// How signs are written in an attribute, the first of them first.
const ESCAPES: [(&str, &str); 4] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")];

/// What an explorer's page says that it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplorerMark {
    /// From the workspace's root.
    pub study_file: String,
    /// It was written with `--embed-faces`.
    pub embeds_faces: bool,
}

impl ExplorerMark {
    /// `None` of a page that is no explorer. A study's name is escaped, and stands behind the head.
    pub fn of_page(page: &str) -> Option<Self> {
        let head = page.split_once("</head>")?.0;
        let (study_file, _) = head.split_once(STUDY_MARK)?.1.split_once('"')?;
        let plain = ESCAPES.iter().rev().fold(study_file.to_owned(), |text, (sign, escaped)| text.replace(escaped, sign));
        Some(ExplorerMark { study_file: plain, embeds_faces: head.contains(FACES_MARK) })
    }
}

/// The page. `study_file`: from the workspace's root.
///
/// # Errors
/// Contents that JSON cannot write.
pub fn explorer(contents: &ExplorerContents, study_file: &Path, embeds_faces: bool) -> Result<String> {
    let json = serde_json::to_string(contents).map_err(|error| Fault::unexpected(error.to_string()))?;
    let style = format!("{REPORT_STYLE}\n{STYLE}");
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let escaped = |text: &str| tera::escape_html(text);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; \
         img-src data: blob:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"generator\" content=\"Visavis\">\n{STUDY_MARK}{}\">\n{}<link rel=\"icon\" href=\"data:,\">\n\
         <title>{} · explorer · Visavis</title>\n<style>{style}</style>\n</head>\n<body class=\"explorer-page\">\n<main>\n\
         <header><h1><bdi>{}</bdi></h1></header>\n<section id=\"explorer\">\n<h2>Explorer</h2>\n{CONTROLS}</section>\n\
         <footer><p>Made by Visavis. One file, no request; its script is above all to be read.</p></footer>\n</main>\n\
         <script type=\"application/json\" id=\"visavis-explorer\">{}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        hash(SCRIPT),
        hash(&style),
        ESCAPES.iter().fold(study_file.display().to_string(), |text, (sign, escaped)| text.replace(sign, escaped)),
        if embeds_faces { FACES_MARK } else { "" },
        escaped(contents.study()),
        escaped(contents.study()),
        within_an_element(&json),
    ))
}

/// JSON in which nothing ends a script's element.
fn within_an_element(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_it_was_made_of_and_holds_names_as_text() {
        let contents = ExplorerContents::of_name("</script><b>");
        let page = explorer(&contents, Path::new("a&\"b\".yaml"), true).unwrap();
        let mark = ExplorerMark { study_file: "a&\"b\".yaml".to_owned(), embeds_faces: true };
        assert_eq!(ExplorerMark::of_page(&page), Some(mark));
        assert!(!page.contains("<b>") && page.matches("</script>").count() == 2, "{page}");
        let without = explorer(&contents, Path::new("x.yaml"), false).unwrap();
        assert!(!ExplorerMark::of_page(&without).unwrap().embeds_faces);
        assert_eq!(ExplorerMark::of_page("<head></head>"), None);
        assert!(!page.contains("http://") && !page.contains("https://"));
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
