//! What sections are filled from: a study's outcome, its names as people read them, and its numbers as claims.

use super::{
    claims::{ClaimId, Claims, EstimateClaims, OutputSource},
    paths,
    phrase::Phrase,
};
use crate::study::{self, ScoreOf, Sourced, Step, StudyNames, StudyOutcome};
use serde::Serialize;
use std::path::Path;
use visavis_core::domain::{
    Key, Result,
    claim::NumberForm,
    contrast::ContrastSides,
    index::{ComparisonIx, LayerIx, ModelIx},
    ledger::{CellId, Rate},
    model::Source,
    score::Estimate,
    stage::{Figure, MeasureVisibility, Ranking, Simultaneous},
    study::Study,
    text::shell,
};

pub(crate) struct ReportSource<'a> {
    pub outcome: &'a StudyOutcome<'a>,
    pub claims: &'a Claims,
}

/// One of the two halves of the identities.
#[derive(Clone, Copy)]
pub(crate) enum Half {
    /// A: chooses views.
    Selection,
    /// B: its scores are quoted.
    Evaluation,
}

/// What the features hold of a comparison at one layer.
#[derive(Serialize)]
pub(crate) struct FeatureClaims {
    /// By nearest neighbours.
    pub neighbours: Option<EstimateClaims>,
    /// By a linear probe.
    pub probe: Option<EstimateClaims>,
}

/// A picture, and the result that it is of.
#[derive(Serialize)]
pub(crate) struct Drawing {
    pub svg: String,
    pub key: Key,
    pub short: String,
}

/// Models of which only the study can say how their features were made.
#[derive(Serialize)]
pub(crate) struct MadeElsewhere {
    /// Somebody else made the features.
    given: Vec<HowMade>,
    /// Networks that files hold whole, of which the study does not say all that they were trained with.
    whole: Vec<HowMade>,
}

/// A model, and how its features were made, as far as the study says it.
#[derive(Serialize)]
struct HowMade {
    model: String,
    how: String,
}

/// What lies outside of a model's crop.
#[derive(Serialize)]
pub(crate) struct Unseen {
    pub attribute: String,
    /// What of the face it needs.
    pub region: String,
    /// How much of that is inside.
    pub share: ClaimId,
}

/// How often something occurs.
#[derive(Serialize)]
pub(crate) struct RateClaims {
    pub positives: ClaimId,
    pub n: ClaimId,
    /// `None` where nobody is labelled.
    pub share: Option<EstimateClaims>,
    pub few: bool,
}

impl ReportSource<'_> {
    pub(crate) fn study(&self) -> &Study {
        &self.outcome.plan.study
    }

    pub(crate) fn names(&self) -> StudyNames<'_> {
        self.outcome.names()
    }

    /// What the study is about, as the text says it that is handed out: an auditor finds it there.
    pub(crate) fn about(&self, study_text: &str) -> String {
        let shared = self.shareable(study_text);
        let own = &self.study().about;
        let found = if shared == study_text { None } else { study::about_of(&shared) };
        self.shareable(found.as_ref().unwrap_or(own))
    }

    /// A text that a person wrote, without absolute paths.
    pub(crate) fn shareable(&self, text: &str) -> String {
        paths::shareable_text(text, &|path| self.outcome.plan.workspace().shareable(path))
    }

    /// Where something stands that was read; `of`: whose numbers these are.
    pub(crate) fn output<T>(&self, found: &Sourced<T>, of: String) -> OutputSource {
        OutputSource { key: found.key, output: found.output, of }
    }

    /// The study file as command lines name it.
    pub(crate) fn study_file(&self, file: &Path) -> String {
        shell(&self.outcome.plan.workspace().shareable(file).display().to_string())
    }

    pub(crate) fn ledger_output(&self) -> OutputSource {
        OutputSource { key: self.outcome.ranked, output: Ranking::LEDGER, of: "ledger".to_owned() }
    }

    pub(crate) fn frequencies_output(&self) -> OutputSource {
        OutputSource { key: self.outcome.ranked, output: Ranking::FREQUENCIES, of: "labels".to_owned() }
    }

    /// Tests that allow for all cells; `of`: whose numbers these are.
    pub(crate) fn simultaneous_output(&self, of: String) -> OutputSource {
        OutputSource { key: self.outcome.gridded, output: Simultaneous::TESTS, of }
    }

    /// The difference of two sides on a comparison.
    pub(crate) fn difference_output(&self, held: &ContrastSides, comparison: ComparisonIx) -> OutputSource {
        let names = self.names();
        let [left, right] = [&held.left, &held.right].map(|side| names.side(side));
        self.simultaneous_output(format!("{left} → {right} · {}", names.comparison(comparison)))
    }

    pub(crate) fn model(&self, cell: &CellId) -> String {
        self.names().model(cell.model).to_owned()
    }

    /// Of these models those of which only the study can say how their features were made: it stands beside them wherever they are held against others.
    pub(crate) fn made_elsewhere(&self, models: impl IntoIterator<Item = ModelIx>) -> MadeElsewhere {
        let mut made = MadeElsewhere { given: vec![], whole: vec![] };
        for model in models {
            let Some(how) = self.study().how_made(model) else { continue };
            let is_given = matches!(self.study().models[model].source, Source::Given(_));
            let list = if is_given { &mut made.given } else { &mut made.whole };
            list.push(HowMade { model: self.names().model(model).to_owned(), how });
        }
        made
    }

    pub(crate) fn layer(&self, model: ModelIx, layer: LayerIx) -> String {
        self.names().layer(model, layer)
    }

    /// Projection and view: `umap map`.
    pub(crate) fn view(&self, cell: &CellId) -> Phrase {
        Phrase::name(self.names().projection(cell.projection)) + format!(" {}", cell.view).as_str()
    }

    /// Layer and view.
    pub(crate) fn layer_and_view(&self, cell: &CellId) -> Phrase {
        Phrase::name(&self.layer(cell.model, cell.layer)) + ", " + self.view(cell)
    }

    pub(crate) fn comparison(&self, cell: &CellId) -> String {
        self.names().comparison(cell.comparison).to_owned()
    }

    /// The comparison's name, with a mark where its model cannot see what is asked.
    pub(crate) fn marked_comparison(&self, cell: &CellId) -> Phrase {
        let mark = self.unseen(cell).map_or("", |_| " (not visible)");
        Phrase::name(&self.comparison(cell)) + mark
    }

    /// What a cell's model cannot see of what is asked.
    pub(crate) fn unseen(&self, cell: &CellId) -> Option<Unseen> {
        let seen = self.outcome.visibility.of(cell.model, cell.comparison).filter(|seen| !seen.is_visible)?;
        let output = OutputSource { key: seen.key, output: MeasureVisibility::SHARES, of: seen.attribute.clone() };
        let what = format!("share of the {} inside the crop of {}", seen.region, self.model(cell));
        Some(Unseen {
            attribute: seen.attribute.clone(),
            region: seen.region.to_string(),
            share: self.claims.enter(&output, &seen.pointer, &what, NumberForm::Percent, seen.share),
        })
    }

    pub(crate) fn cell(&self, cell: &CellId) -> String {
        self.names().cell(cell)
    }

    /// The AUC of one row of the ledger, by its place.
    pub(crate) fn half(&self, row: usize, half: Half) -> Option<EstimateClaims> {
        let candidate = &self.outcome.ledger.rows[row].candidate;
        let (field, what, estimate) = match half {
            Half::Selection => ("a", "AUC on the selection half", candidate.a),
            Half::Evaluation => ("b", "AUC on the evaluation half", candidate.b),
        };
        let source = OutputSource { of: self.cell(&candidate.cell), ..self.ledger_output() };
        Some(self.claims.estimate(&source, &format!("/rows/{row}/candidate/{field}"), what, NumberForm::Score, estimate?))
    }

    /// How many images of the evaluation half a cell's score is over. `None` where its score is not here.
    pub(crate) fn evaluation_images(&self, cell: &CellId) -> Option<ClaimId> {
        let (scored, _) = self.outcome.cell(cell)?;
        let output = OutputSource { key: scored.key, output: scored.output, of: self.cell(cell) };
        let pointer = format!("{}/counts_b/n", scored.pointer);
        Some(self.claims.count(&output, &pointer, "images of the evaluation half", scored.scores.counts_b.n))
    }

    /// How many images the study evaluates.
    pub(crate) fn images(&self) -> ClaimId {
        self.claims.count(&self.frequencies_output(), "/images", "images", self.outcome.frequencies.images)
    }

    /// How many identities these images show.
    pub(crate) fn identities(&self) -> ClaimId {
        self.claims.count(&self.frequencies_output(), "/identities", "identities", self.outcome.frequencies.identities)
    }

    /// How many cells have a rank.
    pub(crate) fn ranked_cells(&self) -> ClaimId {
        self.claims.count(&self.ledger_output(), "/ranked", "cells ranked", self.outcome.ledger.ranked)
    }

    /// The rank of one row of the ledger.
    pub(crate) fn rank(&self, row: usize) -> Option<ClaimId> {
        let ranked = &self.outcome.ledger.rows[row];
        let what = format!("rank of {}", self.cell(&ranked.candidate.cell));
        Some(self.claims.count(&self.ledger_output(), &format!("/rows/{row}/rank"), &what, ranked.rank?))
    }

    /// How many cells are tested together with one row of the ledger.
    pub(crate) fn family(&self, row: usize) -> Option<ClaimId> {
        let test = self.outcome.sureness(&self.outcome.ledger.rows[row].candidate.cell)?;
        let family = if test.chosen.is_some() { "chosen" } else { "all" };
        let source = self.simultaneous_output("simultaneous tests".to_owned());
        let cells = self.outcome.grid.family(test);
        Some(self.claims.count(&source, &format!("/{family}/cells"), "cells tested together", cells))
    }

    /// The lower bound of one row of the ledger that is corrected for all cells tested together with it.
    pub(crate) fn lower_bound(&self, row: usize) -> Option<ClaimId> {
        let tested = &self.outcome.ledger.rows[row];
        let source = OutputSource { of: self.cell(&tested.candidate.cell), ..self.ledger_output() };
        let what = "corrected lower bound on the evaluation half";
        Some(self.claims.enter(&source, &format!("/rows/{row}/low"), what, NumberForm::Score, tested.low?))
    }

    /// The bound that `separates` needs, as the rank stage records it.
    pub(crate) fn threshold(&self) -> ClaimId {
        let source = OutputSource { key: self.outcome.ranked, output: "work", of: "the rule".to_owned() };
        let at = self.study().statistics.separates_at;
        self.claims.enter(&source, "/rank/separates_at", "threshold of separation", NumberForm::Score, at)
    }

    /// How many figures the rule may pick, as the rank stage records it.
    pub(crate) fn figures_allowed(&self) -> ClaimId {
        let source = OutputSource { key: self.outcome.ranked, output: "work", of: "the rule".to_owned() };
        self.claims.count(&source, "/rank/show", "figures picked at most", self.study().show)
    }

    /// How many comparisons a model separates, by the place of its standing in the ledger.
    pub(crate) fn comparisons_separated(&self, standing: usize) -> ClaimId {
        let separates = self.outcome.ledger.standings[standing].separates;
        let pointer = format!("/standings/{standing}/separates");
        self.claims.count(&self.ledger_output(), &pointer, "comparisons separated", separates)
    }

    /// How many cells the selection half chose.
    pub(crate) fn chosen_cells(&self) -> ClaimId {
        let source = self.simultaneous_output("simultaneous tests".to_owned());
        self.claims.count(&source, "/chosen/cells", "cells chosen on the selection half", self.outcome.grid.chosen.cells)
    }

    /// The features themselves at a layer, on a comparison.
    pub(crate) fn features(&self, model: ModelIx, layer: LayerIx, comparison: ComparisonIx) -> Option<FeatureClaims> {
        let found = self.outcome.scores.get(&ScoreOf { model, layer, projection: None, comparison })?;
        let source = OutputSource { key: found.key, output: found.output, of: self.names().features(model, layer, comparison) };
        let at = found.pointer.trim_end_matches("/scores");
        let estimate = |pointer: String, what: &str, estimate: Option<Estimate>| {
            Some(self.claims.estimate(&source, &pointer, what, NumberForm::Score, estimate?))
        };
        let neighbours = found.scores.views.first().and_then(|view| view.b);
        let probe = found.probe.as_ref().and_then(|probe| probe.b);
        Some(FeatureClaims {
            neighbours: estimate(format!("{}/views/0/b", found.pointer), "AUC on the evaluation half", neighbours),
            probe: estimate(format!("{at}/probe/b"), "AUC of the probe on the evaluation half", probe),
        })
    }

    /// A rate of the labels, which stands at `pointer`.
    pub(crate) fn rate(&self, pointer: &str, what: &str, rate: &Rate) -> RateClaims {
        let source = self.frequencies_output();
        let count = |field: &str, of: &str, value: usize| {
            self.claims.count(&source, &format!("{pointer}/{field}"), &format!("{what}: {of}"), value)
        };
        let share =
            |share: Estimate| self.claims.estimate(&source, &format!("{pointer}/share"), what, NumberForm::Percent, share);
        RateClaims {
            positives: count("positives", "images", rate.positives),
            n: count("n", "images labelled", rate.n),
            share: rate.share.map(share),
            few: rate.is_few(),
        }
    }

    /// A figure's picture, if it was drawn.
    ///
    /// # Errors
    /// An object that is damaged.
    pub(crate) fn drawing(&self, step: Step) -> Result<Option<Drawing>> {
        let svg = self.outcome.plan.bytes(step, Figure::SVG)?;
        let manifest = self.outcome.plan.result(step);
        Ok(svg.zip(manifest).map(|(svg, manifest)| Drawing {
            svg: String::from_utf8_lossy(&svg).into_owned(),
            key: manifest.key,
            short: manifest.key.short(),
        }))
    }
}
