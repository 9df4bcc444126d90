"""F1 as ranks see it, against the official script's arithmetic for many counts."""

import io

import numpy as np
import pandas as pd
import pytest

from cellbench.evaluation.measures import Table
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.rows import columns
from cellbench.evaluation.scoring import ImageScore
from cellbench.evaluation.summary import summarise
from cellbench.ranking.challenge import round_values

COUNTS = [
    (true, predicted, tp)
    for true in range(45)
    for predicted in range(45)
    for tp in range(min(true, predicted) + 1)
]
RNG = np.random.default_rng(0)
MANY = [
    (true, predicted, int(RNG.integers(1, min(true, predicted) + 1)))
    for true, predicted in RNG.integers(1, 5000, (5000, 2)).tolist()
]


def official_f1(true_cells: int, predicted_cells: int, tp: int) -> np.float64:
    """F1 as compute_metric.py computes it, from NumPy integers, in its order of operations."""
    if tp == 0:
        return np.float64(0)
    precision = np.int64(tp) / np.int32(predicted_cells)
    recall = np.int64(tp) / np.int32(true_cells)
    return 2 * (precision * recall) / (precision + recall)


def f1_of(counts: tuple[int, int, int]) -> float:
    true_cells, predicted_cells, tp = counts
    return ImageScore(0.5, true_cells, predicted_cells, tp, dice=0.0).f1


def test_every_bit_and_every_rounded_digit_is_official() -> None:
    for counts in COUNTS + MANY:
        assert f1_of(counts) == official_f1(*counts), counts
        assert np.round(f1_of(counts), 4) == np.round(official_f1(*counts), 4)


def test_the_example_of_half_a_digit() -> None:
    assert np.round(f1_of((24, 40, 21)), 4) == 0.6563
    assert np.round(2 * 21 / (24 + 40), 4) == 0.6562


@pytest.mark.parametrize("protocol", ["neurips22", "neurips22-v1"])
def test_ranks_see_the_official_digits_after_a_csv(protocol: str) -> None:
    table = pd.DataFrame({"f1": [f1_of(counts) for counts in COUNTS]})
    reread = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    seen = round_values(reread, get_protocol(protocol).rank_decimals)["f1"].tolist()
    assert seen == [np.round(official_f1(*counts), 4) for counts in COUNTS]


def test_equal_f1_ties_without_visible_rounding() -> None:
    """2/3 from different counts: the floating-point numbers differ, the ranks do not."""
    values = pd.DataFrame({"f1": [f1_of(counts) for counts in COUNTS]})
    exact = round_values(values, get_protocol("exact").rank_decimals)["f1"]
    fractions = [round(2 * tp / max(t + p, 1), 12) for t, p, tp in COUNTS]
    assert values["f1"].nunique() > len(set(fractions))
    assert exact.nunique() == len(set(fractions))


def test_pooled_f1_is_computed_the_same_way() -> None:
    row = dict.fromkeys(columns(Table.DETAILS), 0) | {
        "algorithm": "a",
        "image": "x",
        "modality": "",
    }
    row |= {"true_cells": 24, "tp": 21, "fp": 19}
    summary = summarise(pd.DataFrame([row]))
    assert summary.loc[0, "f1"] == official_f1(24, 40, 21)
