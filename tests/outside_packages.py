"""A small package with models that cellbench has never seen, written to a temporary folder."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

UNET = '''
"""A model in a file that is called like one of cellbench's own."""

from typing import Any

from cellbench.models import DenseModel
from cellbench.networks.unet import UNet
from cellbench.representations import Boundary


class LabUNet(DenseModel):
    """A smaller U-Net.

    Weights: none.

    Args:
        depth: number of levels.
        **training: options of every dense model.
    """

    def __init__(self, depth: int = 2, **training: Any) -> None:
        boundary = Boundary(smallest_target=4)
        network = UNet(boundary.channels, (4, 8, 16)[:depth], 1)
        super().__init__(network=network, representation=boundary, **training)
'''

SPOTS = '''
"""A model that proposes discs, one for each cell of a coarse grid, and predicts no dense maps."""

from typing import Any

import numpy as np
import torch
from torch import nn

from cellbench.models import InstanceSegmentationModel

STRIDE = 8


class Spots(InstanceSegmentationModel):
    """Discs proposed on a coarse grid."""

    def __init__(self, features: int = 4, **training: Any) -> None:
        super().__init__(**training)
        self.encoder = nn.Conv2d(3, features, STRIDE, stride=STRIDE)
        self.head = nn.Conv2d(features, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(image).relu())

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())

    def segment(self, image: torch.Tensor) -> np.ndarray:
        labels = np.zeros(image.shape[1:], np.int32)
        if min(labels.shape) < STRIDE:
            return labels
        score, radius = self(image[None].to(self.device))[0].float().cpu().numpy()
        rows, columns = np.indices(labels.shape)
        for index, (row, column) in enumerate(np.argwhere(score > 0), start=1):
            away = np.hypot(rows - row * STRIDE - 4, columns - column * STRIDE - 4)
            labels[away <= 1 + abs(radius[row, column])] = index
        return labels

    def targets(self, labels: np.ndarray) -> dict[str, np.ndarray]:
        ids = np.unique(labels[labels > 0])
        centres = [np.argwhere(labels == each).mean(axis=0) for each in ids]
        return {"centres": np.array(centres, np.float32).reshape(-1, 2)}

    @staticmethod
    def collate(samples: Any) -> dict[str, Any]:
        return {
            "image": torch.stack([each["image"] for each in samples]),
            "targets": {"centres": [each["targets"]["centres"] for each in samples]},
        }

    def loss(self, batch: Any) -> torch.Tensor:
        output = self(batch["image"]).float()
        truth = torch.zeros_like(output)
        for index, centres in enumerate(batch["targets"]["centres"]):
            row, column = (centres / STRIDE).long().T
            truth[index, 0, row, column] = 1
            truth[index, 1, row, column] = 5
        return (output - truth).square().mean()
'''

LOUD = '''
"""A module that must not be imported unless its user says so."""

print("code of lab.loud was run")

from lab.unet import LabUNet


class Loud(LabUNet):
    pass
'''


@contextmanager
def on_path(folder: Path) -> Iterator[None]:
    """Make the packages of a folder importable here and in subprocesses, and forget them afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", str(folder), prepend=":")
        try:
            yield
        finally:
            for name in [each for each in sys.modules if each.split(".")[0] == "lab"]:
                del sys.modules[name]


def write_package(folder: Path) -> Path:
    """Write the package ``lab`` with three models, not registered."""
    package = folder / "lab"
    package.mkdir(parents=True)
    files = {"__init__": "", "unet": UNET, "spots": SPOTS, "loud": LOUD}
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    return folder


def register(folder: Path, distribution: str = "lab", **models: str) -> None:
    """Register models as an installed package does, by the entry points of its metadata."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    points = "\n".join(f"{name} = {value}" for name, value in models.items())
    (info / "entry_points.txt").write_text(f"[cellbench.models]\n{points}\n")
