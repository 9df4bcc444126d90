"""Small dataset folders for tests."""

from pathlib import Path

import numpy as np
from label_maps import discs
from PIL import Image

from cellbench.data.folder import write_manifest
from cellbench.labels import label_path, write_labels


def make_dataset(root: Path, images: int = 2) -> Path:
    """Write bright discs on a dark ground, 64–96 px, two modalities, in train, tune and test."""
    rows: list[dict[str, object]] = []
    for number, split in enumerate(("train", "tune", "test")):
        (root / split / "images").mkdir(parents=True)
        for index in range(images):
            labels = discs(shape=(64 + 16 * index, 96), seed=number * 10 + index)
            noise = np.random.default_rng(index).normal(40, 8, labels.shape)
            pixels = np.clip(noise + 120 * (labels > 0), 0, 255).astype(np.uint8)
            stem = f"{split}{index}"
            Image.fromarray(pixels).save(root / split / "images" / f"{stem}.png")
            write_labels(label_path(root / split / "labels", stem), labels)
            modality = ("fluorescence", "DIC")[index % 2]
            rows.append(
                {"image": f"{stem}.png", "split": split, "modality": modality, "source": ""}
            )
    write_manifest(root, rows)
    return root
