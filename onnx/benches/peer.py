"""The peer of `models.rs`: a model run by onnxruntime's Python.

Prints images a second of the model alone, pictures ready, on so many threads; the median of five.
"""
import sys
import time

import numpy as np
import onnxruntime

path, images, size, threads, batch = sys.argv[1], *map(int, sys.argv[2:6])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
pictures = np.random.default_rng(1).standard_normal((images, 3, size, size)).astype(np.float32)
session.run(None, {name: pictures[:batch]})
rates = []
for _ in range(5):
    start = time.perf_counter()
    for at in range(0, images, batch):
        session.run(None, {name: pictures[at : at + batch]})
    rates.append(images / (time.perf_counter() - start))
print(sorted(rates)[2])
