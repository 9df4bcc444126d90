"""Draw docs/pictures/typical-errors.jpg for docs/methods.md: what the kinds of errors look like.

`make pictures` calls it with the built-in sample, whose images may be shown anywhere:
    python scripts/draw_typical_errors.py SCORES data/sample predictions/sample
"""

import csv
import sys
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.scoring import count_parts
from cellbench.images import image_files, read_image
from cellbench.labels import BandedLabels, LabelMap, open_labels
from cellbench.report.page.outlines import kinds_by_id

OUT = Path(__file__).parents[1] / "docs/pictures/typical-errors.jpg"
SIDE, ENLARGED = 128, 4
"""Pixels of a side of the part of an image that is shown, and how many times larger it is drawn."""

SHOWN = {
    "missed": "fn_missed",
    "merged": "fn_merged",
    "split": "fn_split",
    "spurious": "fp_spurious",
}
"""Kind of error, and the column of scores_details.csv that counts it."""

COLOURS = {"missed": (240, 228, 66), "merged": (229, 142, 192), "split": (255, 255, 255)}
COLOURS |= {"spurious": (255, 106, 26), "matched": (86, 180, 233)}
"""The colours of the gallery of a board's page (page.css); all other cells are matched or not scored."""


def examples(board: Path) -> dict[str, tuple[str, str]]:
    """Choose for each kind of error the system that makes it most often, and its image with the most.

    Args:
        board: folder with the scores of `cellbench evaluate --details`.

    Returns:
        System and image by kind.
    """
    with (board / "scores_details.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [row for row in rows if row["algorithm"] != "otsu_watershed"]
    chosen: dict[str, tuple[str, str]] = {}
    for kind, column in SHOWN.items():
        sums: dict[str, int] = {}
        for row in rows:
            sums[row["algorithm"]] = sums.get(row["algorithm"], 0) + int(row[column])
        system = max(sums, key=lambda name: sums[name])
        own = [row for row in rows if row["algorithm"] == system]
        chosen[kind] = (system, max(own, key=lambda row: int(row[column]))["image"])
    return chosen


def outline(
    picture: npt.NDArray[np.uint8], labels: LabelMap, kinds: dict[int, str], kind: str
) -> None:
    """Draw the outlines of the cells of one kind.

    Args:
        picture: (H, W, 3) enlarged image, which is changed.
        labels: (h, w) label map.
        kinds: kind by id.
        kind: kind of the cells that are drawn.
    """
    for cell in np.unique(labels[labels > 0]).tolist():
        if kinds.get(cell) == kind:
            mask = cv2.resize(
                (labels == cell).astype(np.uint8), picture.shape[1::-1], interpolation=0
            )
            lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, lines, -1, COLOURS[kind], 1 if kind == "matched" else 3)


def busiest(labels: LabelMap, cells: list[int]) -> tuple[slice, slice]:
    """Return the window with most pixels of some cells.

    Args:
        labels: (H, W) label map.
        cells: ids of the cells.
    """
    density = cv2.blur(np.isin(labels, cells).astype(np.float32), (SIDE, SIDE))
    row, column = np.unravel_index(density.argmax(), density.shape)
    top, left = (
        int(np.clip(place - SIDE // 2, 0, max(0, length - SIDE)))
        for place, length in zip((row, column), labels.shape, strict=True)
    )
    return slice(top, top + SIDE), slice(left, left + SIDE)


def draw_panel(
    panel: Axes, image: Path, truth: BandedLabels, predicted: BandedLabels, kind: str
) -> None:
    """Draw the part of an image with most errors of one kind.

    Args:
        panel: where to draw.
        image: the image.
        truth: its true cells.
        predicted: the predicted cells.
        kind: kind of error.
    """
    parts = count_parts(truth, predicted, get_protocol("exact"), images=1)
    of_truth, of_predicted = kinds_by_id(parts)
    kinds, labels = (
        (of_truth, truth.whole()) if kind == "missed" else (of_predicted, predicted.whole())
    )
    window = busiest(labels, [cell for cell, its_kind in kinds.items() if its_kind == kind])
    pixels = read_image(image)[window].astype(np.float32)
    low, high = np.percentile(pixels, (1, 99.7))
    pixels = np.clip((pixels - low) / max(high - low, 1e-6), 0, 1)
    size = (pixels.shape[1] * ENLARGED, pixels.shape[0] * ENLARGED)
    picture = cv2.resize((pixels * 255).astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
    outline(picture, predicted.whole()[window], of_predicted, "matched")
    outline(picture, labels[window], kinds, kind)
    panel.imshow(picture)
    panel.set_axis_off()


def main(board: Path, data: Path, predictions: Path) -> None:
    """Draw the picture.

    Args:
        board: as for `examples`.
        data: the dataset of the board.
        predictions: folder with the label maps of each system.
    """
    images = image_files(data / "test/images")
    figure, axes = plt.subplots(1, len(SHOWN), figsize=(12, 3.4), layout="constrained")
    for panel, (kind, (system, stem)) in zip(axes, examples(board).items(), strict=True):
        truth = open_labels(data / f"test/labels/{stem}_label.tiff")
        predicted = open_labels(predictions / system / f"{stem}_label.tiff")
        draw_panel(panel, images[stem], truth, predicted, kind)
        panel.set_title(f"{kind}: {system}", fontsize=12)
    figure.savefig(OUT, dpi=100, facecolor="white", pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:4]))
