"""Signed rank tests: once, drawn, and on the drawn cases written out are one and the same."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import norm, rankdata

from cellbench.ranking.resampling import draw_counts
from cellbench.ranking.signed_ranks import signed_rank_tests

Floats = npt.NDArray[np.float64]
short = settings(max_examples=60, deadline=None)
tables = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.one_of(
        st.sampled_from([0, 0.25, 0.5, 1, -1, np.nan, -np.inf]), st.floats(-1e9, 1e9)
    ),
)


@short
@given(tables)
def test_each_pair_by_definition(values: Floats) -> None:
    tests = signed_rank_tests(values, np.ones((1, len(values))))
    for better, worse in np.ndindex(values.shape[1], values.shape[1]):
        first, second = values[:, better], values[:, worse]
        differ = ~np.isnan(first) & ~np.isnan(second) & (first != second)
        difference = first[differ] - second[differ]
        ranks = rankdata(np.abs(difference))
        n, statistic = len(ranks), ranks[difference > 0].sum()
        assert tests.nonzero[0, better, worse] == n
        assert tests.statistic[0, better, worse] == statistic
        ties = np.unique(np.abs(difference), return_counts=True)[1]
        variance = n * (n + 1) * (2 * n + 1) / 24 - (ties**3 - ties).sum() / 48
        expected = 1.0
        if n > 0:
            expected = norm.sf((statistic - n * (n + 1) / 4 - 0.5) / np.sqrt(variance))
        np.testing.assert_allclose(tests.p[0, better, worse], expected, rtol=1e-12)


@short
@given(tables, st.integers(0, 2**32 - 1))
def test_drawn_cases_are_the_cases_written_out(values: Floats, seed: int) -> None:
    counts = draw_counts(len(values), 3, np.random.default_rng(seed))
    drawn = signed_rank_tests(values, counts)
    for sample, count in enumerate(counts.astype(int)):
        written = np.repeat(values, count, axis=0)
        once = signed_rank_tests(written, np.ones((1, len(written))))
        for found, expected in zip(drawn, once, strict=True):
            np.testing.assert_array_equal(found[sample], expected[0])


def test_many_samples_and_many_pairs_come_in_blocks() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 20, (3000, 60)) / 20
    table = signed_rank_tests(values, np.ones((1, 3000)))
    drawn = signed_rank_tests(values[:, :3], np.ones((300, 3000)))
    for found, expected in zip(drawn, table, strict=True):
        assert (found == expected[:, :3, :3]).all()
