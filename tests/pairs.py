"""Verification on pairs as InsightFace's recognition/_evaluation_/verification.py computes it, on made features: writes
fixtures/pairs.json, which core/src/scoring/estimators/pair_protocol.rs is held beside.

The functions are InsightFace's, but for two calls: sklearn's KFold without shuffling is numpy's array_split, and scipy's
interp1d(kind='slinear'), which newer releases refuse where thresholds have the same FAR, is numpy.interp.

    python tests/pairs.py
"""

import json
import os

import numpy as np


def folds(n, k):
    parts = np.array_split(np.arange(n), k)
    return [(np.concatenate(parts[:i] + parts[i + 1 :]), part) for i, part in enumerate(parts)]


def calculate_accuracy(threshold, dist, actual_issame):
    predict_issame = np.less(dist, threshold)
    tp = np.sum(np.logical_and(predict_issame, actual_issame))
    fp = np.sum(np.logical_and(predict_issame, np.logical_not(actual_issame)))
    tn = np.sum(np.logical_and(np.logical_not(predict_issame), np.logical_not(actual_issame)))
    fn = np.sum(np.logical_and(np.logical_not(predict_issame), actual_issame))
    tpr = 0 if (tp + fn == 0) else float(tp) / float(tp + fn)
    fpr = 0 if (fp + tn == 0) else float(fp) / float(fp + tn)
    return tpr, fpr, float(tp + tn) / dist.size


def calculate_roc(thresholds, dist, actual_issame, nrof_folds):
    accuracy, best = np.zeros(nrof_folds), np.zeros(nrof_folds)
    for fold_idx, (train_set, test_set) in enumerate(folds(len(dist), nrof_folds)):
        acc_train = np.zeros(len(thresholds))
        for threshold_idx, threshold in enumerate(thresholds):
            _, _, acc_train[threshold_idx] = calculate_accuracy(threshold, dist[train_set], actual_issame[train_set])
        best[fold_idx] = thresholds[np.argmax(acc_train)]
        _, _, accuracy[fold_idx] = calculate_accuracy(best[fold_idx], dist[test_set], actual_issame[test_set])
    return accuracy, best


def calculate_val_far(threshold, dist, actual_issame):
    predict_issame = np.less(dist, threshold)
    true_accept = np.sum(np.logical_and(predict_issame, actual_issame))
    false_accept = np.sum(np.logical_and(predict_issame, np.logical_not(actual_issame)))
    return float(true_accept) / float(np.sum(actual_issame)), float(false_accept) / float(np.sum(np.logical_not(actual_issame)))


def calculate_val(thresholds, dist, actual_issame, far_target, nrof_folds):
    val, far = np.zeros(nrof_folds), np.zeros(nrof_folds)
    for fold_idx, (train_set, test_set) in enumerate(folds(len(dist), nrof_folds)):
        far_train = np.zeros(len(thresholds))
        for threshold_idx, threshold in enumerate(thresholds):
            _, far_train[threshold_idx] = calculate_val_far(threshold, dist[train_set], actual_issame[train_set])
        threshold = np.interp(far_target, far_train, thresholds) if np.max(far_train) >= far_target else 0.0
        val[fold_idx], far[fold_idx] = calculate_val_far(threshold, dist[test_set], actual_issame[test_set])
    return np.mean(val), np.std(val), np.mean(far)


def evaluate(features, mirrored, issame, far_target):
    embeddings = features.astype(np.float64) + mirrored.astype(np.float64)
    norms = np.sqrt(np.sum(np.square(embeddings), 1, keepdims=True))
    embeddings = embeddings / np.where(norms == 0, 1, norms)
    dist = np.sum(np.square(embeddings[0::2] - embeddings[1::2]), 1)
    accuracy, best = calculate_roc(np.arange(0, 4, 0.01), dist, issame, 10)
    val, val_std, far = calculate_val(np.arange(0, 4, 0.001), dist, issame, far_target, 10)
    return {
        "accuracy": float(np.mean(accuracy)),
        "accuracy_std": float(np.std(accuracy)),
        "thresholds": best.tolist(),
        "far_target": far_target,
        "tar": float(val),
        "tar_std": float(val_std),
        "far": float(far),
    }


def case(seed, pairs, width, noise, far_target):
    rng = np.random.default_rng(seed)
    issame = rng.random(pairs) < 0.5
    base = rng.standard_normal((pairs, width))
    other = np.where(issame[:, None], base + noise * rng.standard_normal((pairs, width)), rng.standard_normal((pairs, width)))
    features = np.stack([base, other], 1).reshape(2 * pairs, width).round(3).astype(np.float32)
    mirrored = (features + 0.1 * rng.standard_normal(features.shape)).round(3).astype(np.float32)
    if seed == 2:
        features[4] = mirrored[4] = 0
    told = evaluate(features, mirrored, issame, far_target)
    rows = [[round(float(x), 3) for x in row] for row in features], [[round(float(x), 3) for x in row] for row in mirrored]
    return {"features": rows[0], "mirrored": rows[1], "is_same": issame.tolist(), **told}


cases = [case(1, 207, 4, 0.6, 0.1), case(2, 60, 3, 1.2, 0.05), case(3, 50, 2, 0.0, 0.001)]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "pairs.json")
with open(path, "w") as out:
    json.dump(cases, out, separators=(",", ":"))
    out.write("\n")
for of in cases:
    print({key: value for key, value in of.items() if key not in ("features", "mirrored", "is_same")})
