"""Writes tests/fixtures/manifolds.json: what scikit-learn, and the definitions in NumPy, make of an S-curve and of two clusters, for the
graph and distance methods of core/src/projection (Isomap, LLE, MDS, spectral embedding, diffusion maps).

    python tests/manifolds.py

Hessian LLE is scikit-learn's with one change: its QR decomposition gives as many columns as Donoho and Grimes (2003) use. With all
columns, as it is in scikit-learn 1.9, the Hessian plays no part, and the result is that of LTSA. Needs scikit-learn.
"""

import json
import pathlib

import numpy as np
import scipy.linalg
from sklearn.datasets import make_s_curve
from sklearn.manifold import MDS, ClassicalMDS, Isomap, LocallyLinearEmbedding, SpectralEmbedding
from sklearn.manifold import _locally_linear
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import kneighbors_graph

KNOWN_ROWS = 6

curve = make_s_curve(240, noise=0.02, random_state=4)[0].astype(np.float32)
random = np.random.default_rng(5)
clusters = random.normal(size=(60, 5)).astype(np.float32)
clusters[25:] += 9
clusters[50:] -= 20

rows = lambda m: [[float(x) for x in row] for row in m]


def isomap(features, neighbors):
    of = Isomap(n_neighbors=neighbors, eigen_solver="dense").fit(features.astype(float))
    return {"neighbors": neighbors, "coordinates": rows(of.embedding_), "geodesic": rows(of.dist_matrix_[:KNOWN_ROWS])}


def lle(variant, neighbors):
    of = LocallyLinearEmbedding(n_neighbors=neighbors, method=variant, eigen_solver="dense")
    return {"variant": variant, "neighbors": neighbors, "coordinates": rows(of.fit_transform(curve.astype(float)))}


def metric_mds(features):
    of = MDS(init="classical_mds", n_init=1, normalized_stress=True, eps=1e-6, max_iter=300)
    coordinates = of.fit_transform(features.astype(float))
    return {"coordinates": rows(coordinates), "stress": float(of.stress_), "iterations": int(of.n_iter_)}


def spectral(neighbors):
    of = SpectralEmbedding(n_neighbors=neighbors, random_state=0)
    return {"neighbors": neighbors, "coordinates": rows(of.fit_transform(curve.astype(float)))}


def diffusion(neighbors, alpha, t):
    """Coifman and Lafon (2006) with whole matrices."""
    x = curve.astype(float)
    squares = euclidean_distances(x, squared=True)
    directed = kneighbors_graph(x, neighbors).toarray()
    epsilon = np.median(squares[directed > 0])
    kernel = np.where((directed + directed.T > 0) | np.eye(len(x), dtype=bool), np.exp(-squares / epsilon), 0)
    density = kernel.sum(1)
    kernel /= np.outer(density, density) ** alpha
    degree = kernel.sum(1)
    values, vectors = scipy.linalg.eigh(kernel / np.sqrt(np.outer(degree, degree)))
    values, vectors = values[::-1], vectors[:, ::-1]
    right = vectors / np.sqrt(degree / degree.sum())[:, None]
    return {
        "neighbors": neighbors, "alpha": alpha, "t": t, "epsilon": float(epsilon), "values": [float(v) for v in values[1:3]],
        "coordinates": rows(right[:, 1:3] * values[1:3] ** t),
    }


lles = [lle("standard", 8), lle("modified", 8), lle("ltsa", 10), lle("standard", 5)]
whole = _locally_linear.qr
_locally_linear.qr = lambda y: scipy.linalg.qr(y, mode="economic")
lles.append(lle("hessian", 10))
_locally_linear.qr = whole

fixture = {
    "curve": rows(curve),
    "clusters": rows(clusters),
    "isomap": isomap(curve, 7),
    "isomap_of_clusters": isomap(clusters, 5),
    "lle": lles,
    "classical": rows(ClassicalMDS().fit_transform(curve.astype(float))),
    "metric": metric_mds(curve),
    "metric_of_clusters": metric_mds(clusters),
    "spectral": [spectral(10), spectral(24)],
    "diffusion": [diffusion(20, 1.0, 1), diffusion(20, 0.0, 3)],
}
(pathlib.Path(__file__).parent / "fixtures/manifolds.json").write_text(json.dumps(fixture))

if __name__ == "__main__":
    by = {of["variant"]: np.array(of["coordinates"]) for of in lles}
    plain = np.array(lle("hessian", 10)["coordinates"])
    apart = lambda a, b: np.abs(np.abs(a) - np.abs(b)).max()
    print("scikit-learn's hessian from ltsa:", apart(plain, by["ltsa"]), "from the paper's:", apart(plain, by["hessian"]))
