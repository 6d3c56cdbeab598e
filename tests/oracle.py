"""Writes tests/fixtures/oracle.json: what scikit-learn and plain NumPy say of data/digits, for tests/oracle.rs.

    python tests/oracle.py

PCA by sklearn.decomposition.PCA; AUC by sklearn.metrics.roc_auc_score; intervals by a plain bootstrap over images, of AUCs
on the scale of log-odds; balanced kNN AUC written again from its definition, with folds of its own. Needs scikit-learn.
"""

import csv
import json
import pathlib

import numpy as np
from scipy.stats import spearmanr, t
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

root = pathlib.Path(__file__).parent.parent
labels = list(csv.DictReader(open(root / "data/digits/labels.csv")))
digit = np.array([int(row["digit"]) for row in labels])
ink = np.array([float(row["ink"]) for row in labels])


def student(value, score, n, people, turns=2000):
    """On log-odds, half of four times the people (low), half a pair of people (high) added to either side; Student's t on the people
    of the smaller class."""
    random = np.random.default_rng(1)
    values = [score(random.integers(0, n, n)) for _ in range(turns)]
    values = np.array([x for x in values if x is not None])
    back = lambda x: float(1 / (1 + np.exp(-x)))
    ends = []
    for of, side in [(4 * people, -1), (people**2, 1)]:
        odds = lambda auc: np.log((auc * of + 0.5) / (of + 1)) - np.log1p(-(auc * of + 0.5) / (of + 1))
        ends.append(back(odds(value) + side * t.ppf(0.975, people - 1) * np.std(odds(values))))
    return min(ends[0], value), max(ends[1], value)


def bootstrap(score, n, turns=10_000):
    random = np.random.default_rng(1)
    values = []
    for _ in range(turns):
        value = score(random.integers(0, n, n))
        if value is not None:
            values.append(value)
    return [float(x) for x in np.percentile(values, [2.5, 97.5])]


def folded(value, low, high, chance):
    """The contract's rule for signed statistics."""
    if low <= chance <= high:
        return max(value, 2 * chance - value), chance, max(high, 2 * chance - low)
    return (value, low, high) if value >= chance else (2 * chance - value, 2 * chance - high, 2 * chance - low)


def monotone(axis, positive):
    def auc(rows):
        return roc_auc_score(positive[rows], axis[rows]) if 0 < positive[rows].sum() < len(rows) else None

    everything = np.arange(len(axis))
    value, people = auc(everything), int(min(positive.sum(), (~positive.astype(bool)).sum()))
    return folded(value, *student(value, auc, len(axis), people), 0.5)


def rho(axis, quantity):
    """Ranks are made once, as Visavis makes them."""
    rank = lambda x: np.argsort(np.argsort(x, kind="stable"), kind="stable").astype(float)
    def value(rows):
        return float(np.corrcoef(rank(axis)[rows], rank(quantity)[rows])[0, 1])

    return folded(float(spearmanr(axis, quantity).statistic), *bootstrap(value, len(axis), 1000), 0.0)


def knn_auc(points, positive, seed):
    """ln distance to the 5th-nearest negative less that to the 5th-nearest positive, among the other folds."""
    won = played = 0.0
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(points, positive):
        distance = np.sqrt(((points[test, None] - points[None, train]) ** 2).sum(-1))
        fifth = lambda of: np.sort(distance[:, positive[train] == of], axis=1)[:, 4]
        score = np.log(fifth(0)) - np.log(fifth(1))
        pairs = positive[test].sum() * (1 - positive[test]).sum()
        won += roc_auc_score(positive[test], score) * pairs
        played += pairs
    return won / played


fixture = {}
for name in ["pixels", "blocks", "noisy"]:
    features = np.load(root / f"data/digits/{name}.npy").astype(np.float64)
    pca = PCA(10, svd_solver="full").fit(features)
    coordinates = pca.transform(features)
    two = (digit == 0) | (digit == 1)
    fixture[name] = {
        "explained": pca.explained_variance_ratio_.tolist(),
        "rows": coordinates[:20].tolist(),
        "sizes": np.abs(coordinates).sum(axis=0).tolist(),
        "zero or one": [monotone(coordinates[two, axis], (digit[two] == 0).astype(int)) for axis in range(10)],
        "ink": [rho(coordinates[:, axis], ink) for axis in range(10)],
        "knn": [float(np.median([knn_auc(coordinates[:, [axis]], (digit % 2 == 0).astype(int), seed) for seed in range(9)])) for axis in range(10)],
    }
(root / "tests/fixtures/oracle.json").write_text(json.dumps(fixture))
