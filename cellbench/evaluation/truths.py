"""Small true label maps, which are decoded once for all algorithms that are scored against them."""

import math
from functools import lru_cache
from pathlib import Path

from cellbench.evaluation.cell_shapes import CellShapes, measure_shapes
from cellbench.labels.banded import BAND_PIXELS, BandedLabels, in_bands
from cellbench.labels.files import open_labels

_SMALL_PIXELS = 1 << 16
_KEPT = 1024  # at most 64 million pixels together

_Version = tuple[Path, int, int]
_Tiles = tuple[int, int] | None


def decoded_once(labels: BandedLabels) -> BandedLabels:
    """Keep a label map in memory if it has at most one band, since overlaps and cells both read it.

    Args:
        labels: the label map.

    Returns:
        The same label map, which may be in memory now.

    Raises:
        LabelMapError: if the label map is small and damaged.
    """
    if math.prod(labels.shape) > BAND_PIXELS:
        return labels
    return in_bands(labels.whole(), labels.source)


def open_truth(path: Path) -> BandedLabels:
    """Open a true label map; a small one is kept until its file changes.

    Args:
        path: the file.

    Raises:
        LabelMapError: if it cannot be read or is not a label map.
    """
    return _small_truth(_version(path)) or decoded_once(open_labels(path))


def truth_shapes(path: Path, truth: BandedLabels, tiles: _Tiles) -> list[CellShapes]:
    """Compute the places and shapes of the cells of a true label map; those of a small one are kept.

    Args:
        path: the file.
        truth: the label map, as [`open_truth`][] returns it.
        tiles: (H, W) of the tiles that are scored separately; None for the whole image.

    Returns:
        One result for each tile, as [`cellbench.evaluation.cell_shapes.measure_shapes`][] returns them.
    """
    if math.prod(truth.shape) > _SMALL_PIXELS:
        return measure_shapes(truth, tiles)
    return _small_shapes(_version(path), tiles)


def _version(path: Path) -> _Version:
    """Return what changes with the content of a file; if there is no file, reading it says so."""
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0
    return path, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=_KEPT)
def _small_truth(version: _Version) -> BandedLabels | None:
    labels = open_labels(version[0])
    return decoded_once(labels) if math.prod(labels.shape) <= _SMALL_PIXELS else None


@lru_cache(maxsize=_KEPT)
def _small_shapes(version: _Version, tiles: _Tiles) -> list[CellShapes]:
    return measure_shapes(open_truth(version[0]), tiles)
