"""Writes tests/fixtures/probe.json: what scikit-learn's logistic regression says of two small sets, for core/src/scoring/estimators/probe/.

    python tests/probe.py

`LogisticRegression(class_weight="balanced", C=0.01, tol=1e-10)` behind a `StandardScaler` of the training rows, one fold held out at
a time. Where rows have weights, these are divided by their sum in the class, which is what "balanced" does for equal ones. The first
set has a constant column, one that repeats another, columns of very different sizes and one far from 0; the second has more columns
than rows. Needs scikit-learn.
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

random = np.random.default_rng(11)


def question(features, share, missing=0.0, weighted=False):
    n = len(features)
    lean = features[:, :5] @ random.normal(size=5) / features[:, :5].std() + random.normal(size=n) * 2
    target = lean > np.quantile(lean, 1 - share)
    part = random.random(n) >= missing
    fold = random.permutation(n) % 5
    weight = np.round(random.gamma(2.0, size=n), 3) if weighted else np.ones(n)
    decision = np.full(n, np.nan)
    for held_out in range(5):
        train, test = part & (fold != held_out), part & (fold == held_out)
        scaler = StandardScaler().fit(features[train])
        model = LogisticRegression(class_weight=None if weighted else "balanced", C=0.01, tol=1e-10, max_iter=100_000)
        own = np.ones(train.sum())
        if weighted:
            sums = np.where(target[train], weight[train & target].sum(), weight[train & ~target].sum())
            own = weight[train] / sums * train.sum() / 2
        model.fit(scaler.transform(features[train]), target[train], sample_weight=own)
        decision[test] = model.decision_function(scaler.transform(features[test]))
    aucs = [roc_auc_score(target[here], decision[here]) for here in (part & (fold == f) for f in range(5))]
    return {
        "target": [bool(t) if p else None for t, p in zip(target, part)],
        "fold": [int(f) for f in fold],
        "weight": weight.tolist() if weighted else None,
        "decision": [None if np.isnan(d) else float(d) for d in decision],
        "auc": aucs,
    }


def dataset(features, *questions):
    # Three digits say the same to every reader once they are the nearest float32.
    rounded = np.round(features, 3)
    features = rounded.astype(np.float32).astype(float)
    return {"features": rounded.tolist(), "questions": [question(features, **asked) for asked in questions]}


tall = random.normal(size=(300, 12)) @ random.normal(size=(12, 12))
tall[:, 6] = 7.25
tall[:, 7] = tall[:, 1]
tall[:, 8] *= 1000
tall[:, 9] += 5000
wide = random.normal(size=(60, 90)) + random.normal(size=(60, 1))
fixture = [
    dataset(tall, {"share": 0.5}, {"share": 0.15, "missing": 0.3}, {"share": 0.3, "weighted": True}),
    dataset(wide, {"share": 0.4}, {"share": 0.5, "missing": 0.2, "weighted": True}),
]
(pathlib.Path(__file__).parent / "fixtures/probe.json").write_text(json.dumps(fixture))
