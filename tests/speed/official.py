"""The steps of the challenge's compute_metric.py, as a peer to measure against.

Written from what the script does: frame cells erased one by one, both maps relabelled, a dense
table of cells × cells, and an assignment on all of it.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import tifffile
from numba import njit
from scipy.optimize import linear_sum_assignment
from skimage.segmentation import relabel_sequential

from cellbench.labels import LabelMap

TILE = 2000


def erase_frame_cells(labels: LabelMap) -> LabelMap:
    frame = np.ones(labels.shape)
    frame[2:-2, 2:-2] = 0
    for cell in np.unique(labels * frame)[1:]:
        labels[labels == cell] = 0
    erased: LabelMap = relabel_sequential(labels)[0]
    return erased


@njit
def overlap_table(truth: LabelMap, prediction: LabelMap) -> npt.NDArray[np.uint64]:
    truth, prediction = truth.ravel(), prediction.ravel()
    table = np.zeros((1 + truth.max(), 1 + prediction.max()), np.uint64)
    for pixel in range(truth.size):
        table[truth[pixel], prediction[pixel]] += 1
    return table


def count(truth: LabelMap, prediction: LabelMap, threshold: float) -> tuple[int, int, int]:
    """Count true cells, predicted cells and matches of one image or tile."""
    truth = erase_frame_cells(truth.astype(np.int32))
    prediction = erase_frame_cells(prediction.astype(np.int32))
    true_cells, predicted_cells = int(truth.max()), int(prediction.max())
    if not (true_cells and predicted_cells):
        return true_cells, predicted_cells, 0
    truth, prediction = relabel_sequential(truth)[0], relabel_sequential(prediction)[0]
    overlap = overlap_table(truth, prediction)
    areas = overlap.sum(axis=0, keepdims=True) + overlap.sum(axis=1, keepdims=True)
    iou = np.nan_to_num(overlap / (areas - overlap))[1:, 1:]
    cost = -(iou >= threshold).astype(float) - iou / (2 * min(iou.shape))
    return true_cells, predicted_cells, int((iou[linear_sum_assignment(cost)] >= threshold).sum())


def dice(truth: LabelMap, prediction: LabelMap) -> float:
    """Return the foreground Dice, which the script adds for the whole image."""
    true, predicted = truth > 0, prediction > 0
    both = true.sum() + predicted.sum()
    return 2 * (true & predicted).sum() / both if both else 1.0


def score(
    truth: LabelMap, prediction: LabelMap, threshold: float = 0.5
) -> tuple[int, int, int, float]:
    """Count one image, whole or in tiles from 25 million pixels on, and return its Dice."""
    return *_counts(truth, prediction, threshold), dice(truth, prediction)


def _counts(truth: LabelMap, prediction: LabelMap, threshold: float) -> tuple[int, int, int]:
    if truth.size < 25_000_000:
        return count(truth, prediction, threshold)
    missing = [(0, -side % TILE) for side in truth.shape]
    truth, prediction = np.pad(truth, missing), np.pad(prediction, missing)
    counts = [
        count(truth[window], prediction[window], threshold)
        for row in range(0, truth.shape[0], TILE)
        for column in range(0, truth.shape[1], TILE)
        for window in [(slice(row, row + TILE), slice(column, column + TILE))]
    ]
    true_cells, predicted_cells, tp = np.sum(counts, axis=0).tolist()
    return true_cells, predicted_cells, tp


if __name__ == "__main__":
    truth_folder, prediction_folder, out = map(Path, sys.argv[1:])
    rows = []
    for path in sorted(prediction_folder.glob("*_label.tiff")):
        counts = score(tifffile.imread(truth_folder / path.name), tifffile.imread(path))
        rows.append((path.name, *counts))
    pd.DataFrame(rows, columns=["names", "true_num", "pred_num", "correct_num", "dice"]).to_csv(out)
