"""The outlines of cells as SVG paths, in pixels of a window."""

from collections.abc import Mapping

import cv2
import numpy as np
from scipy.ndimage import find_objects

from cellbench.evaluation.cell_errors import Kinds, classify_cells
from cellbench.evaluation.matching import match_overlaps
from cellbench.evaluation.overlap import Overlaps
from cellbench.evaluation.pairs import Ids
from cellbench.labels import LabelMap, relabel

KINDS = ("matched", "missed", "spurious", "merged", "split", "poor-outline", "not-scored")
"""Kinds of cells in the order of the legend, as ``classify_cells`` defines them.

Cells that touch the border of the image are not scored."""

THRESHOLD = 0.5
"""IoU from which two cells count as matched, as in the scores."""

_TOLERANCE = 0.5  # pixels by which a simplified outline may deviate: the precision of the raster
_SHARPER = 8  # outlines with at most this many points are not simplified

KindById = dict[int, str]


def kinds_by_id(parts: list[Overlaps]) -> tuple[KindById, KindById]:
    """Classify each scored cell of truth and prediction.

    Args:
        parts: overlaps of the image, or of each of its tiles.

    Returns:
        Kind by id of the true cells, and of the predicted cells; cells without a kind were not scored.
    """
    truth: KindById = {}
    prediction: KindById = {}
    for part in parts:
        kinds = classify_cells(part, match_overlaps(part, THRESHOLD))
        truth |= _by_id(part.truth_ids, kinds[0])
        prediction |= _by_id(part.prediction_ids, kinds[1])
    return truth, prediction


def _by_id(ids: Ids, kinds: Kinds) -> KindById:
    return dict(zip(ids.tolist(), kinds.tolist(), strict=True))


def cell_paths(labels: LabelMap) -> dict[int, str]:
    """Trace each cell of a window.

    Args:
        labels: (H, W) label map; a cell may have several pieces.

    Returns:
        SVG path by id: closed, in whole pixels; (0, 0) is the centre of the first pixel.

    Examples:
        >>> cell_paths(np.pad(np.full((2, 3), 7), 1))
        {7: 'M1 1v1h2v-1z'}
    """
    ids = np.unique(labels)
    numbered = relabel(labels).astype(np.int32)
    boxes = find_objects(numbered)
    paths = {}
    for number, cell in enumerate(ids[ids > 0].tolist(), start=1):
        rows, columns = boxes[number - 1]
        mask = (numbered[rows, columns] == number).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        paths[cell] = "".join(_path(line, columns.start, rows.start) for line in contours)
    return paths


def _path(contour: cv2.typing.MatLike, left: int, top: int) -> str:
    if len(contour) > _SHARPER:
        contour = cv2.approxPolyDP(contour, _TOLERANCE, True)
    points = np.add(contour[:, 0, :].astype(int), (left, top))
    start = f"M{points[0, 0]} {points[0, 1]}"
    if len(points) == 1:
        return f"{start}h0z"  # round line ends make it a dot
    return start + "".join(_step(int(x), int(y)) for x, y in np.diff(points, axis=0)) + "z"


def _step(across: int, down: int) -> str:
    """Write one line to the next point in as few characters as SVG allows."""
    if not down:
        return f"h{across}"
    if not across:
        return f"v{down}"
    return f"l{across}{'' if down < 0 else ' '}{down}"


def join_by_kind(paths: Mapping[int, str], kinds: Mapping[int, str]) -> dict[str, str]:
    """Join the paths of all cells of the same kind.

    Args:
        paths: SVG path by id.
        kinds: kind by id; cells without one are not scored.

    Returns:
        One path by kind, in the order of [`KINDS`][]; kinds without cells are left out.
    """
    joined: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for cell, path in paths.items():
        joined[kinds.get(cell, "not-scored")].append(path)
    return {kind: "".join(parts) for kind, parts in joined.items() if parts}
