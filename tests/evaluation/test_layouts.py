"""Compiled functions of the evaluation are compiled once, however a label map lies in memory."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from cellbench.evaluation import compiled, nearest
from cellbench.evaluation.boundaries import Boundaries, boundary_f1, hausdorff_95
from cellbench.evaluation.compiled import CompiledCounter
from cellbench.evaluation.pairs import Window

Labels = npt.NDArray[np.uint16]

COMPILED = (compiled.add_rows, nearest.edges, nearest.fill, nearest.search)

TRUTH = np.kron(np.arange(16, dtype=np.uint16).reshape(4, 4), np.ones((6, 6), np.uint16))
PREDICTION = np.roll(TRUTH, 1, axis=1)


def every_second_pixel(labels: Labels) -> Labels:
    larger = np.zeros((2 * labels.shape[0], 2 * labels.shape[1]), labels.dtype)
    larger[::2, ::2] = labels
    return larger[::2, ::2]


def read_only(labels: Labels) -> Labels:
    copy = labels.copy(order="A")
    copy.flags.writeable = False
    return copy


def measure(truth: Labels, prediction: Labels) -> tuple[list[list[int]], float, float]:
    """Count the pairs of ids and measure the boundaries, which uses every compiled function."""
    height, width = truth.shape
    counter = CompiledCounter()
    counter.add(truth, prediction, Window(0, width, 2, height - 2, 2, width - 2))
    pairs = counter.total()
    listed = sorted(np.stack([pairs.true_ids, pairs.predicted_ids, pairs.pixels], axis=1).tolist())
    image = Boundaries(truth, prediction)
    return listed, boundary_f1(image), hausdorff_95(image)


@pytest.mark.parametrize(
    "lay",
    [
        pytest.param(np.asfortranarray, id="columns first"),
        pytest.param(read_only, id="read-only"),
        pytest.param(lambda labels: read_only(np.asfortranarray(labels)), id="both"),
        pytest.param(every_second_pixel, id="not contiguous"),
        pytest.param(lambda labels: labels[::-1].copy()[::-1], id="upside down"),
    ],
)
def test_another_layout_is_not_compiled_again(lay: Callable[[Labels], Labels]) -> None:
    expected = measure(TRUTH, PREDICTION)
    assert [1, 1, 30] in expected[0]  # of the 36 pixels of cell 1, which is moved by one pixel
    before = [list(function.signatures) for function in COMPILED]
    assert measure(lay(TRUTH), lay(PREDICTION)) == expected
    assert [list(function.signatures) for function in COMPILED] == before
