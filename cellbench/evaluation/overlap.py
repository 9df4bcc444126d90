"""What two label maps have in common, cell by cell: no dense table of cells × cells."""

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
        truth_areas: (T,) their pixels.
        prediction_ids: (P,) ids of the predicted cells that are scored, ascending.
        prediction_areas: (P,) their pixels.
        pairs: (K, 2) indices into ``truth_ids`` and ``prediction_ids`` of the cells that overlap, in any
            order.
        intersections: (K,) pixels that the two cells of a pair share.
        foreground: pixels of truth, of prediction and of both, frame cells included.
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

        A quotient of two integers is rounded once, as a threshold k/20 is, so that an IoU exactly at
        the threshold compares equal.
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
        truth: any integer ids; 0 is background.
        prediction: the same shape.
        frame_width: cells with a pixel in the outer rows or columns of this width are left out.
        part_shape: (H, W) of the tiles that are counted apart, each with its own frame; the last of
            a row or column are filled up with background. The whole image unless given.
        images: how many such images will be counted, about.

    Returns:
        One result for each tile.

    Raises:
        LabelMapError: if the shapes differ, an id is negative, or a file turns out damaged.
    """
    if truth.shape != prediction.shape:
        raise LabelMapError(f"prediction is {prediction.shape}, truth is {truth.shape}")
    shape = part_shape or truth.shape
    truth, true_names = _within_32_bits(truth)
    prediction, predicted_names = _within_32_bits(prediction)
    # Two types would be two programs to compile; ids of 8 bits are rare enough to be widened.
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
    """Give labels of at most 32 bits, and the names of the cells 1 … N where that took renaming."""
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
    """Give the top row and the pixels of bands that lie in one row of tiles."""
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
    """Give the ids in a type of 16 or 32 bits; what is negative becomes too large for its type."""
    if band.dtype.kind == "i" and band.dtype.itemsize == dtype.itemsize:
        return band.view(dtype)
    return band.astype(dtype, copy=False)


class _Part:
    """One tile, or the whole image, while its bands come in."""

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
        """Count a band that begins at this row of the part."""
        width, (height, across) = self._frame_width, self._shape
        rows = width - row, height - width - row
        columns = self._left + width, self._left + across - width
        self._counter.add(truth, prediction, Window(self._left, self._right, *rows, *columns))

    def overlaps(self, true_names: Ids | None, predicted_names: Ids | None) -> Overlaps:
        """Leave out the cells on the frame, now that all bands are in."""
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
    """The scored cells of one map, and the place among them of the cell of each pair, or -1."""

    ids: Ids
    areas: Ids
    place: Ids
    foreground: int


def _cells(ids: Ids, pixels: Ids, on_frame: npt.NDArray[np.bool_], labels: BandedLabels) -> _Cells:
    largest = int(ids.max(initial=0))
    if largest > np.iinfo(labels.dtype).max:
        raise InvalidLabelsError(f"{labels.source}: has negative ids; 0 is background")
    names = None
    if largest > _TABLE_LIMIT:  # a table of all ids up to the largest would be mostly empty
        names = np.unique(np.append(ids, 0))
        ids = np.searchsorted(names, ids)
    areas = np.bincount(ids, weights=pixels, minlength=1).astype(np.int64)
    scored = areas > 0
    scored[0] = False  # background is no cell
    scored[ids[on_frame]] = False
    found = np.flatnonzero(scored)
    place = np.where(scored, np.cumsum(scored) - 1, -1)[ids]
    foreground = int(areas[1:].sum())
    return _Cells(found if names is None else names[found], areas[found], place, foreground)
