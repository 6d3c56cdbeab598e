//! The truth about drawn faces beside what was found: Visavis's own score.

use super::{claims::OutputSource, sections::ReportPage};
use crate::study::{Level, Planted, Step};
use serde_json::{Value, json};
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    ledger::{LedgerRow, Recovered},
    stage::Ranking,
};

impl ReportPage<'_> {
    /// One row a comparison of what was planted: of one attribute, or of several.
    pub(super) fn planted(&self) -> Result<Value> {
        let plan = self.outcome.plan;
        let Some(truth) = &self.outcome.truth else { return Ok(Value::Null) };
        let own: Option<Recovered> = plan.json(Step::Rank, Ranking::RECOVERED)?;
        let source = OutputSource { key: self.outcome.ranked, output: Ranking::RECOVERED, of: "what was planted".to_owned() };
        let mut rows = Vec::new();
        for (comparison, of) in plan.study.comparisons.iter().enumerate() {
            let planted = truth.asked_by(&of.question);
            if !planted.is_empty() {
                rows.push(self.row_of(comparison, &planted, own.as_ref(), &source));
            }
        }
        let count = |name: &str, value: usize| self.book.count(&source, &format!("/{name}"), name, value);
        let own = own.as_ref().map(|own| {
            json!({
                "planted": count("planted", own.planted), "found": count("found", own.found), "beyond": count("beyond_chance", own.beyond_chance), "undrawn": count("undrawn", own.undrawn),
                "through": count("through", own.through), "wrong": count("wrong", own.wrong),
                "by_probes": count("told_by_probes", own.told_by_probes), "through_by_probes": count("through_by_probes", own.through_by_probes),
            })
        });
        Ok(json!({ "about": truth.about, "rows": rows, "own": own }))
    }

    fn row_of(&self, comparison: usize, planted: &[(usize, &Planted)], own: Option<&Recovered>, source: &OutputSource) -> Value {
        let study = &self.outcome.plan.study;
        let name = &study.comparisons[comparison].name;
        let drawn = planted.iter().all(|(_, of)| of.drawn);
        let truth = OutputSource { key: self.outcome.ranked, output: Ranking::PLANTED, of: "planted".to_owned() };
        let number = |field: &str, what: &str, form: NumberForm, value: fn(&Planted) -> f64| {
            let of = |(place, of): &(usize, &Planted)| {
                self.book.enter(
                    &truth,
                    &format!("/attributes/{place}/{field}"),
                    &format!("{what} of {}", of.attribute),
                    form,
                    value(of),
                )
            };
            planted.iter().map(of).collect::<Vec<_>>()
        };
        let chosen: Vec<(usize, &LedgerRow)> = self.outcome.chosen_on(comparison).collect();
        let best = chosen.iter().min_by_key(|(_, row)| row.rank).map(|(place, row)| {
            let cell = &row.candidate.cell;
            json!({ "model": self.model(cell), "view": self.view(cell), "b": self.half(*place, "b", row.candidate.b) })
        });
        let tellers = self.tellers(comparison);
        let told = own.and_then(|own| own.probes.iter().enumerate().find(|(_, told)| told.comparison == comparison));
        let probe = told.map(|(place, told)| {
            let what = format!("{name}, best probe, AUC on half B");
            let b = self.book.estimate(source, &format!("/probes/{place}/b"), &what, NumberForm::Score, Some(told.b));
            let (model, layer) = (&study.models[told.model], self.layer(told.model, told.layer));
            let several = model.layers(study.layers.as_deref()).len() > 1;
            json!({ "model": if several { format!("{}, {layer}", model.name) } else { model.name.clone() }, "b": b })
        });
        let separates = chosen.iter().any(|(_, row)| self.outcome.separates(row));
        let by_probe = told.is_some_and(|(_, told)| told.is_told());
        let through = planted.iter().any(|(_, of)| of.can_be_told());
        let verdict = match (chosen.is_empty(), drawn, separates, !tellers.is_empty(), by_probe) {
            (true, ..) => "not ranked",
            (_, false, _, told, by_probe) if !through && (told || by_probe) => "told, and false: nothing drawn goes with it",
            (_, true, true, ..) => "planted, separated",
            (_, true, _, true, _) => "planted, told beyond chance",
            (_, true, _, _, true) => "planted, told by a probe alone",
            (_, true, ..) => "planted, not found",
            (_, false, _, true, _) => "not drawn, told through what goes with it",
            (_, false, _, _, true) => "not drawn, told by a probe through what goes with it",
            (_, false, ..) => "not drawn, not found",
        };
        let level = |of: &Planted| match of.level {
            Level::Identity => "identity",
            Level::Image => "image",
            Level::Both => "both",
        };
        let goes_with = planted.first().filter(|_| planted.len() == 1).map(|(_, of)| {
            let names = of.correlates.iter().take(2).map(|(name, _)| name.as_str());
            names.collect::<Vec<_>>().join(", ")
        });
        json!({
            "comparison": name,
            "attributes": planted.iter().map(|(_, of)| of.attribute.as_str()).collect::<Vec<_>>().join(", "),
            "verdict": verdict,
            "tellers": tellers,
            "found": best,
            "probe": probe,
            "level": planted.first().map(|(_, of)| level(of)),
            "correlates": goes_with,
            "areas": if drawn { number("area", "share of the picture", NumberForm::Percent, |of| of.area) } else { vec![] },
            "rates": number("rate", "share of images", NumberForm::Percent, |of| of.rate),
            "ceiling": if planted.len() == 1 { number("ceiling", "best AUC its labels allow", NumberForm::Score, |of| of.ceiling).pop() } else { None },
        })
    }
}
