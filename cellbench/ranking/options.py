"""How a board is ranked: what its user can choose."""

from dataclasses import dataclass

from cellbench.errors import UsageError
from cellbench.ranking.schemes import SCHEMES, Scheme
from cellbench.ranking.tables import TIES, Ties, check_choice


@dataclass(frozen=True)
class Options:
    """The options of ``cellbench rank`` that decide ranks and intervals.

    Attributes:
        ties: see :func:`cellbench.ranking.case_ranks`.
        scheme: of the leaderboard and of the bootstrap.
        bootstrap: how many samples; all metrics share the draws.
        seed: of the draws.
        weights: of the value (F1) and the running time in the score.
        alpha: largest p value, after Holm's adjustment, that is called significant.

    Raises:
        UsageError: if an option is not known or out of range.
    """

    ties: Ties = "min"
    scheme: Scheme = "rank-then-mean"
    bootstrap: int = 1000
    seed: int = 2022
    weights: tuple[float, float] = (1.0, 1.0)
    alpha: float = 0.05

    def __post_init__(self) -> None:
        check_choice("ties", self.ties, TIES)
        check_choice("scheme", self.scheme, SCHEMES)
        if self.bootstrap < 1:
            raise UsageError(f"bootstrap {self.bootstrap}: needs at least one sample")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}: must be 0 or more")
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha {self.alpha}: must lie between 0 and 1")
