//! How well views agree with their features, whatever the labels.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, OutputSource, SpreadClaims},
        phrase::Phrase,
        source::ReportSource,
    },
    study::ProjectionQuality,
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    score::{Spread, ViewQuality},
    stage::MeasureQuality,
};

#[derive(Serialize)]
pub(crate) struct Quality {
    neighbours: ClaimId,
    /// Images whose nearest neighbours are compared.
    asked: ClaimId,
    rows: Vec<QualityRow>,
    stability: Vec<AxisStability>,
    /// As many as the row with most has.
    axes: Vec<String>,
}

/// One view; of a projection with two-axis views these, else single axes.
#[derive(Serialize)]
struct QualityRow {
    model: String,
    layer: String,
    view: Phrase,
    /// Trustworthiness, continuity, recall, rank correlation of distances, agreement between seeds.
    measures: Vec<Option<SpreadClaims>>,
    /// Share of variance, an axis.
    explained: Vec<ClaimId>,
    kl: Option<ClaimId>,
}

/// How well each independent axis comes back from other starts.
#[derive(Serialize)]
struct AxisStability {
    model: String,
    layer: String,
    projection: String,
    /// As many as there are axes in the heading; nothing of an axis that this projection lacks.
    axes: Vec<Option<ClaimId>>,
}

/// One projection of one model's features.
struct Projected<'a> {
    source: &'a ReportSource<'a>,
    model: &'a str,
    layer: String,
    method: &'a str,
    output: OutputSource,
    of: &'a ProjectionQuality<'a>,
}

impl Section for Quality {
    const ANCHOR: &'static str = "quality";
    const TITLE: &'static str = "Projection quality";
    const TEMPLATE: &'static str = "quality.html";
}

impl Quality {
    /// `None` where no projection was measured: a run of some stages alone (`--only`).
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let names = source.names();
        let (mut rows, mut stability, mut compared) = (Vec::new(), Vec::new(), None::<[ClaimId; 2]>);
        for of in &source.outcome.results.quality()? {
            let method = names.projection(of.projection);
            let named = format!("{} · {method}", names.model_and_layer(of.model, of.layer));
            let projected = Projected {
                source,
                model: names.model(of.model),
                layer: names.layer(of.model, of.layer),
                method,
                output: OutputSource { key: of.key, output: MeasureQuality::QUALITY, of: named },
                of,
            };
            compared.get_or_insert_with(|| {
                let count = |pointer: &str, what: &str, n| source.claims.count(&projected.output, pointer, what, n);
                let (neighbours, asked) = (of.quality.neighbours, of.quality.asked);
                [count("/neighbours", "neighbours compared", neighbours), count("/asked", "images asked", asked)]
            });
            rows.extend(projected.rows());
            stability.extend(projected.stability());
        }
        let quality = |[neighbours, asked]: [ClaimId; 2]| Quality::with_axes(neighbours, asked, rows, stability);
        Ok(compared.map(quality).filter(|quality| !quality.rows.is_empty()))
    }

    /// Rows of stability all as long as the longest.
    fn with_axes(neighbours: ClaimId, asked: ClaimId, rows: Vec<QualityRow>, mut stability: Vec<AxisStability>) -> Self {
        let most = stability.iter().map(|row| row.axes.len()).max().unwrap_or(0);
        stability.iter_mut().for_each(|row| row.axes.resize(most, None));
        let axes = (1..=most).map(|axis| format!("axis {axis}")).collect();
        Quality { neighbours, asked, rows, stability, axes }
    }
}

impl Projected<'_> {
    fn rows(&self) -> Vec<QualityRow> {
        let quality = &self.of.quality;
        let row = |(place, view): (usize, &ViewQuality)| {
            let measures = [
                ("trustworthiness", view.trustworthiness),
                ("continuity", view.continuity),
                ("recall", view.recall),
                ("distances", view.distances),
                ("stability", view.stability),
            ];
            let spread = |(name, spread): (&str, Option<Spread>)| Some(self.spread(place, name, spread?, quality.seeds));
            let share = |axis: usize| {
                self.fact("explained", axis, &format!("variance explained by axis {}", axis + 1), NumberForm::Percent)
            };
            let shares: Option<Vec<ClaimId>> = ProjectionQuality::axes(view.view).into_iter().map(share).collect();
            QualityRow {
                model: self.model.to_owned(),
                layer: self.layer.clone(),
                view: Phrase::name(self.method) + format!(" {}", view.view).as_str(),
                measures: measures.into_iter().map(spread).collect(),
                explained: shares.unwrap_or_default(),
                kl: self.fact("kl", 0, "Kullback–Leibler divergence", NumberForm::Score),
            }
        };
        quality.views.iter().enumerate().map(row).collect()
    }

    fn stability(&self) -> Option<AxisStability> {
        let axes = 0..self.of.fact("stability").len();
        let axis = |axis: usize| self.fact("stability", axis, &format!("axis {} found again", axis + 1), NumberForm::Score);
        let axes: Vec<Option<ClaimId>> = axes.map(axis).collect();
        (!axes.is_empty()).then(|| AxisStability {
            model: self.model.to_owned(),
            layer: self.layer.clone(),
            projection: self.method.to_owned(),
            axes,
        })
    }

    fn fact(&self, name: &str, place: usize, what: &str, form: NumberForm) -> Option<ClaimId> {
        let (manifest, value) = (self.of.projected?, *self.of.fact(name).get(place)?);
        let output = OutputSource { key: manifest.key, output: "facts", of: self.output.of.clone() };
        Some(self.source.claims.enter(&output, &format!("/{name}/{place}"), what, form, value))
    }

    /// The range is shown where there is more than one seed.
    fn spread(&self, view: usize, name: &str, spread: Spread, seeds: usize) -> SpreadClaims {
        let enter = |part: &str, value: f64| {
            let pointer = format!("/views/{view}/{name}/{part}");
            self.source.claims.enter(&self.output, &pointer, &format!("{name}: {part}"), NumberForm::Score, value)
        };
        SpreadClaims {
            median: enter("median", spread.median),
            low: (seeds > 1).then(|| enter("low", spread.low)),
            high: (seeds > 1).then(|| enter("high", spread.high)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output};
    use visavis_core::domain::index::{LayerIx, ModelIx, ProjectionIx};
    use visavis_core::domain::{projection::View, score};

    #[test]
    fn a_view_has_its_measures_with_ranges_over_seeds() {
        let spread = Some(Spread { median: 0.9, low: 0.8, high: 0.95 });
        let view = ViewQuality {
            view: View::Map,
            trustworthiness: spread,
            continuity: None,
            recall: spread,
            distances: None,
            stability: None,
        };
        let quality_of = |seeds: usize| score::Quality { format: 1, neighbours: 15, asked: 4, seeds, views: vec![view.clone()] };
        for (seeds, wanted) in [(3, "0.900 [0.800–0.950] – 0.900 [0.800–0.950]"), (1, "0.900 – 0.900 – –")] {
            let text = Fixture::new().text(|source| {
                let of = ProjectionQuality {
                    model: ModelIx(0),
                    layer: LayerIx(0),
                    projection: ProjectionIx(0),
                    key: output().key,
                    quality: quality_of(seeds),
                    projected: None,
                };
                let projected = Projected {
                    source,
                    model: "pixels",
                    layer: "embedding".to_owned(),
                    method: "tsne",
                    output: output(),
                    of: &of,
                };
                let count = |pointer: &str, n| source.claims.count(&output(), pointer, "x", n);
                Some(Quality::with_axes(count("/neighbours", 15), count("/asked", 4), projected.rows(), vec![]))
            });
            assert!(text.contains(&format!("pixels · embedding tsne map {wanted}")), "{text}");
        }
    }

    #[test]
    fn the_stability_of_axes_is_a_table_with_a_column_an_axis() {
        let text = Fixture::new().text(|source| {
            let stable = |name: &str, values: &[f64]| {
                let axis = |(at, value): (usize, &f64)| {
                    let pointer = format!("/{name}/{at}");
                    Some(source.claims.enter(&output(), &pointer, "x", NumberForm::Score, *value))
                };
                AxisStability {
                    model: name.to_owned(),
                    layer: "embedding".to_owned(),
                    projection: "ica".to_owned(),
                    axes: values.iter().enumerate().map(axis).collect(),
                }
            };
            let count = |pointer: &str, n| source.claims.count(&output(), pointer, "x", n);
            let stability = vec![stable("pixels", &[0.9, 0.8]), stable("blocks", &[0.7])];
            Some(Quality::with_axes(count("/neighbours", 15), count("/asked", 4), vec![], stability))
        });
        assert!(text.contains("features projection axis 1 axis 2 pixels · embedding ica 0.900 0.800"), "{text}");
        assert!(text.contains("blocks · embedding ica 0.700 –"), "{text}");
    }
}
