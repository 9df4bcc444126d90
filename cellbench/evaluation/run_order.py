"""A warning if a run-length table seems to be read in the wrong direction."""

import logging
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from cellbench.data.mask_table import ORDERS
from cellbench.errors import CellbenchError
from cellbench.evaluation.masks import MaskRows
from cellbench.evaluation.truths import open_truth
from cellbench.labels import LabelMap, run_pixels

_MOST_IMAGES = 8
_MOST_CELLS = 100
_LEAST_SHARE = 0.5
_LEAST_GAIN = 0.2

_log = logging.getLogger(__name__)


def warn_of_run_order(predictions: Path, images: Sequence[tuple[Path, object]]) -> None:
    """Warn if the runs of a table would fit the truth better in the other direction.

    Args:
        predictions: the table, for the message.
        images: true label map and prediction of each image; only the rows of a run-length table are looked
            at, and only those of a few images.
    """
    rows = [(truth, masks) for truth, masks in images if isinstance(masks, MaskRows)]
    shares = [share for share in (_shares(*each) for each in islice(rows, _MOST_IMAGES)) if share]
    if not shares:
        return
    used = rows[0][1].order
    fits = dict(zip(ORDERS, np.mean(shares, axis=0), strict=True))
    other = next(order for order in ORDERS if order != used)
    if fits[other] >= _LEAST_SHARE and fits[other] >= fits[used] + _LEAST_GAIN:
        _log.warning(
            "%s: the run-length codes are read along the %s, but fit the truth better the other way "
            "(on average %.0f %% of a predicted cell is in one true cell, instead of %.0f %%); add "
            "--order %s",
            predictions,
            used,
            100 * fits[other],
            100 * fits[used],
            other,
        )


def _shares(truth: Path, masks: MaskRows) -> tuple[float, float] | None:
    """Return the mean share of a predicted cell in one true cell: along the rows, down the columns."""
    try:
        labels = open_truth(truth).whole()
        cells = masks.cells(labels.shape)[:_MOST_CELLS]
    except CellbenchError:  # reported when the image is scored
        return None
    if not cells:
        return None
    pixels = [run_pixels(*cell) for cell in cells]
    along, down = (
        float(np.mean([_largest_share(flat[cell]) for cell in pixels]))
        for flat in (labels.ravel(), labels.T.ravel())
    )
    return along, down


def _largest_share(ids: LabelMap) -> float:
    """Return the share of the most frequent cell among the pixels; the background is no cell."""
    _, counts = np.unique(ids[ids > 0], return_counts=True)
    return float(counts.max(initial=0) / len(ids))
