"""The peer of `models.rs`: the same features by onnxruntime's Python, as people write it: pictures of bytes scaled by NumPy, the same
tensors as outputs, means over maps. Prints images a second on so many threads, the median of three: features, and the model alone with
its own output and pictures that are scaled already.
"""
import sys
import time

import numpy as np
import onnxruntime

path, with_outputs, images, size, threads, batch, *names = sys.argv[1:]
images, size, threads, batch = int(images), int(size), int(threads), int(batch)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


alone, layers = session(path), session(with_outputs)
name = alone.get_inputs()[0].name
pixels = np.random.default_rng(1).integers(0, 256, (images, 3, size, size), dtype=np.uint8)
scaled = (pixels.astype(np.float32) - 127.5) / 127.5


def features():
    for at in range(0, images, batch):
        given = (pixels[at : at + batch].astype(np.float32) - 127.5) / 127.5
        for values in layers.run(names, {name: given}):
            values.mean(axis=(2, 3)) if values.ndim == 4 else values


def forward():
    for at in range(0, images, batch):
        alone.run(None, {name: scaled[at : at + batch]})


def rate(work):
    work()
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        rates.append(images / (time.perf_counter() - start))
    return sorted(rates)[1]


print(rate(features), rate(forward))
