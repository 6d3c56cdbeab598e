//! Rates and gaps of the models' probes among groups: of the model whose probe is best in a table, and every model's widest gap.

use super::{
    beside_baseline::BaselineTable,
    dispersion::DispersionTable,
    fairness::{group_name, group_phrase, is_by_definition},
    worst_served::WorstServedRow,
};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::Phrase,
        source::ReportSource,
        words,
    },
    study::{self, ModelFairness, ScoreOf},
};
use serde::Serialize;
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    fairness::{GroupGap, GroupMeasure, GroupRates, QuestionFairness, Reweighed, Support},
    index::ComparisonIx,
    score::Estimate,
    simultaneous::DISCOVERY,
    stage::GroupFairness,
};

pub(crate) struct GroupRatesPart {
    /// By place of the comparison.
    pub tables: BTreeMap<ComparisonIx, GroupTable>,
    /// Gaps that were tested, by model.
    pub tests: Vec<TestCount>,
}

#[derive(Serialize)]
pub(crate) struct TestCount {
    model: String,
    tests: ClaimId,
}

/// One comparison, in the model whose probe is best on the selection half.
#[derive(Serialize)]
pub(crate) struct GroupTable {
    model: String,
    positive: String,
    rows: Vec<GroupRow>,
    widest: Vec<WidestGap>,
    worst_served: Vec<WorstServedRow>,
    beside_baseline: Option<BaselineTable>,
    dispersion: Option<DispersionTable>,
    reweighed: Vec<ReweighedRow>,
}

#[derive(Serialize)]
struct GroupRow {
    group: Phrase,
    is_empty: bool,
    is_reference: bool,
    images: ClaimId,
    positives: ClaimId,
    negatives: ClaimId,
    identities: ClaimId,
    /// True and false positive rate, AUC; each with its gap to the reference.
    rates: Vec<RateAndGap>,
    /// Equalized odds; of the labels: parity difference, disparate impact. `None` of a reference.
    numbers: Option<Vec<Supported<ClaimId>>>,
}

#[derive(Serialize)]
struct RateAndGap {
    rate: Supported<EstimateClaims>,
    /// `None` of a reference.
    gap: Option<Supported<EstimateClaims>>,
    /// The gap differs from zero, at a false discovery rate of one in twenty; asked of the TPR gap alone.
    is_discovery: bool,
}

/// A measure, and whether enough images carry it. Undefined: neither too few, nor a value.
#[derive(Serialize)]
struct Supported<T> {
    few: bool,
    too_few: bool,
    value: Option<T>,
}

struct Gap {
    /// Gaps of the true and false positive rate, and of the AUC.
    rates: [Supported<EstimateClaims>; 3],
    /// Equalized odds; of the labels: parity difference, disparate impact.
    numbers: Vec<Supported<ClaimId>>,
}

#[derive(Clone, Serialize)]
pub(crate) struct WidestGap {
    model: String,
    group: Phrase,
    tpr: EstimateClaims,
    is_discovery: bool,
    #[serde(skip)]
    pub width: f64,
}

#[derive(Serialize)]
struct ReweighedRow {
    attribute: String,
    /// Why it was not done, in a sentence.
    refused: Option<Phrase>,
    before: Option<ClaimId>,
    after: Option<ClaimId>,
    change: Option<EstimateClaims>,
    levels: Vec<LevelRow>,
    is_levelled_down: bool,
}

#[derive(Serialize)]
struct LevelRow {
    group: Phrase,
    before: Option<ClaimId>,
    after: Option<ClaimId>,
}

impl GroupRatesPart {
    /// `None` where no model was looked at.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let all = source.outcome.results.fairness()?;
        Ok((!all.is_empty()).then(|| GroupRatesPart::filled(source, &all)))
    }

    fn filled(source: &ReportSource, all: &[ModelFairness]) -> Self {
        let study = source.study();
        let count = |of: &ModelFairness| TestCount {
            model: source.names().model(of.model).to_owned(),
            tests: source.claims.count(&output(source, of), "/tests", "gaps tested", of.fairness.tests),
        };
        GroupRatesPart {
            tables: study.comparisons.keys().filter_map(|place| Some((place, GroupTable::of(source, all, place)?))).collect(),
            tests: all.iter().map(count).collect(),
        }
    }
}

/// What was found of a model.
pub(super) fn output(source: &ReportSource, of: &ModelFairness) -> OutputSource {
    OutputSource { key: of.key, output: GroupFairness::GROUPS, of: source.names().model(of.model).to_owned() }
}

/// The same, of one group.
pub(super) fn output_of_group(source: &ReportSource, of: &ModelFairness, group: usize) -> OutputSource {
    named(&output(source, of), &group_name(&of.fairness.groups[group]))
}

/// The output, with numbers of one of its parts.
fn named(output: &OutputSource, part: &str) -> OutputSource {
    OutputSource { of: format!("{} · {part}", output.of), ..output.clone() }
}

/// The model whose probe of its last layer is best on the selection half; of equal ones the first.
fn best_by_probe<'a>(source: &ReportSource, all: &'a [ModelFairness], comparison: ComparisonIx) -> Option<&'a ModelFairness> {
    let auc = |of: &ModelFairness| {
        let layer = study::last_layer(source.study(), of.model);
        let scored = source.outcome.scores.get(&ScoreOf { model: of.model, layer, projection: None, comparison });
        scored.and_then(|scored| Some(scored.probe.as_ref()?.a?.value)).unwrap_or(f64::NEG_INFINITY)
    };
    all.iter().max_by(|x, y| auc(x).total_cmp(&auc(y)).then(y.model.cmp(&x.model)))
}

impl GroupTable {
    /// `None` where nobody is in a group, or the question was not asked.
    fn of(source: &ReportSource, all: &[ModelFairness], comparison: ComparisonIx) -> Option<Self> {
        let best = best_by_probe(source, all, comparison)?;
        let (place, question) = best.question(comparison).filter(|(_, asked)| asked.cells.iter().any(|cell| cell.n > 0))?;
        let output = output(source, best);
        let compared = &source.study().comparisons[comparison];
        let asked = compared.question.attributes();
        let part = QuestionPart { source, output: &output, place, question, groups: &best.fairness.groups };
        let rows = (0..question.cells.len()).filter(|group| !is_by_definition(&best.fairness.groups[*group], &asked));
        let reweighed = question.reweighed.iter().enumerate().filter(|(_, of)| !asked.contains(of.attribute.as_str()));
        Some(GroupTable {
            model: source.study().models[best.model].name.clone(),
            positive: compared.classes[0].clone(),
            rows: rows.map(|group| part.row(group)).collect(),
            widest: all.iter().filter_map(|of| widest(source, of, comparison)).collect(),
            worst_served: all.iter().filter_map(|of| WorstServedRow::of(source, of, comparison)).collect(),
            beside_baseline: BaselineTable::of(source, all, comparison),
            dispersion: DispersionTable::of(&part, &asked),
            reweighed: reweighed.map(|(at, of)| part.reweighed(at, of, &compared.classes)).collect(),
        })
    }
}

impl GroupTable {
    /// That of the model whose rates are shown.
    pub(crate) fn widest_of_shown(&self) -> Option<&WidestGap> {
        self.widest.iter().find(|gap| gap.model == self.model)
    }
}

/// One question of one model's result.
pub(crate) struct QuestionPart<'a> {
    pub source: &'a ReportSource<'a>,
    pub output: &'a OutputSource,
    /// Its place in the result.
    pub place: usize,
    pub question: &'a QuestionFairness,
    pub groups: &'a [Vec<(String, String)>],
}

impl QuestionPart<'_> {
    fn phrase(&self, group: usize) -> Phrase {
        group_phrase(self.source.study(), &self.groups[group])
    }

    /// The output, with numbers of one of its parts.
    pub(crate) fn output_named(&self, name: &str) -> OutputSource {
        named(self.output, name)
    }

    fn output_of(&self, group: usize) -> OutputSource {
        self.output_named(&group_name(&self.groups[group]))
    }

    fn row(&self, group: usize) -> GroupRow {
        let (output, cell) = (self.output_of(group), &self.question.cells[group]);
        let at = |field: &str| format!("/asked/{}/cells/{group}/{field}", self.place);
        let count = |field: &str, value: usize| self.source.claims.count(&output, &at(field), field, value);
        let rate = |field: &str, estimate: Option<Estimate>, measure: GroupMeasure| {
            let enter = |of| self.source.claims.estimate(&output, &at(field), field, NumberForm::Score, of);
            Supported::of(cell.support(measure), estimate.map(enter))
        };
        let at_gap = self.question.gaps.iter().position(|gap| gap.group == group);
        let is_reference = at_gap.is_none() && self.question.gaps.iter().any(|gap| gap.reference == group);
        let is_discovery = at_gap.is_some_and(|at| is_discovery(&self.question.gaps[at]));
        let (gaps, numbers) = match at_gap.map(|at| self.gap(at)) {
            Some(Gap { rates, numbers }) => (rates.map(Some), Some(numbers)),
            None => ([None, None, None], None),
        };
        let rates = [
            rate("tpr", cell.tpr, GroupMeasure::Tpr),
            rate("fpr", cell.fpr, GroupMeasure::Fpr),
            rate("auc", cell.auc, GroupMeasure::Auc),
        ];
        let rates = rates.into_iter().zip(gaps).enumerate();
        GroupRow {
            group: self.phrase(group),
            is_empty: cell.n == 0,
            is_reference,
            images: count("n", cell.n),
            positives: count("positives", cell.positives),
            negatives: count("negatives", cell.negatives),
            identities: count("identities", cell.identities),
            rates: rates.map(|(place, (rate, gap))| RateAndGap { rate, gap, is_discovery: place == 0 && is_discovery }).collect(),
            numbers,
        }
    }

    fn gap(&self, at: usize) -> Gap {
        let gap = &self.question.gaps[at];
        let (output, cells): (OutputSource, &[GroupRates]) = (self.output_of(gap.group), &self.question.cells);
        let pointer = |field: &str| format!("/asked/{}/gaps/{at}/{field}", self.place);
        let rate = |field: &str, estimate: Option<Estimate>, measure: GroupMeasure| {
            let what = format!("{field} gap");
            let enter = |of| self.source.claims.estimate(&output, &pointer(field), &what, NumberForm::Difference, of);
            Supported::of(gap.support(cells, measure), estimate.map(enter))
        };
        let number = |field: &str, form: NumberForm, value: Option<f64>, measure: GroupMeasure| {
            let enter = |value| self.source.claims.enter(&output, &pointer(field), field, form, value);
            Supported::of(gap.support(cells, measure), value.map(enter))
        };
        Gap {
            rates: [
                rate("tpr", gap.tpr, GroupMeasure::Tpr),
                rate("fpr", gap.fpr, GroupMeasure::Fpr),
                rate("auc", gap.auc, GroupMeasure::Auc),
            ],
            numbers: vec![
                number("odds", NumberForm::Score, gap.odds, GroupMeasure::Odds),
                number("parity", NumberForm::Difference, gap.parity, GroupMeasure::Labels),
                number("impact", NumberForm::Score, gap.impact, GroupMeasure::Labels),
            ],
        }
    }

    fn reweighed(&self, at: usize, of: &Reweighed, classes: &[String]) -> ReweighedRow {
        let pointer = |field: &str| format!("/asked/{}/reweighed/{at}/{field}", self.place);
        let output = self.output_named(&format!("reweighed by {}", of.attribute));
        let score = |field: &str, value: Option<f64>| {
            value.map(|value| self.source.claims.enter(&output, &pointer(field), field, NumberForm::Score, value))
        };
        let level = |(place, [before, after]): (usize, &[Option<f64>; 2])| LevelRow {
            group: self.phrase(of.groups[place]),
            before: score(&format!("levels/{place}/0"), *before),
            after: score(&format!("levels/{place}/1"), *after),
        };
        let change = |change| {
            let what = "change of the widest TPR gap";
            self.source.claims.estimate(&output, &pointer("change"), what, NumberForm::Difference, change)
        };
        ReweighedRow {
            attribute: of.attribute.clone(),
            refused: of.refused.as_ref().map(|why| words::refusal_of_reweighing(why, classes)),
            before: score("before", of.before),
            after: score("after", of.after),
            change: of.change.map(change),
            levels: of.levels.iter().enumerate().map(level).collect(),
            is_levelled_down: of.levelled_down,
        }
    }
}

impl<T> Supported<T> {
    fn of(support: Support, value: Option<T>) -> Self {
        let too_few = support == Support::TooFew;
        Supported { few: support < Support::Enough, too_few, value: value.filter(|_| !too_few) }
    }
}

fn is_discovery(gap: &GroupGap) -> bool {
    gap.q.is_some_and(|q| q <= DISCOVERY)
}

/// A model's widest TPR gap on a comparison, among groups with enough positives.
fn widest(source: &ReportSource, of: &ModelFairness, comparison: ComparisonIx) -> Option<WidestGap> {
    let (place, question) = of.question(comparison)?;
    let asked = source.study().comparisons[comparison].question.attributes();
    let is_enough = |gap: &GroupGap| {
        gap.support(&question.cells, GroupMeasure::Tpr) > Support::TooFew
            && gap.tpr.is_some()
            && !is_by_definition(&of.fairness.groups[gap.group], &asked)
    };
    let width = |gap: &GroupGap| gap.tpr.map_or(0.0, |tpr| tpr.value.abs());
    let gaps = question.gaps.iter().enumerate().filter(|(_, gap)| is_enough(gap));
    let (at, gap) = gaps.max_by(|x, y| width(x.1).total_cmp(&width(y.1)).then(y.0.cmp(&x.0)))?;
    let part = QuestionPart { source, output: &output(source, of), place, question, groups: &of.fairness.groups };
    let pointer = format!("/asked/{place}/gaps/{at}/tpr");
    let enter = |tpr| source.claims.estimate(&part.output_of(gap.group), &pointer, "tpr gap", NumberForm::Difference, tpr);
    Some(WidestGap {
        model: source.study().models[of.model].name.clone(),
        group: part.phrase(gap.group),
        tpr: enter(gap.tpr?),
        is_discovery: is_discovery(gap),
        width: width(gap),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        fixture::{self, Fixture},
        sections::fairness,
    };
    use visavis_core::domain::index::ModelIx;
    use visavis_core::domain::{
        dispersion::{Dispersion, GroupDispersion, Undefined},
        fairness::{BesideBaseline, Fairness, WorstServed},
    };

    /// Two groups by `bold`: the reference with enough of everything, the other with too few positives.
    fn fairness_of(positives: usize, tpr: f64) -> Fairness {
        let rate = |value: f64| Some(Estimate::new(value, value - 0.1, value + 0.1));
        let cell = |positives: usize, tpr: f64| GroupRates {
            n: positives + 200,
            positives,
            negatives: 200,
            identities: positives,
            tpr: rate(tpr),
            fpr: rate(0.2),
            auc: rate(0.8),
        };
        let gap = GroupGap {
            group: 1,
            reference: 0,
            parity: Some(-0.1),
            impact: Some(0.8),
            tpr: rate(tpr - 0.9),
            fpr: rate(0.0),
            auc: rate(0.0),
            odds: Some(0.25),
            average: None,
            p: Some(0.01),
            q: Some(0.02),
        };
        let reweighed = Reweighed {
            attribute: "bold".to_owned(),
            refused: None,
            before: Some(0.3),
            after: Some(0.1),
            change: Some(Estimate::new(-0.2, -0.3, -0.1)),
            levels: vec![[Some(0.9), Some(0.7)], [Some(0.6), Some(0.6)]],
            groups: vec![0, 1],
            levelled_down: true,
        };
        let measure = |value: f64| Dispersion::Defined { value, groups: 2 };
        let dispersion = GroupDispersion {
            attributes: vec!["bold".to_owned()],
            groups: vec![0, 1],
            theil: measure(0.125),
            entropy_between_groups: measure(0.004),
            label_differential_fairness: measure(0.5),
            prediction_differential_fairness: measure(0.75),
            tpr_ratio: Dispersion::Undefined(Undefined::OneGroup),
            fpr_ratio: measure(0.95),
            fnr_to_geometric_mean: Dispersion::Undefined(Undefined::SomeRateZero),
            fpr_to_geometric_mean: measure(1.25),
        };
        let asked = QuestionFairness {
            cells: vec![cell(300, 0.9), cell(positives, tpr)],
            gaps: vec![gap],
            reweighed: vec![reweighed],
            dispersion: vec![dispersion],
            worst_served: Some(WorstServed { group: 1, among: 2, share: 0.875 }),
            beside_baseline: vec![BesideBaseline {
                group: 1,
                auc: Estimate::new(0.25, 0.125, 0.375),
                p: Some(0.001),
                q: Some(0.002),
            }],
        };
        let group = |value: &str| vec![("bold".to_owned(), value.to_owned())];
        Fairness { format: 1, groups: vec![group("0"), group("1")], tests: 1, asked: vec![asked] }
    }

    fn text(fairness: &Fairness) -> String {
        Fixture::new().with_groups().text(|source| {
            let places = vec![Some(0), None].into();
            let all = [ModelFairness { model: ModelIx(0), key: fixture::output().key, fairness: fairness.clone(), places }];
            Some(fairness::Fairness::joined(source, Some(GroupRatesPart::filled(source, &all))))
        })
    }

    #[test]
    fn a_group_has_its_rates_and_its_gaps_to_the_reference() {
        let text = text(&fairness_of(150, 0.6));
        for sentence in [
            "zero or one in pixels, chosen by its probe on the selection half",
            "bold = 0 reference 500 300 200 300 0.900 (0.800–1.000) 0.200 (0.100–0.300) 0.800 (0.700–0.900) bold = 1",
            "bold = 1 350 150 200 150 0.600 (0.500–0.700) gap −0.300 (−0.400 to −0.200) ● 0.200 (0.100–0.300) gap +0.000",
            "0.800 (0.700–0.900) gap +0.000 (−0.100 to +0.100) 0.250 −0.100 0.800",
            "pixels bold = 1 −0.300 (−0.400 to −0.200) ●",
            "pixels bold = 1 0.800 (0.700–0.900) 87.5 % 2",
            "Reweighed by bold, the widest TPR gap changes from 0.300 to 0.100, by −0.200 (−0.300 to −0.100).",
            "Levelling down: the gap shrank, and no group gained (others only got worse).",
            "FPR, greatest to geometric mean bold 0.125 over 2 groups 0.004 over 2 groups 0.500 over 2 groups 0.750 over 2 groups",
            "undefined: fewer than two groups have enough images 0.950 over 2 groups",
            "undefined: a group has no such error 1.250 over 2 groups",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn groups_of_what_is_asked_have_no_measures_over_them() {
        let mut fairness = fairness_of(150, 0.6);
        for group in &mut fairness.groups {
            "digit".clone_into(&mut group[0].0);
        }
        let text = text(&fairness);
        assert!(!text.contains("Theil index") && !text.contains("over 2 groups"), "{text}");
    }

    #[test]
    fn a_rate_of_too_few_is_not_shown() {
        let text = text(&fairness_of(20, 0.6));
        assert!(
            text.contains("bold = 1 220 20 200 20 too few 0.200 (0.100–0.300) gap +0.000 (−0.100 to +0.100) too few too few"),
            "{text}"
        );
        assert!(!text.contains("The widest TPR gap"), "{text}");
    }
}
