"""The peer of `records.rs`: a RecordIO file as InsightFace's loaders read it, in Python, with a DataLoader and Pillow.

    python benches/records.py train.rec SIDE BATCH WORKERS

Prints images a second (the median of three passes), and the SHA-256 of all pictures after each other, in the order of their keys. The
reader follows mxnet.recordio's MXIndexedRecordIO: offsets from train.idx, one open file a worker, parts joined at the magic number. Needs
torch, torchvision and Pillow.
"""

import hashlib
import io
import statistics
import struct
import sys
import time

import torch
from PIL import Image
from torchvision import transforms

MAGIC = 0xCED7230A


class Records(torch.utils.data.Dataset):
    """Pictures with their first labels. InsightFace's record 0 says which keys are pictures; without it all are."""

    def __init__(self, rec, transform=None):
        self.rec, self.transform, self.file = rec, transform, None
        with open(rec.rsplit(".", 1)[0] + ".idx") as lines:
            self.offsets = {int(key): int(offset) for key, offset in (line.split() for line in lines)}
        self.keys = sorted(self.offsets)
        if self.keys[0] == 0:
            flag, labels, picture = self.record(0)
            if flag == 2 and not picture:
                self.keys = list(range(1, int(labels[0])))
        # A file is not shared between processes: each worker opens its own.
        self.file = None

    def payload(self, key):
        if self.file is None:
            self.file = open(self.rec, "rb")
        self.file.seek(self.offsets[key])
        parts = []
        while True:
            magic, word = struct.unpack("<II", self.file.read(8))
            if magic != MAGIC:
                raise ValueError(f"no record at the offset of key {key}")
            kind, length = word >> 29, word & ((1 << 29) - 1)
            parts.append(self.file.read(length))
            self.file.seek(-length % 4, 1)
            # 0: whole, 1: first, 2: middle, 3: last.
            if kind in (0, 3):
                return struct.pack("<I", MAGIC).join(parts)

    def record(self, key):
        payload = self.payload(key)
        flag, label = struct.unpack_from("<If", payload)
        labels = struct.unpack_from(f"<{flag}f", payload, 24) if flag else (label,)
        return flag, labels, payload[24 + 4 * flag :]

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, place):
        _, labels, picture = self.record(self.keys[place])
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        return self.transform(image), int(labels[0])


def main():
    rec, side, batch, workers = sys.argv[1], *map(int, sys.argv[2:5])
    resize = transforms.Resize((side, side))
    steps = [
        # As people write it: nothing is done to a picture that has the size already.
        transforms.Lambda(lambda image: image if image.size == (side, side) else resize(image)),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.5] * 3),
    ]
    torch.set_num_threads(1)
    records = Records(rec, transforms.Compose(steps))
    rates = []
    for _ in range(3):
        start, images = time.perf_counter(), 0
        for pictures, _ in torch.utils.data.DataLoader(records, batch_size=batch, num_workers=workers):
            images += len(pictures)
        assert images == len(records)
        rates.append(images / (time.perf_counter() - start))
    digest = hashlib.sha256()
    for key in records.keys:
        digest.update(records.record(key)[2])
    print(statistics.median(rates), digest.hexdigest())


if __name__ == "__main__":
    main()
