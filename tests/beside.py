"""Writes tests/fixtures/beside.json: what scikit-learn says of two classes in three sets of points, for core/src/scoring/estimators/cluster_validity.rs.

    python tests/beside.py

Silhouettes, Davies-Bouldin, Calinski-Harabasz, average precision and mutual information by sklearn.metrics, distance consistency
by sklearn.neighbors.NearestCentroid, neighbours by sklearn.neighbors.NearestNeighbors; the rest from its formula. Needs
scikit-learn and SciPy.
"""

import json
import pathlib

import numpy as np
from scipy.stats import entropy, rankdata
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    mutual_info_score,
    silhouette_samples,
)
from sklearn.neighbors import NearestCentroid, NearestNeighbors

random = np.random.default_rng(11)


def balanced(values, first):
    return float((values[first].mean() + values[~first].mean()) / 2)


def in_bins(score, bins=10):
    """Equal counts; equal scores share the bin of their middle one."""
    places = np.rint(2 * (rankdata(score) - 1)).astype(int)
    return places * bins // (2 * len(score))


def of(x, first, score):
    near = first[NearestNeighbors(n_neighbors=30).fit(x).kneighbors(return_distance=False)]
    share = near.mean(axis=1)
    weights = np.where(first, 0.5 / first.sum(), 0.5 / (~first).sum())
    total = weights @ ((x - weights @ x) ** 2).sum(axis=1)
    within = [np.var(x[of], axis=0).sum() for of in (first, ~first)]
    apart = ((x[first].mean(axis=0) - x[~first].mean(axis=0)) ** 2).sum()
    known = ~np.isnan(score)
    label, score = first[known], score[known]
    return {
        "distance_consistency": balanced_accuracy_score(first, NearestCentroid().fit(x, first).predict(x)),
        "purity": balanced((near[:, :10] == first[:, None]).mean(axis=1), first),
        "silhouette": balanced(silhouette_samples(x, first), first),
        "davies_bouldin": davies_bouldin_score(x, first),
        "calinski_harabasz": calinski_harabasz_score(x, first),
        "fisher": apart / sum(within),
        "compactness": np.sqrt(np.mean(within) / total),
        "average_precision": average_precision_score(label, score),
        "prevalence": label.mean(),
        "lisi": (1 / (share**2 + (1 - share) ** 2)).mean(),
        "mutual_information": mutual_info_score(label, in_bins(score)) / entropy([label.mean(), 1 - label.mean()]),
    }


def drawn(n, columns, share, apart):
    """Points as 32-bit numbers; scores with ties, and some that are undefined."""
    first = np.arange(n) < n * share
    random.shuffle(first)
    x = (random.normal(size=(n, columns)) * np.linspace(1, 2, columns) + apart * first[:, None]).astype(np.float32)
    score = np.round(x.mean(axis=1).astype(float) + random.normal(size=n) / 4, 1)
    score[random.choice(n, 7, replace=False)] = np.nan
    return x, first, score


fixture = [
    {
        "points": [[float(value) for value in row] for row in x],
        "class": first.tolist(),
        "score": [None if np.isnan(value) else float(value) for value in score],
        "measures": {name: float(value) for name, value in of(x.astype(float), first, score).items()},
    }
    for x, first, score in [drawn(230, 1, 0.5, 1.5), drawn(300, 2, 0.1, 1.2), drawn(170, 6, 0.35, 0.7)]
]
(pathlib.Path(__file__).parent / "fixtures/beside.json").write_text(json.dumps(fixture))
