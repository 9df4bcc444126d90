"""Sensitivity: what every other choice would change, and that the own one changes nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cellbench.ranking import SCHEMES, TIES, challenge_score, rank_algorithms, sensitivity
from cellbench.ranking.sensitivity import WEIGHTS

short = settings(max_examples=15, deadline=None)
tables = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.sampled_from([0, 0.25, 0.5, 1]),
).map(lambda values: pd.DataFrame(values, columns=[f"t{i}" for i in range(values.shape[1])]))


@short
@given(
    tables,
    st.sampled_from(TIES),
    st.sampled_from(SCHEMES),
    st.sampled_from([*WEIGHTS.values(), (2.0, 1.0)]),
    st.booleans(),
)
def test_every_row_is_the_ranking_under_its_choice(
    f1: pd.DataFrame, ties: str, scheme: str, weights: tuple[float, float], higher: bool
) -> None:
    times = f1[::-1].set_axis(f1.index)
    tolerances = {"none": times, "twice": (times - 0.25).clip(lower=0)}
    own = {"ties": ties, "scheme": scheme, "weights": weights, "higher_is_better": higher}
    table = sensitivity(f1, times, tolerances=tolerances, **own)
    assert list(table) == ["option", "choice", "algorithm", "rank", "places"]
    own_rank = challenge_score(f1, times, **own)["rank"]
    for (option, choice), part in table.groupby(["option", "choice"], sort=False):
        changed = {"tolerance": {}, "weights": {}}.get(option, {option: choice})
        if option == "weights":
            changed = {"weights": WEIGHTS.get(choice, (2.0, 1.0))}
        with_times = tolerances[choice] if option == "tolerance" else times
        expected = challenge_score(f1, with_times, **{**own, **changed})["rank"]
        assert part["algorithm"].tolist() == f1.columns.tolist()
        assert part["rank"].tolist() == expected.tolist()
        assert part["places"].tolist() == (expected - own_rank).tolist()
    own_weights = next((name for name, pair in WEIGHTS.items() if pair == weights), "2:1")
    for choice in (ties, scheme, own_weights, "none"):
        assert (table.loc[table["choice"] == choice, "places"] == 0).all()
        assert choice in set(table["choice"])


def test_choices_in_the_order_they_are_drawn() -> None:
    f1 = pd.DataFrame({"a": [0.9, 0.8], "b": [0.9, 0.1]})
    times = pd.DataFrame({"a": [3.0, 1.0], "b": [0.0, 0.0]})
    other = times + 1
    table = sensitivity(f1, times, weights=(5, 2), tolerances={"none": other})
    choices = table.groupby("option", sort=False)["choice"].unique().map(list).to_dict()
    assert choices == {
        "ties": ["min", "average", "max", "dense"],
        "scheme": list(SCHEMES),
        "weights": ["5:2", "F1 only", "3:1", "1:1", "1:3", "running time only"],
        "tolerance": ["own", "none"],
    }
    assert set(sensitivity(f1, None)["option"]) == {"ties", "scheme"}
    never = times.assign(b=np.nan)
    assert set(sensitivity(f1, never)["option"]) == {"ties", "scheme"}
    same = sensitivity(f1, times, weights=(2, 2))
    assert same.loc[same["option"] == "weights", "choice"].nunique() == 5
    assert (same.loc[same["choice"] == "1:1", "places"] == 0).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_any_value_can_be_tried(scheme: str) -> None:
    errors = pd.DataFrame({"a": [0.4, 3.0, 0.2], "b": [0.4, 0.1, 0.9], "c": [9.0, 8.0, 7.0]})
    table = sensitivity(errors, None, decimals=None, higher_is_better=False)
    found = table.loc[table["choice"] == scheme, "rank"].tolist()
    assert found == rank_algorithms(errors, scheme, higher_is_better=False)["rank"].tolist()
