"""From scores to ranks: schemes, tests, bootstrap, and the tables of a board.

Tables are DataFrames with cases as index, algorithms as columns and NaN where a value is missing.
"""

from cellbench.ranking.board import Board, rank_board
from cellbench.ranking.cases import case_ranks
from cellbench.ranking.challenge import bootstrap_challenge, challenge_score
from cellbench.ranking.clusters import clusters
from cellbench.ranking.consensus import consensus
from cellbench.ranking.long_table import Columns, read_long_table
from cellbench.ranking.options import Options
from cellbench.ranking.resampling import Bootstrap, bootstrap
from cellbench.ranking.schemes import SCHEMES, rank_algorithms
from cellbench.ranking.scores import read_scores
from cellbench.ranking.sensitivity import sensitivity
from cellbench.ranking.significance import wilcoxon_pairs
from cellbench.ranking.tables import TIES
from cellbench.ranking.writing import write_board

__all__ = [
    "SCHEMES",
    "TIES",
    "Board",
    "Bootstrap",
    "Columns",
    "Options",
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
