#!/usr/bin/env python3
"""Aligned crops of drawn faces, as InsightFace makes them: for tests/fixtures/aligned/ (core/src/dataset/prepare.rs compares).

    visavis data draw /tmp/faces --images 4 --identities 2 --seed 1
    python tests/aligned.py /tmp/faces/img_align_celeba /tmp/faces/list_landmarks_align_celeba.txt tests/fixtures/aligned

The transform is scikit-image's (`SimilarityTransform`, Umeyama's least squares), the pixels are OpenCV's (`warpAffine`, bilinear, black
or mirrored outside). Two pictures are turned first, so that the crop is turned back and reaches outside of the picture.

Made with Python 3.11, numpy, Pillow, scikit-image 0.26.0 and opencv-python-headless (pip install, in an environment of its own).
"""

import io
import pathlib
import sys

import cv2
import numpy as np
from PIL import Image
from skimage.transform import SimilarityTransform

TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def turned(picture, landmarks, degrees):
    """The picture and its landmarks, turned around the middle; what was outside is grey."""
    high, wide = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1.0)
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    return cv2.warpAffine(picture, matrix, (wide, high), borderValue=(127, 127, 127)), points


def main(pictures, table, out):
    out.mkdir(parents=True, exist_ok=True)
    rows = [line.split() for line in table.read_text().splitlines()[2:]]
    # Size of the crop, what is outside, degrees by which the picture was turned first.
    cases = [(112, "zero", 0), (112, "reflect", 25), (128, "reflect", 0), (112, "zero", -60)]
    lines = []
    for (name, *numbers), (size, pad, degrees) in zip(rows, cases):
        picture = np.asarray(Image.open(pictures / name).convert("RGB"))
        landmarks = np.array(numbers, dtype=float).reshape(5, 2)
        if degrees:
            picture, landmarks = turned(picture, landmarks, degrees)
            landmarks = landmarks.round(2)
        Image.fromarray(picture).save(out / name, quality=90)
        # What is compared is made of the file, as whoever reads it has it.
        picture = np.asarray(Image.open(out / name).convert("RGB"))
        transform = SimilarityTransform()
        transform.estimate(landmarks, TEMPLATE * size / 112)
        border = {"zero": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101}[pad]
        crop = cv2.warpAffine(picture, transform.params[:2], (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
        Image.fromarray(crop).save(out / name.replace(".jpg", ".png"), optimize=True)
        lines.append(" ".join([name, str(size), pad] + [f"{x:g}" for x in landmarks.ravel()]))
    (out / "cases.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:4]))
