"""Writes tests/fixtures/faithful.json: what scikit-learn and SciPy say of how faithful two maps are, for core/src/scoring/estimators/faithfulness.rs.

    python tests/faithful.py

Trustworthiness by sklearn.manifold, continuity by the same with features and map exchanged, recall by sklearn.neighbors, rank
correlation of distances by scipy.stats, what two maps have in common by scipy.spatial.procrustes. Needs scikit-learn.
"""

import json
import pathlib

import numpy as np
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

random = np.random.default_rng(5)
features = random.normal(size=(120, 6)).astype(np.float32)
features[:60] += 2
maps = [features[:, :2] + random.normal(size=(120, 2)).astype(np.float32) * noise for noise in [0.3, 1.0]]
maps = [m.astype(np.float32) for m in maps]


def nearest(points):
    return NearestNeighbors(n_neighbors=15).fit(points).kneighbors(return_distance=False)


def of(points):
    kept = [len(set(a) & set(b)) for a, b in zip(nearest(features.astype(float)), nearest(points.astype(float)))]
    return {
        "trustworthiness": trustworthiness(features.astype(float), points.astype(float), n_neighbors=15),
        "continuity": trustworthiness(points.astype(float), features.astype(float), n_neighbors=15),
        "recall": float(np.mean(kept)) / 15,
        "distances": float(spearmanr(pdist(features.astype(float)), pdist(points.astype(float))).statistic),
    }


rows = lambda m: [[float(x) for x in row] for row in m]
fixture = {
    "features": rows(features),
    "maps": [rows(m) for m in maps],
    "measures": [of(m) for m in maps],
    "stability": 1 - float(procrustes(maps[0].astype(float), maps[1].astype(float))[2]),
}
(pathlib.Path(__file__).parent / "fixtures/faithful.json").write_text(json.dumps(fixture))
