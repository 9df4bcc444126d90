"""From values to ranks: schemes, tests, bootstrap. Tables in, tables out.

Tables are DataFrames with cases as index, algorithms as columns and NaN where a value is missing.
"""

from typing import TYPE_CHECKING

from cellbench.choices import Scheme, Ties
from cellbench.lazy import lazy_names
from cellbench.ranking.cases import case_ranks
from cellbench.ranking.challenge import bootstrap_challenge, challenge_score
from cellbench.ranking.clusters import clusters
from cellbench.ranking.consensus import consensus
from cellbench.ranking.options import SCHEMES, TIES, Options
from cellbench.ranking.resampling import Bootstrap, bootstrap
from cellbench.ranking.schemes import rank_algorithms
from cellbench.ranking.sensitivity import sensitivity
from cellbench.ranking.significance import wilcoxon_pairs

if TYPE_CHECKING:
    from cellbench.boards import (
        Board,
        Columns,
        rank_board,
        read_long_table,
        read_scores,
        write_board,
    )

__all__ = [
    "SCHEMES",
    "TIES",
    "Board",
    "Bootstrap",
    "Columns",
    "Options",
    "Scheme",
    "Ties",
    "bootstrap",
    "bootstrap_challenge",
    "case_ranks",
    "challenge_score",
    "clusters",
    "consensus",
    "rank_algorithms",
    "rank_board",
    "read_long_table",
    "read_scores",
    "sensitivity",
    "wilcoxon_pairs",
    "write_board",
]

# The tables and files of a board are in cellbench.boards; these names were first offered here.
__getattr__ = lazy_names(
    __name__,
    dict.fromkeys(
        ("Board", "Columns", "rank_board", "read_long_table", "read_scores", "write_board"),
        "cellbench.boards",
    ),
)
