"""The comparison of two layers: scores of the challenge, kinds of errors, and their outlines."""

import numpy as np
import pytest
from differing_maps import differing_maps

from cellbench.errors import LabelMapError
from cellbench.evaluation import score_image
from cellbench.napari.comparing import compare, kind_colours
from cellbench.report.page.outlines import KINDS


def test_scores_and_kinds() -> None:
    truth, prediction = differing_maps()
    found = compare(truth, prediction)
    (expected,) = score_image(truth, prediction)
    assert found.score == expected
    assert found.truth == {
        **{1: "matched", 2: "missed", 5: "split"},
        **{10: "merged", 11: "merged", 12: "merged"},
    }
    assert found.prediction == {
        **{1: "matched", 3: "spurious", 5: "split", 6: "split", 7: "split", 900_000: "merged"}
    }
    assert found.counts() == {
        **{"matched": 1, "missed": 1, "spurious": 1, "merged": 1, "split": 3, "poor-outline": 0}
    }
    assert found.summary().startswith(f"F1 {expected.f1:.3f}   precision {expected.precision:.3f}")


def test_outlines_have_the_code_of_the_kind() -> None:
    outlines = compare(*differing_maps()).outlines
    places = [(5, 5), (5, 20), (5, 35), (20, 30), (30, 10), (0, 50)]
    kinds = [KINDS[outlines[place] - 1] for place in places]
    assert kinds == ["matched", "missed", "spurious", "split", "merged", "not-scored"]
    assert outlines[7, 7] == outlines[15, 15] == 0  # inside a cell, and the background


def test_two_empty_maps_and_other_shapes() -> None:
    empty = np.zeros((10, 10), int)
    assert compare(empty, empty).counts()["matched"] == 0
    with pytest.raises(LabelMapError, match="the same image"):
        compare(empty, np.zeros((10, 11), int))


def test_the_colours_are_those_of_the_page() -> None:
    assert list(kind_colours()) == list(KINDS)
    assert kind_colours()["matched"] == "#56b4e9"
