"""What users choose by name when they rank. Light, so that ``--help`` lists it without loading NumPy."""

from enum import StrEnum


class Ties(StrEnum):
    """Which rank algorithms with equal values share; two that tie for the first two ranks of three.

    Attributes:
        MIN: the smallest of their ranks (1, 1, 3).
        AVERAGE: the mean of their ranks (1.5, 1.5, 3).
        MAX: the largest of their ranks (2, 2, 3).
        DENSE: the smallest, without a gap after it (1, 1, 2).
    """

    MIN = "min"
    AVERAGE = "average"
    MAX = "max"
    DENSE = "dense"


class Scheme(StrEnum):
    """How a table of values becomes one rank per algorithm.

    Attributes:
        MEAN_THEN_RANK: rank the mean value.
        MEDIAN_THEN_RANK: rank the median value.
        RANK_THEN_MEAN: rank the mean of the ranks on each case.
        RANK_THEN_MEDIAN: rank the median of the ranks on each case.
        TEST_THEN_RANK: rank the share of other algorithms that are beaten significantly.
    """

    MEAN_THEN_RANK = "mean-then-rank"
    MEDIAN_THEN_RANK = "median-then-rank"
    RANK_THEN_MEAN = "rank-then-mean"
    RANK_THEN_MEDIAN = "rank-then-median"
    TEST_THEN_RANK = "test-then-rank"

    @property
    def ranks_cases(self) -> bool:
        """Whether the algorithms are ranked on each case first."""
        return self.value.startswith("rank-")

    @property
    def uses_median(self) -> bool:
        """Whether values or ranks are aggregated by their median."""
        return "median" in self.value
