//! `visavis export STUDY --what fairness`: base rates of labels, and rates and gaps of every model's probes, by group.

use super::table::Table;
use crate::{
    domain::{
        Result,
        fairness::{Cell, Fairness, Gap},
        score::Estimate,
        stage::Work,
    },
    study::{Outcome, Step},
};

#[derive(Clone, Default)]
struct Row {
    /// Group, comparison, class, model (none for the labels), measure, reference group, key.
    names: [String; 7],
    counts: [Option<usize>; 3],
    value: Option<f64>,
    interval: Option<(f64, f64)>,
    q: Option<f64>,
}

fn named(members: &[(String, String)]) -> String {
    members.iter().map(|(attribute, value)| format!("{attribute}={value}")).collect::<Vec<_>>().join(" & ")
}

impl Row {
    fn with(mut self, measure: &str, estimate: Option<Estimate>) -> Self {
        measure.clone_into(&mut self.names[4]);
        self.value = estimate.map(|of| of.value);
        self.interval = estimate.map(|of| (of.low, of.high));
        self
    }
}

/// One row a group, comparison and measure. What is undefined has no value.
pub fn fairness(outcome: &Outcome) -> Result<Table> {
    let (plan, study) = (outcome.plan, &outcome.plan.study);
    let mut rows = Vec::new();
    for group in &outcome.frequencies.groups {
        for (comparison, rates) in study.comparisons.iter().zip(&group.rates) {
            for (class, rate) in comparison.classes.iter().zip(rates) {
                let names = [
                    named(&group.members),
                    comparison.name.clone(),
                    class.clone(),
                    String::new(),
                    String::new(),
                    String::new(),
                    outcome.ranked.to_string(),
                ];
                let counts = [rate.positives, rate.n, rate.identities].map(Some);
                rows.push(Row { names, counts, ..Row::default() }.with("base rate", rate.share));
            }
        }
    }
    for (model, of) in study.models.iter().enumerate() {
        let step = Step::Fairness { model };
        let (Some(manifest), Some(found)) = (plan.result(step), plan.json::<Fairness>(step, "fairness.json")?) else { continue };
        let Work::Fairness(work) = &manifest.work else { continue };
        for comparison in &study.comparisons {
            let Some(place) = work.questions.iter().position(|question| *question == comparison.question) else { continue };
            let Some(asked) = found.asked.get(place).filter(|_| comparison.question.width() == 2) else { continue };
            let row = |group: usize, cell: &Cell| Row {
                names: [
                    named(&found.groups[group]),
                    comparison.name.clone(),
                    comparison.classes[0].clone(),
                    of.name.clone(),
                    String::new(),
                    String::new(),
                    manifest.key.to_string(),
                ],
                counts: [cell.positives, cell.n, cell.identities].map(Some),
                ..Row::default()
            };
            for (group, cell) in asked.cells.iter().enumerate() {
                for (measure, estimate) in [("TPR", cell.tpr), ("FPR", cell.fpr), ("AUC", cell.auc)] {
                    rows.push(row(group, cell).with(measure, estimate));
                }
            }
            for gap in &asked.gaps {
                let mut row = row(gap.group, &asked.cells[gap.group]);
                row.names[5] = named(&found.groups[gap.reference]);
                rows.extend(gaps(gap, &row));
            }
        }
    }
    let mut table = Table::default();
    let mut text = |name: &str, column: usize| table.text(name, rows.iter().map(|row| Some(row.names[column].clone())));
    ["group", "comparison", "class"].into_iter().enumerate().for_each(|(column, name)| text(name, column));
    ["positives", "n", "identities"]
        .into_iter()
        .enumerate()
        .for_each(|(column, name)| table.whole(name, rows.iter().map(|row| row.counts[column])));
    table.number("share", rows.iter().map(|row| row.value));
    table.number("low", rows.iter().map(|row| row.interval.map(|of| of.0)));
    table.number("high", rows.iter().map(|row| row.interval.map(|of| of.1)));
    let mut text = |name: &str, column: usize| {
        table.text(name, rows.iter().map(|row| Some(row.names[column].clone()).filter(|text| !text.is_empty())));
    };
    [("model", 3), ("measure", 4), ("reference", 5), ("key", 6)].into_iter().for_each(|(name, column)| text(name, column));
    table.number("q", rows.iter().map(|row| row.q));
    Ok(table)
}

fn gaps(gap: &Gap, row: &Row) -> Vec<Row> {
    let plain = |measure: &str, value: Option<f64>| Row { value, ..row.clone().with(measure, None) };
    vec![
        Row { q: gap.q, ..row.clone().with("TPR gap", gap.tpr) },
        row.clone().with("FPR gap", gap.fpr),
        row.clone().with("AUC gap", gap.auc),
        plain("equalized odds difference", gap.odds),
        plain("average odds difference", gap.average),
        plain("statistical parity difference of labels", gap.parity),
        plain("disparate impact of labels", gap.impact),
    ]
}
