"""Writes tests/fixtures/retrieval.json: what scikit-learn says of rankings, for core/src/scoring/estimators/retrieval/mod.rs.

    python tests/retrieval.py

`average_precision`: `average_precision_score` of small tables, half of them with ties, plain and with whole-number weights. `queries`: a small
set of features, identities and labels; for each image that is wanted, the average precision of the other identities' images by
`cosine_similarity` to it, features less their mean; and that of each half by a probe of the other half, `LogisticRegression` as in
tests/probe.py. Needs scikit-learn (1.9.1 wrote it).
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

random = np.random.default_rng(23)


def table(n, share, ties):
    scores = random.normal(size=n)
    scores = np.round(scores * 2) if ties else scores
    wanted = random.random(n) < share
    wanted[0] = True
    weights = random.integers(0, 4, n)
    weights[0] = 1
    return {
        "scores": scores.tolist(),
        "wanted": wanted.tolist(),
        "weights": weights.tolist(),
        "plain": average_precision_score(wanted, scores),
        "weighted": average_precision_score(wanted, scores, sample_weight=weights),
    }


def query(features, identity, wanted, half):
    like = cosine_similarity((features - features.mean(axis=0)).astype(np.float64))
    examples = []
    for example in np.flatnonzero(wanted):
        others = identity != identity[example]
        examples.append(average_precision_score(wanted[others], like[example][others]))
    probes = []
    for held_out in range(2):
        here = half == held_out
        scaler = StandardScaler().fit(features[~here])
        weight = np.where(wanted, 0.5 / np.sum(wanted & ~here), 0.5 / np.sum(~wanted & ~here)) * np.sum(~here)
        model = LogisticRegression(C=0.01, tol=1e-10, max_iter=10_000)
        model.fit(scaler.transform(features[~here]), wanted[~here], sample_weight=weight[~here])
        probes.append(average_precision_score(wanted[here], model.decision_function(scaler.transform(features[here]))))
    return {"wanted": wanted.tolist(), "half": half.tolist(), "examples": examples, "probes": probes}


n, d = 90, 6
identity = np.arange(n) // 3
features = (random.normal(size=(n // 3, d))[identity] + 0.4 * random.normal(size=(n, d)) + 3).astype(np.float32)
features = np.round(features, 3).astype(np.float32)
rare = features[:, 0] + features[:, 1] > np.quantile(features[:, 0] + features[:, 1], 0.8)
half = random.permutation(n // 3)[identity] % 2
fixture = {
    "average_precision": [table(n, share, ties) for n in (5, 40, 200) for share in (0.05, 0.3, 0.8) for ties in (False, True) for _ in range(2)],
    "features": features.astype(float).round(3).tolist(),
    "identity": identity.tolist(),
    "queries": [query(features, identity, rare, half), query(features, identity, features[:, 2] > 3, half)],
}
path = pathlib.Path(__file__).parent / "fixtures" / "retrieval.json"
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
