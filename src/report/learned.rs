//! What networks came to, and what they were tried on: verification, and the planted truth beside what was found.

use super::{book::Source, sections::Page};
use crate::{
    domain::{
        Result,
        claim::Form,
        ledger::{CHANCE, Recovered},
        score::Verification,
    },
    study::{Level, Step},
};
use serde_json::{Value, json};

impl Page<'_> {
    /// Did networks learn? How each fared at verification, and how its training went.
    pub(super) fn learned(&self) -> Result<Value> {
        let plan = self.outcome.plan;
        let mut rows = Vec::new();
        for (place, model) in plan.study.models.iter().enumerate() {
            let step = Step::Verify { model: place };
            let Some(manifest) = plan.result(step) else { continue };
            let verification: Option<Verification> = plan.json(step, "verification.json")?.flatten();
            let of = format!("{} · verification", model.name);
            let source = Source { key: manifest.key, output: "verification.json", of };
            let trained = plan.result(Step::Train { model: place });
            let fact = |name: &'static str, what: &str, form: Form| {
                let manifest = trained?;
                let values = manifest.fact(name);
                let last = values.len().checked_sub(1)?;
                let source = Source { key: manifest.key, output: "facts", of: format!("{} · training", model.name) };
                Some(self.book.enter(&source, &format!("/{name}/{last}"), what, form, values[last]))
            };
            rows.push(json!({
                "model": model.name,
                "auc": verification.as_ref().map(|of| self.book.estimate(&source, "/auc", "verification AUC", Form::Score, Some(of.auc))),
                "tar": verification.as_ref().map(|of| self.book.estimate(&source, "/tar", "TAR at FAR .01", Form::Score, Some(of.tar))),
                "people": verification.as_ref().map(|of| self.book.count(&source, "/people", "people", of.people)),
                "images": fact("images", "images learned from", Form::Count),
                "classes": fact("classes", "classes learned", Form::Count),
                "right": fact("accuracy", "share right in the last epoch", Form::Score),
                "drawing": self.drawing(Step::DrawCurves { model: place })?,
            }));
        }
        Ok(json!(rows))
    }

    /// What was planted in drawn faces, beside what was found: attribute by attribute, where a comparison asks for it.
    pub(super) fn planted(&self) -> Result<Value> {
        let (plan, study) = (self.outcome.plan, &self.outcome.plan.study);
        let Some(truth) = &self.outcome.truth else { return Ok(Value::Null) };
        let source = Source { key: self.outcome.ranked, output: "planted.json", of: "planted".to_owned() };
        let ledger = &self.outcome.ledger;
        let mut rows = Vec::new();
        for (comparison, of) in study.comparisons.iter().enumerate() {
            let Some(attribute) = of.question.presence() else { continue };
            let Some(place) = truth.attributes.iter().position(|planted| planted.attribute == attribute) else { continue };
            let planted = &truth.attributes[place];
            let number = |name: &str, what: &str, form: Form, value: f64| {
                let what = format!("{what} of {attribute}");
                self.book.enter(&source, &format!("/attributes/{place}/{name}"), &what, form, value)
            };
            let chosen =
                ledger.rows.iter().enumerate().filter(|(_, row)| row.chosen && row.candidate.cell.comparison == comparison);
            let best = chosen
                .filter_map(|(place, row)| Some((place, row.candidate.a?, row.candidate.b?)))
                .max_by(|x, y| x.1.value.total_cmp(&y.1.value).then(y.0.cmp(&x.0)))
                .map(|(place, _, b)| (place, b));
            let low = best.and_then(|(row, _)| ledger.rows[row].low);
            let beyond = best.is_some_and(|(row, _)| {
                self.outcome.sureness(&ledger.rows[row].candidate.cell).is_some_and(|of| of.adjusted <= CHANCE)
            });
            let found = best.map(|(row, b)| {
                let cell = &ledger.rows[row].candidate.cell;
                json!({ "model": self.model(cell), "view": self.view(cell), "b": self.half(row, "b", Some(b)) })
            });
            let separates = low.is_some_and(|low| low >= study.statistics.separates_at);
            let verdict = match (best, planted.drawn, separates, beyond) {
                (None, ..) => "not ranked",
                (Some(_), true, true, _) => "planted, separated",
                (Some(_), true, false, true) => "planted, told beyond chance",
                (Some(_), true, false, false) => "planted, not found",
                (Some(_), false, _, true) => "not drawn: told through what goes with it",
                (Some(_), false, ..) => "not drawn, not found",
            };
            rows.push(json!({
                "attribute": attribute,
                "comparison": of.name,
                "drawn": planted.drawn,
                "level": match planted.level { Level::Identity => "identity", Level::Image => "image", Level::Both => "both" },
                "correlates": planted.correlates.iter().take(2).map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", "),
                "area": planted.drawn.then(|| number("area", "share of the picture", Form::Percent, planted.area)),
                "rate": number("rate", "share of images", Form::Percent, planted.rate),
                "ceiling": number("ceiling", "best AUC its labels allow", Form::Score, planted.ceiling),
                "found": found,
                "verdict": verdict,
            }));
        }
        let own: Option<Recovered> = plan.json(Step::Rank, "recovered.json")?;
        let source = Source { key: self.outcome.ranked, output: "recovered.json", of: "what was planted".to_owned() };
        let count = |name: &str, value: usize| self.book.count(&source, &format!("/{name}"), name, value);
        let own = own.map(|own| {
            json!({
                "planted": count("planted", own.planted), "found": count("found", own.found), "beyond": count("beyond_chance", own.beyond_chance), "undrawn": count("undrawn", own.undrawn),
                "through": count("through", own.through), "wrong": count("wrong", own.wrong),
            })
        });
        Ok(json!({ "about": truth.about, "rows": rows, "own": own }))
    }
}
