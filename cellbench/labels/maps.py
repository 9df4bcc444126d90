"""Label maps, (H, W) integers: validity, ids, relabelling, cells on the frame."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.errors import InvalidLabelsError

LabelMap = npt.NDArray[np.integer[Any]]

FRAME_WIDTH = 2
"""Width in pixels of the image border whose cells are not scored (the challenge's compute_metric.py)."""

_TABLE_LIMIT = 1 << 26
_BEYOND_IDS = 2.0**63


def check_labels(labels: npt.NDArray[Any], source: object = "label map") -> LabelMap:
    """Check that an array is a label map.

    Args:
        labels: anything that NumPy can convert to an array.
        source: what the error message names, usually the file.

    Returns:
        The same pixels; booleans become uint8, uint64 and whole floating-point numbers become int64.

    Raises:
        InvalidLabelsError: if it is not (H, W), does not consist of whole numbers, has an id below 0 or
            beyond 63 bits, or has no pixels.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2:
        raise InvalidLabelsError(
            f"{source}: a label map has two dimensions (H, W), but this array has the shape "
            f"{labels.shape}; save a single label map"
        )
    if labels.size == 0:
        raise InvalidLabelsError(
            f"{source}: the label map has no pixels (shape {labels.shape}); save it again"
        )
    if labels.dtype == np.bool_:
        return labels.view(np.uint8)
    if np.issubdtype(labels.dtype, np.floating):
        labels = whole_numbers(labels, source)
    if not np.issubdtype(labels.dtype, np.integer):
        raise InvalidLabelsError(
            f"{source}: ids must be integers, but these are {labels.dtype}; convert them to integers"
        )
    if np.issubdtype(labels.dtype, np.signedinteger) and labels.min() < 0:
        raise InvalidLabelsError(
            f"{source}: has the negative id {labels.min()}; use positive ids for cells and 0 for "
            "background"
        )
    if labels.dtype.kind == "u" and labels.dtype.itemsize == 8:
        # NumPy compares uint64 with int64 as floats, which cannot represent all ids.
        if int(labels.max()) > np.iinfo(np.int64).max:
            raise InvalidLabelsError(
                f"{source}: has the id {labels.max()}; relabel the cells with ids below 2^63"
            )
        return labels.astype(np.uint64, copy=False).view(np.int64)
    return labels


def whole_numbers(pixels: npt.NDArray[np.floating[Any]], source: object) -> npt.NDArray[np.int64]:
    """Convert ids that are stored as floating-point numbers, as ImageJ and CellProfiler do.

    Args:
        pixels: the numbers, of any shape.
        source: what the error message names, usually the file.

    Returns:
        The same numbers as integers.

    Raises:
        InvalidLabelsError: if a number has a fraction, is infinite or NaN, or does not fit into 63 bits.

    Examples:
        >>> whole_numbers(np.array([0.0, 7.0]), "a.tif").tolist()
        [0, 7]
    """
    if pixels.dtype.itemsize == 2:  # the limit below does not fit into 16 bits
        pixels = pixels.astype(np.float32)
    with np.errstate(invalid="ignore"):
        ids = pixels.astype(np.int64)
    wrong = (ids != pixels) | (abs(pixels) >= _BEYOND_IDS)
    if wrong.any():
        raise InvalidLabelsError(
            f"{source}: ids must be whole numbers, but this array contains {pixels[wrong][0]:g}; it may "
            "be a picture or a map of probabilities"
        )
    return ids


def cell_ids(labels: LabelMap) -> npt.NDArray[np.int64]:
    """Return the ids of the cells, ascending, without the background.

    Args:
        labels: (H, W) label map.

    Returns:
        (N,) ids.

    Examples:
        >>> cell_ids(np.array([[0, 70000], [3, 3]])).tolist()
        [3, 70000]
    """
    labels = check_labels(labels)
    if int(labels.max()) < _TABLE_LIMIT:
        present = np.zeros(int(labels.max()) + 1, bool)
        present[labels.ravel()] = True
        present[0] = False
        return np.flatnonzero(present).astype(np.int64)
    return _without_background(np.unique(labels))


def relabel(labels: LabelMap) -> LabelMap:
    """Renumber the cells 1 … N in the order of their old ids, which may be large and have gaps.

    Args:
        labels: (H, W) label map.

    Returns:
        (H, W) uint16, or uint32 from 65,536 cells on.

    Examples:
        >>> relabel(np.array([[0, 900], [7, 7]])).tolist()
        [[0, 2], [1, 1]]
    """
    return _through_table(check_labels(labels), cell_ids(labels))


def _through_table(labels: LabelMap, ids: npt.NDArray[np.int64]) -> LabelMap:
    """Replace ids[k] by k + 1, and every other id by 0."""
    dtype = np.uint16 if len(ids) <= np.iinfo(np.uint16).max else np.uint32
    largest = int(labels.max())
    if largest < _TABLE_LIMIT:
        table: LabelMap = np.zeros(largest + 1, dtype)
        table[ids] = np.arange(1, len(ids) + 1, dtype=dtype)
        return table[labels]
    place = np.searchsorted(ids, labels).clip(max=max(len(ids) - 1, 0))
    kept = ids[place] == labels if len(ids) else np.zeros(labels.shape, bool)
    return np.where(kept, place + 1, 0).astype(dtype)


def frame_cell_ids(labels: LabelMap, width: int = FRAME_WIDTH) -> npt.NDArray[np.int64]:
    """Return the ids of the cells on the frame: those with a pixel in the outer rows or columns.

    Args:
        labels: (H, W) label map.
        width: number of rows or columns that belong to the frame on each side.

    Returns:
        (N,) ids, ascending.

    Examples:
        >>> frame_cell_ids(np.diag([0, 0, 1, 2, 2, 0, 3])).tolist()
        [3]
    """
    if width <= 0:
        return np.array([], np.int64)
    labels = check_labels(labels)
    edges = (labels[:width], labels[-width:], labels[:, :width], labels[:, -width:])
    return _without_background(np.unique(np.concatenate([edge.ravel() for edge in edges])))


def _without_background(ids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    cells: npt.NDArray[np.int64] = ids[ids != 0].astype(np.int64)
    return cells


def remove_frame_cells(labels: LabelMap, width: int = FRAME_WIDTH) -> LabelMap:
    """Remove the cells on the frame: those with a pixel in the outer rows or columns.

    Args:
        labels: (H, W) label map.
        width: number of rows or columns that belong to the frame on each side.

    Returns:
        (H, W) label map in which the other cells keep their ids.

    Examples:
        >>> remove_frame_cells(np.array([[4, 0, 0], [0, 5, 0], [0, 0, 0]]), width=1).tolist()
        [[0, 0, 0], [0, 5, 0], [0, 0, 0]]
    """
    ids = cell_ids(labels)
    kept = np.setdiff1d(ids, frame_cell_ids(labels, width), assume_unique=True)
    numbered = _through_table(check_labels(labels), kept)
    return np.concatenate([[0], kept]).astype(labels.dtype)[numbered]
