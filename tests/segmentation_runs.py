"""Runs of `cellbench segment` on four small images, which can be repeated."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from cellbench.cli import main

STEMS = ["a", "b", "c", "d"]
DEVICE = ["--device", "cpu", "--precision", "32"]


@dataclass
class Runs:
    """Runs of `cellbench segment` in this process.

    Attributes:
        root: temporary folder.
        read: stems of the images that were segmented since the last call.
    """

    root: Path
    read: list[str] = field(default_factory=list)

    def words(self) -> list[str]:
        checkpoint = self.root / "model.ckpt"
        return ["segment", str(self.root / "images"), "--checkpoint", str(checkpoint), *DEVICE]

    def __call__(self, *more: object, out: str = "out", status: int = 0) -> list[str]:
        self.read.clear()
        assert main([*self.words(), str(self.root / out), *map(str, more)]) == status
        return list(self.read)

    def maps(self, out: str = "out") -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in sorted((self.root / out).glob("*.tiff"))}


def write_image(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (70, 90, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def times(out: Path) -> dict[str, float]:
    with (out / "runtime.csv").open(newline="") as file:
        return {row["Img Name"]: float(row["Real Running Time"]) for row in csv.DictReader(file)}
