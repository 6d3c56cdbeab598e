//! Labels saved: what clicks on whole clusters are worth beside clicks on single images.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::Phrase,
        source::ReportSource,
    },
    study::ModelClicks,
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    clicks::{COMPARED, ClickPoint, ClickWay, QuestionClicks},
    comparison::Comparison,
    index::ComparisonIx,
    stage::SimulateClicks,
};

#[derive(Serialize)]
pub(crate) struct ClicksSection {
    /// Simulated people.
    draws: ClaimId,
    comparisons: Vec<ComparisonClicks>,
}

#[derive(Serialize)]
struct ComparisonClicks {
    comparison: String,
    rows: Vec<ClicksRow>,
}

/// One model, after so many clicks.
#[derive(Serialize)]
struct ClicksRow {
    model: String,
    /// The view whose clusters are labelled.
    view: Option<Phrase>,
    clicks: Option<ClaimId>,
    /// The same by one to nine looks a cluster: a line a way.
    curves: Vec<Vec<Option<ClaimId>>>,
    /// Labels at its ends.
    ends: Option<[ClaimId; 2]>,
    /// By clusters of the view and of the features, at random, nearest to the boundary, by a probe.
    accuracy: Vec<Option<EstimateClaims>>,
    /// What the view's clusters have may be chance: then nothing is saved.
    is_chance: bool,
    /// Clicks that a probe needs for as much as the view's clusters have, and how many of them these save, if they save any.
    needed: Option<ClaimId>,
    saved: Option<ClaimId>,
}

impl Section for ClicksSection {
    const ANCHOR: &'static str = "labels-saved";
    const TITLE: &'static str = "Labels saved";
    const TEMPLATE: &'static str = "clicks.html";
}

impl ClicksSection {
    /// `None` where the study asks for no clicks, or none were simulated yet.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let all = source.outcome.results.clicks()?;
        let Some(first) = all.first() else { return Ok(None) };
        let output = |of: &ModelClicks| OutputSource {
            key: of.key,
            output: SimulateClicks::CLICKS,
            of: source.names().model(of.model).to_owned(),
        };
        let comparison = |(place, of): (ComparisonIx, &Comparison)| {
            let row = |model: &ModelClicks| {
                let (question, clicks) = model.question(place).filter(|(_, of)| !of.curves.is_empty())?;
                let chosen = best_view(source, model, place);
                let view = chosen.map(|at| {
                    let (projection, view) = model.views[at];
                    Phrase::name(source.names().projection(projection)) + format!(" {view}").as_str()
                });
                let row = row(source, &output(model), question, clicks, chosen);
                Some(ClicksRow { model: source.names().model(model.model).to_owned(), view, ..row })
            };
            let rows: Vec<ClicksRow> = all.iter().filter_map(row).collect();
            (!rows.is_empty()).then(|| ComparisonClicks { comparison: of.name.clone(), rows })
        };
        let comparisons: Vec<ComparisonClicks> = source.study().comparisons.iter_enumerated().filter_map(comparison).collect();
        let draws = source.claims.count(&output(first), "/draws", "simulated people", first.clicks.draws);
        Ok((!comparisons.is_empty()).then_some(ClicksSection { draws, comparisons }))
    }
}

/// The place of the view that is best on the selection half; the first where none is scored there.
fn best_view(source: &ReportSource, of: &ModelClicks, comparison: ComparisonIx) -> Option<usize> {
    let layer = crate::study::last_layer(source.study(), of.model);
    let on_half_a = |(place, &(projection, view)): (usize, &(_, _))| {
        let is_of = |cell: &visavis_core::domain::ledger::CellId| {
            (cell.model, cell.layer, cell.projection, cell.view, cell.comparison)
                == (of.model, layer, projection, view, comparison)
        };
        let row = source.outcome.ledger.rows.iter().find(|row| is_of(&row.candidate.cell));
        (row.and_then(|row| row.candidate.a).map_or(f64::NEG_INFINITY, |a| a.value), place)
    };
    let scored = of.views.iter().enumerate().map(on_half_a);
    scored.max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1))).map(|(_, place)| place)
}

/// A row without its names. `view`: the place of the view that is shown.
fn row(source: &ReportSource, output: &OutputSource, question: usize, of: &QuestionClicks, view: Option<usize>) -> ClicksRow {
    let ways = [
        view.map(ClickWay::View),
        Some(ClickWay::Features),
        Some(ClickWay::Random),
        Some(ClickWay::Active),
        Some(ClickWay::Probe),
    ];
    let find = |way: ClickWay| of.curves.iter().enumerate().find(|(_, curve)| curve.way == way);
    let point = |way: Option<ClickWay>| {
        let (place, curve) = find(way?)?;
        Some((place, *curve.points.get(COMPARED)?))
    };
    let estimate = |way: Option<ClickWay>| {
        let (place, point) = point(way)?;
        let at = format!("/questions/{question}/curves/{place}/points/{COMPARED}");
        let [value, low, high] = [("accuracy", point.accuracy), ("low", point.low), ("high", point.high)].map(|(name, value)| {
            source.claims.enter(output, &format!("{at}/{name}"), &format!("balanced accuracy: {name}"), NumberForm::Score, value)
        });
        Some(EstimateClaims { value, low: Some(low), high: Some(high) })
    };
    let steps = |way: Option<ClickWay>| -> Vec<Option<ClaimId>> {
        let Some((place, curve)) = way.and_then(find) else { return vec![] };
        let at = |step: usize| format!("/questions/{question}/curves/{place}/points/{step}/accuracy");
        let what = "balanced accuracy: accuracy";
        let enter = |(step, point): (usize, &ClickPoint)| {
            Some(source.claims.enter(output, &at(step), what, NumberForm::Score, point.accuracy))
        };
        curve.points.iter().enumerate().map(enter).collect()
    };
    let own = ways[0].or(ways[1]);
    let ends = own.and_then(find).filter(|(_, curve)| curve.points.len() > 1).map(|(place, curve)| {
        [0, curve.points.len() - 1].map(|step| {
            let at = format!("/questions/{question}/curves/{place}/points/{step}/clicks");
            source.claims.count(output, &at, "clicks", curve.points[step].clicks)
        })
    });
    let is_chance = point(own).is_none_or(|(_, point)| point.low <= 0.5);
    let clicks = point(own).map(|(place, point)| {
        let at = format!("/questions/{question}/curves/{place}/points/{COMPARED}/clicks");
        source.claims.count(output, &at, "clicks", point.clicks)
    });
    let beside = own.filter(|_| !is_chance).and_then(find).and_then(|(place, curve)| Some((place, curve.beside_probe?)));
    let count = |name: &str, n: Option<usize>| {
        let (place, _) = beside?;
        let at = format!("/questions/{question}/curves/{place}/beside_probe/{name}");
        Some(source.claims.count(output, &at, &format!("clicks {name}"), n?))
    };
    ClicksRow {
        model: String::new(),
        view: None,
        clicks,
        curves: ways.map(steps).into(),
        ends,
        accuracy: ways.map(estimate).into(),
        is_chance,
        needed: count("needed", beside.and_then(|(_, of)| of.needed)),
        saved: count("saved", beside.and_then(|(_, of)| of.saved).filter(|saved| *saved > 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output};
    use visavis_core::domain::clicks::{BesideProbe, ClickCurve};

    #[test]
    fn a_row_says_what_clicks_are_worth_and_how_many_they_save() {
        let curve = |way, accuracy: f64, beside_probe| {
            let point = |clicks| ClickPoint { clicks, accuracy, low: accuracy - 0.125, high: accuracy + 0.125 };
            ClickCurve { way, points: vec![point(12), point(36)], beside_probe }
        };
        let of = |needed: Option<usize>, accuracy: f64| QuestionClicks {
            images: 100,
            identities: 50,
            curves: vec![
                curve(ClickWay::View(0), accuracy, Some(BesideProbe { needed, saved: needed.map(|of| of.saturating_sub(36)) })),
                curve(ClickWay::Features, 0.625, None),
                curve(ClickWay::Random, 0.5, None),
                curve(ClickWay::Probe, 0.5, None),
            ],
        };
        let text = Fixture::new().text(|source| {
            let row = |question: usize, of: &QuestionClicks| ClicksRow {
                model: "pixels".to_owned(),
                view: Some(Phrase::name("tsne") + " map"),
                ..row(source, &output(), question, of, Some(0))
            };
            let draws = source.claims.count(&output(), "/draws", "x", 200);
            let rows =
                vec![row(0, &of(Some(80), 0.75)), row(1, &of(Some(30), 0.75)), row(2, &of(None, 0.75)), row(3, &of(None, 0.6))];
            Some(ClicksSection { draws, comparisons: vec![ComparisonClicks { comparison: "hats".to_owned(), rows }] })
        });
        assert!(text.contains("pixels tsne map 36 0.750 (0.625–0.875) 0.625"), "{text}");
        assert!(text.contains("From 12 to 36 labels"), "{text}");
        assert!(text.contains("saves 44 of 80") && text.contains("none: a probe needs 30"), "{text}");
        assert_eq!(text.matches("more than were tried").count(), 1, "{text}");
        assert_eq!(text.matches("nothing: it may be chance").count(), 1, "{text}");
    }
}
