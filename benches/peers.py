"""What benches/projections.rs holds Visavis beside: scikit-learn, umap-learn, openTSNE, PaCMAP, TriMap and PHATE, with the same
parameters, and their defaults where there is none of that name.

    python benches/peers.py data DIR            writes digits.npy, roll.npy, clusters-N.npy
    python benches/peers.py run JOBS THREADS    JOBS: a JSON list of {"method", "parameters", "data", "seed", "out",
                                                "maps"}

`run` prints one JSON line a job: seconds, of a peer that is warm (it has placed data of this shape before), for umap-learn also of
the layout alone; for tsne the divergence of its own map and of others' `maps`, all from the peer's own similarities over
every pair. A method without a peer gives no line.
"""

import contextlib
import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def clusters(n, d=512, k=400):
    random = np.random.default_rng(0)
    centres = random.normal(size=(k, d))
    return (centres[random.integers(0, k, n)] + random.normal(size=(n, d))).astype(np.float32)


def data(folder):
    from sklearn.datasets import load_digits, make_swiss_roll

    np.save(f"{folder}/digits.npy", load_digits().data.astype(np.float32))
    np.save(f"{folder}/roll.npy", make_swiss_roll(3000, noise=0.05, random_state=0)[0].astype(np.float32))
    for n in [3392, 20000]:
        np.save(f"{folder}/clusters-{n}.npy", clusters(n))


def divergence(similarities, points):
    """Σ p ln(p / q) over every pair, in float64."""
    points = points.astype(np.float64)
    total = -float(len(points))
    for first in range(0, len(points), 1000):
        apart = ((points[first : first + 1000, None] - points[None]) ** 2).sum(-1)
        total += (1 / (1 + apart)).sum()
    p = similarities.tocoo()
    w = 1 / (1 + ((points[p.row] - points[p.col]) ** 2).sum(-1))
    kept = p.data > 0
    return float((p.data[kept] * (np.log(p.data[kept]) - np.log(w[kept] / total))).sum())


def place(method, features, seed, threads, parameters):
    """Coordinates, seconds, and what else is to be told."""
    clock = time.perf_counter()
    if method == "tsne":
        import openTSNE

        found = openTSNE.TSNE(n_jobs=threads, random_state=seed).fit(features)
        return np.asarray(found, dtype=np.float32), time.perf_counter() - clock, {"similarities": found.affinities.P}
    if method == "umap":
        import umap.umap_ as umap

        layout, whole = {}, umap.simplicial_set_embedding

        def timed(*arguments, **named):
            clock = time.perf_counter()
            found = whole(*arguments, **named)
            layout["layout"] = time.perf_counter() - clock
            return found

        umap.simplicial_set_embedding = timed
        try:
            # A seed would take its threads away: its runs differ by themselves.
            found = umap.UMAP(n_jobs=threads).fit_transform(features)
        finally:
            umap.simplicial_set_embedding = whole
        return found.astype(np.float32), time.perf_counter() - clock, layout
    other = by_others(method, features.shape[1], seed, threads, parameters)
    if other is not None:
        found = other.fit_transform(features)
        return np.asarray(found, dtype=np.float32), time.perf_counter() - clock, {}
    if method not in ("pca", "ica", "pca in double"):
        return None
    from sklearn.decomposition import PCA, FastICA

    if method == "pca in double":
        # As precise as ours; with `float32` in, scikit-learn works in single precision.
        features = features.astype(np.float64)
        clock = time.perf_counter()
    axes = min(10, features.shape[1])
    of = PCA(axes) if method.startswith("pca") else FastICA(axes, whiten="unit-variance", random_state=seed)
    found = of.fit_transform(features)
    return found.astype(np.float32), time.perf_counter() - clock, {}


def by_others(method, columns, seed, threads, of):
    """A peer with `fit_transform`; None where there is none."""
    axes = min(10, columns)
    if method == "pacmap":
        import pacmap

        return pacmap.PaCMAP(n_neighbors=of["neighbors"], MN_ratio=of["mn_ratio"], FP_ratio=of["fp_ratio"], random_state=seed)
    if method == "trimap":
        import trimap

        return trimap.TRIMAP(n_inliers=of["n_inliers"], n_outliers=of["n_outliers"], n_random=of["n_random"], verbose=False)
    if method == "phate":
        import phate

        return phate.PHATE(knn=of["knn"], decay=of["decay"], random_state=seed, n_jobs=threads, verbose=0)
    from sklearn import decomposition, manifold, random_projection

    if method == "isomap":
        return manifold.Isomap(n_neighbors=of["neighbors"], n_jobs=threads)
    if method == "lle":
        return manifold.LocallyLinearEmbedding(
            n_neighbors=of["neighbors"], method=of["variant"], reg=of["reg"], random_state=seed, n_jobs=threads
        )
    if method == "mds":
        if of["kind"] == "classical":
            return manifold.ClassicalMDS()
        return manifold.MDS(n_init=1, init="classical_mds", random_state=seed, n_jobs=threads)
    if method == "spectral":
        return manifold.SpectralEmbedding(
            affinity="nearest_neighbors", n_neighbors=of["neighbors"], random_state=seed, n_jobs=threads
        )
    if method == "truncated_svd":
        return decomposition.TruncatedSVD(axes, random_state=seed)
    if method == "factor_analysis":
        return decomposition.FactorAnalysis(axes, random_state=seed)
    if method == "nmf":
        return decomposition.NMF(axes, init="nndsvda", random_state=seed)
    if method == "kernel_pca":
        # What is not said, and a gamma of 0, is the peer's own.
        said = {name: of[name] for name in ["kernel", "gamma", "degree", "coef0"] if name in of}
        said["gamma"] = said.get("gamma") or None
        return decomposition.KernelPCA(axes, **said, random_state=seed, n_jobs=threads)
    if method == "random_projection":
        return random_projection.GaussianRandomProjection(axes, random_state=seed)
    return None


def run(jobs, threads):
    import numba

    numba.set_num_threads(threads)
    warm = set()
    for job in json.load(open(jobs)):
        features = np.load(job["data"])
        shape = (job["method"], len(features) >= 4096, features.shape[1])
        if shape not in warm:
            warm.add(shape)
            with contextlib.suppress(ValueError, RuntimeError):
                place(job["method"], features[:5000], 0, threads, job["parameters"])
        try:
            placed = place(job["method"], features, job["seed"], threads, job["parameters"])
        except (ValueError, RuntimeError) as error:
            print(f"{job['method']} of {job['data']}: its peer fails: {error}", file=sys.stderr)
            placed = None
        if placed is None:
            continue
        points, seconds, more = placed
        np.save(job["out"], points)
        told = {"method": job["method"], "data": job["data"], "seed": job["seed"], "seconds": seconds}
        if "layout" in more:
            told["layout"] = more["layout"]
        if job["maps"]:
            told["kl"] = divergence(more["similarities"], points)
            told["kl_of_maps"] = [divergence(more["similarities"], np.load(other)) for other in job["maps"]]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "data":
        data(sys.argv[2])
    else:
        run(sys.argv[2], int(sys.argv[3]))
