"""A board: every table that is made from what was measured of all algorithms on one dataset."""

from dataclasses import dataclass

import pandas as pd

from cellbench.boards import statistics
from cellbench.boards.generalisation import Unseen, make_generalisation
from cellbench.boards.intervals import make_intervals
from cellbench.boards.leaderboard import make_leaderboard
from cellbench.boards.measured import Measured
from cellbench.boards.ranked import rank_measured
from cellbench.boards.ranked_tables import RankedTables
from cellbench.ranking.options import Options


@dataclass(frozen=True)
class Board(RankedTables):
    """A board that was just ranked: its tables, and what they were made from.

    Attributes:
        measured: what was ranked.
        ranked_on: the metrics that decide the leaderboard: the value, and rank_runtime where every
            algorithm has times.
        reason: why these.
        generalisation: in-source and out-of-source images side by side; None where this is not known.
    """

    measured: Measured
    ranked_on: tuple[str, ...]
    reason: str
    generalisation: pd.DataFrame | None = None


def rank_board(
    measured: Measured, options: Options | None = None, unseen: Unseen | None = None
) -> Board:
    """Rank the algorithms of what was measured.

    The metrics are the value (``f1`` for scores), ``rank_runtime`` where every algorithm has times,
    and ``challenge``, both together ([`cellbench.ranking.challenge_score`][]), which decides the
    leaderboard.

    Args:
        measured: what is ranked, as ``measure_scores`` or ``read_long_table`` return it.
        options: how; the defaults are the challenge's rules. The direction and what a missing value is
            come from ``measured``, whatever the options state.
        unseen: which images are from sources that training did not see, where this is known.

    Returns:
        The tables.

    Raises:
        ScoresError: if the table cannot be ranked, or ``unseen`` does not fit its images.
    """
    options = options or Options()
    generalisation = make_generalisation(measured, unseen, options) if unseen else None
    ranked = rank_measured(measured, options)
    timed = len(ranked.metrics) > 1
    tests = statistics.make_significance(ranked)
    return Board(
        measured=measured,
        leaderboard=make_leaderboard(ranked),
        values=statistics.make_values(measured),
        ranks=statistics.make_ranks(ranked),
        schemes=statistics.make_schemes(ranked),
        significance=tests,
        clusters=statistics.make_clusters(ranked, tests),
        bootstrap=statistics.make_frequencies(ranked),
        kendall_tau=statistics.make_taus(ranked),
        intervals=make_intervals(ranked),
        outranking=statistics.make_outranking(ranked),
        sensitivity=statistics.make_sensitivity(ranked),
        ranked_on=tuple(ranked.metrics),
        reason="every algorithm has running times" if timed else measured.untimed,
        generalisation=generalisation,
    )


def rank_modalities(measured: Measured, options: Options) -> dict[str, Board]:
    """Rank on the images of each modality alone.

    Args:
        measured: what is ranked.
        options: how.

    Returns:
        By modality; nothing where there are fewer than two.

    Raises:
        ScoresError: if the table cannot be ranked.
    """
    return {name: rank_board(part, options) for name, part in measured.by_modality().items()}
