"""Overlaps of the cells of two label maps, without a dense table of cells × cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.evaluation.counting import MANY_IMAGES, pair_counter
from cellbench.evaluation.pairs import Band, BandType, Ids, PairCounter, Window
from cellbench.labels.banded import BAND_PIXELS, BandedLabels, in_bands
from cellbench.labels.maps import LabelMap, cell_ids

_NARROW = 2**32
_TABLE_LIMIT = 1 << 22


@dataclass(frozen=True)
class Overlaps:
    """The scored cells of two label maps, or of one tile of them, and which of them overlap.

    Attributes:
        truth_ids: (T,) ids of the true cells that are scored, ascending.
        truth_areas: (T,) areas of these cells in pixels.
        prediction_ids: (P,) ids of the predicted cells that are scored, ascending.
        prediction_areas: (P,) areas of these cells in pixels.
        pairs: (K, 2) indices into ``truth_ids`` and ``prediction_ids`` of the cells that overlap, in any
            order.
        intersections: (K,) pixels that the two cells of a pair share.
        foreground: foreground pixels of truth, of prediction and of both, cells on the frame included.
    """

    truth_ids: Ids
    truth_areas: Ids
    prediction_ids: Ids
    prediction_areas: Ids
    pairs: Ids
    intersections: Ids
    foreground: tuple[int, int, int]

    @cached_property
    def iou(self) -> npt.NDArray[np.float64]:
        """(K,) intersection over union of each pair.

        A quotient of two integers is rounded only once, and so is a threshold k/20: an IoU exactly at
        the threshold compares as equal.
        """
        areas = self.truth_areas[self.pairs[:, 0]] + self.prediction_areas[self.pairs[:, 1]]
        ratio: npt.NDArray[np.float64] = self.intersections / (areas - self.intersections)
        return ratio


def count_overlaps(
    truth: BandedLabels,
    prediction: BandedLabels,
    frame_width: int = 0,
    part_shape: tuple[int, int] | None = None,
    images: int = MANY_IMAGES,
) -> list[Overlaps]:
    """Count areas and overlaps of the cells of two label maps in one pass over their pixels.

    Args:
        truth: label map with any integer ids; 0 is background.
        prediction: label map of the same shape.
        frame_width: cells with a pixel in this many outer rows or columns are left out.
        part_shape: (H, W) of the tiles that are counted separately, each with its own frame; tiles at
            the right and lower border are filled up with background. By default the whole image.
        images: number of such images that will be counted, approximately.

    Returns:
        One result for each tile.

    Raises:
        LabelMapError: if the shapes differ, an id is negative, or a file turns out to be damaged.
    """
    if truth.shape != prediction.shape:
        raise LabelMapError(
            f"prediction has the shape {prediction.shape}, but truth has {truth.shape}; "
            "both must be label maps of the same image"
        )
    shape = part_shape or truth.shape
    truth, true_names = _within_32_bits(truth)
    prediction, predicted_names = _within_32_bits(prediction)
    # Each type is compiled separately; 8-bit ids are rare enough to be converted.
    wide = max(truth.dtype.itemsize, prediction.dtype.itemsize) > 2
    dtype: BandType = np.dtype(np.uint32 if wide else np.uint16)
    parts: list[Overlaps] = []
    open_parts: list[_Part] = []
    pixels = truth.shape[0] * truth.shape[1]
    for top, true_band, predicted_band in _side_by_side(truth, prediction, dtype, shape[0]):
        if top % shape[0] == 0:
            parts += [part.overlaps(true_names, predicted_names) for part in open_parts]
            lefts = range(0, truth.shape[1], shape[1])
            open_parts = [
                _Part((truth, prediction), shape, left, frame_width, counter)
                for left in lefts
                for counter in [pair_counter(pixels, dtype, images)]
            ]
        for part in open_parts:
            part.add(top % shape[0], true_band, predicted_band)
    return parts + [part.overlaps(true_names, predicted_names) for part in open_parts]


def _within_32_bits(labels: BandedLabels) -> tuple[BandedLabels, Ids | None]:
    """Return labels of at most 32 bits, and the old ids of the cells 1 … N if they were relabelled."""
    if labels.dtype.itemsize <= 4:
        return labels, None
    whole = labels.whole()
    if int(whole.max()) < _NARROW:
        return BandedLabels(labels.source, labels.shape, np.dtype(np.uint32), labels.bands), None
    ids = cell_ids(whole)
    renamed = np.where(whole == 0, 0, np.searchsorted(ids, whole) + 1).astype(np.uint32)
    return in_bands(renamed, labels.source), ids


def _side_by_side(
    truth: BandedLabels,
    prediction: BandedLabels,
    dtype: BandType,
    part_height: int,
) -> Iterator[tuple[int, Band, Band]]:
    """Yield the top row and the pixels of bands, none of which crosses a tile line."""
    height, width = truth.shape
    most = max(1, BAND_PIXELS // width)
    sources = truth.bands(), prediction.bands()
    bands: list[Band] = [np.empty((0, width), dtype)] * 2
    top = 0
    while top < height:
        bands = [
            band if len(band) else _unsigned(next(source), dtype)
            for band, source in zip(bands, sources, strict=True)
        ]
        rows = min(len(bands[0]), len(bands[1]), most, part_height - top % part_height)
        yield top, bands[0][:rows], bands[1][:rows]
        bands = [band[rows:] for band in bands]
        top += rows


def _unsigned(band: LabelMap, dtype: BandType) -> Band:
    """Return the ids as 16 or 32 bits; negative ids become larger than the type of the file allows."""
    if band.dtype.kind == "i" and band.dtype.itemsize == dtype.itemsize:
        return band.view(dtype)
    return band.astype(dtype, copy=False)


class _Part:
    """One tile, or the whole image, while its bands are read."""

    def __init__(
        self,
        maps: tuple[BandedLabels, BandedLabels],
        shape: tuple[int, int],
        left: int,
        frame_width: int,
        counter: PairCounter,
    ) -> None:
        self._maps = maps
        self._shape = shape
        self._left = left
        self._right = min(left + shape[1], maps[0].shape[1])
        self._frame_width = frame_width
        self._counter = counter

    def add(self, row: int, truth: Band, prediction: Band) -> None:
        """Count a band that begins at row ``row`` of this part."""
        width, (height, across) = self._frame_width, self._shape
        rows = width - row, height - width - row
        columns = self._left + width, self._left + across - width
        self._counter.add(truth, prediction, Window(self._left, self._right, *rows, *columns))

    def overlaps(self, true_names: Ids | None, predicted_names: Ids | None) -> Overlaps:
        """Return the overlaps without the cells on the frame, after the last band."""
        true_of, predicted_of, pixels, on_frame = self._counter.total()
        truth = _cells(true_of, pixels, on_frame, self._maps[0])
        prediction = _cells(predicted_of, pixels, on_frame, self._maps[1])
        scored = np.flatnonzero((truth.place >= 0) & (prediction.place >= 0))
        on_both = int(pixels[(true_of > 0) & (predicted_of > 0)].sum())
        return Overlaps(
            truth_ids=truth.ids if true_names is None else true_names[truth.ids - 1],
            truth_areas=truth.areas,
            prediction_ids=(
                prediction.ids if predicted_names is None else predicted_names[prediction.ids - 1]
            ),
            prediction_areas=prediction.areas,
            pairs=np.stack([truth.place[scored], prediction.place[scored]], axis=1),
            intersections=pixels[scored],
            foreground=(truth.foreground, prediction.foreground, on_both),
        )


class _Cells(NamedTuple):
    """The scored cells of one map, and for each pair the place of its cell among them, or −1."""

    ids: Ids
    areas: Ids
    place: Ids
    foreground: int


def _cells(ids: Ids, pixels: Ids, on_frame: npt.NDArray[np.bool_], labels: BandedLabels) -> _Cells:
    largest = int(ids.max(initial=0))
    if largest > np.iinfo(labels.dtype).max:
        raise InvalidLabelsError(
            f"{labels.source}: has negative ids; use positive ids for cells and 0 for background"
        )
    names = None
    # Most of a table with an entry for each id up to the largest would be empty.
    if largest > _TABLE_LIMIT:
        names = np.unique(np.append(ids, 0))
        ids = np.searchsorted(names, ids)
    areas = np.bincount(ids, weights=pixels, minlength=1).astype(np.int64)
    scored = areas > 0
    scored[0] = False  # background is not a cell
    scored[ids[on_frame]] = False
    found = np.flatnonzero(scored)
    place = np.where(scored, np.cumsum(scored) - 1, -1)[ids]
    foreground = int(areas[1:].sum())
    return _Cells(found if names is None else names[found], areas[found], place, foreground)
