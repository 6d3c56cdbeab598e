//! The figures: those that the rule picked, those that stand for what was left out, and pinned ones.

use super::{Section, nuisances::HeldClaims, robustness::Robustness, subgroups::FigureSubgroups};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::Phrase,
        source::{Drawing, FeatureClaims, Half, ReportSource},
        words::list_of_words,
    },
    study::Step,
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    ledger::{CellId, LedgerRow, ModelStanding, ShownAs},
    projection::View,
    score::Estimate,
    stage::ProjectFeatures,
};

#[derive(Serialize)]
pub(crate) struct Figures {
    none_picked: bool,
    /// Pinned figures that the study does not have any more.
    lost_pins: Vec<String>,
    /// How many figures the rule may pick, and how many it picked.
    show: ClaimId,
    picked: ClaimId,
    ranked: ClaimId,
    left_out: Vec<LeftOut>,
    groups: Vec<FigureGroup>,
}

/// Figures that stand side by side: of one comparison, by several models; or those beside the picked ones.
#[derive(Serialize)]
struct FigureGroup {
    /// `None`: beside the picked ones.
    comparison: Option<String>,
    noise: Option<String>,
    figures: Vec<Figure>,
}

/// Views of one model that separate and are left out, because enough figures rank higher.
#[derive(Serialize)]
struct LeftOut {
    model: String,
    /// Comparisons that the model separates, shown or left out.
    separates: ClaimId,
    views: Vec<LeftOutView>,
}

#[derive(Serialize)]
struct LeftOutView {
    comparison: Phrase,
    view: Phrase,
    rank: Option<ClaimId>,
}

#[derive(Serialize)]
struct Figure {
    model: String,
    layer: String,
    view: Phrase,
    comparison: String,
    noise: Option<String>,
    /// Why it is on the page, in words.
    shown_as: String,
    /// What the picture shows and how to read it.
    to_see: &'static str,
    /// Shown beside those that the rule picked.
    is_beside: bool,
    drawing: Option<Drawing>,
    evaluation: Option<EstimateClaims>,
    selection: Option<EstimateClaims>,
    bound: Option<Bound>,
    robustness: Option<Robustness>,
    subgroups: Option<FigureSubgroups>,
    /// While nuisances are held, each by itself.
    held: Vec<HeldClaims>,
    features: Option<FeatureClaims>,
    along_axis: Option<EstimateClaims>,
    hardest_pair: Option<EstimateClaims>,
    counts: Vec<ClassCount>,
    rank: Option<ClaimId>,
    reason: Phrase,
    /// Why a person pinned it.
    note: Option<String>,
    /// The digest of its coordinates.
    coordinates: Option<String>,
    /// Images that the others were placed by, where there were too many for all.
    landmarks: Option<ClaimId>,
    /// Parts of the neighbour graph that were joined.
    parts: Option<ClaimId>,
}

#[derive(Serialize)]
struct Bound {
    low: ClaimId,
    /// Cells tested together.
    cells: ClaimId,
}

#[derive(Serialize)]
struct ClassCount {
    name: String,
    images: ClaimId,
}

impl Section for Figures {
    const ANCHOR: &'static str = "figures";
    const TITLE: &'static str = "Figures";
    const TEMPLATE: &'static str = "figures.html";
}

impl Figures {
    /// # Errors
    /// A figure that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Self> {
        let outcome = source.outcome;
        let mut groups: Vec<FigureGroup> = Vec::new();
        for (cell, shown_as) in &outcome.shown {
            let Some(figure) = Figure::of(source, cell, shown_as)? else { continue };
            let comparison = (!figure.is_beside).then(|| figure.comparison.clone());
            match groups.iter_mut().find(|group| group.comparison == comparison) {
                Some(group) => group.figures.push(figure),
                None => groups.push(FigureGroup { comparison, noise: figure.noise.clone(), figures: vec![figure] }),
            }
        }
        // Those beside the picked ones stand last, whatever they are of.
        groups.sort_by_key(|group| group.comparison.is_none());
        Ok(Figures {
            none_picked: outcome.ledger.picked == 0,
            lost_pins: outcome.plan.lost_pins().map(str::to_owned).collect(),
            show: source.figures_allowed(),
            picked: source.claims.count(&source.ledger_output(), "/picked", "figures picked", outcome.ledger.picked),
            ranked: source.ranked_cells(),
            left_out: left_out(source),
            groups,
        })
    }
}

/// The chosen views that separate and are not on the page, by model.
fn left_out(source: &ReportSource) -> Vec<LeftOut> {
    let outcome = source.outcome;
    let is_left_out = |row: &LedgerRow| {
        outcome.separates(row) && !row.picked && !outcome.shown.iter().any(|(cell, _)| *cell == row.candidate.cell)
    };
    let of_model = |(place, standing): (usize, &ModelStanding)| {
        let mut rows: Vec<(usize, &LedgerRow)> = outcome.chosen_of(standing.model).filter(|(_, row)| is_left_out(row)).collect();
        rows.sort_by_key(|(_, row)| row.rank);
        let view = |(at, row): (usize, &LedgerRow)| LeftOutView {
            comparison: source.marked_comparison(&row.candidate.cell),
            view: source.view(&row.candidate.cell),
            rank: source.rank(at),
        };
        let views: Vec<LeftOutView> = rows.into_iter().map(view).collect();
        (!views.is_empty()).then(|| LeftOut {
            model: source.study().models[standing.model].name.clone(),
            separates: source.comparisons_separated(place),
            views,
        })
    };
    outcome.ledger.standings.iter().enumerate().filter_map(of_model).collect()
}

/// Why a figure is on the page.
fn shown_because(shown: ShownAs) -> &'static str {
    match shown {
        ShownAs::Best => "picked by the rule",
        ShownAs::Median => "the median of all ranked cells",
        ShownAs::Worst => "the worst of all ranked cells",
        ShownAs::Random => "drawn at random from all ranked cells",
        ShownAs::Pinned => "pinned by a person",
    }
}

/// What a picture of a view shows, and how to read it.
fn to_see(view: View) -> &'static str {
    match view {
        View::Axis(_) => {
            "Each curve is one class: how its images are spread along the axis. The less the curves overlap, the higher the AUC."
        }
        View::Pair(..) => "Each point is an image, its colour and shape the class. The less the classes mix, the higher the AUC.",
        View::Map | View::Features => {
            "Each point is an image, its colour and shape the class. The less the classes mix, the higher the AUC. Axes of a map \
             have no unit; distances between clusters mean little."
        }
    }
}

impl Figure {
    /// `None` of a cell without a score.
    fn of(source: &ReportSource, cell: &CellId, shown_as: &[ShownAs]) -> Result<Option<Self>> {
        let (outcome, study) = (source.outcome, source.study());
        let Some(row) = outcome.ledger.rows.iter().position(|row| row.candidate.cell == *cell) else { return Ok(None) };
        let Some((scored, view)) = outcome.cell(cell) else { return Ok(None) };
        let (listed, scores) = (&outcome.ledger.rows[row], &scored.scores);
        let output = OutputSource { key: scored.key, output: scored.output, of: source.cell(cell) };
        let score = |field: &str, what: &str, estimate: Option<Estimate>| {
            let pointer = format!("/views/{view}/{field}");
            Some(source.claims.estimate(&output, &pointer, what, NumberForm::Score, estimate?))
        };
        let comparison = &study.comparisons[cell.comparison];
        let count = |(class, n): (usize, &usize)| ClassCount {
            name: comparison.classes[class].clone(),
            images: source.claims.count(&output, &format!("/counts_b/exclusive/{class}"), "images on the evaluation half", *n),
        };
        let note = outcome.plan.note(*cell).filter(|note| !note.is_empty());
        let projected = outcome.results.projected(cell);
        let fact = |name: &str, what: &str, beyond: f64| {
            let (key, value) = (projected?.key, *projected?.fact(name).first().filter(|value| **value > beyond)?);
            let facts = OutputSource { key, output: "facts", of: source.cell(cell) };
            Some(source.claims.count(&facts, &format!("/{name}/0"), what, value as usize))
        };
        Ok(Some(Figure {
            model: source.model(cell),
            layer: source.layer(cell.model, cell.layer),
            view: source.view(cell),
            comparison: comparison.name.clone(),
            noise: source.label_noise(cell.comparison),
            shown_as: list_of_words(&shown_as.iter().map(|shown| shown_because(*shown)).collect::<Vec<_>>()),
            to_see: to_see(cell.view),
            is_beside: !shown_as.contains(&ShownAs::Best),
            drawing: source.drawing(Step::Draw(*cell))?,
            evaluation: source.half(row, Half::Evaluation),
            selection: source.half(row, Half::Selection),
            bound: source.lower_bound(row).zip(source.family(row)).map(|(low, cells)| Bound { low, cells }),
            robustness: Robustness::of_figure(source, cell)?,
            subgroups: FigureSubgroups::of_figure(source, cell)?,
            held: HeldClaims::of_figure(source, cell)?,
            features: source.features(cell.model, cell.layer, cell.comparison),
            along_axis: score("monotone", "score along the axis", scores.views[view].monotone),
            hardest_pair: score("least", "AUC of the hardest pair", scores.views[view].least),
            counts: scores.counts_b.exclusive.iter().enumerate().map(count).collect(),
            rank: source.rank(row),
            reason: Phrase::from_iter(outcome.why(listed)).sentence(),
            note: note.map(|note| source.shareable(note)),
            coordinates: projected.and_then(|of| of.output(ProjectFeatures::COORDINATES)).map(|output| output.digest.short()),
            landmarks: fact("landmarks", "landmarks", 0.0),
            parts: fact("components", "parts of the neighbour graph", 1.0),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output};
    use visavis_core::domain::score::{ClusterValidity, FigureRobustness, HeldOut, LabelNoise, OtherSettings, Spread};

    #[test]
    fn a_figure_says_how_robust_its_score_is_and_to_what() {
        let spread = |median: f64| Spread { median, low: median - 0.05, high: median + 0.05 };
        let found = FigureRobustness {
            format: 1,
            beside: Some(ClusterValidity { silhouette: Some(0.25), ..ClusterValidity::default() }),
            times: 10,
            again: Some(spread(0.85)),
            images: Some(20_000),
            held_out: Some(HeldOut { fitted: 120, placed: 110, auc: 0.82 }),
            other: vec![OtherSettings { method: "perplexity 15".to_owned(), auc: 0.8 }],
            mislabelled: vec![LabelNoise { share: 0.05, again: spread(0.75) }],
        };
        let text = Fixture::new().with_scores().text(|source| {
            let mut section = Figures::of(source).unwrap();
            section.groups[0].figures[0].robustness = Some(Robustness::of(source.claims, &output(), &found));
            Some(section)
        });
        for sentence in [
            "re-projection 0.850 [0.800–0.900] 10 times, of 20,000 images at most",
            "held out 0.820 fitted to 120 images, 110 of the evaluation half placed",
            "other settings perplexity 15: 0.800",
            "label noise 5.0 %: 0.750 [0.700–0.800]",
            "Other measures (not used for ranking): silhouette 0.250.",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn a_caption_has_the_score_the_bound_and_the_reason() {
        let text = Fixture::new().with_scores().text(|source| Some(Figures::of(source).unwrap()));
        for sentence in [
            "zero or one pixels picked by the rule",
            "pixels · embedding · pca axis 1. Each curve is one class",
            "AUC, evaluation half 0.900 (0.850–0.950)",
            "its lower bound, corrected for 4 cells 0.800",
            "AUC, selection half 0.950 (0.900–1.000)",
            "n, evaluation half Zero: 10, One: 12",
            "Rank 1 of 4. Picked: separates.",
            "The picture is not there; run the study again.",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn what_separates_and_is_left_out_is_named_with_its_rank() {
        let mut fixture = Fixture::new().with_scores();
        let all_are_shown = fixture.text(|source| Some(Figures::of(source).unwrap()));
        assert!(!all_are_shown.contains("left out"), "{all_are_shown}");
        (fixture.ledger.rows[0].picked, fixture.ledger.rows[0].shown_as) = (false, vec![]);
        let text = fixture.text(|source| Some(Figures::of(source).unwrap()));
        assert!(text.contains("pixels separates 1 in all; left out: zero or one (pca axis 1, rank 1)."), "{text}");
    }
}
