"""The consensus over the boards of a site: the mean of the ranks of each algorithm, ranked."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cellbench.boards.joined import join_boards
from cellbench.report.page.texts import count
from cellbench.report.site.boards import SiteBoard

_FEWEST = 2  # one algorithm alone has no rank among others


@dataclass(frozen=True)
class Consensus:
    """The consensus over several boards.

    Attributes:
        reading: how it was made, or why there is none.
        means: the mean rank of each algorithm that is on every board, best first; empty if there is none.
        ranks: the rank by that mean, of the same algorithms.
    """

    reading: str
    means: dict[str, float]
    ranks: dict[str, float]


def make_consensus(boards: Sequence[SiteBoard]) -> Consensus:
    """Rank the algorithms that are on every board by the mean of their ranks.

    Algorithms that are missing on some board are left out, because ``cellbench consensus`` needs the same
    algorithms on all. The others are ranked again on each board, with the board's own rule for ties.

    Args:
        boards: the boards.
    """
    if len(boards) < _FEWEST:
        return Consensus("There is a single board, so there is no consensus.", {}, {})
    everywhere = set.intersection(*(set(board.tables.ranking.index) for board in boards))
    if len(everywhere) < _FEWEST:
        what = count(len(everywhere), "algorithm")
        return Consensus(
            f"There is no consensus: only {what} of this site can be found on all boards."
            if everywhere
            else "There is no consensus: no algorithm is on all boards.",
            {},
            {},
        )
    table = join_boards({board.name: _ranks(board, everywhere) for board in boards})
    names = [str(name) for name in table.iloc[:, 0]]
    means, ranks = (
        dict(zip(names, map(float, table.iloc[:, place]), strict=True)) for place in (-2, -1)
    )
    total = len({name for board in boards for name in board.tables.ranking.index})
    which = (
        "all algorithms"
        if len(everywhere) == total
        else f"the {len(everywhere)} algorithms that are on every board"
    )
    return Consensus(
        f"The consensus is the mean of the ranks on the {len(boards)} boards among {which}; every board "
        "has the same weight.",
        means,
        ranks,
    )


def _ranks(board: SiteBoard, names: set[str]) -> pd.Series:
    ranks = board.tables.ranking
    shared: pd.Series = ranks[ranks.index.isin(names)]
    return shared.rank(method=board.tables.provenance["ties"])
