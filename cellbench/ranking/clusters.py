"""Groups of algorithms that the tests cannot tell apart."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import ScoresError


def clusters(ranking: pd.Series, tests: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Group the algorithms of a ranking that do not differ significantly.

    A cluster is a run of algorithms that follow each other in the ranking, no two of which differ
    significantly in either direction, and that cannot be made longer: the bars of a critical
    difference diagram (Demšar 2006), with the paired tests in place of Nemenyi's.

    Args:
        ranking: index algorithms; ranks, 1 is best. Equal ranks stand in the order of their names.
        tests: of :func:`cellbench.ranking.wilcoxon_pairs` on the same algorithms.
        alpha: largest ``p_holm`` that counts as significant.

    Returns:
        cluster (from 1, the one that begins with the best) and algorithm, best first. Every algorithm
        is in one cluster at least, and may be in several.

    Raises:
        ScoresError: if a rank is missing, an algorithm occurs twice, or ``tests`` does not hold every
            ordered pair of the algorithms once.

    Example:
        >>> ranking = pd.Series({"a": 1, "b": 2, "c": 3})
        >>> pairs = [("a", "b", 0.3), ("a", "c", 0.01), ("b", "c", 0.2)]
        >>> pairs += [(worse, better, 1.0) for better, worse, _ in pairs]
        >>> tests = pd.DataFrame(pairs, columns=["better", "worse", "p_holm"])
        >>> clusters(ranking, tests).groupby("cluster")["algorithm"].agg(list).tolist()
        [['a', 'b'], ['b', 'c']]
    """
    if not ranking.index.is_unique or ranking.isna().any():
        raise ScoresError("ranking: give each algorithm one rank, once")
    best_first = sorted(ranking.index, key=lambda algorithm: (ranking[algorithm], str(algorithm)))
    differ = _told_apart(best_first, tests, alpha)
    members = [
        (number, best_first[place])
        for number, run in enumerate(_longest_runs(differ), start=1)
        for place in run
    ]
    return pd.DataFrame(members, columns=["cluster", "algorithm"])


def _told_apart(algorithms: list[str], tests: pd.DataFrame, alpha: float) -> npt.NDArray[np.bool_]:
    """Give (algorithms, algorithms): whether two differ significantly, in either direction."""
    places = pd.Series(range(len(algorithms)), index=algorithms)
    named = tests[tests["better"].isin(places.index) & tests["worse"].isin(places.index)]
    pairs = named[["better", "worse"]].drop_duplicates()
    if not len(pairs) == len(named) == len(algorithms) * (len(algorithms) - 1):
        raise ScoresError("tests: needs every ordered pair of the ranking's algorithms once")
    better, worse = places[named["better"]].to_numpy(), places[named["worse"]].to_numpy()
    differ = np.zeros((len(algorithms), len(algorithms)), dtype=bool)
    differ[better, worse] = named["p_holm"] <= alpha
    return differ | differ.T


def _longest_runs(differ: npt.NDArray[np.bool_]) -> list[range]:
    """List the runs of places within which nobody differs, and that lie in no longer one."""
    end, runs = len(differ), list[range]()
    for start in reversed(range(len(differ))):
        later = np.flatnonzero(differ[start, start + 1 : end])
        if len(later) > 0 or start == len(differ) - 1:
            end = end if len(later) == 0 else int(start + 1 + later[0])
            runs.append(range(start, end))
        else:
            runs[-1] = range(start, end)
    return runs[::-1]
