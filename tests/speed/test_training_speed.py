"""A training patch against the official chain of transforms: `make bench`."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from crowded import crowded_pair
from monai import transforms
from peers import medians, report
from PIL import Image

from cellbench.data.folder import read_dataset
from cellbench.labels import write_labels
from cellbench.representations import Boundary
from cellbench.training.draws import Draw
from cellbench.training.patches import PatchDataset
from cellbench.training.recipe import PatchRecipe
from cellbench.training.store import DecodedStore

SIDE, CROP = 1000, 256


def official_chain() -> transforms.Compose:
    """The challenge's training transforms; images and three-class labels lie there as PNG."""
    both = ("image", "label")
    return transforms.Compose(
        [
            transforms.LoadImaged(both, reader="PILReader", dtype=np.uint8),
            transforms.EnsureChannelFirstd("label", channel_dim="no_channel"),
            transforms.EnsureChannelFirstd("image", channel_dim=-1),
            transforms.ScaleIntensityd("image"),
            transforms.SpatialPadd(both, spatial_size=CROP),
            transforms.RandSpatialCropd(both, roi_size=CROP, random_size=False),
            transforms.RandAxisFlipd(both, prob=0.5),
            transforms.RandRotate90d(both, prob=0.5, spatial_axes=(0, 1)),
            transforms.RandGaussianNoised("image", prob=0.25, mean=0, std=0.1),
            transforms.RandAdjustContrastd("image", prob=0.25, gamma=(1, 2)),
            transforms.RandGaussianSmoothd("image", prob=0.25, sigma_x=(1, 2)),
            transforms.RandHistogramShiftd("image", prob=0.25, num_control_points=3),
            transforms.RandZoomd(
                both, prob=0.15, min_zoom=0.8, max_zoom=1.5, mode=["area", "nearest"]
            ),
            transforms.EnsureTyped(both),
        ]
    )


def test_a_training_patch_against_the_official_chain(tmp_path: Path) -> None:
    torch.set_num_threads(1)  # as in a worker of the loader
    cv2.setNumThreads(0)
    labels, _ = crowded_pair(SIDE, cells=500)
    noise = np.random.default_rng(0).integers(0, 64, (SIDE, SIDE, 3), dtype=np.uint8)
    image = noise + (labels > 0).astype(np.uint8)[..., None] * 128
    for folder in ("images", "labels"):
        (tmp_path / "train" / folder).mkdir(parents=True)
    files = {"image": tmp_path / "train/images/a.png", "label": tmp_path / "classes.png"}
    Image.fromarray(image).save(files["image"])
    classes = Boundary().encode(labels)["classes"].argmax(axis=0).astype(np.uint8)
    Image.fromarray(classes).save(files["label"])
    write_labels(tmp_path / "train/labels/a_label.tiff", labels)
    chain = official_chain().set_random_state(0)
    patches = PatchDataset(
        read_dataset(tmp_path, ["train"]),
        DecodedStore(tmp_path / "cache"),
        Boundary().targets,
        PatchRecipe(CROP, largest_zoom=1.5),
    )

    def ours() -> list[dict[str, Any]]:
        return [patches[Draw(0, seed)] for seed in range(32)]

    def theirs() -> list[Any]:
        return [chain({name: str(path) for name, path in files.items()}) for _ in range(32)]

    assert ours()[0]["image"].shape == theirs()[0]["image"].shape == (3, CROP, CROP)
    mine, official = medians(ours, theirs)
    assert report("32 training patches of 256 × 256", mine, "the official chain", official) >= 20
