#!/usr/bin/env python3
"""Hostile inputs, one after the other: writes each into a folder of its own, gives it to visavis, and prints a table of how that ended,
in how many seconds and with how much memory at the most.

    tests/hostile_inputs.py PROGRAM [WORD …]      only inputs whose name holds one of the words

Each must end by itself with an exit code of the program's own (not a signal, not a panic), within 2 s of processor time and 500 MB.
Only Python's library is needed; pictures of formats that it cannot write need Pillow, and are left out without it.
"""

import ast
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

MOST_SECONDS, MOST_MB, GIVEN_UP = 2.0, 500, 90

INPUTS = []  # (name, function(desk) -> arguments, expected exit codes)


def hostile(name, codes=(2,)):
    def keep(write):
        INPUTS.append((name, write, codes))
        return write

    return keep


STUDY = """format: 1
study: given
seed: 1
evaluation: { dataset: f }
datasets: { f: { images: { root: pics, labels: labels.csv } } }
models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }
projections: [pca: { axes: 1 }]
comparisons: { x: { A: "x", B: "not x" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"""

PIXELS = STUDY.replace(
    "models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }",
    "preparations: { p: { crop: whole, size: 16, pad: zero, scale: raw } }\n"
    "models: { named: { a: { baseline: pixels, prepare: p } } }",
)


class Desk:
    def __init__(self, folder):
        self.folder = folder
        self.write("s.yaml", STUDY)
        self.write("labels.csv", "image_id,x\n" + "".join(f"{i:02}.png,{i % 2}\n" for i in range(40)))
        self.write("rows.txt", "".join(f"{i:02}.png\n" for i in range(40)))
        self.write("a.npy", npy("<f4", (40, 3), struct.pack("<120f", *[(i * 7919 % 101) / 7 for i in range(120)])))
        os.mkdir(self.path("pics"))
        for i in range(40):
            self.write(f"pics/{i:02}.png", png(16, 16, seed=i))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        if isinstance(data, str):
            data = data.encode()
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)

    def fifo(self, name):
        if os.path.lexists(self.path(name)):
            os.remove(self.path(name))
        os.mkfifo(self.path(name))

    def study(self, text):
        self.write("s.yaml", text)
        return ["check", "s.yaml"]

    def pixels(self, **fields):
        """A study of the pictures' own pixels, with these fields of the data set."""
        more = "".join(f", {key}: {value}" for key, value in fields.items())
        return self.study(PIXELS.replace("labels: labels.csv", "labels: labels.csv" + more))

    def labels(self, data):
        self.write("labels.csv", data)
        return ["check", "s.yaml"]

    def array(self, data):
        self.write("a.npy", data)
        return ["check", "s.yaml"]

    def tensors(self, data):
        self.write("w.safetensors", data)
        return ["weights", "inspect", "w.safetensors"]

    def picture(self, data, name="00.png"):
        os.remove(self.path("pics/00.png"))
        self.write("pics/" + name, data)
        if name != "00.png":
            for file in ("labels.csv", "rows.txt"):
                self.write(file, open(self.path(file)).read().replace("00.png", name))
        return ["data", "check", "pics"]


def npy(dtype, shape, data, order="False", version=(1, 0), header=None):
    header = header or "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (dtype, order, shape)
    header = header.encode() + b"\n"
    length = struct.pack("<H", len(header)) if version[0] == 1 else struct.pack("<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + data


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, colour=0, seed=1, rows=None, more=b""):
    row = (width * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8
    if rows is None:
        rows = b"".join(b"\0" + bytes((x * 31 + y * 17 + seed * 7) % 256 for x in range(row)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def safetensors(head, data=b""):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(head)) + head + data


def tensor(start, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


# --- study files -------------------------------------------------------------------------------------------------------------


@hostile("study: 100,000 nested aliases")
def _(desk):
    anchors = "\n".join(f"a{i}: &a{i} [*a{i - 1}]" if i else "a0: &a0 [x]" for i in range(100_000))
    return desk.study(anchors + "\n" + STUDY)


@hostile("study: aliases that double 40 times")
def _(desk):
    anchors = "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" if i else "a0: &a0 [x]" for i in range(40))
    return desk.study(anchors + "\n" + STUDY)


@hostile("study: an alias of itself")
def _(desk):
    return desk.study("a: &a [*a]\n" + STUDY)


@hostile("study: a key of 1 MB")
def _(desk):
    return desk.study(STUDY + "k" * 1_000_000 + ": 1\n")


@hostile("study: a model's name of 1 MB")
def _(desk):
    return desk.study(STUDY.replace("{ a: {", "{ " + "m" * 1_000_000 + ": {"))


@hostile("study: a value of 3 MB where a number is expected")
def _(desk):
    return desk.study(STUDY.replace("seed: 1", "seed: " + "9" * 3_000_000))


@hostile("study: 5,000 models of 5,000 layers")
def _(desk):
    layers = ", ".join(f"l{i}: x" for i in range(5_000))
    models = ", ".join(f"m{i}: {{ features: *f, images: rows.txt }}" for i in range(5_000))
    return desk.study(f"f: &f {{ {layers} }}\n" + STUDY.replace("{ a: { features: { embedding: a.npy, images: rows.txt } } }", f"{{ {models} }}"))


@hostile("study: 9,000 models of 12 layers, written out")
def _(desk):
    layers = ", ".join(f"l{i}: a.npy" for i in range(12))
    models = ", ".join(f"m{i}: {{ features: {{ {layers}, images: rows.txt }} }}" for i in range(9_000))
    return desk.study(STUDY.replace("{ a: { features: { embedding: a.npy, images: rows.txt } } }", f"{{ {models} }}"))


@hostile("study: 4 MiB of opening brackets")
def _(desk):
    return desk.study("[" * (4 << 20))


@hostile("study: 90,000 comparisons of one pair", (2,))
def _(desk):
    return desk.study(STUDY.replace("comparisons: {", "comparisons: { " + "".join(f'c{i}: {{ A: "x", B: "not x" }}, ' for i in range(90_000))))


@hostile("study: an expression 50,000 brackets deep")
def _(desk):
    return desk.study(STUDY.replace('A: "x"', 'A: "' + "(" * 50_000 + "x" + ")" * 50_000 + '"'))


@hostile("study: an expression of 100,000 `not`")
def _(desk):
    return desk.study(STUDY.replace('A: "x"', 'A: "' + "not " * 100_000 + 'x"'))


@hostile("study: an expression of 100,000 `and`", (0, 2))
def _(desk):
    return desk.study(STUDY.replace('A: "x"', 'A: "' + "x and " * 100_000 + 'x"'))


@hostile("study: UTF-16")
def _(desk):
    return desk.study(STUDY.encode("utf-16"))


@hostile("study: a byte order mark", (0, 2))
def _(desk):
    return desk.study(b"\xef\xbb\xbf" + STUDY.encode())


@hostile("study: NUL bytes")
def _(desk):
    return desk.study(STUDY.encode() + b"\0" * 1000)


@hostile("study: lines that end in CR only", (0, 2))
def _(desk):
    return desk.study(STUDY.replace("\n", "\r"))


@hostile("study: 5 MB")
def _(desk):
    return desk.study(STUDY + "#" * 5_000_000)


@hostile("study: bootstraps 10^13")
def _(desk):
    return desk.study(STUDY.replace("bootstraps: 20", "bootstraps: 10000000000000"))


@hostile("study: 10^9 axes")
def _(desk):
    return desk.study(STUDY.replace("axes: 1", "axes: 1000000000"))


@hostile("study: a pipe")
def _(desk):
    desk.fifo("s.yaml")
    return ["check", "s.yaml"]


@hostile("study: a link to itself")
def _(desk):
    os.remove(desk.path("s.yaml"))
    os.symlink("s.yaml", desk.path("s.yaml"))
    return ["check", "s.yaml"]


# --- tables ------------------------------------------------------------------------------------------------------------------


@hostile("table: 1,000,000 columns")
def _(desk):
    return desk.labels("image_id," + ",".join(f"c{i}" for i in range(1_000_000)) + "\n" + "00.png" + ",1" * 1_000_000 + "\n")


@hostile("table: one row of 1 GB without an end")
def _(desk):
    with open(desk.path("labels.csv"), "wb") as file:
        file.write(b"image_id,x\n")
        for _ in range(1024):
            file.write(b"a" * (1 << 20))
    return ["check", "s.yaml"]


@hostile("table: a quote that is never closed, 200 MB")
def _(desk):
    with open(desk.path("labels.csv"), "wb") as file:
        file.write(b'image_id,x\n00.png,"')
        for _ in range(200):
            file.write(b"1\n" * (1 << 19))
    return ["check", "s.yaml"]


@hostile("table: NUL bytes")
def _(desk):
    return desk.labels(b"image_id,x\n00.png,\0\0\n" + b"\0" * 100_000)


@hostile("table: a hole of 10 GB")
def _(desk):
    os.truncate(desk.path("labels.csv"), 10 << 30)
    return ["check", "s.yaml"]


@hostile("table: a byte order mark", (0,))
def _(desk):
    return desk.labels(b"\xef\xbb\xbf" + open(desk.path("labels.csv"), "rb").read())


@hostile("table: UTF-16")
def _(desk):
    return desk.labels(open(desk.path("labels.csv")).read().encode("utf-16"))


@hostile("table: UTF-16 without a mark")
def _(desk):
    return desk.labels(open(desk.path("labels.csv")).read().encode("utf-16-le"))


@hostile("table: UTF-32")
def _(desk):
    return desk.labels(open(desk.path("labels.csv")).read().encode("utf-32"))


@hostile("table: lines that end in CR only", (0, 2))
def _(desk):
    return desk.labels(open(desk.path("labels.csv")).read().replace("\n", "\r"))


@hostile("table: one image 1,000,000 times")
def _(desk):
    return desk.labels("image_id,x\n" + "00.png,1\n" * 1_000_000)


@hostile("table: empty", (2,))
def _(desk):
    return desk.labels("")


@hostile("table: a header and no row", (2, 0))
def _(desk):
    return desk.labels("image_id,x\n")


@hostile("table: 300,000 classes of one column", (0, 2))
def _(desk):
    return desk.labels("image_id,x,y\n" + "".join(f"{i:02}.png,{i % 2},{i}\n" for i in range(40)) + "".join(f"z{i},0,v{i}\n" for i in range(300_000)))


def piped(name, **fields):
    @hostile(f"{name}: a pipe", (2, 5))
    def _(desk):
        for file in ("labels", "landmarks", "boxes", "who"):
            if name.startswith(file):
                desk.fifo(file + ".csv")
        if name == "rows":
            desk.fifo("rows.txt")
            return ["check", "s.yaml"]
        if name == "features":
            desk.fifo("a.npy")
            return ["check", "s.yaml"]
        if name in ("landmarks", "boxes"):
            text = PIXELS.replace("crop: whole, size: 16, pad: zero", "crop: aligned, size: 112, pad: zero" if name == "landmarks" else "crop: face, margin: 1.3, size: 16")
            return desk.study(text.replace("labels: labels.csv", f"labels: labels.csv, {name}: {name}.csv"))
        return desk.pixels(**fields)


piped("labels")
piped("landmarks")
piped("boxes")
piped("who", identities="{ file: who.csv }")
piped("rows")
piped("features")


@hostile("a picture that is a pipe", (2,))
def _(desk):
    desk.fifo("pics/00.png")
    return ["data", "check", "pics"]


@hostile("weights that are a pipe", (2,))
def _(desk):
    desk.fifo("w.safetensors")
    return ["weights", "inspect", "w.safetensors"]


def celeba(desk):
    os.makedirs(desk.path("celeba/img_align_celeba"))
    for i in range(1, 5):
        desk.write(f"celeba/img_align_celeba/{i:06}.png", png(16, 16, seed=i))
    desk.write("celeba/list_attr_celeba.txt", "4\nSmiling Young\n" + "".join(f"{i:06}.png 1 -1\n" for i in range(1, 5)))


for table in (
    "list_attr_celeba.txt",
    "identity_CelebA.txt",
    "list_eval_partition.txt",
    "list_landmarks_align_celeba.txt",
    "list_bbox_celeba.txt",
):

    @hostile(f"celeba: {table} is a pipe", (2,))
    def _(desk, table=table):
        celeba(desk)
        desk.fifo("celeba/" + table)
        return ["data", "check", "celeba"]


@hostile("celeba: a count of 10^18 and 40 MB of blanks", (2,))
def _(desk):
    celeba(desk)
    desk.write("celeba/list_attr_celeba.txt", "1000000000000000000\n" + " " * 40_000_000)
    return ["data", "check", "celeba"]


@hostile("workspace: the database is a pipe", (2,))
def _(desk):
    os.makedirs(desk.path("data/journals"))
    desk.fifo("data/visavis.db")
    return ["status"]


for name in ("data/cache/digests.tsv", "data/cache/digests.doubted", "data/workspace.id", "data/dispatcher.lock", "data/tui.json"):

    @hostile(f"workspace: {name} is a pipe", (0, 1, 2, 5))
    def _(desk, name=name):
        os.makedirs(desk.path("data/journals"))
        os.makedirs(desk.path("data/cache"))
        desk.fifo(name)
        return ["check", "s.yaml"] if "digests" in name else ["plan", "s.yaml"]


for name in ("data/lease/1", "data/trash", "data/checkpoints", "data/cache/neighbours", "data/results", "data/objects", "data/journals/x.journal"):

    @hostile(f"workspace: {name} is a pipe, and a run", (0, 1, 2, 3, 5))
    def _(desk, name=name):
        os.makedirs(os.path.dirname(desk.path(name)), exist_ok=True)
        desk.fifo(name)
        return ["run", "s.yaml", "--quiet"]


@hostile("workspace: a table kept in the cache is a pipe", (0, 2))
def _(desk):
    os.makedirs(desk.path("data/journals"))
    os.makedirs(desk.path("data/cache/labels"))
    program = os.path.abspath(sys.argv[1])
    subprocess.run([program, "check", "s.yaml"], cwd=desk.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name in os.listdir(desk.path("data/cache/labels")):
        desk.fifo("data/cache/labels/" + name)
    return ["check", "s.yaml"]


@hostile("workspace: 20,000 journals of nothing", (0, 2, 4))
def _(desk):
    for i in range(20_000):
        desk.write(f"data/journals/{i:015}-7.journal", "")
    return ["status"]


@hostile("workspace: pipes and a file of 20 GB among the studies", (0,))
def _(desk):
    for name in ("a.yaml", "b.yml"):
        os.makedirs(desk.path("experiments"), exist_ok=True)
        desk.fifo("experiments/" + name)
    desk.write("experiments/c.yaml", "x")
    os.truncate(desk.path("experiments/c.yaml"), 20 << 30)
    shutil.copy(desk.path("s.yaml"), desk.path("experiments/s.yaml"))
    for name in ("labels.csv", "rows.txt", "a.npy"):
        shutil.copy(desk.path(name), desk.path("experiments/" + name))
    return ["check", "experiments/s.yaml"]


for device in ("/dev/zero", "/dev/tty", "/dev/stdin", "/proc/self/mem", "/proc/kmsg"):

    @hostile(f"table: {device}", (1, 2))
    def _(desk, device=device):
        return desk.study(STUDY.replace("labels.csv", device))


@hostile("table: a folder")
def _(desk):
    return desk.study(STUDY.replace("labels.csv", "pics"))


@hostile("workspace: the last audit and the report are pipes", (0, 2))
def _(desk):
    for folder in ("data/journals", "data/audits", "reports"):
        os.makedirs(desk.path(folder))
    desk.fifo("data/audits/given.json")
    desk.fifo("reports/given.html")
    return ["tui", "--plain", "--screen", "report", "--study", "s.yaml"]


# --- arrays ------------------------------------------------------------------------------------------------------------------

VALUES = struct.pack("<120f", *[(i * 7919 % 101) / 7 for i in range(120)])


@hostile("npy: Fortran order", (0,))
def _(desk):
    return desk.array(npy("<f4", (40, 3), VALUES, order="True"))


@hostile("npy: big endian", (0,))
def _(desk):
    return desk.array(npy(">f4", (40, 3), struct.pack(">120f", *struct.unpack("<120f", VALUES))))


@hostile("npy: version 3 of the header", (0,))
def _(desk):
    return desk.array(npy("<f4", (40, 3), VALUES, version=(3, 0)))


@hostile("npy: version 9 of the header")
def _(desk):
    return desk.array(npy("<f4", (40, 3), VALUES, version=(9, 0)))


@hostile("npy: a shape whose product overflows")
def _(desk):
    return desk.array(npy("<f4", (1 << 33, 1 << 33), VALUES))


@hostile("npy: a shape whose product is 0 after overflow")
def _(desk):
    return desk.array(npy("<f4", (1 << 32, 1 << 32), VALUES))


@hostile("npy: 40 rows of no columns")
def _(desk):
    return desk.array(npy("<f4", (40, 0), b""))


@hostile("npy: a shape of 10^18 beyond the file")
def _(desk):
    return desk.array(npy("<f4", (40, 10**16), VALUES))


@hostile("npy: a shape below zero")
def _(desk):
    return desk.array(npy("<f4", (40, -3), VALUES))


@hostile("npy: numbers of 4 GB in a file of 500 bytes")
def _(desk):
    return desk.array(npy("<f4", (40, 25_000_000), VALUES))


@hostile("npy: a hole larger than the memory")
def _(desk):
    columns = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 40 // 8 + 1_000_000
    desk.array(npy("<f8", (40, columns), b""))
    os.truncate(desk.path("a.npy"), 128 + 40 * columns * 8)
    return ["check", "s.yaml"]


@hostile("npy: a header of 3 GB")
def _(desk):
    return desk.array(b"\x93NUMPY\x02\x00" + struct.pack("<I", 3 << 30) + b"{" * 1000)


@hostile("npy: a dtype of 30,000 brackets")
def _(desk):
    return desk.array(npy("", (), b"", header="{'descr': " + "[" * 30_000 + "]" * 30_000 + ", 'fortran_order': False, 'shape': (40, 3), }"))


@hostile("npy: objects (a pickle)")
def _(desk):
    return desk.array(npy("|O", (40, 3), b"\x80\x04N."))


@hostile("npy: NaN and infinity")
def _(desk):
    return desk.array(npy("<f4", (40, 3), struct.pack("<120f", *([float("nan"), float("inf")] * 60))))


@hostile("npy: a key twice")
def _(desk):
    return desk.array(npy("", (), VALUES, header="{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3), 'shape': (3, 40), }"))


@hostile("npy: 100 bytes too many", (0, 2))
def _(desk):
    return desk.array(npy("<f4", (40, 3), VALUES + b"x" * 100))


# --- safetensors -------------------------------------------------------------------------------------------------------------


@hostile("safetensors: two tensors over each other")
def _(desk):
    return desk.tensors(safetensors({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}, b"\0" * 12))


@hostile("safetensors: a hole between tensors")
def _(desk):
    return desk.tensors(safetensors({"a": tensor(0, 8, [2]), "b": tensor(16, 24, [2])}, b"\0" * 24))


@hostile("safetensors: a header of 100 MB")
def _(desk):
    return desk.tensors(safetensors(b'{"a":' + b" " * 100_000_000 + b"1}"))


@hostile("safetensors: a header of 90 MB with 1,500,000 tensors")
def _(desk):
    one = ",".join(f'"t{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(1_500_000))
    return desk.tensors(safetensors(("{" + one + "}").encode()))


@hostile("safetensors: a header that claims 2^63 bytes")
def _(desk):
    return desk.tensors(struct.pack("<Q", 1 << 63) + b"{}")


@hostile("safetensors: a name twice")
def _(desk):
    one = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    return desk.tensors(safetensors(("{" + one + "," + one + "}").encode(), b"\0" * 8))


@hostile("safetensors: a header 100,000 brackets deep")
def _(desk):
    return desk.tensors(safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))


@hostile("safetensors: a shape whose product overflows")
def _(desk):
    return desk.tensors(safetensors({"a": tensor(0, 8, [1 << 33, 1 << 33])}, b"\0" * 8))


@hostile("safetensors: offsets beyond the file")
def _(desk):
    return desk.tensors(safetensors({"a": tensor(0, 1 << 40, [1 << 38])}, b"\0" * 8))


@hostile("safetensors: a tensor's name of 10 MB", (0, 2))
def _(desk):
    return desk.tensors(safetensors({"n" * 10_000_000: tensor(0, 8, [2])}, b"\0" * 8))


@hostile("safetensors: features with a header of 50 MB", (2,))
def _(desk):
    desk.write("a.safetensors", safetensors(b'{"a":' + b" " * 50_000_000 + b"1}"))
    return desk.study(STUDY.replace("a.npy", "a.safetensors"))


@hostile("weights: a .pth that is a zip of 50,000 members")
def _(desk):
    import zipfile

    with zipfile.ZipFile(desk.path("w.pth"), "w") as file:
        for i in range(50_000):
            file.writestr(f"x/data/{i}", b"")
    return ["weights", "inspect", "w.pth"]


@hostile("weights: a .pth that inflates to 1 GB")
def _(desk):
    import zipfile

    with zipfile.ZipFile(desk.path("w.pth"), "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("x/data.pkl", "w", force_zip64=True) as member:
            for _ in range(1024):
                member.write(b"\0" * (1 << 20))
    return ["weights", "inspect", "w.pth"]


@hostile("weights: a pickle 1,000,000 deep")
def _(desk):
    desk.write("w.pkl", b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b".")
    return ["weights", "inspect", "w.pkl"]


@hostile("weights: a pickle that calls os.system")
def _(desk):
    desk.write("w.pkl", b"cos\nsystem\n(S'touch harmed'\ntR.")
    return ["weights", "inspect", "w.pkl"]


@hostile("weights: an .onnx of 200 MB of one byte")
def _(desk):
    desk.write("w.onnx", b"\x0a" * 200_000_000)
    return ["weights", "inspect", "w.onnx"]


# --- pictures ----------------------------------------------------------------------------------------------------------------


@hostile("picture: a PNG of 16 bits that claims 60,000 x 60,000")
def _(desk):
    return desk.picture(png(60_000, 60_000, depth=16, colour=6, rows=b"\0" * 1000))


@hostile("picture: a PNG of 11,500 x 11,500 in 130 kB that is all there")
def _(desk):
    return desk.picture(png(11_500, 11_500, rows=b"\0" * (11_501 * 11_500)))


@hostile("picture: 40 PNGs of 4,000 x 4,000 x 16 bits", (0, 2))
def _(desk):
    one = png(4_000, 4_000, depth=16, colour=6, rows=b"\0" * (4_000 * (8 * 4_000 + 1)))
    for i in range(40):
        desk.write(f"pics/{i:02}.png", one)
    return ["data", "check", "pics"]


@hostile("picture: a PNG with a comment that inflates to 1 GB", (0, 2))
def _(desk):
    packed = zlib.compressobj(9)
    text = b"".join(packed.compress(b"\0" * (1 << 20)) for _ in range(1024)) + packed.flush()
    return desk.picture(png(16, 16, more=chunk(b"zTXt", b"k\0\0" + text) + chunk(b"iCCP", b"k\0\0" + text)))


@hostile("picture: a PNG with 1,000,000 chunks", (0, 2))
def _(desk):
    return desk.picture(png(16, 16, more=chunk(b"teXt", b"") * 1_000_000))


@hostile("picture: a PNG of no width")
def _(desk):
    return desk.picture(png(0, 16, rows=b""))


def pillow(name, codes, *arguments):
    """A picture that Pillow writes."""

    def of(make):
        @hostile(name, codes)
        def _(desk):
            from PIL import Image

            noise = bytes((i * i * 31 + i * 7) % 256 for i in range(64 * 64 * 3))
            return make(desk, Image.frombytes("RGB", (64, 64), noise))

    return of


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pillow("picture: a progressive JPEG of 5,000 scans", (0, 2))
def _(desk, image):
    data = saved(image, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return desk.picture(data[:last] + data[last:-2] * 5_000 + b"\xff\xd9", "00.jpg")


@pillow("picture: a progressive JPEG of 4,000 x 4,000 and 500 scans", (0, 2))
def _(desk, image):
    data = saved(image.resize((4_000, 4_000)), "JPEG", progressive=True, quality=5)
    last = data.rindex(b"\xff\xda")
    return desk.picture(data[:last] + data[last:-2] * 500 + b"\xff\xd9", "00.jpg")


@pillow("picture: a JPEG with 100,000 restart markers and tables", (0, 2))
def _(desk, image):
    data = saved(image, "JPEG")
    table = data.index(b"\xff\xdb")
    length = struct.unpack(">H", data[table + 2 : table + 4])[0] + 2
    return desk.picture(data[:table] + data[table : table + length] * 100_000 + data[table:], "00.jpg")


@pillow("picture: a JPEG cut short", (2,))
def _(desk, image):
    return desk.picture(saved(image, "JPEG")[:-900], "00.jpg")


@pillow("picture: a GIF named .jpg", (2,))
def _(desk, image):
    return desk.picture(saved(image, "GIF"), "00.jpg")


@pillow("picture: an animated GIF named .png", (2,))
def _(desk, image):
    return desk.picture(saved(image, "GIF", save_all=True, append_images=[image.rotate(i) for i in range(50)]))


@pillow("picture: a WebP named .jpg", (0, 2))
def _(desk, image):
    return desk.picture(saved(image, "WEBP"), "00.jpg")


@pillow("picture: an animated WebP", (0, 2))
def _(desk, image):
    return desk.picture(saved(image, "WEBP", save_all=True, append_images=[image.rotate(9)] * 20), "00.webp")


@pillow("picture: a TIFF named .jpg", (0, 2))
def _(desk, image):
    return desk.picture(saved(image, "TIFF"), "00.jpg")


@pillow("picture: a TIFF of 300 pages", (0, 2))
def _(desk, image):
    return desk.picture(saved(image, "TIFF", save_all=True, append_images=[image] * 300), "00.tiff")


@pillow("picture: an animated PNG", (0, 2))
def _(desk, image):
    return desk.picture(saved(image, "PNG", save_all=True, append_images=[image.rotate(90)] * 20))


@hostile("picture: an AVIF named .jpg")
def _(desk):
    return desk.picture(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 400, "00.jpg")


@hostile("picture: a TIFF whose directory leads back to itself", (2,))
def _(desk):
    entry = struct.pack("<HHII", 256, 4, 1, 16)
    return desk.picture(b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 8), "00.tiff")


@hostile("picture: a TIFF of 10^9 strips", (2,))
def _(desk):
    tags = [(256, 4, 1, 60_000), (257, 4, 1, 60_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1_000_000_000, 8), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, 1_000_000_000, 8)]
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0" * 4
    return desk.picture(data, "00.tiff")


@hostile("picture: a BMP that claims 100,000 x 100,000")
def _(desk):
    return desk.picture(b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 100_000, 100_000, 1, 24, 0, 0, 0, 0, 0, 0) + b"\0" * 40, "00.bmp")


@hostile("picture: a BMP of -2^31 rows")
def _(desk):
    return desk.picture(b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 16, -(1 << 31), 1, 24, 0, 0, 0, 0, 0, 0) + b"\0" * 40, "00.bmp")


@hostile("picture: a hole of 100 GB")
def _(desk):
    os.truncate(desk.path("pics/00.png"), 100 << 30)
    return ["data", "check", "pics"]


@hostile("picture: empty")
def _(desk):
    return desk.picture(b"")


@hostile("picture: a text")
def _(desk):
    return desk.picture("no picture " * 100)


# --- names and links ---------------------------------------------------------------------------------------------------------


@hostile("names: links that lead in a circle")
def _(desk):
    os.symlink("b.png", desk.path("pics/a.png"))
    os.symlink("a.png", desk.path("pics/b.png"))
    return ["data", "check", "pics"]


@hostile("names: a folder that holds a link to itself", (0, 2))
def _(desk):
    os.symlink(".", desk.path("pics/again"))
    return ["data", "check", "pics"]


@hostile("names: 60 folders that each hold two links to the next", (0, 2))
def _(desk):
    for i in range(60):
        os.mkdir(desk.path(f"pics/d{i}"))
        for end in "ab":
            os.symlink(f"../d{i + 1}", desk.path(f"pics/d{i}/{end}"))
    os.mkdir(desk.path("pics/d60"))
    return ["data", "check", "pics"]


@hostile("names: 14 folders of 30 links to the next")
def _(desk):
    for i in range(14):
        os.mkdir(desk.path(f"pics/d{i}"))
    for i in range(13):
        for n in range(30):
            os.symlink(desk.path(f"pics/d{i + 1}"), desk.path(f"pics/d{i}/{n}"))
    return ["data", "check", "pics"]


@hostile("names: 300 folders in folders", (0, 2))
def _(desk):
    here = os.open(desk.path("pics"), os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 50, dir_fd=here)
        below = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    return ["data", "check", "pics"]


@hostile("names: of 255 bytes", (0,))
def _(desk):
    name = "n" * 251 + ".png"
    os.rename(desk.path("pics/00.png"), desk.path("pics/" + name))
    desk.labels(open(desk.path("labels.csv")).read().replace("00.png", name))
    desk.write("rows.txt", open(desk.path("rows.txt")).read().replace("00.png", name))
    return ["check", "s.yaml"]


@hostile("names: not UTF-8", (0, 2))
def _(desk):
    os.rename(os.fsencode(desk.path("pics/00.png")), os.fsencode(desk.path("pics/")) + b"\xff\xfe.png")
    return ["data", "check", "pics"]


@hostile("names: not UTF-8, of a table's image", (2,))
def _(desk):
    desk.labels(open(desk.path("labels.csv"), "rb").read().replace(b"00.png", b"\xff\xfe.png"))
    return ["check", "s.yaml"]


@hostile("names: with a line break", (0, 2))
def _(desk):
    os.rename(desk.path("pics/00.png"), desk.path("pics/a\nb\x1b[31m.png"))
    return ["data", "check", "pics"]


@hostile("names: a study file of 255 bytes", (0,))
def _(desk):
    name = "s" * 250 + ".yaml"
    os.rename(desk.path("s.yaml"), desk.path(name))
    return ["check", name]


@hostile("names: a study file whose name is not UTF-8", (0, 2))
def _(desk):
    os.rename(os.fsencode(desk.path("s.yaml")), os.fsencode(desk.path("")) + b"\xff.yaml")
    return ["check", b"\xff.yaml"]


@hostile("names: a workspace whose name holds a line break and is not UTF-8", (0,))
def _(desk):
    os.mkdir(os.fsencode(desk.path("")) + b"w\n\xff")
    return ["--workspace", b"w\n\xff", "check", "s.yaml"]


# --- the table ---------------------------------------------------------------------------------------------------------------


def written(write, folder):
    """The arguments of an input that was written by a process of its own: the memory of this one would count for the program's."""
    sender, receiver = os.pipe()
    writer = os.fork()
    if writer == 0:
        try:
            said = repr((write(Desk(folder)), None))
        except ImportError as error:
            said = repr((None, str(error)))
        except BaseException as error:
            said = repr((None, f"cannot be written: {error!r}"))
        os.write(receiver, said.encode())
        os._exit(0)
    os.close(receiver)
    with os.fdopen(sender, "rb") as told:
        said = told.read()
    os.waitpid(writer, 0)
    return ast.literal_eval(said.decode())


def run(program, arguments, folder, cache):
    """Exit code (negative: a signal), wall seconds, processor seconds, MB, and the last lines."""
    out = open(os.path.join(cache, "said"), "w+b")
    begun = time.monotonic()
    environment = {**os.environ, "XDG_CACHE_HOME": cache, "RUST_BACKTRACE": "0"}
    child = subprocess.Popen([program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
    late = threading.Timer(GIVEN_UP, child.kill)
    late.start()
    _, status, usage = os.wait4(child.pid, 0)
    late.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    out.seek(0)
    said = out.read(1 << 20).decode(errors="replace")
    return child.returncode, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def main():
    program, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    failed = 0
    sys.stdout.reconfigure(errors="replace")
    print("| input | exit code | seconds | MB | what is said |\n|---|---|---|---|---|")
    for name, write, codes in INPUTS:
        if words and not any(word in name for word in words):
            continue
        folder = tempfile.mkdtemp(dir=os.environ.get("HOSTILE_FOLDER"))
        try:
            cache = os.path.join(folder, "cache")
            os.mkdir(cache)
            os.mkdir(os.path.join(folder, "w"))
            arguments, lacking = written(write, os.path.join(folder, "w"))
            if lacking:
                print(f"| {name} | | | | left out: {lacking} |", flush=True)
                continue
            code, wall, cpu, mb, said = run(program, arguments, os.path.join(folder, "w"), cache)
            harmed = os.path.exists(os.path.join(folder, "w", "harmed"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        bad = [
            text
            for wrong, text in (
                (code not in codes, f"exit code not one of {codes}"),
                # What is read rightly takes as long as it is large.
                (cpu > MOST_SECONDS and code != 0, "too long"),
                (wall > GIVEN_UP, "it hung"),
                (mb > MOST_MB, "too much memory"),
                ("a bug in visavis" in said or "panicked" in said or "memory ran out" in said, "a panic"),
                (len(said) > 20_000, "far too many words"),
                (harmed, "it ran what is in the file"),
            )
            if wrong
        ]
        failed += bool(bad)
        lines = [line for line in said.splitlines() if line.strip()]
        shown = next((line for line in lines if line.startswith("error")), lines[-1] if lines else "")
        if "defect" in shown:
            shown = next((line.strip() for line in lines if line.startswith("    ")), shown)
        mark = f" **{', '.join(bad)}**" if bad else ""
        shown = "".join(letter if letter.isprintable() else "�" for letter in shown)[:150].replace("|", "\\|")
        print(f"| {name} | {code} | {cpu:.2f} | {mb:.0f} | {shown}{mark} |", flush=True)
    print(f"\n{failed} of them are not as they should be" if failed else "\nall as they should be")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
