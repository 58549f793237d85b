"""A plain PyTorch loop with DataLoader, net and settings of PyTorch's MNIST example, timed to an accuracy.

    python benchmarks/peers/torch_dataloader.py --data mnist.npz --target 99.0

Source: https://github.com/pytorch/examples/tree/main/mnist. Kinder than the example: images are scaled
beforehand, not one by one. Needs PyTorch and nothing of Legible. Prints what keras_convnet.py prints.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
from arguments import read_arguments
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

Loader = DataLoader[tuple[Tensor, ...]]
MEAN, STD = 0.1307, 0.3081  # of the training images, as in the example


def build_model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.LogSoftmax(1),
    )  # fmt: skip


def read_data(path: Path, part: str) -> TensorDataset:
    with np.load(path) as file:
        images = (file[f"x_{part}"][:, None].astype("float32") / 255 - MEAN) / STD
        return TensorDataset(torch.from_numpy(images), torch.from_numpy(file[f"y_{part}"].astype("int64")))


def train_epoch(model: nn.Module, loader: Loader, optimiser: torch.optim.Optimizer) -> None:
    model.train()
    for images, labels in loader:
        optimiser.zero_grad()
        F.nll_loss(model(images), labels).backward()
        optimiser.step()


@torch.no_grad()
def measure_accuracy(model: nn.Module, loader: Loader) -> float:
    model.eval()
    right = [model(images).argmax(1) == labels for images, labels in loader]
    return round(100 * float(torch.cat(right).double().mean()), 4)


def main() -> None:
    arguments = read_arguments(__doc__, max_epochs=14)
    train, test = (read_data(arguments.data, part) for part in ("train", "test"))
    torch.manual_seed(arguments.seed)
    seconds, began = 0.0, time.perf_counter()
    model = build_model()
    loader, test_loader = DataLoader(train, batch_size=64, shuffle=True), DataLoader(test, batch_size=1000)
    optimiser = torch.optim.Adadelta(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1, gamma=0.7)
    for epoch in range(1, arguments.max_epochs + 1):
        train_epoch(model, loader, optimiser)
        schedule.step()
        seconds += time.perf_counter() - began
        accuracy = measure_accuracy(model, test_loader)
        print(json.dumps({"epoch": epoch, "seconds": seconds, "accuracy": accuracy}), flush=True)
        if accuracy >= arguments.target:
            break
        began = time.perf_counter()


if __name__ == "__main__":
    main()
