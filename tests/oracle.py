"""Writes tests/fixtures/oracle.json: what scikit-learn and plain NumPy say of data/digits, for tests/oracle.rs.

    python tests/oracle.py

PCA by sklearn.decomposition.PCA; AUC by sklearn.metrics.roc_auc_score; intervals by a plain bootstrap over images, of AUCs
by the score method; balanced kNN AUC written again from its definition, with folds of its own. Needs scikit-learn.
"""

import csv
import json
import pathlib

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, spearmanr, t
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

root = pathlib.Path(__file__).parent.parent
labels = list(csv.DictReader(open(root / "data/digits/labels.csv")))
digit = np.array([int(row["digit"]) for row in labels])
ink = np.array([float(row["ink"]) for row in labels])


def score_interval(value, score, positive, turns=2000):
    """The score method (Newcombe 2006, method 5), of images that are one identity each: Hanley and McNeil's variance at the limit, times
    a factor: the bootstrap's, which weighs as many as carry what is lost, and 1, which weighs one. 3.5 % beyond the end near 1."""
    random = np.random.default_rng(1)
    values = [score(random.integers(0, len(positive), len(positive))) for _ in range(turns)]
    values = np.array([x for x in values if x is not None])
    p, q = int(positive.sum()), int((1 - positive).sum())

    def variance(auc, resampled=False):
        alone = (1 - auc) / (2 - auc) + auc / (1 + auc)
        return auc * (1 - auc) * ((p + q) / 2 * alone + (3 if resampled else 1) - alone) / (p * q)

    few = (t.ppf(0.975, min(p, q) - 1) / norm.ppf(0.975)) ** 2
    carried = score.carried(value)
    factor = (carried * few * np.var(values) / variance(value, True) + 1) / (carried + 1) if 0 < value < 1 else 1
    moved = 0.01 * (2 * value - 1)
    ends = []
    for tail, limit in [(0.025 - moved, 0.0), (0.025 + moved, 1.0)]:
        off = lambda auc: (value - auc) ** 2 - norm.isf(tail) ** 2 * factor * variance(auc)
        ends.append(float(brentq(off, limit, value)) if value != limit else limit)
    return ends


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

    def carried(value):
        """Kish's effective number of images that lose pairs, or win them where most are lost; of the class in which they are fewer."""
        won = (axis[positive == 1][:, None] > axis[positive == 0]) + 0.5 * (axis[positive == 1][:, None] == axis[positive == 0])
        lost = won if value < 0.5 else 1 - won
        return min(x.sum() ** 2 / (x**2).sum() if x.any() else 0.0 for x in (lost.sum(0), lost.sum(1)))

    auc.carried = carried
    value = auc(np.arange(len(axis)))
    return folded(value, *score_interval(value, auc, positive), 0.5)


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
