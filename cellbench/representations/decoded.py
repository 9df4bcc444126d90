"""Decoded cells and their measures: decoding with a representation, and numbering the cells 1 … N."""

import numpy as np
import numpy.typing as npt

from cellbench.labels import cell_ids, relabel
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation

FAINT = 0.1
"""Score from which a cell that is not decoded still makes a pixel's foreground uncertain."""


def decoded_cells(representation: Representation, maps: NumpyMaps) -> DecodedCells:
    """Decode maps to the label map of ``decode``, with measures of each cell where there are any.

    A class that replaces only the method ``decode`` of a representation with measures may return other
    cells, whose measures are not known. Then there are none.

    Args:
        representation: any representation.
        maps: (C, H, W) for each map, encoded or predicted.
    """
    for kind in type(representation).__mro__:
        if "decode_cells" in vars(kind):
            return representation.decode_cells(maps)
        if "decode" in vars(kind):
            break
    return DecodedCells(representation.decode(maps), {})


def renumbered(cells: DecodedCells) -> DecodedCells:
    """Number cells 1 … N in the order of their ids, and leave out the values of ids without a pixel.

    Args:
        cells: a label map whose ids may have gaps, and measures with one value for each id from 1 on.

    Returns:
        The label map as [`cellbench.labels.relabel`][] returns it, and (N,) values of each measure.

    Raises:
        InvalidLabelsError: if the array is not a label map.
        ValueError: if a measure has no value for an id of the label map.

    Examples:
        >>> cells = DecodedCells(np.array([[3, 0, 1]]), {"score": np.array([0.5, 0.25, 1.0])})
        >>> labels, measures = renumbered(cells)
        >>> labels.tolist(), measures["score"].tolist()
        ([[2, 0, 1]], [0.5, 1.0])
    """
    labels = relabel(cells.labels)
    if not cells.measures:
        return DecodedCells(labels, {})
    ids = cell_ids(cells.labels)
    largest = int(ids.max(initial=0))
    measures = {}
    for name, values in cells.measures.items():
        if np.ndim(values) != 1 or len(values) < largest:
            raise ValueError(
                f"measure {name!r} of the decoded cells: an array of the shape {np.shape(values)} has no "
                f"value for the cell {largest}; return one value for each id from 1 on"
            )
        measures[name] = np.asarray(values, np.float32)[ids - 1]
    return DecodedCells(labels, measures)


def painted(cells: DecodedCells, measure: str) -> npt.NDArray[np.float32]:
    """Return the measure of the cell at each pixel, (H, W); 0 outside of cells.

    Args:
        cells: a label map, ids 1 … N, and its measures.
        measure: name of the measure.

    Examples:
        >>> cells = DecodedCells(np.array([[2, 0, 1]]), {"score": np.array([0.5, 0.25], np.float32)})
        >>> painted(cells, "score").tolist()
        [[0.25, 0.0, 0.5]]
    """
    values = np.concatenate([np.zeros(1, np.float32), cells.measures[measure]])
    at_pixels: npt.NDArray[np.float32] = values[cells.labels]
    return at_pixels
