"""Results of a bootstrap: intervals, how often one algorithm outranks another, and challengeR's defects."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cellbench.ranking import SCHEMES, TIES, Bootstrap, bootstrap, case_ranks, rank_algorithms
from cellbench.ranking.resampling import draw_counts, percentile_intervals

short = settings(max_examples=40, deadline=None)
gapped = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.sampled_from([0, 0.5, 1, np.nan]),
).map(lambda values: pd.DataFrame(values, columns=[f"t{i}" for i in range(values.shape[1])]))
seeds = st.integers(0, 2**32 - 1)


def drawn(values: pd.DataFrame, scheme: str, seed: int, **options: object) -> Bootstrap:
    counts = draw_counts(len(values), 6, np.random.default_rng(seed))
    return bootstrap(
        values, scheme, higher_is_better=True, missing="drop", counts=counts, **options
    )


@short
@given(gapped, st.sampled_from(SCHEMES), seeds)
def test_either_outranks_or_ties(values: pd.DataFrame, scheme: str, seed: int) -> None:
    result = drawn(values, scheme, seed)
    table = result.outranking().set_index(["better", "worse"])
    assert list(table) == ["probability", "tied"]
    for better, worse in table.index:
        here, there = table.loc[(better, worse)], table.loc[(worse, better)]
        assert here["tied"] == there["tied"]
        total = here["probability"] + there["probability"] + here["tied"]
        assert total == pytest.approx(1, abs=1e-12)
        smaller = (result.ranks[better] < result.ranks[worse]).mean()
        assert here["probability"] == pytest.approx(smaller, abs=1e-12)


@short
@given(gapped, st.sampled_from(SCHEMES), st.sampled_from(TIES))
def test_challenger_is_right_where_no_case_is_drawn_twice(
    values: pd.DataFrame, scheme: str, ties: str
) -> None:
    counts = np.vstack([np.ones(len(values)), np.eye(len(values))])
    options = {"higher_is_better": True, "ties": ties, "missing": "drop", "counts": counts}
    expected = bootstrap(values, scheme, **options)
    found = bootstrap(values, scheme, compatibility="challengeR", **options)
    pd.testing.assert_frame_equal(found.values, expected.values)
    pd.testing.assert_frame_equal(found.ranks, expected.ranks)
    pd.testing.assert_series_equal(found.tau, expected.tau)


@short
@given(
    gapped,
    st.sampled_from(["rank-then-mean", "rank-then-median"]),
    st.sampled_from(TIES),
    st.sampled_from(["worst", "drop"]),
    seeds,
)
def test_challenger_pools_the_copies_of_a_case(
    values: pd.DataFrame, scheme: str, ties: str, missing: str, seed: int
) -> None:
    counts = draw_counts(len(values), 3, np.random.default_rng(seed))
    options = {"higher_is_better": True, "ties": ties, "missing": missing}
    found = bootstrap(values, scheme, counts=counts, compatibility="challengeR", **options)
    for sample, count in enumerate(counts.astype(int)):
        pools = []
        for case, copies in enumerate(count):
            row = values.iloc[[case]]
            pool = pd.concat(
                [row.add_suffix(f"_{copy}") for copy in range(copies)] or [row], axis=1
            )
            ranks = case_ranks(pool, **options).to_numpy()
            pools += [*ranks.reshape(copies, values.shape[1])] if copies else []
        pooled = pd.DataFrame(np.array(pools), columns=values.columns)
        value = pooled.mean() if scheme.endswith("mean") else pooled.median()
        np.testing.assert_allclose(found.values.iloc[sample], value, rtol=0, atol=1e-12)


@short
@given(gapped, seeds)
def test_challenger_tests_each_drawn_case_once(values: pd.DataFrame, seed: int) -> None:
    counts = draw_counts(len(values), 3, np.random.default_rng(seed))
    options = {"higher_is_better": True, "missing": "drop", "alpha": 0.3}
    found = bootstrap(
        values, "test-then-rank", counts=counts, compatibility="challengeR", **options
    )
    for sample, count in enumerate(counts):
        expected = rank_algorithms(values[count > 0], "test-then-rank", **options)
        assert found.values.iloc[sample].tolist() == expected["value"].tolist()


def test_intervals_are_percentiles() -> None:
    values = pd.DataFrame({"a": [0.9, 0.1, 0.4, 0.3], "b": [0.5, 0.5, 0.6, 0.2]})
    result = bootstrap(
        values, "mean-then-rank", higher_is_better=True, samples=50, rng=np.random.default_rng(1)
    )
    for intervals, samples in (
        (result.value_intervals(), result.values),
        (result.rank_intervals(), result.ranks),
    ):
        expected = np.quantile(samples, [0.025, 0.975], axis=0)
        np.testing.assert_allclose(intervals[["low", "high"]].T, expected, atol=1e-12)
        assert intervals.index.tolist() == ["a", "b"]


def test_an_interval_reaches_the_failures() -> None:
    samples = pd.DataFrame(
        {
            "some": [-np.inf, 0.1, 0.2, 0.3],
            "most": [-np.inf, -np.inf, -np.inf, 0.3],
            "times": [1.0, 2.0, 3.0, np.inf],
            "none": [np.nan] * 4,
        }
    )
    intervals = percentile_intervals(samples)
    assert intervals.loc["some"].tolist() == pytest.approx([-np.inf, 0.2925])
    assert intervals.loc["most"].tolist() == [-np.inf, -np.inf]
    assert intervals.loc["times"].tolist() == pytest.approx([1.075, np.inf])
    assert intervals.loc["none"].isna().all()
