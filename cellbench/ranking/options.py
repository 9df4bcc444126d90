"""How algorithms are ranked: one object for everything that can be chosen."""

from dataclasses import dataclass
from typing import Any, TypedDict, cast, get_args, get_type_hints

import numpy as np

from cellbench.choices import Scheme, Ties
from cellbench.errors import UsageError
from cellbench.ranking.adjustment import ADJUSTMENTS, Adjust
from cellbench.ranking.tables import Missing, check_choice, check_weights

SCHEMES: tuple[Scheme, ...] = tuple(Scheme)
TIES: tuple[Ties, ...] = tuple(Ties)
EQUAL_WEIGHTS = (1.0, 1.0)
"""The challenge weighs F1 and running time alike."""


class TableChoices(TypedDict, total=False):
    """The keyword arguments that rank one table; see [`Options`][]."""

    ties: str
    alpha: float
    adjust: Adjust
    missing: Missing


class Choices(TableChoices, total=False):
    """The keyword arguments that rank values and running times together; see [`Options`][]."""

    scheme: str
    weights: tuple[float, float]
    higher_is_better: bool


class BoardChoices(TypedDict, total=False):
    """The keyword arguments that rank a board; see [`Options`][]."""

    ties: str
    scheme: str
    bootstrap: int
    seed: int
    weights: tuple[float, float]
    alpha: float


@dataclass(frozen=True)
class Options:
    """Everything that decides ranks and intervals. Names of choices may be given as plain text.

    Attributes:
        ties: which rank equal values share, on each case and in the final ranking, see
            [`cellbench.ranking.Ties`][].
        scheme: from a table to one rank per algorithm, see [`cellbench.ranking.rank_algorithms`][].
        bootstrap: number of bootstrap samples of a board; all its metrics share the draws.
        seed: random seed of these draws.
        weights: of the value (F1) and of the running time, where both are ranked together.
        alpha: largest p value that counts as significant.
        adjust: how ``test-then-rank`` adjusts its p values, over all ordered pairs: ``none``, or
            ``holm``, ``hochberg``, ``bonferroni``, ``BH`` or ``BY``, as R's ``p.adjust`` names them.
        missing: what a missing value is. ``worst``: it ties after all that are present (only for
            schemes that rank each case first); ``drop``: it has no rank, so that each algorithm is
            ranked on the cases it has; a number: it takes the value's place.
        higher_is_better: whether larger values are better.

    Raises:
        UsageError: if an option is not known or out of range.
    """

    ties: Ties = Ties.MIN
    scheme: Scheme = Scheme.RANK_THEN_MEAN
    bootstrap: int = 1000
    seed: int = 2022
    weights: tuple[float, float] = EQUAL_WEIGHTS
    alpha: float = 0.05
    adjust: Adjust = "none"
    missing: Missing = "worst"
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        check_choice("ties", self.ties, TIES)
        check_choice("scheme", self.scheme, SCHEMES)
        check_choice("adjust", self.adjust, ADJUSTMENTS)
        check_weights(self.weights, length=2)
        object.__setattr__(self, "ties", Ties(self.ties))
        object.__setattr__(self, "scheme", Scheme(self.scheme))
        if self.bootstrap < 1:
            raise UsageError(f"bootstrap {self.bootstrap}: must be at least 1 sample")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}: must be 0 or more")
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha {self.alpha}: must be between 0 and 1")
        if isinstance(self.missing, str):
            check_choice("missing", self.missing, get_args(get_args(Missing)[0]))
        elif not np.isfinite(self.missing):
            raise UsageError(f"missing {self.missing}: must be 'worst', 'drop' or a finite number")


def make_options(
    choices: TableChoices | Choices | BoardChoices,
    kind: type[TableChoices | Choices | BoardChoices],
    **more: object,
) -> Options:
    """Return the options of a call's keyword arguments.

    Args:
        choices: the keyword arguments that were passed on.
        kind: the keyword arguments that the function has. Another one, even if it is a field of
            [`Options`][], would have no effect, and is refused.
        more: further fields of [`Options`][], which the function names itself.

    Returns:
        The checked options; whatever is not named has its default.

    Raises:
        UsageError: if an option is not known or out of range.
    """
    for name in choices:
        check_choice("option", name, get_type_hints(kind))
    return Options(**cast("dict[str, Any]", {**choices, **more}))
