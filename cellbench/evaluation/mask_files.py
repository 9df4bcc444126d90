"""Predictions of all images in one file: a run-length table (.csv) or COCO results (.json)."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cellbench.data.json_values import shown
from cellbench.data.mask_table import Order
from cellbench.errors import ScoresError, UsageError
from cellbench.evaluation.coco_results import read_coco_results
from cellbench.evaluation.listing import listed
from cellbench.evaluation.masks import read_mask_table
from cellbench.evaluation.prediction_checks import NoPredictionsError
from cellbench.labels.banded import BandedLabels
from cellbench.labels.names import match_stems

COCO_FILE = ".json"
MASK_TABLE = ".csv"
MASK_FILES = (MASK_TABLE, COCO_FILE)
"""Extensions of files that hold the predictions of all images."""


class Masks(Protocol):
    """The cells of one image in such a file."""

    def open(self, shape: tuple[int, int]) -> BandedLabels:
        """Return the label map.

        Args:
            shape: (H, W) of the image.

        Raises:
            InvalidLabelsError: if the masks of the image are broken.
        """
        ...

    def fingerprint(self) -> str:
        """Return a key that changes when the cells of the image do."""
        ...


@dataclass(frozen=True)
class MaskOptions:
    """How to read a file of predictions.

    Attributes:
        order: direction of the runs of a run-length table; by default, the names of its columns decide.
        score_threshold: detections of COCO results with a lower score are not used; by default
            [`DEFAULT_SCORE_THRESHOLD`][cellbench.evaluation.coco_results.DEFAULT_SCORE_THRESHOLD].
        coco_images: COCO file that lists the file names of the image ids in COCO results.
    """

    order: Order | None = None
    score_threshold: float | None = None
    coco_images: Path | None = None

    def check(self, predictions: Path) -> None:
        """Check that the options fit the predictions.

        Args:
            predictions: a folder or file of predictions.

        Raises:
            UsageError: if an option has no effect on such predictions, or is not a number.
        """
        suffix = predictions.suffix.lower()
        if self.order is not None and suffix != MASK_TABLE:
            raise UsageError(f"--order: applies to a run-length table (.csv), not to {predictions}")
        coco = {"--score-threshold": self.score_threshold, "--coco-images": self.coco_images}
        for option, value in coco.items():
            if value is not None and suffix != COCO_FILE:
                raise UsageError(f"{option}: applies to COCO results (.json), not to {predictions}")
        if self.score_threshold is not None and not math.isfinite(self.score_threshold):
            raise UsageError("--score-threshold: must be a number, for example 0.5")


def is_mask_file(predictions: Path) -> bool:
    """Return whether predictions are a file that holds those of all images, by its extension.

    Args:
        predictions: a folder or file of predictions.
    """
    return predictions.suffix.lower() in MASK_FILES and not predictions.is_dir()


def read_masks(
    path: Path, stems: Collection[str], options: MaskOptions | None = None
) -> Mapping[str, Masks]:
    """Read a file of predictions.

    Args:
        path: a run-length table (.csv) or COCO results (.json).
        stems: stems of the images of the truth.
        options: how to read it.

    Returns:
        The cells of each image by its name in the file, without extension.

    Raises:
        CellbenchError: if it cannot be read, or contains no image of the truth.
    """
    options = options or MaskOptions()
    found: Mapping[str, Masks]
    if path.suffix.lower() == MASK_TABLE:
        found = read_mask_table(path, options.order)
    else:
        found = read_coco_results(path, stems, options.score_threshold, options.coco_images)
    if stems and not match_stems(stems, found):
        raise NoPredictionsError(
            f"{path}: contains none of the images of the truth; wanted, for example, {next(iter(stems))}, "
            f"found {listed([shown(name) for name in sorted(found)])}; correct the names of the images"
        )
    return found


def check_truth(truth: Path) -> None:
    """Check that the truth is not one file for all images, which has to be converted.

    Args:
        truth: what the user named as the truth.

    Raises:
        ScoresError: if it is a file.
    """
    if truth.is_file():
        importer = "kaggle-rle" if truth.suffix.lower() == MASK_TABLE else "coco"
        how = f"convert it with `cellbench data import {importer} {truth} ROOT --split test`"
        how = f"{how}, then name ROOT/test/labels" if is_mask_file(truth) else "name the folder"
        raise ScoresError(f"{truth}: a file, but the truth has to be a folder of label maps; {how}")
