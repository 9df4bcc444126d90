"""Label maps that are read from top to bottom, so that a whole slide need not fit in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cellbench.labels.maps import LabelMap, check_labels

BAND_PIXELS = 1 << 22
"""Pixels of a band, about: large enough that the work per band does not count, small in memory."""

_NATIVE = map(np.dtype, ("u1", "u2", "u4", "i1", "i2", "i4", "i8"))
_ID_TYPES: dict[np.dtype[Any], np.dtype[Any]] = {dtype: dtype for dtype in _NATIVE}


class Bands(Protocol):
    """Gives the bands (rows, W) of a label map, from top to bottom; each call starts anew."""

    def __call__(self, rows: int | None = None) -> Iterator[LabelMap]:
        """Read the map.

        Args:
            rows: the least rows of a band but the last; about :data:`BAND_PIXELS` unless given.
        """


@dataclass(frozen=True)
class BandedLabels:
    """A label map as bands of rows.

    Attributes:
        source: what errors name, usually the file.
        shape: (H, W).
        dtype: the type of the ids, an integer of the machine's byte order.
        bands: gives the bands, which may be read-only. Negative ids are not looked for.
    """

    source: object
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    bands: Bands

    def whole(self) -> LabelMap:
        """Read all bands as one map.

        Raises:
            LabelMapError: if the file is damaged or has negative ids.
        """
        return check_labels(next(self.bands(self.shape[0])), self.source)


def in_bands(labels: LabelMap, source: object = "label map") -> BandedLabels:
    """Give a label map in memory as bands, which are views of it.

    Args:
        labels: (H, W) integers or booleans.
        source: what errors name.

    Raises:
        InvalidLabelsError: if it is not (H, W), holds other than integers, or no pixel.
    """
    labels = np.asarray(labels)
    dtype = checked_type(labels.shape, labels.dtype, source)

    def bands(rows: int | None = None) -> Iterator[LabelMap]:
        rows = band_rows(labels.shape, rows)
        for top in range(0, len(labels), rows):
            yield as_ids(labels[top : top + rows], dtype, source)

    return BandedLabels(source, labels.shape, dtype, bands)


def band_rows(shape: tuple[int, ...], rows: int | None = None, multiple: int = 1) -> int:
    """Give the rows of a band: those asked for, else about :data:`BAND_PIXELS`, up to a multiple."""
    wanted = rows or max(1, BAND_PIXELS // shape[1])
    return -(-wanted // multiple) * multiple


def checked_type(shape: tuple[int, ...], dtype: npt.DTypeLike, source: object) -> np.dtype[Any]:
    """Give the type in which to hold such an array, before it is read.

    Raises:
        InvalidLabelsError: if an array of this shape and type is no label map.
    """
    if len(shape) == 2 and 0 not in shape and (known := _ID_TYPES.get(np.dtype(dtype))):
        return known
    # An array of the same shape and type in next to no memory.
    like = np.broadcast_to(np.zeros((), np.dtype(dtype).newbyteorder("=")), shape)
    return check_labels(like[:1, :1] if like.ndim == 2 and like.size else like, source).dtype


def as_ids(pixels: npt.NDArray[Any], dtype: np.dtype[Any], source: object) -> LabelMap:
    """Give pixels as they are stored in the type that :func:`checked_type` gave.

    Raises:
        InvalidLabelsError: if an id does not fit 63 bits.
    """
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if native.dtype == np.uint64:
        return check_labels(native, source)
    return native.astype(dtype, copy=False)
