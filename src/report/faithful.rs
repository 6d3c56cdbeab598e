//! How faithful views are to their features.

use super::{claims::OutputSource, sections::ReportPage};
use crate::study::Step;
use serde_json::{Value, json};
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    projection::View,
    score::{Quality, Spread},
    stage::MeasureQuality,
};

impl ReportPage<'_> {
    /// One row a view of two axes; of single ones where there is no other.
    pub(super) fn faithful(&self) -> Result<Value> {
        let plan = self.outcome.plan;
        let (mut rows, mut stable, mut neighbours) = (Vec::new(), Vec::new(), Value::Null);
        for (step, manifest) in plan.results() {
            let Step::Quality { model, layer, projection } = step else { continue };
            let Some(quality): Option<Quality> = plan.json(step, MeasureQuality::QUALITY)? else { continue };
            let (name, layer_name) = (&plan.study.models[model].name, self.layer(model, layer));
            let method = &plan.study.projections[projection].name;
            let of = format!("{name} · {layer_name} · {method}");
            let source = OutputSource { key: manifest.key, output: MeasureQuality::QUALITY, of: of.clone() };
            if neighbours.is_null() {
                neighbours = json!(self.book.count(&source, "/neighbours", "neighbours asked for", quality.neighbours));
            }
            let projected = plan.result(Step::Project { model, layer, projection, seed: 0 });
            let fact = |name: &str, place: usize, what: &str, form: NumberForm| {
                let manifest = projected?;
                let value = *manifest.fact(name).get(place)?;
                let source = OutputSource { key: manifest.key, output: "facts", of: of.clone() };
                Some(self.book.enter(&source, &format!("/{name}/{place}"), what, form, value))
            };
            for (place, view) in quality.views.iter().enumerate() {
                let measure = |name: &str, spread: Option<Spread>| self.spread(&source, place, name, spread, quality.seeds);
                rows.push(json!({
                    "model": name,
                    "layer": layer_name,
                    "view": format!("{method} {}", view.view),
                    "measures": [
                        measure("trustworthiness", view.trustworthiness),
                        measure("continuity", view.continuity),
                        measure("recall", view.recall),
                        measure("distances", view.distances),
                        measure("stability", view.stability),
                    ],
                    "explained": match view.view {
                        View::Axis(_) | View::Pair(..) => view
                            .view
                            .columns(0)
                            .into_iter()
                            .map(|axis| fact("explained", axis, &format!("variance explained by axis {}", axis + 1), NumberForm::Percent))
                            .collect::<Option<Vec<_>>>(),
                        View::Features | View::Map => None,
                    },
                    "kl": fact("kl", 0, "Kullback–Leibler divergence", NumberForm::Score),
                }));
            }
            let axes: Option<Vec<String>> = (0..projected.map_or(0, |manifest| manifest.fact("stability").len()))
                .map(|axis| fact("stability", axis, &format!("axis {} found again", axis + 1), NumberForm::Score))
                .collect();
            if let Some(axes) = axes.filter(|axes| !axes.is_empty()) {
                stable.push(json!({ "model": name, "layer": layer_name, "projection": method, "axes": axes }));
            }
        }
        // A run of some stages alone (`--only`) may have left none.
        if rows.is_empty() {
            return Ok(Value::Null);
        }
        Ok(json!({ "neighbours": neighbours, "rows": rows, "stable": stable }))
    }

    /// The range is shown where there is more than one seed.
    fn spread(&self, source: &OutputSource, view: usize, name: &str, spread: Option<Spread>, seeds: usize) -> Value {
        let Some(spread) = spread else { return Value::Null };
        let part = |part: &str, value: f64| {
            self.book.enter(source, &format!("/views/{view}/{name}/{part}"), &format!("{name}: {part}"), NumberForm::Score, value)
        };
        let range = (seeds > 1).then(|| (part("low", spread.low), part("high", spread.high))).unzip();
        json!({ "median": part("median", spread.median), "low": range.0, "high": range.1 })
    }
}
