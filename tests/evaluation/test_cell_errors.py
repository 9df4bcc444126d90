"""classify_cells: hand-drawn cases of each kind, and symmetry."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from label_maps import pairs

from cellbench.evaluation.cell_errors import classify_cells
from cellbench.evaluation.matching import match_overlaps
from cellbench.evaluation.overlap import count_overlaps
from cellbench.labels import LabelMap
from cellbench.labels.banded import in_bands

# Merged and split are one here: a cell that is both counts as merged whichever map it is in.
EITHER_MAP = {"merged": "several", "split": "several", "missed": "alone", "spurious": "alone"}


def draw(row: str) -> LabelMap:
    """One row of pixels, a digit for each."""
    return np.array([[int(pixel) for pixel in row.replace(".", "0")]])


def kinds_of(truth: LabelMap, prediction: LabelMap) -> tuple[list[str], list[str]]:
    (overlaps,) = count_overlaps(in_bands(truth), in_bands(prediction))
    truth_kinds, prediction_kinds = classify_cells(overlaps, match_overlaps(overlaps, 0.5))
    return truth_kinds.tolist(), prediction_kinds.tolist()


@pytest.mark.parametrize(
    ("truth", "prediction", "truth_kinds", "prediction_kinds"),
    [
        pytest.param("....", "....", "", "", id="nothing"),
        pytest.param(".11.", ".11.", "matched", "matched", id="the same"),
        pytest.param(".11.", "....", "missed", "", id="no prediction"),
        pytest.param("....", ".11.", "", "spurious", id="no truth"),
        pytest.param("11..", "..11", "missed", "spurious", id="side by side"),
        pytest.param("112233", "111111", "merged merged merged", "merged", id="one over three"),
        pytest.param("111122", "111111", "matched merged", "matched", id="neighbour swallowed"),
        pytest.param("111122..", ".1111111", "merged merged", "merged", id="just over half of one"),
        pytest.param("111122", "..1111", "merged matched", "matched", id="exactly half of one"),
        pytest.param("111122", "...111", "missed matched", "matched", id="under half of one"),
        pytest.param("111122", "333344", "matched matched", "matched matched", id="other ids"),
        pytest.param("111111", "112233", "split", "split split split", id="three in one"),
        pytest.param("111111", "111122", "matched", "matched split", id="fragment left over"),
        pytest.param("1111...", "1222222", "split", "split split", id="small piece and poor piece"),
        pytest.param("1111....", "..1111..", "poor-outline", "poor-outline", id="shifted"),
        pytest.param("111111", ".1....", "poor-outline", "poor-outline", id="too small"),
        pytest.param("1" * 11 + "." * 9, "." * 9 + "1" * 11, *["poor-outline"] * 2, id="IoU 0.1"),
        pytest.param("1" * 11 + "." * 10, "." * 9 + "1" * 12, "missed", "spurious", id="less"),
        pytest.param(
            "1111222222", "111111....", "matched missed", "matched", id="partner is taken"
        ),
        pytest.param("111111....", "1111222222", "matched", "matched spurious", id="cell is taken"),
        pytest.param(
            "11111122.", "2..11111.", "merged merged", "merged split", id="merged before split"
        ),
        pytest.param(
            "111....222", "1111111111", "merged merged", "merged", id="with background between"
        ),
    ],
)
def test_hand_drawn_cells(
    truth: str, prediction: str, truth_kinds: str, prediction_kinds: str
) -> None:
    expected = truth_kinds.split(), prediction_kinds.split()
    assert kinds_of(draw(truth), draw(prediction)) == expected


@given(pairs())
def test_swapping_the_maps_swaps_the_kinds(pair: tuple[LabelMap, LabelMap]) -> None:
    counts, swapped = (
        [Counter(EITHER_MAP.get(kind, kind) for kind in kinds) for kinds in kinds_of(*maps)]
        for maps in (pair, pair[::-1])
    )
    assert swapped == counts[::-1]
