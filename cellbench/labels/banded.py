"""Label maps that are read in bands from top to bottom, so that whole slides need little memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cellbench.labels.maps import LabelMap, check_labels, whole_numbers

BAND_PIXELS = 1 << 22
"""Approximate pixels of a band: enough to make the work per band negligible, and small in memory."""

_NATIVE = map(np.dtype, ("u1", "u2", "u4", "i1", "i2", "i4", "i8"))
_ID_TYPES: dict[np.dtype[Any], np.dtype[Any]] = {dtype: dtype for dtype in _NATIVE}


class Bands(Protocol):
    """Yields the bands (rows, W) of a label map from top to bottom; each call starts at the top."""

    def __call__(self, rows: int | None = None) -> Iterator[LabelMap]:
        """Read the label map.

        Args:
            rows: smallest number of rows of a band, except for the last one; by default a band has
                about [`BAND_PIXELS`][].
        """


@dataclass(frozen=True)
class BandedLabels:
    """A label map as bands of rows.

    Attributes:
        source: what error messages name, usually the file.
        shape: (H, W) in pixels.
        dtype: integer type of the ids, in the machine's byte order.
        bands: yields the bands, which may be read-only. They are not checked for negative ids.
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
    """Return a label map in memory as bands, which are views of it.

    Args:
        labels: (H, W) integers, booleans or whole floating-point numbers.
        source: what error messages name.

    Raises:
        InvalidLabelsError: if it is not (H, W), does not consist of integers, or has no pixels.
    """
    labels = np.asarray(labels)
    dtype = checked_type(labels.shape, labels.dtype, source)

    def bands(rows: int | None = None) -> Iterator[LabelMap]:
        rows = band_rows(labels.shape, rows)
        for top in range(0, len(labels), rows):
            yield as_ids(labels[top : top + rows], dtype, source)

    return BandedLabels(source, labels.shape, dtype, bands)


def band_rows(shape: tuple[int, ...], rows: int | None = None, multiple: int = 1) -> int:
    """Return the number of rows of a band.

    Args:
        shape: (H, W) of the label map.
        rows: smallest number of rows; by default a band has about [`BAND_PIXELS`][].
        multiple: the result is rounded up to a multiple of this.
    """
    wanted = rows or max(1, BAND_PIXELS // shape[1])
    return -(-wanted // multiple) * multiple


def checked_type(shape: tuple[int, ...], dtype: npt.DTypeLike, source: object) -> np.dtype[Any]:
    """Return the type in which the ids of an array will be stored, before the array is read.

    Args:
        shape: shape of the array.
        dtype: type of the array.
        source: what error messages name.

    Raises:
        InvalidLabelsError: if an array of this shape and type is not a label map.
    """
    if len(shape) == 2 and 0 not in shape and (known := _ID_TYPES.get(np.dtype(dtype))):
        return known
    # An array of the same shape and type that needs almost no memory.
    like = np.broadcast_to(np.zeros((), np.dtype(dtype).newbyteorder("=")), shape)
    return check_labels(like[:1, :1] if like.ndim == 2 and like.size else like, source).dtype


def as_ids(pixels: npt.NDArray[Any], dtype: np.dtype[Any], source: object) -> LabelMap:
    """Return stored pixels in the type that [`checked_type`][] returned.

    Args:
        pixels: pixels as they are stored in the file.
        dtype: the type of the result.
        source: what error messages name.

    Raises:
        InvalidLabelsError: if an id is not a whole number or does not fit into 63 bits.
    """
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if native.dtype.kind == "f":
        return whole_numbers(native, source)
    if native.dtype == np.uint64:
        return check_labels(native, source)
    return native.astype(dtype, copy=False)
