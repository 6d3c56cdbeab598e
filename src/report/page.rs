//! The page, section by section.

use super::{
    Extras,
    claims::Claims,
    evidence,
    sections::{
        Attended, ClaimsTested, ClicksSection, Clusters, Comparisons, Contrasts, Data, Fairness, Figures, Findings, KnownTruth,
        LayersAndAxes, LedgerSection, Methods, Models, Nuisances, Quality, Reproduction, Retrieval, ScoreMatrix, Section,
        Summary, Table, Training, VerificationSets, Words,
    },
    source::ReportSource,
    templates::Templates,
};
use crate::{audit, study::StudyOutcome};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use visavis_core::domain::Result;

const STYLE: &str = include_str!("../../templates/report.css");

/// Stands where the evidence will: it holds the claims that the page came to show, so the page is written first.
const EVIDENCE: &str = "{{evidence}}";

/// What the page's own template reads.
#[derive(Serialize)]
struct Page<'a> {
    study: &'a str,
    about: String,
    /// The faces are synthetic.
    is_synthetic: bool,
    made_of: String,
    style: &'a str,
    style_hash: String,
    sections: Vec<RenderedSection>,
    evidence: &'a str,
}

#[derive(Serialize)]
struct RenderedSection {
    anchor: &'static str,
    title: &'static str,
    html: String,
}

/// The page.
///
/// # Errors
/// Results that are damaged, or a template that is.
pub fn render(outcome: &StudyOutcome, extras: &Extras) -> Result<String> {
    let claims = Claims::default();
    let templates = Templates::new(&claims)?;
    let source = ReportSource { outcome, claims: &claims };
    let page = Page {
        study: &outcome.plan.study.name,
        about: source.about(extras.study_text),
        is_synthetic: outcome.truth.is_some(),
        made_of: extras.made_of.to_string(),
        style: STYLE,
        style_hash: STANDARD.encode(Sha256::digest(STYLE.as_bytes())),
        sections: sections(&source, &templates, extras)?,
        evidence: EVIDENCE,
    };
    let page = templates.render("page.html", &page)?;
    let evidence = evidence::of(outcome, extras, &claims)?.to_page()?;
    // No text of the study's can hold the element's beginning: its `<` would be escaped.
    let page = page.replacen(&format!("{}{EVIDENCE}", audit::MARK), &format!("{}{evidence}", audit::MARK), 1);
    let seal = audit::seal(&page);
    Ok(page.replacen("content=\"{{seal}}\"", &format!("content=\"{seal}\""), 1))
}

/// The table of contents: every section, in the order of the page.
fn sections(source: &ReportSource, templates: &Templates, extras: &Extras) -> Result<Vec<RenderedSection>> {
    let (training, contrasts) = (Training::of(source, extras.faces_of)?, Contrasts::of(source));
    let mut contents = Contents { templates, sections: vec![] };
    contents.add(&Summary::of(source, training.as_ref(), contrasts.as_ref()))?;
    contents.add_if(training.as_ref())?;
    contents.add_if(VerificationSets::of(source, training.is_some())?.as_ref())?;
    contents.add(&ScoreMatrix::of(source))?;
    contents.add(&Findings::of(source))?;
    contents.add_if(ClaimsTested::of(source)?.as_ref())?;
    contents.add_if(contrasts.as_ref())?;
    contents.add_if(KnownTruth::of(source)?.as_ref())?;
    contents.add(&Figures::of(source)?)?;
    contents.add_if(Nuisances::of(source)?.as_ref())?;
    contents.add_if(Attended::of(source)?.as_ref())?;
    contents.add_if(LayersAndAxes::of(source)?.as_ref())?;
    contents.add_if(Retrieval::of(source)?.as_ref())?;
    contents.add_if(ClicksSection::of(source)?.as_ref())?;
    contents.add(&Fairness::of(source)?)?;
    contents.add(&Words::all())?;
    contents.add(&Methods::of(source.study()))?;
    contents.add(&Comparisons::of(source))?;
    contents.add(&Data::of(source, extras.missing_labels)?)?;
    contents.add(&Models::of(source))?;
    contents.add_if(Quality::of(source)?.as_ref())?;
    contents.add_if(Clusters::of(source)?.as_ref())?;
    contents.add(&LedgerSection::of(source, tables(&source.study().name, extras), extras.study_file))?;
    contents.add(&Reproduction::of(source, extras))?;
    Ok(contents.sections)
}

fn tables(study: &str, extras: &Extras) -> Vec<Table> {
    extras.tables.iter().map(|(what, bytes)| Table::of(study, what, bytes)).collect()
}

struct Contents<'a> {
    templates: &'a Templates,
    sections: Vec<RenderedSection>,
}

impl Contents<'_> {
    fn add<S: Section>(&mut self, section: &S) -> Result<()> {
        let html = self.templates.render(S::TEMPLATE, section)?;
        self.sections.push(RenderedSection { anchor: S::ANCHOR, title: S::TITLE, html });
        Ok(())
    }

    /// Where there is something to say.
    fn add_if<S: Section>(&mut self, section: Option<&S>) -> Result<()> {
        section.map_or(Ok(()), |section| self.add(section))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use std::path::Path;

    #[test]
    fn the_page_has_its_sections_in_order_and_links_to_each() {
        let missing_labels = Default::default();
        let extras = Extras::of_text(&missing_labels, Path::new("tiny.yaml"), "x");
        let fixture = Fixture::new().with_scores();
        let page = render(&fixture.outcome(), &extras).unwrap();
        let anchors: Vec<&str> = page.split("<section id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(
            anchors,
            [
                "summary",
                "matrix",
                "findings",
                "contrasts",
                "figures",
                "axes",
                "fairness",
                "words",
                "methods",
                "comparisons",
                "data",
                "models",
                "ledger",
                "reproduction"
            ]
        );
        assert!(anchors.iter().all(|anchor| page.contains(&format!("<a href=\"#{anchor}\">"))));
        assert!(!page.contains("{{"), "everything was filled in");
    }

    /// What the page links to, in whatever section, is there.
    #[test]
    fn no_link_leads_nowhere() {
        let missing_labels = Default::default();
        let extras = Extras::of_text(&missing_labels, Path::new("tiny.yaml"), "x");
        let page = render(&Fixture::new().outcome(), &extras).unwrap();
        for anchor in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(page.contains(&format!("id=\"{anchor}\"")), "#{anchor}");
        }
    }
}
