"""Random weights in the formats of the files that people have.

    python scripts/rehearsal_weights.py VISAVIS FOLDER WIDTH

`visavis weights draw` draws the numbers; torch and NumPy write them as each project wrote its file.
"""
import collections
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch

visavis, folder, width = sys.argv[1:]


def drawn(architecture, family, seed):
    """The tensors of a network, by name."""
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "w.safetensors")
        command = [visavis, "weights", "draw", architecture, path, "--family", family, "--width", width, "--seed", str(seed)]
        subprocess.run([*command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            values = file.read()
    tensors = collections.OrderedDict()
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = torch.tensor(np.frombuffer(values[start:end], "<f4").reshape(entry["shape"]))
    return tensors


def with_counters(tensors):
    """As PyTorch's state_dict has them: a counter beside every running variance."""
    whole = collections.OrderedDict()
    for name, tensor in tensors.items():
        whole[name] = tensor
        if name.endswith("running_var"):
            whole[name.replace("running_var", "num_batches_tracked")] = torch.tensor(0)
    return whole


def with_head(tensors, classes):
    width = [tensor for name, tensor in tensors.items() if tensor.dim() == 4][-1].shape[0]
    return tensors | {"fc.weight": torch.randn(classes, width), "fc.bias": torch.zeros(classes)}


def zip_file(tensors, path):
    """torch.save of a state_dict, as torchvision and timm publish it."""
    torch.save(collections.OrderedDict(with_counters(tensors)), path)


def numpy_pickle(tensors, path):
    """cydonia999/VGGFace2-pytorch: arrays in a dict, protocol 2."""
    with open(path, "wb") as file:
        pickle.dump({name: tensor.numpy() for name, tensor in tensors.items()}, file, protocol=2)


def training_checkpoint(tensors, path):
    """A trainer's checkpoint of a DataParallel module, in the format of torch before 1.6."""
    state = collections.OrderedDict((f"module.{name}", tensor) for name, tensor in with_counters(tensors).items())
    momentum = {"state": {0: {"momentum_buffer": torch.randn(8, 3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    checkpoint = {"epoch": 90, "arch": "resnet34", "state_dict": state, "best_acc1": torch.tensor(73.3), "optimizer": momentum}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)


FILES = [
    ("resnet50_ft_weight.pkl", "resnet50", "cydonia", numpy_pickle, 8631),
    ("senet50_ft_weight.pkl", "senet50", "cydonia", numpy_pickle, 8631),
    ("model_ir_se50.pth", "irse50", "treb1en", zip_file, 0),
    ("resnet34_current.pth.tar", "resnet34", "torchvision", training_checkpoint, 1000),
    ("resnet50-0676ba61.pth", "resnet50", "torchvision", zip_file, 1000),
    ("seresnet50_a1_0-ffa00869.pth", "seresnet50", "timm", zip_file, 1000),
    ("resnet34-b627a593.pth", "resnet34", "torchvision", zip_file, 1000),
]

os.makedirs(folder, exist_ok=True)
torch.manual_seed(0)
for seed, (name, architecture, family, write, classes) in enumerate(FILES):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        tensors = drawn(architecture, family, seed + 1)
        # Whole, or not there.
        write(with_head(tensors, classes) if classes else tensors, path + ".half")
        os.replace(path + ".half", path)
