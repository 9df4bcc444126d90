"""The groups of algorithms that the tests cannot distinguish, and their letters."""

from cellbench.boards.ranked_tables import RankedTables
from cellbench.boards.schema import MetricName


def group_metric(tables: RankedTables, value: str) -> str:
    """Return the metric whose tests decide the groups of the leaderboard.

    Args:
        tables: the tables of a board; clusters is used.
        value: the name of what was ranked.

    Returns:
        ``challenge`` if the combined ranks were tested, otherwise ``value``.
    """
    tested = set(tables.clusters["metric"])
    return MetricName.CHALLENGE if MetricName.CHALLENGE in tested else value


def groups_of(tables: RankedTables, value: str) -> dict[str, list[int]]:
    """Return the numbers of the groups of each algorithm, from 1.

    Args:
        tables: the tables of a board; clusters is used.
        value: the name of what was ranked.

    Returns:
        By algorithm; algorithms without a group are left out.
    """
    tested = tables.clusters[tables.clusters["metric"] == group_metric(tables, value)]
    return {str(name): sorted(rows) for name, rows in tested.groupby("algorithm")["cluster"]}


def letter(place: int) -> str:
    """Return the letter of a group; from the 27th group on, two letters.

    Args:
        place: number of the group, from 1.

    Examples:
        >>> letter(1), letter(26), letter(27)
        ('a', 'z', 'aa')
    """
    rest, last = divmod(place - 1, 26)
    return (letter(rest) if rest else "") + chr(ord("a") + last)
