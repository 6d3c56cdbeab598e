//! Fairness of labels and of predictions among groups: AIF360's measures (Bellamy et al. 2018) and Fairlearn's (Weerts et al.
//! 2023), Wilson's interval on the evidence that clustered images give, and reweighing (Kamiran and Calders 2012).
//!
//! What has an empty denominator is undefined, `None`, and an infinite ratio is too: peers write 0, 1 or ∞ there, and a group
//! without positives then has the worst true positive rate of all. Counts are weighted; a weight is finite and not negative.

use crate::{
    numeric::special::{exp, ln},
    scoring::inference::student::Z,
};

/// How often labels and predictions meet, in weights (in images, where each weighs 1). Collected from (label, prediction, weight)
/// triples; of labels alone, give each label as its own prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Confusion {
    /// Positives that are predicted.
    pub tp: f64,
    /// Negatives that are predicted positive.
    pub fp: f64,
    /// Negatives that are predicted negative.
    pub tn: f64,
    /// Positives that are predicted negative.
    pub missed: f64,
}

/// A share of a group, from 0 to 1: one of `Confusion`'s methods.
pub type RateOf = fn(&Confusion) -> Option<f64>;

impl FromIterator<(bool, bool, f64)> for Confusion {
    fn from_iter<I: IntoIterator<Item = (bool, bool, f64)>>(rows: I) -> Self {
        let mut counted = Confusion::default();
        for (label, prediction, weight) in rows {
            *match (label, prediction) {
                (true, true) => &mut counted.tp,
                (false, true) => &mut counted.fp,
                (false, false) => &mut counted.tn,
                (true, false) => &mut counted.missed,
            } += weight;
        }
        counted
    }
}

impl Confusion {
    pub fn n(&self) -> f64 {
        self.tp + self.fp + self.tn + self.missed
    }

    pub fn positives(&self) -> f64 {
        self.tp + self.missed
    }

    pub fn negatives(&self) -> f64 {
        self.fp + self.tn
    }

    /// Those predicted positive, whatever their labels.
    pub fn selected(&self) -> f64 {
        self.tp + self.fp
    }

    /// P(label).
    pub fn base_rate(&self) -> Option<f64> {
        share(self.positives(), self.n())
    }

    /// P(prediction).
    pub fn selection_rate(&self) -> Option<f64> {
        share(self.selected(), self.n())
    }

    /// True positive rate, or recall: P(prediction | label).
    pub fn tpr(&self) -> Option<f64> {
        share(self.tp, self.positives())
    }

    /// False positive rate: P(prediction | no label).
    pub fn fpr(&self) -> Option<f64> {
        share(self.fp, self.negatives())
    }

    /// False negative rate: P(no prediction | label).
    pub fn fnr(&self) -> Option<f64> {
        share(self.missed, self.positives())
    }

    /// True negative rate: P(no prediction | no label).
    pub fn tnr(&self) -> Option<f64> {
        share(self.tn, self.negatives())
    }

    /// Positive predictive value, or precision: P(label | prediction).
    pub fn ppv(&self) -> Option<f64> {
        share(self.tp, self.selected())
    }

    /// Negative predictive value: P(no label | no prediction).
    pub fn npv(&self) -> Option<f64> {
        share(self.tn, self.tn + self.missed)
    }

    /// False discovery rate: P(no label | prediction).
    pub fn false_discovery(&self) -> Option<f64> {
        share(self.fp, self.selected())
    }

    /// False omission rate: P(label | no prediction).
    pub fn false_omission(&self) -> Option<f64> {
        share(self.missed, self.tn + self.missed)
    }

    pub fn error(&self) -> Option<f64> {
        share(self.fp + self.missed, self.n())
    }

    pub fn accuracy(&self) -> Option<f64> {
        share(self.tp + self.tn, self.n())
    }

    /// The mean of both classes' recalls; `None` where one class is missing.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some(f64::midpoint(self.tpr()?, self.tnr()?))
    }

    /// How unequally predictions treat single images, 0 for equally (Speicher et al. 2018): the entropy of their benefits
    /// b = prediction − label + 1. For α ≤ 0 it is infinite, hence `None`, as soon as one positive is missed (b = 0).
    pub fn generalised_entropy(&self, alpha: f64) -> Option<f64> {
        entropy(&[(1.0, self.tp + self.tn), (2.0, self.fp), (0.0, self.missed)], alpha)
    }

    /// Theil's index: the generalised entropy at α = 1.
    pub fn theil(&self) -> Option<f64> {
        self.generalised_entropy(1.0)
    }

    /// Standard deviation of the benefits over their mean: √(2 · the generalised entropy at α = 2).
    pub fn coefficient_of_variation(&self) -> Option<f64> {
        Some((2.0 * self.generalised_entropy(2.0)?).sqrt())
    }

    /// The mean of the benefits, from 0 to 2.
    fn benefit(&self) -> Option<f64> {
        share(self.tp + self.tn + 2.0 * self.fp, self.n())
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    Some(part / whole).filter(|share| share.is_finite())
}

/// A group beside the one it is held against: differences are group − reference, ratios group / reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupPair {
    /// u, AIF360's "unprivileged".
    pub group: Confusion,
    /// p, its "privileged".
    pub reference: Confusion,
}

impl GroupPair {
    /// Of the error, say: `difference(Confusion::error)`. From −1 to 1; 0 is parity.
    pub fn difference(&self, measure: RateOf) -> Option<f64> {
        Some(measure(&self.group)? - measure(&self.reference)?)
    }

    /// 1 is parity; `None` where the reference has 0, for the ratio is infinite then.
    pub fn ratio(&self, measure: RateOf) -> Option<f64> {
        share(measure(&self.group)?, measure(&self.reference)?)
    }

    /// P(label | u) − P(label | p).
    pub fn statistical_parity_of_labels(&self) -> Option<f64> {
        self.difference(Confusion::base_rate)
    }

    /// P(prediction | u) − P(prediction | p).
    pub fn statistical_parity_of_predictions(&self) -> Option<f64> {
        self.difference(Confusion::selection_rate)
    }

    /// P(label | u) / P(label | p).
    pub fn disparate_impact_of_labels(&self) -> Option<f64> {
        self.ratio(Confusion::base_rate)
    }

    /// P(prediction | u) / P(prediction | p).
    pub fn disparate_impact_of_predictions(&self) -> Option<f64> {
        self.ratio(Confusion::selection_rate)
    }

    /// The difference of true positive rates (Hardt, Price and Srebro 2016).
    pub fn equal_opportunity(&self) -> Option<f64> {
        self.difference(Confusion::tpr)
    }

    /// Mean of both rates' differences; opposite ones cancel.
    pub fn average_odds(&self) -> Option<f64> {
        let [fpr, tpr] = self.odds()?;
        Some(f64::midpoint(fpr, tpr))
    }

    /// Mean of both rates' distances.
    pub fn average_absolute_odds(&self) -> Option<f64> {
        let [fpr, tpr] = self.odds()?;
        Some(f64::midpoint(fpr.abs(), tpr.abs()))
    }

    /// The greater of both rates' distances (Hardt, Price and Srebro 2016). `None` where one is undefined: AIF360 goes on with
    /// the other.
    pub fn equalized_odds(&self) -> Option<f64> {
        let [fpr, tpr] = self.odds()?;
        Some(fpr.abs().max(tpr.abs()))
    }

    /// Differences of false and of true positive rates.
    fn odds(&self) -> Option<[f64; 2]> {
        Some([self.difference(Confusion::fpr)?, self.difference(Confusion::tpr)?])
    }
}

/// The greatest rate less the least; of selection rates, Fairlearn's demographic parity difference. `None` below two groups.
/// Rates here and below are the defined ones: whoever leaves an undefined one out says so.
pub fn range(rates: &[f64]) -> Option<f64> {
    let (least, most) = ends(rates)?;
    Some(most - least)
}

/// The least rate over the greatest, from 0 to 1; of selection rates, Fairlearn's demographic parity ratio.
pub fn least_over_greatest(rates: &[f64]) -> Option<f64> {
    let (least, most) = ends(rates)?;
    share(least, most)
}

/// The greatest rate over the geometric mean of all, from 1 (NIST IR 8429, draft of 2022: steadier than max/min, whose least rate
/// is the least certain). `None` where a rate is 0.
pub fn greatest_over_geometric_mean(rates: &[f64]) -> Option<f64> {
    let (_, most) = ends(rates)?;
    let mean = rates.iter().map(|rate| ln(*rate)).sum::<f64>() / rates.len() as f64;
    share(most, exp(mean))
}

fn ends(rates: &[f64]) -> Option<(f64, f64)> {
    let least = rates.iter().copied().reduce(f64::min)?;
    let most = rates.iter().copied().reduce(f64::max)?;
    (rates.len() > 1 && rates.iter().all(|rate| rate.is_finite())).then_some((least, most))
}

/// The part of the generalised entropy that lies between groups: every image has its group's mean benefit (Speicher et al. 2018).
pub fn entropy_between(groups: &[Confusion], alpha: f64) -> Option<f64> {
    let benefits: Vec<(f64, f64)> = groups.iter().filter_map(|group| Some((group.benefit()?, group.n()))).collect();
    entropy(&benefits, alpha)
}

/// √(2 · the entropy between groups at α = 2).
pub fn variation_between(groups: &[Confusion]) -> Option<f64> {
    Some((2.0 * entropy_between(groups, 2.0)?).sqrt())
}

/// The weighted mean of [(b/μ)^α − 1] / (α(α − 1)) over (b, weight), and its limits −ln(b/μ) at α = 0 and (b/μ) ln(b/μ) at 1.
/// AIF360 0.6.1 divides by μ once more at α = 0, and heeds no weights.
fn entropy(benefits: &[(f64, f64)], alpha: f64) -> Option<f64> {
    let present = || benefits.iter().filter(|(_, weight)| *weight > 0.0);
    let n: f64 = present().map(|(_, weight)| weight).sum();
    let mean = share(present().map(|(benefit, weight)| benefit * weight).sum(), n)?;
    let term = |benefit: f64| {
        let relative = benefit / mean;
        match alpha {
            0.0 => -ln(relative),
            // 0 · ln 0 = 0.
            1.0 if relative == 0.0 => 0.0,
            1.0 => relative * ln(relative),
            _ if relative == 0.0 => (if alpha > 0.0 { 0.0 } else { f64::INFINITY } - 1.0) / (alpha * (alpha - 1.0)),
            _ => (exp(alpha * ln(relative)) - 1.0) / (alpha * (alpha - 1.0)),
        }
    };
    // Never below 0 (Jensen), but for rounding.
    share(present().map(|(benefit, weight)| weight * term(*benefit)).sum(), n).map(|entropy| entropy.max(0.0))
}

/// Smoothed empirical differential fairness (Foulds et al. 2020): the greatest |Δ ln rate| or |Δ ln(1 − rate)| of two groups, the
/// rate being (positives + c/2) / (n + c); 0 is equal, ln 2 twice as often. `positives` are `Confusion::positives` for labels,
/// `Confusion::selected` for predictions; c ≥ 0 is 1 with AIF360, which leaves groups without anybody out too.
pub fn differential_fairness(groups: &[Confusion], positives: fn(&Confusion) -> f64, concentration: f64) -> Option<f64> {
    let there = || groups.iter().filter(|group| group.n() > 0.0);
    let logarithm = |part: f64, n: f64| ln((part + concentration / 2.0) / (n + concentration));
    let yes: Vec<f64> = there().map(|group| logarithm(positives(group), group.n())).collect();
    let no: Vec<f64> = there().map(|group| logarithm(group.n() - positives(group), group.n())).collect();
    Some(range(&yes)?.max(range(&no)?))
}

/// By how much predictions differ more than labels do: differential fairness of predictions less that of labels.
pub fn bias_amplification(groups: &[Confusion], concentration: f64) -> Option<f64> {
    let predicted = differential_fairness(groups, Confusion::selected, concentration)?;
    Some(predicted - differential_fairness(groups, Confusion::positives, concentration)?)
}

/// How many independent images would tell a proportion as well as these do, two identities of mean size added, one all positive,
/// one all negative (as Agresti and Coull, 1998, add to a plain proportion): without them Wilson's interval holds a rare share 85
/// to 93 times in a hundred where identities are few and alike, with them never below 92.7, mostly 95 to 99 (simulated: beta-binomial
/// labels, shares of .02 to .5, 10 to 200 identities of 1 to 20 images, correlation within them to .8). From 1 to the number of images.
pub fn effective(identities: &[(usize, usize)]) -> f64 {
    let there: Vec<(f64, f64)> =
        identities.iter().filter(|(_, n)| *n > 0).map(|(positives, n)| (*positives as f64, *n as f64)).collect();
    let (m, n) = (there.len() as f64, there.iter().map(|(_, n)| n).sum::<f64>());
    if there.is_empty() {
        return 0.0;
    }
    let more = [(n / m, n / m), (0.0, n / m)];
    (clustered(&[there, more.to_vec()].concat()) * m / (m + 2.0)).clamp(1.0, n)
}

/// How many independent images would tell a proportion as well as these do: p(1 − p) over the variance that `identities`,
/// (positives, images) each, leave it as clusters (Kish 1965, the ratio estimator; Korn and Graubard 1998, for intervals). From 1
/// to the number of images. Where nothing varies, and with one identity, the number of identities: all that is known then.
fn clustered(identities: &[(f64, f64)]) -> f64 {
    let m = identities.len() as f64;
    let positives: f64 = identities.iter().map(|(positives, _)| positives).sum();
    let n: f64 = identities.iter().map(|(_, n)| n).sum();
    let p = positives / n;
    if m < 2.0 || positives == 0.0 || positives == n {
        return m;
    }
    let squares: f64 = identities.iter().map(|(positives, n)| (positives - p * n).powi(2)).sum();
    // Identities that all have the same share leave no variance, and the limit is n.
    (p * (1.0 - p) * (n * n) * (m - 1.0) / (m * squares)).clamp(1.0, n)
}

/// Wilson's 95 % score interval (1927; Newcombe 1998, method 3) of a share on so many independent images, in general no whole
/// number. `None` where there are none.
pub fn wilson(share: f64, effective: f64) -> Option<(f64, f64)> {
    let defined = (0.0..=1.0).contains(&share) && effective > 0.0 && effective.is_finite();
    if !defined {
        return None;
    }
    let scale = 1.0 + Z * Z / effective;
    let centre = (share + Z * Z / (2.0 * effective)) / scale;
    let reach = Z / scale * (share * (1.0 - share) / effective + Z * Z / (4.0 * effective * effective)).sqrt();
    // At the ends the formula gives them exactly; rounding would not.
    let low = if share == 0.0 { 0.0 } else { (centre - reach).max(0.0) };
    let high = if share == 1.0 { 1.0 } else { (centre + reach).min(1.0) };
    Some((low, high))
}

/// A group in which one label does not occur: no weight makes its base rate that of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("group {group} has no {} image to weight", if *label { "positive" } else { "negative" })]
pub struct EmptyCell {
    pub group: usize,
    pub label: bool,
}

/// A weight per image, N(group)·N(label) / (N·N(group, label)) times its own, 1 where `weights` are not given; N counts those.
/// Every group's weighted base rate is then that of all (Kamiran and Calders 2012). Groups are those that occur. One group, label
/// and weight an image: panics otherwise.
pub fn reweigh(group: &[usize], label: &[bool], weights: Option<&[f64]>) -> Result<Vec<f64>, EmptyCell> {
    assert!(group.len() == label.len() && weights.is_none_or(|weights| weights.len() == group.len()));
    let own = |image: usize| weights.map_or(1.0, |weights| weights[image]);
    let mut cells = std::collections::BTreeMap::<usize, [f64; 2]>::new();
    for image in 0..group.len() {
        cells.entry(group[image]).or_default()[usize::from(label[image])] += own(image);
    }
    for (&group, cell) in &cells {
        for label in [false, true] {
            if cell[usize::from(label)] <= 0.0 {
                return Err(EmptyCell { group, label });
            }
        }
    }
    let labelled = [0, 1].map(|label| cells.values().map(|cell| cell[label]).sum::<f64>());
    let all = labelled[0] + labelled[1];
    let weight = |image: usize| {
        let (cell, label) = (&cells[&group[image]], usize::from(label[image]));
        own(image) * (cell[0] + cell[1]) * labelled[label] / (all * cell[label])
    };
    Ok((0..group.len()).map(weight).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    const MEASURES: [(&str, RateOf); 13] = [
        ("base_rate", Confusion::base_rate),
        ("selection_rate", Confusion::selection_rate),
        ("tpr", Confusion::tpr),
        ("fpr", Confusion::fpr),
        ("fnr", Confusion::fnr),
        ("tnr", Confusion::tnr),
        ("ppv", Confusion::ppv),
        ("npv", Confusion::npv),
        ("false_discovery", Confusion::false_discovery),
        ("false_omission", Confusion::false_omission),
        ("error", Confusion::error),
        ("accuracy", Confusion::accuracy),
        ("balanced_accuracy", Confusion::balanced_accuracy),
    ];

    fn real(identities: &[(usize, usize)]) -> Vec<(f64, f64)> {
        identities.iter().map(|(positives, n)| (*positives as f64, *n as f64)).collect()
    }

    /// Of what `tests/fairness.py` wrote.
    fn fixture() -> Value {
        serde_json::from_str(include_str!("../../../../tests/fixtures/fairness.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    /// Both undefined, or equal to 1e-9.
    fn agrees(what: &str, found: Option<f64>, peer: &Value) {
        let same = match (found, peer.as_f64()) {
            (Some(found), Some(peer)) => (found - peer).abs() < 1e-9,
            (found, _) => found.is_none() && peer.is_null(),
        };
        assert!(same, "{what}: {found:?} beside {peer}");
    }

    struct Table {
        group: Vec<usize>,
        label: Vec<bool>,
        prediction: Vec<bool>,
        weights: Option<Vec<f64>>,
    }

    impl Table {
        fn of(table: &Value) -> Self {
            let digits = |key: &str| table[key].as_str().unwrap().bytes().map(|digit| usize::from(digit - b'0'));
            Table {
                group: digits("group").collect(),
                label: digits("label").map(|digit| digit == 1).collect(),
                prediction: digits("prediction").map(|digit| digit == 1).collect(),
                weights: table["weight"].is_array().then(|| numbers(&table["weight"])),
            }
        }

        fn of_rows(&self, within: impl Fn(usize) -> bool, weights: Option<&[f64]>) -> Confusion {
            let rows = (0..self.group.len()).filter(|row| within(self.group[*row]));
            rows.map(|row| (self.label[row], self.prediction[row], weights.map_or(1.0, |weights| weights[row]))).collect()
        }

        fn groups(&self, weights: Option<&[f64]>) -> Vec<Confusion> {
            (0..=*self.group.iter().max().unwrap()).map(|group| self.of_rows(|own| own == group, weights)).collect()
        }
    }

    fn rates_agree(name: &str, found: &Confusion, peer: &Value) {
        for (measure, of) in MEASURES {
            if let Some(peer) = peer.get(measure) {
                agrees(&format!("{name}: {measure}"), of(found), peer);
            }
        }
    }

    #[test]
    fn every_measure_is_aif360s() {
        let fixture = fixture();
        let alphas = numbers(&fixture["alphas"]);
        for table in fixture["tables"].as_array().unwrap() {
            let (name, peer) = (table["name"].as_str().unwrap(), &table["aif360"]);
            let table = Table::of(table);
            let groups = table.groups(table.weights.as_deref());
            rates_agree(name, &table.of_rows(|_| true, table.weights.as_deref()), &peer["groups"]["all"]);
            rates_agree(name, &groups[0], &peer["groups"]["0"]);
            rates_agree(name, &groups[1], &peer["groups"]["1"]);

            let pair = GroupPair { group: groups[0], reference: groups[1] };
            let mut compared = vec![
                ("statistical_parity_of_labels", pair.statistical_parity_of_labels()),
                ("disparate_impact_of_labels", pair.disparate_impact_of_labels()),
                ("statistical_parity_of_predictions", pair.statistical_parity_of_predictions()),
                ("disparate_impact_of_predictions", pair.disparate_impact_of_predictions()),
                ("equal_opportunity", pair.equal_opportunity()),
                ("average_odds", pair.average_odds()),
                ("average_absolute_odds", pair.average_absolute_odds()),
                ("equalized_odds", pair.equalized_odds()),
            ];
            for (difference, ratio, measure) in [
                ("error_difference", "error_ratio", Confusion::error as RateOf),
                ("fpr_difference", "fpr_ratio", Confusion::fpr),
                ("fnr_difference", "fnr_ratio", Confusion::fnr),
                ("false_omission_difference", "false_omission_ratio", Confusion::false_omission),
                ("false_discovery_difference", "false_discovery_ratio", Confusion::false_discovery),
            ] {
                compared.extend([(difference, pair.difference(measure)), (ratio, pair.ratio(measure))]);
            }
            assert_eq!(compared.len(), peer["pair"].as_object().unwrap().len());
            compared.iter().for_each(|(what, found)| agrees(&format!("{name}: {what}"), *found, &peer["pair"][what]));

            // AIF360's entropies do not heed weights.
            let (all, each) = (table.of_rows(|_| true, None), table.groups(None));
            for (place, alpha) in alphas.iter().enumerate() {
                let what = format!("{name}: entropy at {alpha}");
                agrees(&what, all.generalised_entropy(*alpha), &peer["entropy"][place]);
                agrees(&what, entropy_between(&each, *alpha), &peer["entropy_between"][place]);
            }
            agrees(name, all.theil(), &peer["theil"]);
            agrees(name, all.coefficient_of_variation(), &peer["coefficient_of_variation"]);
            agrees(name, variation_between(&each), &peer["coefficient_of_variation_between"]);

            let of_labels = differential_fairness(&groups, Confusion::positives, 1.0);
            agrees(name, of_labels, &peer["edf"]);
            agrees(name, differential_fairness(&groups, Confusion::selected, 1.0), &peer["edf_of_predictions"]);
            agrees(name, bias_amplification(&groups, 1.0), &peer["bias_amplification"]);

            let weights = reweigh(&table.group, &table.label, table.weights.as_deref());
            assert_eq!(weights.is_err(), peer["reweighed"].is_null(), "{name}");
            for (row, weight) in weights.unwrap_or_default().into_iter().enumerate() {
                agrees(&format!("{name}: weight of {row}"), Some(weight), &peer["reweighed"][row]);
            }
        }
    }

    #[test]
    fn every_measure_is_fairlearns() {
        for table in fixture()["tables"].as_array().unwrap() {
            let (name, peer) = (table["name"].as_str().unwrap(), &table["fairlearn"]);
            let table = Table::of(table);
            let groups = table.groups(table.weights.as_deref());
            rates_agree(name, &table.of_rows(|_| true, table.weights.as_deref()), &peer["groups"]["all"]);
            for (place, group) in groups.iter().enumerate() {
                rates_agree(name, group, &peer["groups"][place.to_string()]);
            }
            let rates = |measure: RateOf| groups.iter().map(measure).collect::<Option<Vec<f64>>>();
            let spread = |measure| range(&rates(measure)?);
            let ratio = |measure| least_over_greatest(&rates(measure)?);
            for (measure, of) in MEASURES {
                if let Some(peer) = peer["range"].get(measure) {
                    agrees(&format!("{name}: range of {measure}"), spread(of), peer);
                }
                if let Some(peer) = peer["least_ratio"].get(measure) {
                    agrees(&format!("{name}: ratio of {measure}"), ratio(of), peer);
                }
            }
            agrees(name, spread(Confusion::selection_rate), &peer["demographic_parity_difference"]);
            agrees(name, ratio(Confusion::selection_rate), &peer["demographic_parity_ratio"]);
            let (tpr, fpr) = (Confusion::tpr as RateOf, Confusion::fpr as RateOf);
            agrees(name, spread(tpr).zip(spread(fpr)).map(|(a, b)| a.max(b)), &peer["equalized_odds_difference"]);
            agrees(name, ratio(tpr).zip(ratio(fpr)).map(|(a, b)| a.min(b)), &peer["equalized_odds_ratio"]);
        }
    }

    #[test]
    fn effective_is_statsmodels_and_wilson_is_scipys() {
        let fixture = fixture();
        for case in fixture["clustered"].as_array().unwrap() {
            let identities: Vec<(usize, usize)> = serde_json::from_value(case["identities"].clone()).unwrap();
            agrees("effective", Some(clustered(&real(&identities)) / case["effective"].as_f64().unwrap()), &1.0.into());
        }
        for case in fixture["wilson"].as_array().unwrap() {
            let of = |key: &str| case[key].as_f64().unwrap();
            let (low, high) = wilson(of("positives") / of("n"), of("n")).unwrap();
            agrees("low", Some(low), &case["low"]);
            agrees("high", Some(high), &case["high"]);
        }
    }

    #[test]
    fn wilsons_interval_is_the_published_one() {
        // Newcombe (1998), table I: 81 of 263 and 0 of 20.
        let (low, high) = wilson(81.0 / 263.0, 263.0).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
        let (low, high) = wilson(0.0, 20.0).unwrap();
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5);
        for effective in 1..1000 {
            let [none, all] = [0.0, 1.0].map(|share| wilson(share, f64::from(effective) / 3.0).unwrap());
            assert_eq!((none.0, all.1), (0.0, 1.0));
        }
        for (share, effective) in [(0.5, 0.0), (f64::NAN, 5.0), (0.5, f64::NAN), (1.1, 5.0), (0.5, f64::INFINITY)] {
            assert_eq!(wilson(share, effective), None);
        }
    }

    #[test]
    fn what_nobody_has_is_undefined() {
        let nobody = Confusion::default();
        assert_eq!((nobody.n(), nobody.positives(), nobody.negatives(), nobody.selected()), (0.0, 0.0, 0.0, 0.0));
        for (name, measure) in MEASURES {
            assert_eq!(measure(&nobody), None, "{name}");
        }
        let somebody = Confusion { tp: 3.0, fp: 1.0, tn: 4.0, missed: 2.0 };
        for pair in [GroupPair { group: nobody, reference: somebody }, GroupPair { group: somebody, reference: nobody }] {
            assert!(MEASURES.iter().all(|(_, of)| pair.difference(*of).is_none() && pair.ratio(*of).is_none()));
            assert_eq!((pair.average_odds(), pair.average_absolute_odds(), pair.equalized_odds()), (None, None, None));
        }
        assert_eq!((nobody.theil(), nobody.coefficient_of_variation(), entropy_between(&[], 2.0)), (None, None, None));
        assert_eq!((somebody.generalised_entropy(0.0), somebody.generalised_entropy(-1.0)), (None, None));
        let all_missed = Confusion { missed: 5.0, ..nobody };
        assert_eq!(all_missed.generalised_entropy(2.0), None, "the mean benefit is 0");
        assert_eq!(entropy_between(&[somebody, nobody], 2.0), entropy_between(&[somebody], 2.0));

        assert_eq!(differential_fairness(&[somebody, nobody], Confusion::positives, 1.0), None, "one group has no pair");
        assert_eq!(bias_amplification(&[], 1.0), None);
        let never = Confusion { tn: 5.0, ..nobody };
        assert_eq!(differential_fairness(&[somebody, never], Confusion::positives, 0.0), None, "ln 0");
        assert!(differential_fairness(&[somebody, never], Confusion::positives, 1.0).is_some());

        assert_eq!((range(&[0.5]), least_over_greatest(&[]), greatest_over_geometric_mean(&[0.5])), (None, None, None));
        assert_eq!((least_over_greatest(&[0.0, 0.0]), greatest_over_geometric_mean(&[0.0, 0.5])), (None, None));
        assert_eq!(range(&[f64::NAN, 0.1, 0.2]), None);
        let none = GroupPair { group: somebody, reference: Confusion { tp: 1.0, tn: 1.0, ..nobody } };
        assert_eq!(none.ratio(Confusion::error), None, "infinite");
    }

    #[test]
    fn equal_groups_have_no_entropy_between_them_and_rounding_does_not_make_it_negative() {
        for times in 1..200 {
            let group = |times: f64| Confusion { tp: 0.3 * times, fp: 0.1 * times, tn: 0.7 * times, missed: 0.2 * times };
            for alpha in [-1.0, 0.0, 0.5, 1.0, 2.0] {
                let between = entropy_between(&[group(1.0), group(f64::from(times))], alpha).unwrap();
                assert!((0.0..1e-14).contains(&between), "{between}");
            }
        }
    }

    #[test]
    fn the_greatest_over_the_geometric_mean() {
        assert!((greatest_over_geometric_mean(&[0.01, 0.02, 0.04]).unwrap() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn effective_counts_identities_where_they_are_alike_and_images_where_they_are_not() {
        // Identities that are all of one label: as many less 1 as with single images, however many images each has.
        assert!((clustered(&real(&[(7, 7), (0, 7), (7, 7), (0, 7), (0, 7)])) - 4.0).abs() < 1e-12);
        assert!((clustered(&real(&[(1, 1), (0, 1), (1, 1), (0, 1), (0, 1)])) - 4.0).abs() < 1e-12);
        assert_eq!(clustered(&real(&[(2, 4), (2, 4), (1, 2)])), 10.0, "never above the images");
        assert_eq!(clustered(&real(&[(100, 100), (0, 100)])), 1.0);
        assert_eq!(clustered(&real(&[(0, 9), (0, 9)])), 2.0, "nothing varies");
        assert_eq!((clustered(&real(&[(9, 9), (4, 4)])), clustered(&real(&[(4, 9)])), effective(&[(0, 0)])), (2.0, 1.0, 0.0));
    }

    #[test]
    fn an_empty_cell_is_named() {
        let empty = |group: &[usize], label: &[bool]| reweigh(group, label, None).unwrap_err();
        assert_eq!(empty(&[0, 0, 4, 4], &[true, false, false, false]), EmptyCell { group: 4, label: true });
        assert_eq!(empty(&[2, 2], &[true, true]).to_string(), "group 2 has no negative image to weight");
        let weightless = reweigh(&[0, 0, 1, 1], &[true, false, true, false], Some(&[1.0, 1.0, 0.0, 1.0]));
        assert_eq!(weightless, Err(EmptyCell { group: 1, label: true }));
        assert_eq!(reweigh(&[], &[], None), Ok(vec![]));
    }

    fn confusion() -> impl Strategy<Value = Confusion> {
        prop::array::uniform4(0u32..20).prop_map(|cells| {
            let [tp, fp, tn, missed] = cells.map(f64::from);
            Confusion { tp, fp, tn, missed }
        })
    }

    proptest! {
        #[test]
        fn a_rate_is_a_share_and_its_opposite_the_rest(of in confusion()) {
            for (_, measure) in MEASURES {
                prop_assert!(measure(&of).is_none_or(|rate| (0.0..=1.0).contains(&rate)));
            }
            for (one, other) in [
                (of.tpr(), of.fnr()),
                (of.tnr(), of.fpr()),
                (of.ppv(), of.false_discovery()),
                (of.npv(), of.false_omission()),
                (of.accuracy(), of.error()),
            ] {
                prop_assert_eq!(one.is_some(), other.is_some());
                prop_assert!(one.zip(other).is_none_or(|(one, other)| (one + other - 1.0).abs() < 1e-12));
            }
        }

        #[test]
        fn a_weight_counts_as_that_many_images(of in prop::collection::vec((any::<bool>(), any::<bool>(), 0u8..5), 0..30)) {
            let weighted: Confusion = of.iter().map(|(label, said, weight)| (*label, *said, f64::from(*weight))).collect();
            let repeated: Confusion =
                of.iter().flat_map(|(label, said, times)| vec![(*label, *said, 1.0); usize::from(*times)]).collect();
            prop_assert_eq!(weighted, repeated);
        }

        /// Shorrocks 1980: what is between groups and what is within them is all there is.
        #[test]
        fn entropy_decomposes(
            groups in prop::collection::vec(confusion(), 1..5),
            alpha in prop::sample::select(vec![0.5, 1.0, 2.0, 3.0]),
        ) {
            let all = groups.iter().fold(Confusion::default(), |a, b| Confusion {
                tp: a.tp + b.tp,
                fp: a.fp + b.fp,
                tn: a.tn + b.tn,
                missed: a.missed + b.missed,
            });
            if let (Some(whole), Some(between), Some(mean)) =
                (all.generalised_entropy(alpha), entropy_between(&groups, alpha), all.benefit())
            {
                let within = groups.iter().filter_map(|group| {
                    Some(group.n() / all.n() * (group.benefit()? / mean).powf(alpha) * group.generalised_entropy(alpha)?)
                });
                prop_assert!((between + within.sum::<f64>() - whole).abs() < 1e-9);
                prop_assert!(between >= 0.0 && whole >= 0.0);
            }
        }

        #[test]
        fn pairs_change_sign_and_ratios_turn_over(group in confusion(), reference in confusion()) {
            let (one, other) = (GroupPair { group, reference }, GroupPair { group: reference, reference: group });
            for (_, measure) in MEASURES {
                prop_assert_eq!(one.difference(measure), other.difference(measure).map(|difference| -difference));
                if let (Some(one), Some(other)) = (one.ratio(measure), other.ratio(measure)) {
                    prop_assert!((one * other - 1.0).abs() < 1e-9);
                }
            }
            prop_assert_eq!(one.equalized_odds(), other.equalized_odds());
            let fairness = |a, b| differential_fairness(&[a, b], Confusion::selected, 1.0);
            prop_assert_eq!(fairness(group, reference), fairness(reference, group));
        }

        #[test]
        fn an_interval_holds_its_share_and_is_never_of_more_than_all_images(
            people in prop::collection::vec((0usize..10).prop_flat_map(|n| (0..=n, Just(n))), 1..20),
        ) {
            let (positives, n) = people.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
            let effective = effective(&people);
            prop_assert_eq!(n == 0, effective == 0.0);
            prop_assert!(effective <= n as f64 && (n == 0 || effective >= 1.0));
            if n > 0 {
                let share = positives as f64 / n as f64;
                let (low, high) = wilson(share, effective).unwrap();
                prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            }
        }

        #[test]
        fn weighted_base_rates_are_equal_in_all_groups(
            rows in prop::collection::vec((0usize..4, any::<bool>(), 0.01f64..10.0), 1..60),
        ) {
            // Every group has both labels: one row each beside those drawn.
            let rows: Vec<_> = rows.iter().flat_map(|row| [*row, (row.0, !row.1, 1.0)]).collect();
            let group: Vec<usize> = rows.iter().map(|row| row.0).collect();
            let label: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let own: Vec<f64> = rows.iter().map(|row| row.2).collect();
            for weights in [None, Some(own.as_slice())] {
                let before = |row: usize| weights.map_or(1.0, |weights| weights[row]);
                let reweighed = reweigh(&group, &label, weights).unwrap();
                let of = |within: &dyn Fn(usize) -> bool, weight: &dyn Fn(usize) -> f64| {
                    let rows = (0..rows.len()).filter(|row| within(group[*row]));
                    rows.map(|row| (label[row], label[row], weight(row))).collect::<Confusion>()
                };
                let all = of(&|_| true, &before);
                for wanted in 0..4 {
                    let (old, new) = (of(&|own| own == wanted, &before), of(&|own| own == wanted, &|row| reweighed[row]));
                    prop_assert!((old.n() - new.n()).abs() < 1e-12 * all.n(), "a group keeps its weight");
                    if let Some(rate) = new.base_rate() {
                        prop_assert!((rate - all.base_rate().unwrap()).abs() < 1e-12);
                    }
                }
            }
        }
    }
}
