"""Compares two label maps: scores, and the outlines of cells by what is right or wrong with them."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import cellbench.report.page
from cellbench.errors import LabelMapError
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.scoring import ImageScore, count_parts, score_parts
from cellbench.labels import LabelMap, in_bands
from cellbench.labels.drawing import inner_outlines
from cellbench.report.page.outlines import KINDS, THRESHOLD, KindById, kinds_by_id

Codes = npt.NDArray[np.uint8]
"""(H, W); 0 is no outline, and the others are 1 + the place of a kind in ``KINDS``."""

_PROTOCOL = "neurips22"
_COLOUR = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b")


class Comparison(NamedTuple):
    """How a prediction differs from the truth.

    Attributes:
        score: counts, F1, precision and recall at IoU 0.5, by the rules of the challenge.
        truth: the kind of each scored true cell by id, see
            [`cellbench.evaluation.cell_errors.classify_cells`][].
        prediction: the kind of each scored predicted cell by id.
        outlines: the kind of the cell at each pixel of an outline.
    """

    score: ImageScore
    truth: KindById
    prediction: KindById
    outlines: Codes

    def counts(self) -> dict[str, int]:
        """Return the number of cells of each kind: matched, missed from the truth, others as predicted."""
        true, predicted = Counter(self.truth.values()), Counter(self.prediction.values())
        return {kind: (true if kind == "missed" else predicted)[kind] for kind in KINDS[:-1]}

    def summary(self) -> str:
        """Return F1, precision, recall and the numbers of cells in one line."""
        one = self.score
        return (
            f"F1 {one.f1:.3f}   precision {one.precision:.3f}   recall {one.recall:.3f}   "
            f"({one.tp} of {one.true_cells} true cells matched; predicted cells without a match: {one.fp})"
        )


def compare(truth: LabelMap, prediction: LabelMap) -> Comparison:
    """Compare a prediction with the truth, at IoU 0.5 and by the rules of the challenge.

    Args:
        truth: (H, W) label map.
        prediction: (H, W) label map.

    Raises:
        LabelMapError: if the shapes differ, or one is not a label map.
    """
    if truth.ndim != 2 or truth.shape != prediction.shape:
        raise LabelMapError(
            f"the truth has the shape {truth.shape} and the prediction {prediction.shape}; choose two "
            "label maps (height, width) of the same image"
        )
    maps = in_bands(truth, "truth"), in_bands(prediction, "prediction")
    parts = count_parts(*maps, get_protocol(_PROTOCOL), images=1)
    (score,) = score_parts(parts, (THRESHOLD,))
    kinds = kinds_by_id(parts)
    outlines = np.zeros(truth.shape, np.uint8)
    # The outlines of matched cells are drawn once; of the others, both show what is wrong.
    wrong = {cell: kind for cell, kind in kinds[0].items() if kind != "matched"}
    _draw(outlines, truth, wrong)
    _draw(outlines, prediction, kinds[1] | _not_scored(prediction, kinds[1]))
    return Comparison(score, *kinds, outlines)


def _not_scored(labels: LabelMap, scored: KindById) -> KindById:
    cells = set(np.unique(labels).tolist()) - scored.keys() - {0}
    return dict.fromkeys(cells, "not-scored")


def _draw(codes: Codes, labels: LabelMap, kinds: Mapping[int, str]) -> None:
    """Write the kinds of cells along their outlines."""
    if not kinds:
        return
    ids = np.array(sorted(kinds))
    values = np.array([1 + KINDS.index(kinds[cell]) for cell in ids.tolist()], np.uint8)
    rows, columns = np.nonzero(inner_outlines(labels))
    cells = labels[rows, columns]
    places = np.minimum(np.searchsorted(ids, cells), len(ids) - 1)
    known = ids[places] == cells
    codes[rows[known], columns[known]] = values[places[known]]


@cache
def kind_colours() -> dict[str, str]:
    """Return the colour of each kind of cells, those of the page of a board.

    Returns:
        Colour such as ``#56b4e9`` by kind, in the order of the legend.
    """
    style = Path(cellbench.report.page.__file__).with_name("page.css").read_text("utf-8")
    colours = dict(reversed(_COLOUR.findall(style)))  # the first one is that of the light page
    return {kind: colours[kind] for kind in KINDS}
