"""What benches/scores.rs holds Visavis beside: the same scores by scikit-learn and NumPy, of one comparison.

    python benches/scores.py DIR    reads points.npy (n × 2), features.npy, labels.npy, people.npy; prints seconds, one JSON line

kNN AUC: five folds by GroupKFold, the fifth nearest of each class by NearestNeighbors, roc_auc_score within folds; in the whole and
in each half. A resample: roc_auc_score with people's multiplicities as weights. A permutation: the scores of one half again. A
probe: LogisticRegression, balanced, on standardised features, cross-fitted in each half. Needs scikit-learn.
"""

import json
import sys
import time

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = sys.argv[1]
points, features, labels, people = (np.load(f"{folder}/{name}.npy") for name in ["points", "features", "labels", "people"])
labels, people = labels.ravel() > 0.5, people.ravel().astype(int)
halves = [np.arange(len(labels)), np.flatnonzero(people % 2 == 0), np.flatnonzero(people % 2 == 1)]


def scores(rows, y):
    """Out-of-fold scores and folds of these rows."""
    found, folds = np.empty(len(rows)), np.empty(len(rows), int)
    for fold, (train, test) in enumerate(GroupKFold(5).split(rows, groups=people[rows])):
        far = []
        for label in [False, True]:
            of = points[rows[train[y[train] == label]]]
            far.append(NearestNeighbors(n_neighbors=5).fit(of).kneighbors(points[rows[test]])[0][:, 4])
        found[test], folds[test] = np.log(far[0]) - np.log(far[1]), fold
    return found, folds


def auc(score, folds, y, weights=None):
    won = played = 0
    for fold in range(5):
        here = folds == fold
        w = None if weights is None else weights[here]
        positives, negatives = [np.sum(w[y[here] == of]) if w is not None else np.sum(y[here] == of) for of in [True, False]]
        won += positives * negatives * roc_auc_score(y[here], score[here], sample_weight=w)
        played += positives * negatives
    return won / played


def timed(what, times):
    clock = time.perf_counter()
    for _ in range(times):
        what()
    return (time.perf_counter() - clock) / times


random = np.random.default_rng(0)
made = [scores(rows, labels[rows]) for rows in halves]


def resample():
    for rows, (score, folds) in zip(halves, made):
        weights = np.bincount(random.integers(0, people.max() + 1, people.max() + 1), minlength=people.max() + 1)[people[rows]]
        auc(score, folds, labels[rows], weights)


def permute():
    y = random.permutation(labels[halves[2]])
    auc(*scores(halves[2], y), y)


def probe():
    for rows in halves[1:]:
        for train, test in GroupKFold(5).split(rows, groups=people[rows]):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced"))
            model.fit(features[rows[train]], labels[rows[train]]).decision_function(features[rows[test]])


view = timed(lambda: [auc(*scores(rows, labels[rows]), labels[rows]) for rows in halves], 3)
print(json.dumps({"view": view, "resample": timed(resample, 20), "permutation": timed(permute, 10), "probe": timed(probe, 1)}))
