//! One row of the table of models.

use crate::{
    study::matrix_snapshot::{Best, MatrixSnapshot},
    tui::table::TableValue,
};
use std::collections::{BTreeSet, HashMap};
use visavis_core::domain::{
    index::{ComparisonIx, ModelIx, PairSetIx},
    ledger::LedgerRow,
    pairs::{OverFolds, PairVerification},
    score::{Estimate, Verification},
};

pub(crate) type BestViews = HashMap<(ModelIx, ComparisonIx), Best>;

/// By model and comparison: the view that is best on the selection half, of any layer and projection.
pub(crate) fn best_by_model(matrix_snapshot: &MatrixSnapshot) -> BestViews {
    let mut best: BestViews = HashMap::new();
    for cell in &matrix_snapshot.cells {
        let Some(of) = cell.best.filter(|best| best.ranked) else { continue };
        best.entry((cell.model, cell.comparison)).and_modify(|own| *own = own.better(of)).or_insert(of);
    }
    best
}

/// The columns of one model; `models`: its trainings; scores are means over these comparisons and verification sets.
pub(crate) fn row(
    matrix_snapshot: &MatrixSnapshot,
    models: &[ModelIx],
    (comparisons, sets): (&[ComparisonIx], &[PairSetIx]),
    best: &BestViews,
) -> Vec<TableValue> {
    let study = &matrix_snapshot.study;
    let first = &study.models[models[0]];
    let of_seed = |model: &ModelIx| {
        let chosen: Vec<Estimate> =
            comparisons.iter().filter_map(|&of| best.get(&(*model, of)).map(|best| best.quoted)).collect();
        (!chosen.is_empty()).then(|| chosen.iter().map(|of| of.value).sum::<f64>() / chosen.len() as f64)
    };
    let seeds: Vec<f64> = models.iter().filter_map(of_seed).collect();
    let single = match (models, comparisons) {
        ([model], [comparison]) => best.get(&(*model, *comparison)).map(|best| best.quoted),
        _ => None,
    };
    let auc = single.map(TableValue::Estimate).unwrap_or_else(|| over_seeds(&seeds));
    // Chosen on the selection half, over its trainings; quoted on the evaluation half.
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let of_comparison = |comparison: &ComparisonIx| {
        let of: Vec<&Best> = models.iter().filter_map(|&model| best.get(&(model, *comparison))).collect();
        let a = mean(of.iter().map(|best| best.a).collect());
        let quoted = match of[..] {
            [] => return None,
            [one] => TableValue::Estimate(one.quoted),
            _ => over_seeds(&of.iter().map(|best| best.quoted.value).collect::<Vec<_>>()),
        };
        Some((*comparison, a, quoted))
    };
    let top = comparisons.iter().filter_map(of_comparison).reduce(|own, other| if other.1 > own.1 { other } else { own });
    let separates = matrix_snapshot.found.as_ref().map(|found| {
        let holds = |row: &&LedgerRow| {
            row.chosen
                && models.contains(&row.candidate.cell.model)
                && comparisons.contains(&row.candidate.cell.comparison)
                && row.low.is_some_and(|low| low >= study.statistics.separates_at)
        };
        let separated: BTreeSet<ComparisonIx> =
            found.ledger.rows.iter().filter(holds).map(|row| row.candidate.cell.comparison).collect();
        separated.len()
    });
    let in_features = |probe: bool| {
        let each = models.iter().filter_map(|&model| {
            let layer = crate::study::last_layer(study, model);
            let aucs = comparisons.iter().filter_map(|&comparison| {
                let (features, probed) = matrix_snapshot.space(model, layer, comparison)?;
                if probe { probed?.b.map(|b| b.value) } else { features.map(|features| features.value) }
            });
            let values: Vec<f64> = aucs.collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        });
        over_seeds(&each.collect::<Vec<_>>())
    };
    let verified: Vec<_> = models.iter().filter_map(|model| matrix_snapshot.verified.get(model)).collect();
    let mean = |of: &dyn Fn(&Verification) -> Estimate| match &verified[..] {
        [one] => TableValue::Estimate(of(one)),
        many => over_seeds(&many.iter().map(|one| of(one).value).collect::<Vec<_>>()),
    };
    let trained = |of: fn(&[f64]) -> Option<f64>| {
        over_seeds(&models.iter().filter_map(|model| of(matrix_snapshot.accuracy.get(model)?)).collect::<Vec<_>>())
    };
    let factors = first.factors();
    let factor = |name: &str| TableValue::of(factors.get(name).map(String::as_str));
    vec![
        matrix_snapshot.families[models[0]].0.as_str().into(),
        auc,
        top.as_ref().map_or(TableValue::Empty, |(_, _, quoted)| quoted.clone()),
        TableValue::of(top.map(|(comparison, ..)| study.comparisons[comparison].name.as_str())),
        TableValue::of(separates),
        in_features(true),
        in_features(false),
        mean(&|of| of.auc),
        mean(&|of| of.tar),
        over_sets(matrix_snapshot, models, sets, |of| of.accuracy),
        over_sets(matrix_snapshot, models, sets, |of| of.tar),
        trained(|of| of.iter().copied().reduce(f64::max)),
        trained(|of| of.last().copied()),
        TableValue::Count(models.len()),
        factor("architecture"),
        factor("loss"),
        factor("trained_on"),
        factor("prepare"),
    ]
}

/// The mean over verification sets, and then over trainings; of one training on one set its own, over folds. Trainings of which a set was not
/// verified yet have none: means over different sets are not to be compared.
fn over_sets(
    matrix_snapshot: &MatrixSnapshot,
    models: &[ModelIx],
    sets: &[PairSetIx],
    of: fn(&PairVerification) -> OverFolds,
) -> TableValue {
    let verified = |model: &ModelIx| -> Vec<OverFolds> {
        sets.iter().filter_map(|set| matrix_snapshot.pairs.get(&(*model, *set))).map(of).collect()
    };
    let each: Vec<Vec<OverFolds>> = models.iter().map(verified).filter(|of| !of.is_empty() && of.len() == sets.len()).collect();
    if let [one] = &each[..]
        && let [only] = one[..]
    {
        return TableValue::OverFolds(only);
    }
    over_seeds(&each.iter().map(|of| of.iter().map(|of| of.mean).sum::<f64>() / of.len() as f64).collect::<Vec<_>>())
}

/// The mean over training seeds, with Student's interval from two on.
fn over_seeds(values: &[f64]) -> TableValue {
    /// The 97.5th percentile of Student's t, by degrees of freedom.
    const T: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    match values.len() {
        0 => TableValue::Empty,
        1 => TableValue::Number(mean),
        count => {
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let half = T.get(count - 2).copied().unwrap_or(1.96 + 2.6 / (n - 1.0)) * (variance / n).sqrt();
            TableValue::Estimate(Estimate::new(mean, mean - half, mean + half))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::study;

    #[test]
    fn pairs_are_of_one_set_over_folds_and_of_several_a_mean() {
        let mut snapshot = study();
        let verified = |accuracy: f64| {
            let over = |mean: f64| OverFolds { mean, deviation: 0.01 };
            PairVerification {
                format: 1,
                same: 30,
                different: 30,
                accuracy: over(accuracy),
                thresholds: vec![1.0; 10],
                target_far: 0.001,
                tar: over(0.5),
                far: 0.0,
            }
        };
        for (model, set, accuracy) in [(0, 0, 0.9), (0, 1, 0.8), (1, 0, 0.7)] {
            snapshot.pairs.insert((ModelIx(model), PairSetIx(set)), verified(accuracy));
        }
        let of = |models: &[usize], sets: &[usize]| {
            let models: Vec<ModelIx> = models.iter().copied().map(ModelIx).collect();
            let sets: Vec<PairSetIx> = sets.iter().copied().map(PairSetIx).collect();
            over_sets(&snapshot, &models, &sets, |of| of.accuracy)
        };
        assert_eq!(of(&[0], &[0]).text(), "0.900 ± 0.010");
        assert!((of(&[0], &[0, 1]).number().unwrap() - 0.85).abs() < 1e-12);
        assert_eq!(of(&[1], &[0, 1]), TableValue::Empty, "of the other set nothing is there");
        assert!((of(&[0, 1], &[0]).number().unwrap() - 0.8).abs() < 1e-12, "two trainings");
        assert_eq!(of(&[2], &[0, 1]), TableValue::Empty);
    }
}
