"""Writes tests/fixtures/linear.json: scikit-learn's answers for the linear methods, which core/src/projection/linear_tests.rs compares with.

    python tests/linear.py        needs numpy, scipy and scikit-learn (1.9.1 wrote the fixture)
"""

import json
import pathlib
import warnings

import numpy as np
import scipy.linalg
import scipy.optimize
from sklearn.decomposition import NMF, FactorAnalysis, KernelPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

ROWS, COLUMNS, OTHERS, CLASSES, FOLDS = 72, 8, 6, 3, 3


def numbers(array):
    return [round(float(value), 9) for value in np.asarray(array, dtype=np.float64).ravel()]


def features():
    """Not negative, of rank 8, with classes; eighths, so that they are the same in single precision."""
    random = np.random.default_rng(22)
    classes = np.arange(ROWS + OTHERS) % CLASSES
    centres = np.abs(random.normal(0, 1.2, (CLASSES, COLUMNS)))
    hidden = np.abs(random.normal(0, 1, (ROWS + OTHERS, 3))) @ np.abs(random.normal(0, 1, (3, COLUMNS)))
    noise = np.abs(random.normal(0, 0.5, (ROWS + OTHERS, COLUMNS)))
    values = centres[classes] + hidden + noise * np.linspace(0.4, 1.6, COLUMNS)
    return np.round(values * 8) / 8, classes


def main():
    warnings.simplefilter("error")
    both, classes = features()
    x, others, y = both[:ROWS], both[ROWS:], classes[:ROWS].copy()
    folds = np.arange(ROWS) // 7 % FOLDS
    unknown = [5, 40]
    known = np.ones(ROWS, bool)
    known[unknown] = False

    answers = {"rows": ROWS, "columns": COLUMNS, "features": numbers(x), "others": numbers(others)}

    svd = TruncatedSVD(3, algorithm="arpack", random_state=0)
    answers["truncated_svd"] = {
        "coordinates": numbers(svd.fit_transform(x)),
        "placed": numbers(svd.transform(others)),
        "explained": numbers(svd.explained_variance_ratio_),
        "singular": numbers(svd.singular_values_),
    }

    factors = FactorAnalysis(2, svd_method="lapack")
    coordinates = factors.fit_transform(x)
    answers["factor_analysis"] = {
        "coordinates": numbers(coordinates),
        "placed": numbers(factors.transform(others)),
        "explained": numbers((factors.components_**2).sum(1) / x.var(0).sum()),
        "noise": numbers([factors.noise_variance_.sum() / x.var(0).sum()]),
        "likelihood": numbers([factors.loglike_[-1] / ROWS]),
        "turns": [factors.n_iter_],
    }

    nmf = NMF(3, random_state=0)
    weights = nmf.fit_transform(x)
    answers["nmf"] = {
        "coordinates": numbers(weights),
        "placed": numbers([scipy.optimize.nnls(nmf.components_.T, row)[0] for row in others]),
        "loss": numbers([nmf.reconstruction_err_ / np.linalg.norm(x)]),
        "turns": [nmf.n_iter_],
    }

    for kernel, given in [("rbf", {}), ("poly", {"gamma": 0.05, "degree": 2, "coef0": 0.5}), ("cosine", {})]:
        pca = KernelPCA(3, kernel=kernel, eigen_solver="dense", **given)
        coordinates = pca.fit_transform(x)
        whole = KernelPCA(None, kernel=kernel, eigen_solver="dense", **given).fit(x)
        answers[f"kernel_pca_{kernel}"] = {
            "coordinates": numbers(coordinates),
            "placed": numbers(pca.transform(others)),
            "explained": numbers(pca.eigenvalues_ / whole.eigenvalues_.sum()),
        }

    def discriminant(rows):
        return LinearDiscriminantAnalysis(n_components=2).fit(x[rows], y[rows])

    whole = discriminant(known)
    held_out = np.zeros((ROWS, 2))
    for fold in range(FOLDS):
        rows = known & (folds != fold)
        part = discriminant(rows)
        own, goal = part.transform(x[rows]), whole.transform(x[rows])
        # The house's axes have the sign of their largest loading; a turn undoes any sign of the part.
        turn, _ = scipy.linalg.orthogonal_procrustes(own - own.mean(0), goal - goal.mean(0))
        held_out[folds == fold] = part.transform(x[folds == fold]) @ turn
    answers["lda"] = {
        "classes": [int(c) if k else None for c, k in zip(y, known)],
        "folds": [int(fold) for fold in folds],
        "coordinates": numbers(held_out),
        "placed": numbers(whole.transform(others)),
        "explained": numbers(whole.explained_variance_ratio_),
    }
    # Fisher's problem with the covariance within classes shrunk, as the house has it.
    own, labels = x[known], y[known]
    means = np.array([own[labels == c].mean(0) for c in range(CLASSES)])
    within = np.cov((own - means[labels]).T, bias=True)
    total = np.cov(own.T, bias=True)
    shrunk = 0.7 * within + 0.3 * np.trace(within) / COLUMNS * np.eye(COLUMNS)
    axes = scipy.linalg.eigh(total - within, shrunk)[1][:, ::-1][:, :2]
    answers["lda_shrunk"] = {"placed": numbers((others - own.mean(0)) @ axes)}

    path = pathlib.Path(__file__).parent / "fixtures" / "linear.json"
    path.write_text(json.dumps(answers, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
