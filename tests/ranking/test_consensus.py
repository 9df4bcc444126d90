"""Consensus: the mean of the ranks, and the rank of the mean."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import rankdata

from cellbench.errors import ScoresError, UsageError
from cellbench.ranking import TIES, consensus

short = settings(max_examples=60, deadline=None)
boards = arrays(
    float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(1, 9)
).map(
    lambda ranks: pd.DataFrame(
        ranks,
        index=[f"board {i}" for i in range(ranks.shape[0])],
        columns=[f"t{i}" for i in range(ranks.shape[1])],
    )
)


@short
@given(boards, st.sampled_from(TIES))
def test_consensus_is_its_formula(ranks: pd.DataFrame, ties: str) -> None:
    joined = consensus(ranks, ties=ties)
    np.testing.assert_allclose(joined["mean_rank"], ranks.mean(), atol=1e-12)
    expected = rankdata(ranks.mean().round(9), method=ties)
    assert joined["rank"].tolist() == expected.tolist()
    assert joined.index.equals(ranks.columns)


@short
@given(boards, st.randoms(use_true_random=False))
def test_order_of_boards_and_algorithms_is_nothing(ranks: pd.DataFrame, random: object) -> None:
    seed = random.randrange(1000)
    shuffled = ranks.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
    expected = consensus(ranks)
    pd.testing.assert_frame_equal(
        consensus(shuffled).loc[expected.index], expected, rtol=0, atol=1e-12
    )


@short
@given(boards, st.floats(0.1, 10))
def test_weights_are_relative_and_a_weight_of_two_is_a_board_twice(
    ranks: pd.DataFrame, factor: float
) -> None:
    same = consensus(ranks, weights=dict.fromkeys(ranks.index, factor))
    pd.testing.assert_frame_equal(same, consensus(ranks), rtol=0, atol=1e-9)
    first = ranks.index[0]
    doubled = consensus(ranks, weights={**dict.fromkeys(ranks.index, 1.0), first: 2.0})
    again = pd.concat([ranks, ranks.loc[[first]].set_axis(["again"])])
    pd.testing.assert_frame_equal(doubled, consensus(again), rtol=0, atol=1e-12)
    alone = consensus(ranks, weights={**dict.fromkeys(ranks.index, 0.0), first: 1.0})
    assert alone["mean_rank"].tolist() == pytest.approx(ranks.loc[first].tolist())


@short
@given(boards)
def test_who_is_better_on_every_board_is_better(ranks: pd.DataFrame) -> None:
    best = ranks.min(axis=1) - 0.5
    joined = consensus(ranks.assign(winner=best))
    assert joined.loc["winner", "rank"] == 1
    assert (joined["rank"] == 1).sum() == 1


RANKS = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]}, index=["day", "night"])


@pytest.mark.parametrize(
    ("ranks", "options", "message"),
    [
        (RANKS.iloc[:1].reindex(RANKS.index), {}, "'a' has no rank on the board 'night'"),
        (RANKS.replace(1.0, np.inf), {}, "no rank"),
        (RANKS.iloc[:0], {}, "needs boards"),
        (RANKS.set_axis(["day", "day"]), {}, "board 'day' occurs twice"),
        (RANKS.set_axis(["a", "a"], axis=1), {}, "algorithm 'a' occurs twice"),
        (RANKS.astype(str).replace("1.0", "first"), {}, "other than numbers"),
        (RANKS, {"weights": {"day": 1}}, r"one per board \(day, night\)"),
        (RANKS, {"weights": {"day": 1, "night": 1, "dusk": 1}}, "one per board"),
        (RANKS, {"weights": {"day": 1, "night": -1}}, "negative"),
        (RANKS, {"weights": {"day": 0, "night": 0}}, "above 0"),
        (RANKS, {"ties": "first"}, "ties 'first'"),
    ],
)
def test_what_cannot_be_joined(
    ranks: pd.DataFrame, options: dict[str, object], message: str
) -> None:
    with pytest.raises((ScoresError, UsageError), match=message):
        consensus(ranks, **options)
