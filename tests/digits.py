"""Writes scikit-learn's scanned digits as Visavis reads data: pictures, labels, given features.

    python tests/digits.py DIR [--images N]

DIR gets images/*.png (8 x 8, 16 grey levels), labels.csv (digit, even, bold, ink), images.txt (the rows of the features)
and three feature sets: pixels.npy (64 raw pixels), blocks.npy (16 means of 2 x 2 pixels), noisy.npy (pixels under noise).
With --images N: the first N/10 of each digit. Same arguments, same bytes. Needs scikit-learn and Pillow.
"""

import argparse
import csv
import pathlib

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("dir", type=pathlib.Path)
    arguments.add_argument("--images", type=int)
    options = arguments.parse_args()

    digits = load_digits()
    rows = np.arange(len(digits.target))
    if options.images:
        each = options.images // 10
        rows = np.sort(np.concatenate([rows[digits.target == digit][:each] for digit in range(10)]))
    scans, targets = digits.images[rows], digits.target[rows]
    names = [f"{row:04}.png" for row in rows]

    (options.dir / "images").mkdir(parents=True, exist_ok=True)
    for name, scan in zip(names, scans):
        Image.fromarray((scan * 15.9375).astype(np.uint8)).save(options.dir / "images" / name)
    (options.dir / "images.txt").write_text("".join(f"{name}\n" for name in names))

    pixels = scans.reshape(len(scans), 64).astype(np.uint8)
    blocks = scans.reshape(len(scans), 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(scans), 16).astype(np.float32)
    noise = np.random.default_rng(2019).normal(0, 8, pixels.shape)
    noisy = np.clip(np.rint(pixels + noise), 0, 31).astype(np.uint8)
    np.save(options.dir / "pixels.npy", pixels)
    np.save(options.dir / "blocks.npy", blocks)
    np.save(options.dir / "noisy.npy", noisy)

    ink = pixels.sum(axis=1)
    with open(options.dir / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image_id", "digit", "even", "bold", "ink"])
        for name, digit, amount in zip(names, targets, ink):
            writer.writerow([name, digit, int(digit % 2 == 0), int(amount > np.median(ink)), amount])


if __name__ == "__main__":
    main()
