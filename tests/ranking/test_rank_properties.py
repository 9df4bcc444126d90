"""What must hold for any table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import kendalltau, rankdata, wilcoxon

from cellbench.errors import ScoresError, UsageError
from cellbench.ranking import (
    SCHEMES,
    TIES,
    bootstrap,
    bootstrap_challenge,
    case_ranks,
    challenge_score,
    rank_algorithms,
    wilcoxon_pairs,
)
from cellbench.ranking.resampling import draw_counts, kendall_tau

RANK_SCHEMES = ["rank-then-mean", "rank-then-median"]

# Few distinct values: ties are the rule.
tables = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, max_side=7),
    elements=st.sampled_from([0, 0.25, 0.5, 1]),
).map(lambda values: pd.DataFrame(values, columns=[f"t{i}" for i in range(values.shape[1])]))
gapped = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.sampled_from([0, 0.5, 1, np.nan]),
).map(pd.DataFrame)
short = settings(max_examples=40, deadline=None)


@short
@given(tables, st.sampled_from(TIES))
def test_ties_are_scipys(values: pd.DataFrame, ties: str) -> None:
    ranks = case_ranks(values, higher_is_better=False, ties=ties)
    np.testing.assert_array_equal(ranks, rankdata(values, method=ties, axis=1))


@short
@given(gapped, st.sampled_from(TIES))
def test_missing_ties_as_worst(values: pd.DataFrame, ties: str) -> None:
    ranks = case_ranks(values, higher_is_better=True, ties=ties)
    for (_, row), (_, ranked) in zip(values.iterrows(), ranks.iterrows(), strict=True):
        assert ranked[row.isna()].nunique() <= 1
        assert ranked[row.isna()].min() > ranked[row.notna()].max() or not (
            row.isna().any() and row.notna().any()
        )
        if ties == "max":  # as if the missing were one tied worst value
            np.testing.assert_array_equal(ranked, rankdata(-row.fillna(-1), method=ties))


@short
@given(tables, st.sampled_from(SCHEMES), st.sampled_from(TIES))
def test_order_of_cases_and_algorithms_is_nothing(
    values: pd.DataFrame, scheme: str, ties: str
) -> None:
    expected = rank_algorithms(values, scheme, higher_is_better=True, ties=ties)
    shuffled = values.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
    found = rank_algorithms(shuffled, scheme, higher_is_better=True, ties=ties)
    pd.testing.assert_frame_equal(found.loc[expected.index], expected, rtol=0, atol=1e-12)


@short
@given(tables, st.sampled_from(RANK_SCHEMES))
def test_ranks_see_only_the_order_of_values(values: pd.DataFrame, scheme: str) -> None:
    expected = rank_algorithms(values, scheme, higher_is_better=True)
    stretched = rank_algorithms(np.exp(3 * values) - 7, scheme, higher_is_better=True)
    pd.testing.assert_frame_equal(stretched, expected)


@short
@given(tables, st.sampled_from(SCHEMES))
def test_turning_the_values_turns_the_direction(values: pd.DataFrame, scheme: str) -> None:
    expected = rank_algorithms(values, scheme, higher_is_better=True)["rank"]
    turned = rank_algorithms(-values, scheme, higher_is_better=False)["rank"]
    assert turned.tolist() == expected.tolist()


@short
@given(tables, st.sampled_from(SCHEMES), st.integers(0, 2**32 - 1))
def test_bootstrap_is_ranking_the_drawn_cases(values: pd.DataFrame, scheme: str, seed: int) -> None:
    counts = draw_counts(len(values), 3, np.random.default_rng(seed))
    result = bootstrap(values, scheme, higher_is_better=True, counts=counts)
    for sample, count in enumerate(counts.astype(int)):
        drawn = values.loc[np.repeat(values.index, count)].reset_index(drop=True)
        expected = rank_algorithms(drawn, scheme, higher_is_better=True)
        np.testing.assert_allclose(result.values.iloc[sample], expected["value"], atol=1e-12)
        assert result.ranks.iloc[sample].tolist() == expected["rank"].tolist()


@short
@given(tables.filter(lambda values: values.shape[1] > 1))
def test_tau_is_scipys(values: pd.DataFrame) -> None:
    rankings = values.to_numpy()
    ours = kendall_tau(rankings[0], rankings)
    theirs = [kendalltau(rankings[0], row).statistic for row in rankings]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_wilcoxon_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(rng.integers(0, 8, (30, 3)) / 8, columns=list("abc"))
    for row in wilcoxon_pairs(values, higher_is_better=True).itertuples():
        expected = wilcoxon(
            values[row.better],
            values[row.worse],
            alternative="greater",
            correction=True,
            method="asymptotic",
        )
        assert row.statistic == expected.statistic
        # scipy moves the statistic towards its mean, R always downwards.
        if row.statistic > row.nonzero * (row.nonzero + 1) / 4:
            assert row.p == pytest.approx(expected.pvalue, rel=1e-10)


def test_wilcoxon_takes_failures_as_the_largest_difference() -> None:
    times = pd.DataFrame({"a": [1.0, np.inf, 0.0, 2.0], "b": [np.inf, np.inf, 0.5, 2.5]})
    a_over_b = wilcoxon_pairs(times, higher_is_better=False).iloc[0]
    assert (a_over_b.nonzero, a_over_b.statistic) == (3, 6)


@short
@given(tables, st.sampled_from(TIES))
def test_challenge_score_is_its_formula(values: pd.DataFrame, ties: str) -> None:
    times = (1 - values[::-1].reset_index(drop=True)) * 30
    images, teams = values.shape
    by_f1 = rankdata(-values, method=ties, axis=1)
    by_time = rankdata(times, method=ties, axis=1)
    total = (by_f1 + by_time).sum(axis=0) / (2 * images)
    scores = challenge_score(values, times, ties=ties)
    np.testing.assert_allclose(scores["mean_rank"], total, atol=1e-12)
    np.testing.assert_allclose(scores["score"], total / teams, atol=1e-12)
    assert scores["rank"].tolist() == rankdata(total.round(9), method=ties).tolist()


def test_challenge_bootstrap_draws_images() -> None:
    f1 = pd.DataFrame({"a": [0.9, 0.1], "b": [0.5, 0.5]})
    times = pd.DataFrame({"a": [0.0, 9.0], "b": [1.0, 1.0]})
    drawn = bootstrap_challenge(f1, times, counts=[[2, 0], [0, 2], [1, 1]])
    assert drawn.values.to_numpy().tolist() == [[1, 2], [2, 1], [1.5, 1.5]]
    assert drawn.ranks.to_numpy().tolist() == [[1, 2], [2, 1], [1, 1]]


def test_challenge_sees_four_decimals_and_ties_failures() -> None:
    f1 = pd.DataFrame({"a": [0.50001], "b": [0.50004], "c": [0.0]})
    times = pd.DataFrame({"a": [np.inf], "b": [5.0], "c": [np.nan]})
    scores = challenge_score(f1, times.assign(c=np.inf))
    assert scores["mean_rank_f1"].tolist() == [1, 1, 3]
    assert scores["mean_rank_runtime"].tolist() == [2, 1, 2]
    # Who failed on every image has times, all of them worst; who was never timed has none.
    assert challenge_score(f1, times)["mean_rank_runtime"].isna().all()


@pytest.mark.parametrize(
    "times",
    [
        None,
        pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, np.nan]}),
        pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, np.inf]}),
    ],
)
def test_without_times_f1_alone_decides(times: pd.DataFrame | None) -> None:
    f1 = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.4]})
    scores = challenge_score(f1, times)
    assert scores["mean_rank_runtime"].isna().all()
    assert scores["score"].tolist() == [1.0, 0.5]


GOOD = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.4]})


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (GOOD.iloc[:0], {}, "needs cases"),
        (GOOD[[]], {}, "needs cases"),
        (GOOD.set_axis(["a", "a"], axis=1), {}, "'a' occurs twice"),
        (GOOD.set_axis([7, 7]), {}, "case '7' occurs twice"),
        (GOOD.astype(str).replace("0.1", "bad"), {}, "other than numbers"),
        (GOOD.replace(0.1, np.inf), {}, "infinitely good"),
        (GOOD, {"ties": "first"}, "ties 'first': not known; choose from min"),
        (GOOD, {"adjust": "sidak"}, "adjust"),
        (GOOD, {"alpha": 5}, "alpha"),
        (GOOD, {"missing": "best"}, "missing"),
        (GOOD, {"missing": np.nan}, "missing nan"),
        (GOOD, {"scheme": "podium"}, "scheme"),
    ],
)
def test_bad_tables_and_options(
    table: pd.DataFrame, options: dict[str, object], message: str
) -> None:
    options = {"scheme": "rank-then-mean", "higher_is_better": True, **options}
    with pytest.raises((ScoresError, UsageError), match=message):
        rank_algorithms(table, **options)


@short
@given(tables, st.sampled_from(TIES), st.integers(0, 2**32 - 1))
def test_weights_weigh_the_mean_ranks(values: pd.DataFrame, ties: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = values.sample(frac=1, random_state=seed % 97).set_axis(values.index)
    weights = tuple(rng.integers(1, 5, 2).astype(float))
    scores = challenge_score(values, times, ties=ties, weights=weights)
    expected = np.average(scores[["mean_rank_f1", "mean_rank_runtime"]], axis=1, weights=weights)
    np.testing.assert_allclose(scores["mean_rank"], expected, atol=1e-12)
    twice = challenge_score(values, times, ties=ties, weights=(2 * weights[0], 2 * weights[1]))
    pd.testing.assert_frame_equal(scores, twice)
    for weight, alone, higher in (((1, 0), values, True), ((0, 1), times, False)):
        found = challenge_score(values, times, ties=ties, weights=weight)["rank"]
        kept = rank_algorithms(alone, "rank-then-mean", higher_is_better=higher, ties=ties)["rank"]
        assert found.tolist() == kept.tolist()


@short
@given(tables, st.sampled_from(SCHEMES))
def test_any_value_can_be_scored(values: pd.DataFrame, scheme: str) -> None:
    """An error, where smaller is better, is ranked as a value is, and the score's draws are too."""
    options = {"scheme": scheme, "decimals": None, "higher_is_better": False}
    expected = rank_algorithms(values, scheme, higher_is_better=False)["rank"]
    assert challenge_score(values, None, **options)["rank"].tolist() == expected.tolist()
    draws = draw_counts(len(values), 3, np.random.default_rng(0))
    drawn = bootstrap_challenge(values, None, counts=draws, **options)
    alone = bootstrap(values, scheme, higher_is_better=False, counts=draws)
    pd.testing.assert_frame_equal(drawn.ranks, alone.ranks)


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        (GOOD, {"weights": (1, -1)}, "none of them negative"),
        (GOOD, {"weights": (0, 0)}, "above 0"),
        (GOOD, {"weights": (1, 1, 1)}, "must be 2 numbers"),
        (GOOD, {"weights": (1, np.nan)}, "must be 2 numbers"),
        (None, {"weights": (0, 1)}, "only running times would count"),
        (GOOD[["b", "a"]], {}, "images and algorithms of the values"),
        (GOOD.astype(str).replace("0.1", "fast"), {}, "other than numbers"),
        (-np.inf * GOOD, {}, "infinitely good"),
        (GOOD, {"ties": "first"}, "ties 'first'"),
        (GOOD, {"scheme": "podium"}, "scheme 'podium'"),
    ],
)
def test_bad_scores(times: pd.DataFrame | None, options: dict[str, object], message: str) -> None:
    with pytest.raises((ScoresError, UsageError), match=message):
        challenge_score(GOOD, times, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs rng"),
        ({"rng": np.random.default_rng(0), "samples": 0}, "at least one sample"),
        ({"counts": [[1, 1, 1]]}, r"must have the shape \(samples, 2\)"),
        ({"counts": [[0, 0]]}, "how often"),
        ({"counts": [[0.5, 1.5]]}, "how often"),
        ({"counts": [[1, 1]], "compatibility": "R"}, "compatibility 'R': not known"),
    ],
)
def test_bad_draws(options: dict[str, object], message: str) -> None:
    with pytest.raises((ScoresError, UsageError), match=message):
        bootstrap(GOOD, "rank-then-mean", higher_is_better=True, **options)
