"""The peer of `networks.rs`: a torchvision network with a DataLoader of two workers and Pillow, as people write it.

Prints images a second: the loader alone, features, the forward pass alone. Medians of three.
"""
import sys
import time

import torch
import torchvision
from torchvision import transforms

folder, word, size, of_features = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(2)
prepare = transforms.Compose([
    transforms.Resize((size, size)),
    transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])
everything = torchvision.datasets.ImageFolder(folder, prepare)
few = torch.utils.data.Subset(everything, range(of_features))


def loader(of):
    return torch.utils.data.DataLoader(of, batch_size=32, num_workers=2)


def median(work, images):
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        rates.append(images / (time.perf_counter() - start))
    return sorted(rates)[1]


def load():
    for _ in loader(everything):
        pass


model = getattr(torchvision.models, word)(weights=None).eval()
layers = {}
for name in ["layer1", "layer2", "layer3", "layer4", "avgpool"]:
    getattr(model, name).register_forward_hook(
        lambda _, __, out, name=name: layers.setdefault(name, []).append(out.mean(dim=(2, 3)).numpy())
    )


def features():
    with torch.no_grad():
        for pictures, _ in loader(few):
            model(pictures)


ready = [pictures for pictures, _ in loader(few)]


def forward():
    with torch.no_grad():
        for pictures in ready:
            model(pictures)


print(median(load, len(everything)), median(features, of_features), median(forward, of_features))
