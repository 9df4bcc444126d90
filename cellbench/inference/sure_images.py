"""Segmenting an image with a trained model, and marking the cells and pixels that the model is sure of."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.data.confidence import IGNORED, Confidence
from cellbench.data.rescale import rescaled_shape, resize_labels
from cellbench.inference.scaling import scaling_of
from cellbench.inference.segment import segment_cells
from cellbench.inference.tiles import tiles
from cellbench.labels import LabelMap
from cellbench.models.segmenter import Segmenter
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.sure_cells import sure_cells

_LARGEST = 255


class _Planes(NamedTuple):
    """What is known about the pixels of a tile: their confidence, and 1 where they are in a cell."""

    confidence: Confidence
    inside: npt.NDArray[np.uint8]


def segment_sure(
    models: Sequence[Segmenter],
    image: npt.NDArray[np.floating],
    gates: Mapping[str, float],
    *,
    diameter: float | None = None,
    **options: Any,
) -> tuple[LabelMap, Confidence]:
    """Segment one image of any size, and mark the cells and pixels that the model is sure of.

    The label map has all cells, as the targets of sure cells depend on what is beside them.

    Args:
        models: a loaded model, or the models of an ensemble, all of which predict dense maps.
        image: (H, W, 3) in [0, 1], see [`segment_image`][cellbench.inference.segment.segment_image].
        gates: options of [`sure_cells`][cellbench.representations.sure_cells.sure_cells] by name.
        diameter: diameter of the cells in pixels; None segments the image as it is.
        **options: further options of [`segment_cells`][cellbench.inference.segment.segment_cells].

    Returns:
        (H, W) label map, ids 1 … N, and (H, W) confidence, see [`cellbench.data.confidence`][]; it is 0 in
        the cells that the model is not sure of.

    Raises:
        CellbenchError: as [`segment_cells`][cellbench.inference.segment.segment_cells].
    """
    parts: list[_Planes] = []

    def decode(representation: Representation, maps: NumpyMaps) -> DecodedCells:
        found = sure_cells(representation, maps, **gates)
        parts.append(
            _Planes(
                _as_bytes(found.confidence, found.ignored), (found.decoded > 0).astype(np.uint8)
            )
        )
        return DecodedCells(found.decoded, {})

    labels = segment_cells(models, image, diameter=diameter, decode=decode, **options).labels
    scale = scaling_of(models[0], diameter).scale
    shape = image.shape[:2] if scale == 1 else rescaled_shape(image.shape, scale)
    confidence, inside = (
        resize_labels(each, image.shape[:2]) for each in _joined(parts, (shape[0], shape[1]))
    )
    # Where a cell was cut off between two tiles or lost its pixels in resizing, nothing is known.
    return labels, np.where((labels > 0) == inside, confidence, IGNORED).astype(np.uint8)


def _as_bytes(probability: npt.NDArray[np.float32], ignored: npt.NDArray[np.bool_]) -> Confidence:
    """Return a probability as a confidence of 1 to 255, and ignored pixels as 0."""
    levels = np.clip(np.rint(_LARGEST * probability), 1, _LARGEST)
    return np.where(ignored, IGNORED, levels).astype(np.uint8)


def _joined(parts: Sequence[_Planes], shape: tuple[int, int]) -> _Planes:
    """Join what is known about the cores of all tiles."""
    if len(parts) == 1:
        return parts[0]
    joined = _Planes(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))
    for tile, part in zip(tiles(shape), parts, strict=True):
        core = tuple(
            slice(seen.start + own.start, seen.start + own.stop)
            for seen, own in zip(tile.seen, tile.core, strict=True)
        )
        for whole, plane in zip(joined, part, strict=True):
            whole[core] = plane[tile.core]
    return joined
