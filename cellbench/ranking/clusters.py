"""Groups of algorithms that the tests do not tell apart: a compact letter display."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import ScoresError

Truths = npt.NDArray[np.bool_]


def clusters(ranking: pd.Series, tests: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Group the algorithms of a ranking that do not differ significantly.

    Two algorithms are together in at least one cluster if and only if they do not differ
    significantly in either direction, as two treatments share a letter in a compact letter display
    (Piepho 2004, J. Comput. Graph. Stat. 13, 456–466). A cluster is as large as it can be: nobody
    else could join it. Its members need not follow each other in the ranking.

    Piepho's insert-and-absorb lists every such group; there can be exponentially many (2^k
    for k separate pairs that differ). Here a group is grown around each pair that shares none yet,
    from the best algorithm on, which leaves out only groups that show nothing new: at most one group
    for each pair, and the same ones as Piepho's where they are runs along the ranking.

    Args:
        ranking: index algorithms; ranks, 1 is best. Equal ranks are put in the order of their names.
        tests: as [`cellbench.ranking.wilcoxon_pairs`][] returns them, on the same algorithms.
        alpha: largest ``p_holm`` that counts as significant.

    Returns:
        cluster (numbered from 1, in the order of their best members) and algorithm, best first. Every
        algorithm is in at least one cluster, and may be in several.

    Raises:
        ScoresError: if a rank is missing, an algorithm occurs twice, or ``tests`` does not hold every
            ordered pair of the algorithms once.

    Examples:
        >>> ranking = pd.Series({"a": 1, "b": 2, "c": 3})
        >>> pairs = [("a", "b", 0.3), ("a", "c", 0.2), ("b", "c", 0.01)]
        >>> pairs += [(worse, better, 1.0) for better, worse, _ in pairs]
        >>> tests = pd.DataFrame(pairs, columns=["better", "worse", "p_holm"])
        >>> clusters(ranking, tests).groupby("cluster")["algorithm"].agg(list).tolist()
        [['a', 'b'], ['a', 'c']]
    """
    if not ranking.index.is_unique or ranking.isna().any():
        raise ScoresError("ranking: every algorithm needs one rank, and must occur once")
    best_first = sorted(ranking.index, key=lambda algorithm: (ranking[algorithm], str(algorithm)))
    groups = _groups(_alike(best_first, tests, alpha))
    members = [
        (number, best_first[place])
        for number, group in enumerate(sorted(groups), start=1)
        for place in group
    ]
    return pd.DataFrame(members, columns=["cluster", "algorithm"])


def _alike(algorithms: list[str], tests: pd.DataFrame, alpha: float) -> Truths:
    """Return (algorithms, algorithms): whether two do not differ significantly, nor one from itself."""
    places = pd.Series(range(len(algorithms)), index=algorithms)
    named = tests[tests["better"].isin(places.index) & tests["worse"].isin(places.index)]
    pairs = named[["better", "worse"]].drop_duplicates()
    if not len(pairs) == len(named) == len(algorithms) * (len(algorithms) - 1):
        raise ScoresError("tests: must hold every ordered pair of the ranking's algorithms once")
    better, worse = places[named["better"]].to_numpy(), places[named["worse"]].to_numpy()
    differ = np.zeros((len(algorithms), len(algorithms)), dtype=bool)
    differ[better, worse] = named["p_holm"] <= alpha
    return ~(differ | differ.T)


def _groups(alike: Truths) -> list[list[int]]:
    """Return groups of places, each as large as can be, in which all pairs that are alike meet."""
    together = np.zeros_like(alike)
    groups = []
    for first, second in np.argwhere(np.triu(alike)):
        if not together[first, second]:
            group = _grown([int(first), int(second)], alike)
            together[np.ix_(group, group)] = True
            groups.append(group)
    return groups


def _grown(members: list[int], alike: Truths) -> list[int]:
    """Add to some that are alike, from the best place on, everybody who is like all of them."""
    group = set(members)
    fits: Truths = np.logical_and.reduce(alike[members])
    for place in range(len(alike)):
        if fits[place]:
            group.add(place)
            fits &= alike[place]
    return sorted(group)
