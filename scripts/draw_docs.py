"""Draw the pictures of the documentation; `make pictures` calls it with DATA, PREDICTIONS and OUT."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from skimage.draw import ellipse
from skimage.segmentation import find_boundaries

from cellbench.evaluation import match_cells
from cellbench.images import image_files, read_image
from cellbench.labels import LabelMap, read_labels

SHOWN = ("fluorescence_10", "brightfield_08", "phase-contrast_10", "dic_08")
TRUTH, PREDICTION = "#0072b2", "#d55e00"
SIDE = 192
"""Pixels of a side of the part of an image that is shown."""

Cell = tuple[float, float, float, float]
"""Row and column of the centre, and the radius in rows and in columns."""


def draw_outlines(data: Path, predictions: Path, out: Path) -> None:
    """Draw one image of each modality, with the outlines of the predicted cells.

    Args:
        data: the sample dataset.
        predictions: label maps of its test images.
        out: picture to write.
    """
    files = image_files(data / "test/images")
    figure, axes = plt.subplots(1, len(SHOWN), figsize=(12, 3.3), layout="constrained")
    for panel, stem in zip(axes, SHOWN, strict=True):
        image = np.repeat(np.repeat(read_image(files[stem])[:SIDE, :SIDE], 3, 0), 3, 1)
        labels = read_labels(predictions / f"{stem}_label.tiff")[:SIDE, :SIDE]
        edges = find_boundaries(np.repeat(np.repeat(labels, 3, 0), 3, 1), mode="thick")
        image = image / max(float(image.max()), 1e-6)
        dark = np.median(image) < 0.5
        image[edges] = (1.0, 0.65, 0.0) if dark else (0.0, 0.45, 0.2)
        panel.imshow(image)
        title = stem.rpartition("_")[0].replace("-", " ").replace("dic", "DIC")
        panel.set_title(title, fontsize=12)
        panel.set_axis_off()
    save(figure, out)


def draw_cells(shape: tuple[int, int], cells: list[Cell]) -> LabelMap:
    """Return a label map with elliptic cells.

    Args:
        shape: height and width.
        cells: the cells; the first one gets the id 1.
    """
    labels: npt.NDArray[np.int32] = np.zeros(shape, np.int32)
    for number, (row, column, rows, columns) in enumerate(cells, start=1):
        labels[ellipse(row, column, rows, columns, shape=shape)] = number
    return labels


def draw_pair(panel: Axes, truth: LabelMap, prediction: LabelMap, title: str) -> None:
    """Draw true cells as blue areas, predicted cells as orange outlines.

    Args:
        panel: where to draw.
        truth: (H, W) true cells.
        prediction: (H, W) predicted cells.
        title: the title of the panel.
    """
    panel.imshow(np.where(truth > 0, 1.0, np.nan), cmap="Blues", vmin=0, vmax=2.2)
    for cell in np.unique(prediction[prediction > 0]):
        panel.contour(prediction == cell, [0.5], colors=PREDICTION, linewidths=2)
    panel.set_title(title, fontsize=11)
    panel.set(xticks=[], yticks=[])


def draw_overlaps(out: Path) -> None:
    """Draw a true cell with predictions that overlap it less and less, and their IoU.

    Args:
        out: picture to write.
    """
    figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), layout="constrained")
    truth = draw_cells((60, 80), [(30, 32, 18, 18)])
    for panel, shift in zip(axes, (3, 9, 13, 24), strict=True):
        prediction = draw_cells((60, 80), [(30, 32 + shift, 18, 18)])
        both, either = (truth > 0) & (prediction > 0), (truth > 0) | (prediction > 0)
        found = match_cells(truth, prediction, threshold=0.5).tp
        words = "match" if found else "no match"
        draw_pair(panel, truth, prediction, f"IoU {both.sum() / either.sum():.2f}: {words}")
    save(figure, out)


def draw_counts(out: Path) -> None:
    """Draw four true and four predicted cells, with their counts.

    Args:
        out: picture to write.
    """
    shape = (70, 150)
    cells = [(22, 22, 13, 15), (48, 55, 14, 12), (22, 88, 12, 14), (50, 118, 11, 13)]
    moved = [(23, 24, 13, 14), (47, 57, 13, 13), (50, 116, 12, 12), (20, 128, 9, 10)]
    truth, prediction = draw_cells(shape, cells), draw_cells(shape, moved)
    counts = match_cells(truth, prediction, threshold=0.5)
    figure, panel = plt.subplots(figsize=(7, 3.6), layout="constrained")
    title = f"tp {counts.tp}, fp {counts.fp}, fn {counts.fn}: F1 {2 * counts.tp / 8:.2f}"
    draw_pair(panel, truth, prediction, title)
    for row, column, words in ((22, 88, "missed\n(fn)"), (20, 128, "spurious\n(fp)")):
        panel.text(column, row, words, ha="center", va="center", fontsize=9)
    save(figure, out)


def draw_errors(out: Path) -> None:
    """Draw one example of each kind of error.

    Args:
        out: picture to write.
    """
    shape = (60, 80)
    kinds: dict[str, tuple[list[Cell], list[Cell]]] = {
        "missed": ([(30, 40, 16, 18)], []),
        "spurious": ([], [(30, 40, 16, 18)]),
        "merged": ([(30, 26, 14, 14), (30, 55, 14, 14)], [(30, 40, 18, 32)]),
        "split": ([(30, 40, 18, 30)], [(30, 26, 15, 13), (30, 54, 15, 13)]),
        "poor outline": ([(30, 40, 22, 24)], [(30, 42, 13, 15)]),
    }
    figure, axes = plt.subplots(1, len(kinds), figsize=(12, 2.4), layout="constrained")
    for panel, (kind, (true, predicted)) in zip(axes, kinds.items(), strict=True):
        draw_pair(panel, draw_cells(shape, true), draw_cells(shape, predicted), kind)
    save(figure, out)


def save(figure: plt.Figure, out: Path) -> None:
    """Write a figure on a white background, readable in light and dark colours, and close it.

    Args:
        figure: what was drawn.
        out: picture to write.
    """
    options = {"metadata": {"Software": None}} if out.suffix == ".png" else {}
    figure.savefig(out, dpi=110, facecolor="white", **options)
    plt.close(figure)


def main(data: Path, predictions: Path, out: Path) -> None:
    """Draw all pictures.

    Args:
        data: the sample dataset.
        predictions: label maps of an algorithm for its test images.
        out: folder to write to.
    """
    draw_outlines(data, predictions, out / "outlines.jpg")
    draw_overlaps(out / "overlaps.png")
    draw_counts(out / "counts.png")
    draw_errors(out / "errors.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
