"""Label maps: (H, W) integers, 0 is background, one id per cell.

Reading, writing, relabelling, frame cells, validity and run-length codes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.files import MAX_PIXELS, files_by_stem, tiff_faults_raised, written_whole

LabelMap = npt.NDArray[np.integer[Any]]

FRAME_WIDTH = 2
"""Width in pixels of the image border whose cells are not scored (the challenge's compute_metric.py)."""

_ENDING = "_label"
_SUFFIXES = (".tiff", ".tif", ".png")
_TILE = 512
_TABLE_LIMIT = 1 << 26


def label_files(folder: str | Path) -> dict[str, Path]:
    """Find the label maps ``<stem>_label.tiff`` (also .tif and .png) of a folder.

    Returns:
        Image stem to path, sorted.

    Raises:
        LabelMapError: if the folder is absent or two files share a stem.
    """
    return files_by_stem(folder, _SUFFIXES, LabelMapError, ending=_ENDING)


def label_path(folder: str | Path, stem: str) -> Path:
    """Give the path at which the label map of the image ``stem`` is written."""
    return Path(folder) / f"{stem}{_ENDING}.tiff"


def check_labels(labels: npt.NDArray[Any], source: object = "label map") -> LabelMap:
    """Check that an array is a label map.

    Args:
        labels: anything array-like.
        source: what the error names, usually the file.

    Returns:
        The same pixels; booleans become uint8, uint64 becomes int64.

    Raises:
        InvalidLabelsError: if it is not (H, W), holds other than integers, an id below 0 or
            beyond 63 bits, or no pixel.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2:
        raise InvalidLabelsError(f"{source}: a label map is (H, W), this is {labels.shape}")
    if labels.size == 0:
        raise InvalidLabelsError(
            f"{source}: the label map has no pixels, its shape is {labels.shape}"
        )
    if labels.dtype == np.bool_:
        return labels.view(np.uint8)
    if not np.issubdtype(labels.dtype, np.integer):
        raise InvalidLabelsError(
            f"{source}: ids are integers, these are {labels.dtype}; convert first"
        )
    if np.issubdtype(labels.dtype, np.signedinteger) and labels.min() < 0:
        raise InvalidLabelsError(f"{source}: has the negative id {labels.min()}; 0 is background")
    if labels.dtype == np.uint64:  # NumPy compares uint64 with int64 as floats, which lose ids
        if int(labels.max()) > np.iinfo(np.int64).max:
            raise InvalidLabelsError(f"{source}: has the id {labels.max()}; relabel below 2^63")
        return labels.view(np.int64)
    return labels


def read_labels(path: str | Path) -> LabelMap:
    """Read a label map from a TIFF (any compression, BigTIFF, tiled) or a PNG (8 or 16 bits).

    Args:
        path: the file.

    Returns:
        (H, W) integers in the file's own type.

    Raises:
        LabelMapError: if the file is absent or unreadable; as :class:`InvalidLabelsError` if it can be
            read but is no label map.
    """
    path = Path(path)
    if not path.is_file():
        raise LabelMapError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise LabelMapError(f"{path}: the file is empty; write it again")
    try:
        labels = _read_png(path) if path.suffix.lower() == ".png" else _read_tiff(path)
    except LabelMapError:
        raise
    except Exception as error:  # decoders raise whatever a damaged file makes them raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LabelMapError(
            f"{path}: cannot be read as a label map ({reason}); write it again"
        ) from error
    return check_labels(labels, path)


def _read_tiff(path: Path) -> npt.NDArray[Any]:
    with tiff_faults_raised(), tifffile.TiffFile(path) as file:
        series = file.series[0]
        if len(file.series) > 1 or np.prod(series.shape, dtype=float) > MAX_PIXELS:
            shapes = ", ".join(str(one.shape) for one in file.series[:3])
            raise LabelMapError(f"{path}: holds {shapes}; give one map of {MAX_PIXELS} px at most")
        array: npt.NDArray[Any] = series.asarray()
    return array


def _read_png(path: Path) -> npt.NDArray[Any]:
    import imagecodecs

    array: npt.NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    return array


def write_labels(path: str | Path, labels: npt.NDArray[Any]) -> None:
    """Write a label map as zlib TIFF, whole or not at all: uint16 where the ids fit, else uint32.

    Maps larger than 512 px on both sides are tiled, so that windows of whole slides read fast.

    Args:
        path: the file to write; its folder is made.
        labels: (H, W) non-negative integers.

    Raises:
        LabelMapError: if ``labels`` is not a label map or an id does not fit uint32.
    """
    labels = check_labels(labels, path)
    largest = int(labels.max())
    if largest > np.iinfo(np.uint32).max:
        raise LabelMapError(f"{path}: the id {largest} does not fit 32 bits; relabel first")
    dtype = np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32
    tile = (_TILE, _TILE) if min(labels.shape) > _TILE else None
    with written_whole(path) as temporary:
        tifffile.imwrite(
            temporary,
            labels.astype(dtype, copy=False),
            compression="zlib",
            compressionargs={"level": 1},
            tile=tile,
            metadata=None,
        )


def cell_ids(labels: LabelMap) -> npt.NDArray[np.int64]:
    """List the ids of the cells, ascending, without the background.

    Example:
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
    """Give the cells the ids 1 … N in the order of their old ids; ids may be large and gapped.

    Returns:
        (H, W) uint16, or uint32 from 65,536 cells on.

    Example:
        >>> relabel(np.array([[0, 900], [7, 7]])).tolist()
        [[0, 2], [1, 1]]
    """
    return _through_table(check_labels(labels), cell_ids(labels))


def _through_table(labels: LabelMap, ids: npt.NDArray[np.int64]) -> LabelMap:
    """Replace ids[k] by k + 1 and every other id by 0."""
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
    """List the ids with a pixel in the outer ``width`` rows or columns.

    Example:
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
    """Erase every cell that has a pixel in the outer ``width`` rows or columns; other ids stay.

    Example:
        >>> remove_frame_cells(np.array([[4, 0, 0], [0, 5, 0], [0, 0, 0]]), width=1).tolist()
        [[0, 0, 0], [0, 5, 0], [0, 0, 0]]
    """
    ids = cell_ids(labels)
    kept = np.setdiff1d(ids, frame_cell_ids(labels, width), assume_unique=True)
    numbered = _through_table(check_labels(labels), kept)
    return np.concatenate([[0], kept]).astype(labels.dtype)[numbered]


def decode_runs(runs: str, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Decode a Kaggle run-length code into pixel indices.

    Args:
        runs: ``start length start length …``; starts are one-based and count along rows (as in the
            Sartorius competition), sorted and not overlapping.
        shape: (H, W) of the image.

    Returns:
        Indices into the flattened, row-major image.

    Raises:
        LabelMapError: if the runs are no pairs of positive integers, unsorted, overlapping, or end
            outside the image.

    Example:
        >>> decode_runs("2 2 6 1", (2, 3)).tolist()
        [1, 2, 5]
    """
    words = runs.split()
    # 18 digits: what a start and a length together may have without leaving 64 bits.
    numeric = all(word.isascii() and word.isdigit() and len(word) <= 18 for word in words)
    if not numeric or len(words) % 2:
        raise LabelMapError("run-length code: expected pairs of positive integers")
    numbers = np.array(words, dtype=np.int64).reshape(-1, 2)
    starts, lengths = numbers[:, 0] - 1, numbers[:, 1]
    ends = starts + lengths
    if (starts < 0).any() or (lengths < 1).any():
        raise LabelMapError("run-length code: starts and lengths count from 1")
    if (starts[1:] < ends[:-1]).any():
        raise LabelMapError("run-length code: runs are not sorted, or overlap")
    if len(ends) and ends[-1] > shape[0] * shape[1]:
        raise LabelMapError(f"run-length code: ends at pixel {ends[-1]}, the image is {shape}")
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def encode_runs(mask: npt.NDArray[np.bool_]) -> str:
    """Encode a mask as one-based, row-major runs, the inverse of :func:`decode_runs`.

    Example:
        >>> encode_runs(np.array([[False, True, True], [False, False, True]]))
        '2 2 6 1'
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask.ravel(), [False]])))
    starts, ends = edges[::2], edges[1::2]
    return " ".join(f"{start + 1} {end - start}" for start, end in zip(starts, ends, strict=True))
