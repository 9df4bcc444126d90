"""CellF1 inside a training loop."""

import numpy as np
import pytest
from label_maps import discs

from cellbench.evaluation import score_image
from cellbench.evaluation.metric import CellF1


def test_mean_of_the_evaluators_own_f1() -> None:
    metric = CellF1()
    assert metric.compute() == 0
    pairs = [(discs(seed=1), discs(seed=1)), (discs(seed=2), np.roll(discs(seed=3), 4, axis=0))]
    for truth, prediction in pairs:
        metric.update(prediction, truth)
    expected = np.mean([score_image(*pair)[0].f1 for pair in pairs])
    assert metric.compute().item() == pytest.approx(expected)
    metric.reset()
    assert metric.compute() == 0
