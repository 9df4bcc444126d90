"""The comparison of two layers: scores of the challenge, kinds of errors, and their outlines."""

import numpy as np
import pytest

from cellbench.errors import LabelMapError
from cellbench.evaluation import score_image
from cellbench.napari.comparing import compare, kind_colours
from cellbench.report.page.outlines import KINDS


def maps() -> tuple[np.ndarray, np.ndarray]:
    """Return a truth with ids 1, 2, 3, 4, 5, and a prediction with one error of each kind."""
    truth, prediction = np.zeros((40, 60), int), np.zeros((40, 60), int)
    truth[5:11, 5:11] = prediction[5:11, 5:11] = 1  # matched
    truth[5:11, 20:26] = 2  # missed
    prediction[5:11, 35:41] = 3  # spurious
    truth[20:26, 5:11], truth[20:26, 11:17] = 3, 4
    prediction[20:26, 5:17] = 900_000  # merges 3 and 4
    truth[20:26, 30:42] = 5
    prediction[20:26, 30:34], prediction[20:26, 34:38], prediction[20:26, 38:42] = 5, 6, 7
    truth[0:4, 50:55] = prediction[0:4, 50:55] = 8  # touches the border
    return truth, prediction


def test_scores_and_kinds() -> None:
    truth, prediction = maps()
    found = compare(truth, prediction)
    (expected,) = score_image(truth, prediction)
    assert found.score == expected
    assert found.prediction == {
        1: "matched", 3: "spurious", 5: "split", 6: "split", 7: "split", 900_000: found.prediction[900_000],
    }  # fmt: skip
    assert found.truth[2] == "missed"
    counts = found.counts()
    assert (counts["missed"], counts["spurious"], counts["split"]) == (1, 1, 3)
    assert found.summary().startswith(f"F1 {expected.f1:.3f}   precision {expected.precision:.3f}")


def test_outlines_have_the_code_of_the_kind() -> None:
    outlines = compare(*maps()).outlines
    names = {place: KINDS[outlines[place] - 1] for place in [(5, 5), (5, 20), (5, 35), (20, 30)]}
    assert list(names.values()) == ["matched", "missed", "spurious", "split"]
    assert KINDS[outlines[0, 50] - 1] == "not-scored"
    assert outlines[7, 7] == outlines[15, 15] == 0  # inside a cell, and the background


def test_merged_cells() -> None:
    truth, prediction = np.zeros((30, 50), int), np.zeros((30, 50), int)
    for index in range(3):
        truth[10:16, 10 + 6 * index : 16 + 6 * index] = 1 + index
    prediction[10:16, 10:28] = 9
    found = compare(truth, prediction)
    assert set(found.truth.values()) == {"merged"}
    assert found.prediction == {9: "merged"}


def test_two_empty_maps_and_other_shapes() -> None:
    empty = np.zeros((10, 10), int)
    assert compare(empty, empty).counts()["matched"] == 0
    with pytest.raises(LabelMapError, match="the same image"):
        compare(empty, np.zeros((10, 11), int))


def test_the_colours_are_those_of_the_page() -> None:
    assert list(kind_colours()) == list(KINDS)
    assert kind_colours()["matched"] == "#56b4e9"
