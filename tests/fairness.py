"""Writes tests/fixtures/fairness.json: what AIF360 and Fairlearn say of random tables, for core/src/scoring/fairness/.

    python tests/fairness.py

A table is a group, a label, a prediction and perhaps a weight a row; AIF360 compares group 0 ("unprivileged") with group 1.
Rates, differences, ratios, entropies, EDF and reweighing by aif360, between groups by fairlearn.metrics, geometric means of error
rates and Wilson's interval by scipy.stats, the variance of a clustered proportion by statsmodels (an intercept alone,
cluster-robust). Where a denominator is 0, or a ratio infinite, the fixture holds null, and "undefined" says what the peer writes
instead. Needs aif360 (0.6.1 wrote it), fairlearn (0.15.0) and statsmodels.
"""

import json
import logging
import pathlib
import warnings

logging.disable()
warnings.simplefilter("ignore")

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import statsmodels.api as statsmodels
from aif360.algorithms.preprocessing import Reweighing
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import BinaryLabelDatasetMetric, ClassificationMetric
from aif360.sklearn.preprocessing import Reweighing as ReweighingOfMany
from scipy.stats import binomtest, gmean
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score

random = np.random.default_rng(7)
ALPHAS = [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0]


def drawn(groups, n, base, hit, slip, weighted):
    group = random.integers(0, groups, n)
    label = random.random(n) < np.array(base)[group]
    prediction = np.where(label, random.random(n) < np.array(hit)[group], random.random(n) < np.array(slip)[group])
    weight = np.round(random.gamma(2.0, 0.5, n) + 0.01, 3) if weighted else None
    return {"group": group, "label": label, "prediction": prediction, "weight": weight}


def plain(value):
    """None of a division by zero, which NumPy calls nan or inf."""
    return float(value) if np.isfinite(value) else None


def aif360_of(table, undefined):
    group, label, prediction = table["group"], table["label"].astype(float), table["prediction"].astype(float)
    weight = np.ones(len(group)) if table["weight"] is None else table["weight"]
    rest = sorted(set(group.tolist()) - {1})

    def dataset(labels):
        return BinaryLabelDataset(
            df=pd.DataFrame({"group": group.astype(float), "y": labels, "w": weight}),
            label_names=["y"],
            protected_attribute_names=["group"],
            instance_weights_name="w",
            privileged_protected_attributes=[[1.0]],
            unprivileged_protected_attributes=[[float(g) for g in rest]],
        )

    sides = {"unprivileged_groups": [{"group": 0.0}], "privileged_groups": [{"group": 1.0}]}
    truth, guess = dataset(label), dataset(prediction)
    data = BinaryLabelDatasetMetric(truth, **sides)
    metric = ClassificationMetric(truth, guess, **sides)

    # AIF360 writes 0.0 for these on an empty denominator (and an error rate of 1.0 for a group without anybody).
    guarded = {
        "ppv": ("positive_predictive_value", 1),
        "false_discovery": ("false_discovery_rate", 1),
        "npv": ("negative_predictive_value", 0),
        "false_omission": ("false_omission_rate", 0),
    }

    def rates(privileged, name):
        measured = {
            "base_rate": data.base_rate(privileged),
            "selection_rate": metric.selection_rate(privileged),
            "tpr": metric.true_positive_rate(privileged),
            "fpr": metric.false_positive_rate(privileged),
            "fnr": metric.false_negative_rate(privileged),
            "tnr": metric.true_negative_rate(privileged),
            "accuracy": metric.accuracy(privileged),
            "error": metric.error_rate(privileged),
        }
        for key, (of, predicted) in guarded.items():
            there = [metric.num_pred_negatives, metric.num_pred_positives][predicted](privileged) > 0
            measured[key] = getattr(metric, of)(privileged) if there else np.nan
            if not there:
                undefined.append(f"{name} {key}: AIF360 writes {getattr(metric, of)(privileged)}")
        return {key: plain(value) for key, value in measured.items()}

    groups = {"all": rates(None, "all"), "0": rates(False, "0"), "1": rates(True, "1")}
    pair = {
        "statistical_parity_of_labels": data.statistical_parity_difference(),
        "disparate_impact_of_labels": data.disparate_impact(),
        "statistical_parity_of_predictions": metric.statistical_parity_difference(),
        "disparate_impact_of_predictions": metric.disparate_impact(),
        "equal_opportunity": metric.equal_opportunity_difference(),
        "average_odds": metric.average_odds_difference(),
        "average_absolute_odds": metric.average_abs_odds_difference(),
        "equalized_odds": metric.equalized_odds_difference(),
    }
    for key, of in {
        "error": "error_rate",
        "fpr": "false_positive_rate",
        "fnr": "false_negative_rate",
        "false_omission": "false_omission_rate",
        "false_discovery": "false_discovery_rate",
    }.items():
        there = groups["0"][key] is not None and groups["1"][key] is not None
        for kind in ["difference", "ratio"]:
            value = getattr(metric, f"{of}_{kind}")()
            pair[f"{key}_{kind}"] = value if there else np.nan
            if not np.isfinite(pair[f"{key}_{kind}"]):
                undefined.append(f"{key}_{kind}: AIF360 writes {value}")
    # Python's max passes nan over when it comes second.
    if not (np.isfinite(pair["average_odds"])):
        undefined.append(f"equalized_odds: AIF360 writes {pair['equalized_odds']}")
        pair["equalized_odds"] = np.nan

    # Its entropies do not heed weights. Its alpha = 0 divides by the mean benefit once too often: put right here.
    benefit = 1 + prediction - label
    between = np.select([group == g for g in set(group)], [benefit[group == g].mean() for g in set(group)])

    def entropy(of, alpha, of_what):
        value = of(alpha=alpha) * (of_what.mean() if alpha == 0 else 1)
        return plain(value)

    return {
        "groups": groups,
        "pair": {key: plain(value) for key, value in pair.items()},
        "entropy": [entropy(metric.generalized_entropy_index, alpha, benefit) for alpha in ALPHAS],
        "entropy_between": [
            entropy(metric.between_all_groups_generalized_entropy_index, alpha, between) for alpha in ALPHAS
        ],
        "theil": plain(metric.theil_index()),
        "coefficient_of_variation": plain(metric.coefficient_of_variation()),
        "coefficient_of_variation_between": plain(metric.between_all_groups_coefficient_of_variation()),
        "edf": plain(data.smoothed_empirical_differential_fairness()),
        "edf_of_predictions": plain(
            BinaryLabelDatasetMetric(guess, **sides).smoothed_empirical_differential_fairness()
        ),
        "bias_amplification": plain(metric.differential_fairness_bias_amplification()),
        "reweighed": reweighed(group, label, weight, truth, sides),
    }


def reweighed(group, label, weight, truth, sides):
    """By both of its programs where there are two groups; the older leaves every other group's weights alone."""
    if any(((group == g) & (label == y)).sum() == 0 for g in set(group) for y in [0, 1]):
        return None
    table = pd.DataFrame({"x": 0.0}, index=pd.Index(group, name="group"))
    _, weights = ReweighingOfMany("group").fit_transform(table, pd.Series(label, index=table.index), sample_weight=weight)
    if len(set(group)) == 2:
        assert np.allclose(Reweighing(**sides).fit_transform(truth).instance_weights, weights, atol=1e-12, rtol=0)
    return [float(w) for w in weights]


def fairlearn_of(table, undefined):
    group, label, prediction, weight = (table[key] for key in ["group", "label", "prediction", "weight"])
    label, prediction = label.astype(int), prediction.astype(int)
    metrics = {
        "selection_rate": fairlearn.selection_rate,
        "tpr": fairlearn.true_positive_rate,
        "fpr": fairlearn.false_positive_rate,
        "fnr": fairlearn.false_negative_rate,
        "tnr": fairlearn.true_negative_rate,
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "ppv": precision_score,
    }
    given = {} if weight is None else {"sample_weight": weight}
    frame = fairlearn.MetricFrame(
        metrics=metrics, y_true=label, y_pred=prediction, sensitive_features=group,
        sample_params={key: given for key in metrics},
    )  # fmt: skip

    # They write 0.0 for a rate of nobody, and balanced accuracy is then that of the one class there is.
    def empty(key, rows):
        positives = label[rows].sum()
        return {
            "tpr": positives == 0,
            "fnr": positives == 0,
            "fpr": positives == rows.sum(),
            "tnr": positives == rows.sum(),
            "balanced_accuracy": positives in [0, rows.sum()],
            "ppv": prediction[rows].sum() == 0,
        }.get(key, False)

    def rates(values, rows, name):
        out = {}
        for key in metrics:
            out[key] = None if empty(key, rows) else plain(values[key])
            if out[key] is None:
                undefined.append(f"{name} {key}: Fairlearn writes {values[key]}")
        return out

    ids = sorted(set(group.tolist()))
    groups = {str(g): rates(frame.by_group.loc[g], group == g, str(g)) for g in ids}
    groups["all"] = rates(frame.overall, np.ones(len(group), bool), "all")
    least, most = frame.ratio(method="between_groups"), frame.difference(method="between_groups")
    known = {key: all(groups[str(g)][key] is not None for g in ids) for key in metrics}
    said = {
        "demographic_parity_difference": fairlearn.demographic_parity_difference,
        "demographic_parity_ratio": fairlearn.demographic_parity_ratio,
        "equalized_odds_difference": fairlearn.equalized_odds_difference,
        "equalized_odds_ratio": fairlearn.equalized_odds_ratio,
    }
    said = {key: of(label, prediction, sensitive_features=group, **given) for key, of in said.items()}
    for key in ["equalized_odds_difference", "equalized_odds_ratio"]:
        if not (known["tpr"] and known["fpr"]):
            undefined.append(f"{key}: Fairlearn writes {said[key]}")
            said[key] = np.nan

    def worst(key):
        """The greatest error rate over the geometric mean of all (NIST IR 8429)."""
        rates = [groups[str(g)][key] for g in ids]
        return plain(max(rates) / gmean(rates)) if known[key] and min(rates) > 0 else None

    return {
        "groups": groups,
        "worst_to_geometric_mean": {key: worst(key) for key in ["fnr", "fpr"]},
        "range": {key: plain(most[key]) if known[key] else None for key in metrics},
        "least_ratio": {key: plain(least[key]) if known[key] else None for key in metrics},
        **{key: plain(value) for key, value in said.items()},
    }


def clustered():
    """Positives and n of each identity, and n effective: p(1 − p) over the cluster-robust variance of the mean."""
    cases = []
    for identities, most, spread in [(40, 8, 0.5), (12, 30, 0.05), (200, 3, 5.0), (60, 1, 1.0)]:
        n = random.integers(1, most + 1, identities)
        y = random.binomial(n, random.beta(spread, 2 * spread, identities))
        of = np.repeat(np.arange(identities), n)
        label = np.concatenate([[1.0] * a + [0.0] * (b - a) for a, b in zip(y, n)])
        fit = statsmodels.OLS(label, np.ones(len(label))).fit(cov_type="cluster", cov_kwds={"groups": of})
        p = label.mean()
        cases.append({"identities": np.stack([y, n], 1).tolist(), "effective": p * (1 - p) / float(fit.bse[0]) ** 2})
    return cases


tables = {
    "two groups": drawn(2, 150, [0.3, 0.6], [0.7, 0.9], [0.2, 0.1], False),
    "two groups, weighted": drawn(2, 150, [0.5, 0.4], [0.6, 0.8], [0.3, 0.1], True),
    "four groups, weighted": drawn(4, 200, [0.2, 0.5, 0.6, 0.8], [0.7, 0.8, 0.9, 0.6], [0.1, 0.2, 0.3, 0.2], True),
    "nobody missed": drawn(3, 120, [0.4, 0.5, 0.6], [1.0, 1.0, 1.0], [0.2, 0.4, 0.1], False),
    "group 0 without positives": drawn(2, 80, [0.0, 0.5], [0.5, 0.8], [0.2, 0.2], False),
    "group 0 without positives, nobody in it selected": drawn(2, 80, [0.0, 0.5], [0.5, 0.8], [0.0, 0.2], True),
    "group 1 without errors": drawn(2, 80, [0.5, 0.5], [0.6, 1.0], [0.3, 0.0], False),
}
fixture = {"alphas": ALPHAS, "tables": []}
for name, table in tables.items():
    undefined = []
    digits = lambda values: "".join(str(int(value)) for value in values)
    fixture["tables"].append({
        "name": name,
        **{key: digits(table[key]) for key in ["group", "label", "prediction"]},
        "weight": None if table["weight"] is None else table["weight"].tolist(),
        "aif360": aif360_of(table, undefined),
        "fairlearn": fairlearn_of(table, undefined),
        "undefined": undefined,
    })  # fmt: skip
fixture["clustered"] = clustered()
fixture["wilson"] = []
for k, n in [(0, 30), (1, 30), (15, 29), (30, 30), (81, 263), (0, 1)]:
    interval = binomtest(k, n).proportion_ci(method="wilson")
    fixture["wilson"].append({"positives": k, "n": n, "low": float(interval.low), "high": float(interval.high)})
(pathlib.Path(__file__).parent / "fixtures/fairness.json").write_text(json.dumps(fixture, allow_nan=False))
