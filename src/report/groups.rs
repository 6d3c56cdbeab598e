//! The fairness appendix: probes among groups, of the model whose probe is best, and every model's widest gap.

use super::{claims::OutputSource, sections::ReportPage};
use crate::study::{ScoreOf, Step};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    fairness::{Fairness, GroupGap, GroupMeasure, GroupRates, QuestionFairness, Reweighed, Support},
    score::Estimate,
    simultaneous::DISCOVERY,
    stage::{GroupFairness, Work},
};

/// A model's appendix, and where it stands.
struct ModelFairness {
    model: usize,
    source: OutputSource,
    fairness: Fairness,
    /// By comparison: the place of its question.
    places: Vec<Option<usize>>,
}

/// How people read a group.
pub(super) fn named(members: &[(String, String)]) -> String {
    members.iter().map(|(attribute, value)| format!("{attribute} = {value}")).collect::<Vec<_>>().join(" and ")
}

/// Who is grouped by what is asked is in one class by definition.
pub(super) fn by_definition(members: &[(String, String)], asked: &BTreeSet<&str>) -> bool {
    members.iter().any(|(attribute, _)| asked.contains(attribute.as_str()))
}

impl ReportPage<'_> {
    pub(super) fn groups(&self) -> Result<Value> {
        let (plan, study) = (self.outcome.plan, &self.outcome.plan.study);
        let mut all = Vec::new();
        for model in 0..study.models.len() {
            let step = Step::Fairness { model };
            let (Some(manifest), Some(fairness)) = (plan.result(step), plan.json::<Fairness>(step, GroupFairness::GROUPS)?)
            else {
                continue;
            };
            let Work::Fairness(of) = &manifest.work else { continue };
            let place = |comparison: &visavis_core::domain::comparison::Comparison| {
                of.questions.iter().position(|question| *question == comparison.question)
            };
            let source = OutputSource { key: manifest.key, output: GroupFairness::GROUPS, of: study.models[model].name.clone() };
            all.push(ModelFairness { model, source, fairness, places: study.comparisons.iter().map(place).collect() });
        }
        if all.is_empty() {
            return Ok(Value::Null);
        }
        let tables =
            (0..study.comparisons.len()).filter_map(|comparison| self.of_comparison(&all, comparison)).collect::<Vec<_>>();
        let counted = all.iter().map(|of| {
            json!({ "model": study.models[of.model].name, "tests": self.book.count(&of.source, "/tests", "gaps tested", of.fairness.tests) })
        });
        Ok(json!({ "tables": tables, "counted": counted.collect::<Vec<_>>() }))
    }

    /// The table of the model whose probe is best on half A, and the widest gap of each.
    fn of_comparison(&self, all: &[ModelFairness], comparison: usize) -> Option<Value> {
        let study = &self.outcome.plan.study;
        let best = all.iter().max_by(|x, y| {
            let auc = |of: &ModelFairness| {
                let layer = crate::study::last_layer(study, of.model);
                let scored = self.outcome.scores.get(&ScoreOf { model: of.model, layer, projection: None, comparison });
                scored.and_then(|scored| Some(scored.probe.as_ref()?.a?.value)).unwrap_or(f64::NEG_INFINITY)
            };
            auc(x).total_cmp(&auc(y)).then(y.model.cmp(&x.model))
        })?;
        let place = best.places[comparison]?;
        let asked = best.fairness.asked.get(place).filter(|asked| asked.cells.iter().any(|cell| cell.n > 0))?;
        let name = |group: usize| named(&best.fairness.groups[group]);
        let asked_of = study.comparisons[comparison].question.attributes();
        let rows: Vec<Value> = asked
            .cells
            .iter()
            .enumerate()
            .filter(|(group, _)| !by_definition(&best.fairness.groups[*group], &asked_of))
            .map(|(group, cell)| self.row(&best.source, place, group, cell, asked, &name))
            .collect();
        let reweighed: Vec<Value> = asked
            .reweighed
            .iter()
            .enumerate()
            .filter(|(_, of)| !asked_of.contains(of.attribute.as_str()))
            .map(|(at, of)| self.reweighed(&best.source, place, at, of, &name))
            .collect();
        Some(json!({
            "comparison": study.comparisons[comparison].name, "positive": study.comparisons[comparison].classes[0],
            "model": study.models[best.model].name, "rows": rows, "reweighed": reweighed,
            "widest": all.iter().filter_map(|of| self.widest(of, comparison)).collect::<Vec<_>>(),
        }))
    }

    fn row(
        &self,
        source: &OutputSource,
        place: usize,
        group: usize,
        cell: &GroupRates,
        asked: &QuestionFairness,
        name: &dyn Fn(usize) -> String,
    ) -> Value {
        let source = OutputSource { of: format!("{} · {}", source.of, name(group)), ..source.clone() };
        let at = |what: &str| format!("/asked/{place}/cells/{group}/{what}");
        let rate =
            |what: &str, estimate: Option<Estimate>| self.book.estimate(&source, &at(what), what, NumberForm::Score, estimate);
        let count = |what: &str, value: usize| self.book.count(&source, &at(what), what, value);
        let carried = |rate: Value, measure: GroupMeasure| {
            let support = cell.support(measure);
            json!({ "rate": rate, "few": support < Support::Enough, "suppressed": support == Support::TooFew })
        };
        let at_gap = asked.gaps.iter().position(|gap| gap.group == group);
        let told = at_gap.map(|at| {
            let gap = &asked.gaps[at];
            let mut told = self.gap(&source, place, at, gap);
            let measures = [
                ("tpr", GroupMeasure::Tpr),
                ("fpr", GroupMeasure::Fpr),
                ("auc", GroupMeasure::Auc),
                ("odds", GroupMeasure::Odds),
            ];
            for (what, measure) in measures {
                if gap.support(&asked.cells, measure) == Support::TooFew {
                    told[what] = json!("few");
                }
            }
            for what in ["parity", "impact"] {
                if gap.support(&asked.cells, GroupMeasure::Labels) == Support::TooFew {
                    told[what] = json!("few");
                }
            }
            told
        });
        json!({
            "name": name(group), "n": count("n", cell.n), "positives": count("positives", cell.positives),
            "negatives": count("negatives", cell.negatives), "identities": count("identities", cell.identities),
            "rates": [carried(rate("tpr", cell.tpr), GroupMeasure::Tpr), carried(rate("fpr", cell.fpr), GroupMeasure::Fpr), carried(rate("auc", cell.auc), GroupMeasure::Auc)],
            "empty": cell.n == 0, "gap": told,
            "reference": at_gap.is_none() && asked.gaps.iter().any(|gap| gap.reference == group),
        })
    }

    fn gap(&self, source: &OutputSource, place: usize, at: usize, gap: &GroupGap) -> Value {
        let pointer = |what: &str| format!("/asked/{place}/gaps/{at}/{what}");
        let difference = |what: &str, estimate: Option<Estimate>| {
            self.book.estimate(source, &pointer(what), &format!("{what} gap"), NumberForm::Difference, estimate)
        };
        let number = |what: &str, form: NumberForm, value: Option<f64>| {
            value.map(|value| self.book.enter(source, &pointer(what), what, form, value))
        };
        json!({
            "tpr": difference("tpr", gap.tpr), "fpr": difference("fpr", gap.fpr), "auc": difference("auc", gap.auc),
            "parity": number("parity", NumberForm::Difference, gap.parity), "impact": number("impact", NumberForm::Score, gap.impact),
            "odds": number("odds", NumberForm::Score, gap.odds), "q": number("q", NumberForm::Score, gap.q),
            "shown": gap.q.is_some_and(|q| q <= DISCOVERY),
        })
    }

    fn reweighed(&self, source: &OutputSource, place: usize, at: usize, of: &Reweighed, name: &dyn Fn(usize) -> String) -> Value {
        let pointer = |what: &str| format!("/asked/{place}/reweighed/{at}/{what}");
        let words = OutputSource { of: format!("{} · reweighed by {}", source.of, of.attribute), ..source.clone() };
        let number = |what: &str, form: NumberForm, value: Option<f64>| {
            value.map(|value| self.book.enter(&words, &pointer(what), what, form, value))
        };
        let level = |(place, [before, after]): (usize, &[Option<f64>; 2])| {
            json!({
                "group": name(of.groups[place]),
                "before": number(&format!("levels/{place}/0"), NumberForm::Score, *before),
                "after": number(&format!("levels/{place}/1"), NumberForm::Score, *after),
            })
        };
        json!({
            "attribute": of.attribute, "refused": of.refused, "before": number("before", NumberForm::Score, of.before), "after": number("after", NumberForm::Score, of.after),
            "change": self.book.estimate(&words, &pointer("change"), "change of the widest TPR gap", NumberForm::Difference, of.change),
            "levels": of.levels.iter().enumerate().map(level).collect::<Vec<_>>(), "levelled_down": of.levelled_down,
        })
    }

    /// A model's widest TPR gap on a comparison, among groups with enough positives.
    fn widest(&self, of: &ModelFairness, comparison: usize) -> Option<Value> {
        let place = of.places[comparison]?;
        let asked = of.fairness.asked.get(place)?;
        let asked_of = self.outcome.plan.study.comparisons[comparison].question.attributes();
        let enough = |gap: &GroupGap| gap.support(&asked.cells, GroupMeasure::Tpr) > Support::TooFew;
        let wide = |gap: &GroupGap| gap.tpr.map_or(0.0, |tpr| tpr.value.abs());
        let (at, gap) = asked
            .gaps
            .iter()
            .enumerate()
            .filter(|(_, gap)| enough(gap) && gap.tpr.is_some() && !by_definition(&of.fairness.groups[gap.group], &asked_of))
            .max_by(|x, y| wide(x.1).total_cmp(&wide(y.1)).then(y.0.cmp(&x.0)))?;
        let name = |group: usize| named(&of.fairness.groups[group]);
        Some(
            json!({ "model": self.outcome.plan.study.models[of.model].name, "group": name(gap.group), "gap": self.gap(&of.source, place, at, gap) }),
        )
    }
}
