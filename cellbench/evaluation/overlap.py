"""One pass over the pixels of two label maps: areas and overlaps of their cells, no dense table."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellbench.errors import LabelMapError
from cellbench.labels import LabelMap, cell_ids, check_labels, frame_cell_ids

_BAND_PIXELS = 1 << 20
_ID_BITS = np.uint64(32)
_ID_MASK = np.uint64(2**32 - 1)

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Overlaps:
    """What two label maps have in common, cell by cell.

    Attributes:
        truth_ids: (T,) ids of the true cells that are scored, ascending.
        prediction_ids: (P,) ids of the predicted cells that are scored, ascending.
        pairs: (K, 2) indices into ``truth_ids`` and ``prediction_ids`` of the cells that overlap.
        intersections: (K,) pixels that the two cells of a pair share.
        unions: (K,) pixels that either cell of a pair covers.
        foreground: pixels of truth, of prediction and of both, frame cells included.
    """

    truth_ids: Counts
    prediction_ids: Counts
    pairs: Counts
    intersections: Counts
    unions: Counts
    foreground: tuple[int, int, int]


def count_overlaps(truth: LabelMap, prediction: LabelMap, frame_width: int = 0) -> Overlaps:
    """Count areas and overlaps in bands of rows, by runs of equal pixels.

    Frame cells are dropped after counting: to every other cell, their pixels are background.

    Args:
        truth: (H, W) integers, 0 is background.
        prediction: (H, W) integers, same shape.
        frame_width: cells with a pixel in the outer rows or columns of this width are left out.

    Raises:
        LabelMapError: if the shapes differ or one is not a label map.
    """
    truth, prediction = check_labels(truth, "truth"), check_labels(prediction, "prediction")
    if truth.shape != prediction.shape:
        raise LabelMapError(f"prediction is {prediction.shape}, truth is {truth.shape}")
    true_labels, true_names = _within_32_bits(truth)
    predicted_labels, predicted_names = _within_32_bits(prediction)
    true_of, predicted_of, pixels = _count_pairs(true_labels, predicted_labels)

    def kept(labels: LabelMap, ids: Counts) -> Counts:
        return np.setdiff1d(ids, frame_cell_ids(labels, frame_width), assume_unique=True)

    true_ids, true_areas = _areas(true_of, pixels)
    predicted_ids, predicted_areas = _areas(predicted_of, pixels)
    true_kept, predicted_kept = kept(true_labels, true_ids), kept(predicted_labels, predicted_ids)
    both = np.isin(true_of, true_kept) & np.isin(predicted_of, predicted_kept)
    shared = pixels[both]
    sums = (
        true_areas[np.searchsorted(true_ids, true_of[both])]
        + predicted_areas[np.searchsorted(predicted_ids, predicted_of[both])]
    )
    rows = np.searchsorted(true_kept, true_of[both])
    columns = np.searchsorted(predicted_kept, predicted_of[both])
    return Overlaps(
        truth_ids=true_kept if true_names is None else true_names[true_kept - 1],
        prediction_ids=(
            predicted_kept if predicted_names is None else predicted_names[predicted_kept - 1]
        ),
        pairs=np.column_stack([rows, columns]),
        intersections=shared,
        unions=sums - shared,
        foreground=(
            int(true_areas.sum()),
            int(predicted_areas.sum()),
            int(pixels[(true_of > 0) & (predicted_of > 0)].sum()),
        ),
    )


def _within_32_bits(labels: LabelMap) -> tuple[LabelMap, Counts | None]:
    """Give labels whose ids fit 32 bits, and the names of the cells 1 … N where that took renaming."""
    if int(labels.max()) < 2**32:
        return labels, None
    ids = cell_ids(labels)
    return np.where(labels == 0, 0, np.searchsorted(ids, labels) + 1), ids


def _count_pairs(truth: LabelMap, prediction: LabelMap) -> tuple[Counts, Counts, Counts]:
    """Count the pixels of each (true id, predicted id) that occurs, background included."""
    rows = max(1, _BAND_PIXELS // truth.shape[1])
    counted = [
        _count_band(truth[start : start + rows].ravel(), prediction[start : start + rows].ravel())
        for start in range(0, truth.shape[0], rows)
    ]
    keys, pixels = _sum_by_key(
        np.concatenate([band[0] for band in counted]), np.concatenate([band[1] for band in counted])
    )
    return (keys >> _ID_BITS).astype(np.int64), (keys & _ID_MASK).astype(np.int64), pixels


def _count_band(
    truth: npt.NDArray[np.integer], prediction: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.uint64], Counts]:
    changes = (truth[1:] != truth[:-1]) | (prediction[1:] != prediction[:-1])
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    lengths = np.diff(starts, append=len(truth))
    keys = (truth[starts].astype(np.uint64) << _ID_BITS) | prediction[starts].astype(np.uint64)
    return _sum_by_key(keys, lengths)


def _sum_by_key(
    keys: npt.NDArray[np.uint64], values: Counts
) -> tuple[npt.NDArray[np.uint64], Counts]:
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(values[order], starts)


def _areas(ids: Counts, pixels: Counts) -> tuple[Counts, Counts]:
    """Sum the pixels of each cell; background is left out."""
    keys, areas = _sum_by_key(ids.astype(np.uint64), pixels)
    cells = keys > 0
    return keys[cells].astype(np.int64), areas[cells]
