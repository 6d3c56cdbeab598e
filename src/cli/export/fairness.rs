//! `visavis export STUDY --what fairness`: base rates of labels, and rates and gaps of every model's probes, by group.

use super::table::ExportTable;
use crate::study::StudyOutcome;
use visavis_core::domain::{
    Result,
    dispersion::{Dispersion, GroupDispersion},
    fairness::{GroupGap, GroupMeasure, GroupRates, Support},
    score::{Estimate, Interval},
};

#[derive(Clone, Default)]
struct FairnessRow {
    /// Group, comparison, class, model (none for the labels), measure, reference group, key.
    names: [String; 7],
    counts: [Option<usize>; 3],
    value: Option<f64>,
    interval: Option<Interval>,
    /// `few`, `too few` or `undefined`; nothing where there are enough.
    mark: Option<&'static str>,
    q: Option<f64>,
    /// Of a measure over groups: how many carry it, or why it is undefined.
    groups: Option<usize>,
    reason: Option<&'static str>,
}

fn named(members: &[(String, String)]) -> String {
    members.iter().map(|(attribute, value)| format!("{attribute}={value}")).collect::<Vec<_>>().join(" & ")
}

impl FairnessRow {
    fn with(mut self, measure: &str, estimate: Option<Estimate>) -> Self {
        measure.clone_into(&mut self.names[4]);
        self.value = estimate.map(|of| of.value);
        self.interval = estimate.and_then(|of| of.interval);
        self
    }

    /// Marked as the report marks it.
    fn marked(mut self, support: Support) -> Self {
        self.mark = (support != Support::Enough).then(|| support.word());
        self
    }
}

/// One row a group, comparison and measure; for measures over groups one a set of attributes, which stand in place of the group. The
/// worst-served group has one row more (`groups`: among how many), and so has every group beside a baseline. What is undefined has no value;
/// what the report suppresses or marks is marked, and has no interval of too few.
pub(crate) fn fairness(outcome: &StudyOutcome) -> Result<ExportTable> {
    let (study, study_names) = (&outcome.plan.study, outcome.names());
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
                let mark = if rate.share.is_none() { Some("undefined") } else { rate.is_few().then_some("few") };
                rows.push(FairnessRow { names, counts, mark, ..FairnessRow::default() }.with("base rate", rate.share));
            }
        }
    }
    for of in outcome.results.fairness()? {
        let found = &of.fairness;
        for (place, comparison) in study.comparisons.iter_enumerated() {
            let Some((_, asked)) = of.question(place).filter(|_| comparison.question.width() == 2) else { continue };
            let names = |groups: String| {
                [
                    groups,
                    comparison.name.clone(),
                    comparison.classes[0].clone(),
                    study_names.model(of.model).to_owned(),
                    String::new(),
                    String::new(),
                    of.key.to_string(),
                ]
            };
            let row = |group: usize, cell: &GroupRates| FairnessRow {
                names: names(named(&found.groups[group])),
                counts: [cell.positives, cell.n, cell.identities].map(Some),
                ..FairnessRow::default()
            };
            for (group, cell) in asked.cells.iter().enumerate() {
                let all = [
                    ("TPR", cell.tpr, GroupMeasure::Tpr),
                    ("FPR", cell.fpr, GroupMeasure::Fpr),
                    ("AUC", cell.auc, GroupMeasure::Auc),
                ];
                for (measure, estimate, of) in all {
                    rows.push(row(group, cell).with(measure, estimate).marked(cell.support(of)));
                }
            }
            for gap in &asked.gaps {
                let mut row = row(gap.group, &asked.cells[gap.group]);
                row.names[5] = named(&found.groups[gap.reference]);
                rows.extend(gaps(gap, &asked.cells, &row));
            }
            if let Some(worst) = asked.worst_served {
                let row = row(worst.group, &asked.cells[worst.group]);
                let share = Some(Estimate::bare(worst.share));
                rows.push(FairnessRow { groups: Some(worst.among), ..row.with("share of resamples as worst served", share) });
            }
            for beside in &asked.beside_baseline {
                let row = row(beside.group, &asked.cells[beside.group]).with("AUC less baseline", Some(beside.auc));
                rows.push(FairnessRow { q: beside.q, ..row });
            }
            for over in &asked.dispersion {
                let names = names(over.attributes.join(" & "));
                rows.extend(dispersion(over, &FairnessRow { names, ..FairnessRow::default() }));
            }
        }
    }
    let mut table = ExportTable::default();
    let mut text = |name: &str, column: usize| table.text(name, rows.iter().map(|row| Some(row.names[column].clone())));
    ["group", "comparison", "class"].into_iter().enumerate().for_each(|(column, name)| text(name, column));
    ["positives", "n", "identities"]
        .into_iter()
        .enumerate()
        .for_each(|(column, name)| table.whole(name, rows.iter().map(|row| row.counts[column])));
    table.number("share", rows.iter().map(|row| row.value));
    table.number("low", rows.iter().map(|row| row.interval.map(|of| of.low)));
    table.number("high", rows.iter().map(|row| row.interval.map(|of| of.high)));
    let mut text = |name: &str, column: usize| {
        table.text(name, rows.iter().map(|row| Some(row.names[column].clone()).filter(|text| !text.is_empty())));
    };
    [("model", 3), ("measure", 4), ("reference", 5), ("key", 6)].into_iter().for_each(|(name, column)| text(name, column));
    table.text("mark", rows.iter().map(|row| row.mark.map(str::to_owned)));
    table.number("q", rows.iter().map(|row| row.q));
    table.whole("groups", rows.iter().map(|row| row.groups));
    table.text("reason", rows.iter().map(|row| row.reason.map(str::to_owned)));
    Ok(table)
}

fn gaps(gap: &GroupGap, cells: &[GroupRates], row: &FairnessRow) -> Vec<FairnessRow> {
    let with = |measure: &str, estimate: Option<Estimate>, of: GroupMeasure| {
        row.clone().with(measure, estimate).marked(gap.support(cells, of))
    };
    let plain = |measure: &str, value: Option<f64>, of: GroupMeasure| with(measure, value.map(Estimate::bare), of);
    vec![
        FairnessRow { q: gap.q, ..with("TPR gap", gap.tpr, GroupMeasure::Tpr) },
        with("FPR gap", gap.fpr, GroupMeasure::Fpr),
        with("AUC gap", gap.auc, GroupMeasure::Auc),
        plain("equalized odds difference", gap.odds, GroupMeasure::Odds),
        plain("average odds difference", gap.average, GroupMeasure::Odds),
        plain("statistical parity difference of labels", gap.parity, GroupMeasure::Labels),
        plain("disparate impact of labels", gap.impact, GroupMeasure::Labels),
    ]
}

fn dispersion(over: &GroupDispersion, row: &FairnessRow) -> Vec<FairnessRow> {
    let row = |(_, name, of): (&str, &str, Dispersion)| match of {
        Dispersion::Defined { value, groups } => {
            FairnessRow { groups: Some(groups), ..row.clone().with(name, Some(Estimate::bare(value))) }
        }
        Dispersion::Undefined(why) => {
            FairnessRow { mark: Some("undefined"), reason: Some(why.reason()), ..row.clone().with(name, None) }
        }
    };
    over.measures().map(row).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::dispersion::Undefined;

    #[test]
    fn a_measure_over_groups_has_a_value_or_a_reason() {
        let two = Dispersion::Defined { value: 0.25, groups: 2 };
        let over = GroupDispersion {
            attributes: vec!["race".to_owned(), "Male".to_owned()],
            groups: vec![3, 4],
            theil: two,
            entropy_between_groups: two,
            label_differential_fairness: two,
            prediction_differential_fairness: two,
            tpr_ratio: two,
            fpr_ratio: two,
            fnr_to_geometric_mean: two,
            fpr_to_geometric_mean: Dispersion::Undefined(Undefined::SomeRateZero),
        };
        let rows = dispersion(&over, &FairnessRow::default());
        assert_eq!(rows.len(), 8);
        let (first, last) = (&rows[0], &rows[7]);
        assert_eq!((&*first.names[4], first.value, first.groups, first.mark), ("Theil index", Some(0.25), Some(2), None));
        assert!(first.interval.is_none() && first.reason.is_none());
        assert_eq!((last.value, last.groups, last.mark), (None, None, Some("undefined")));
        assert_eq!(last.reason, Some("a group has no such error"));
    }
}
