"""By what a visitor can filter the algorithms: licence, and the datasets that they were trained on."""

from collections.abc import Iterable

from cellbench.boards.reading import BoardTables

Facets = dict[str, list[str]]
"""The values of an algorithm by the name of the filter; nothing where nothing is stated."""


def make_facets(licences: Iterable[str], trained_on: Iterable[str]) -> Facets:
    """Return by what an algorithm can be filtered.

    Args:
        licences: the licences of its code.
        trained_on: the datasets that it was trained on; a text can name several, separated by semicolons.

    Examples:
        >>> make_facets(["MIT"], ["cells; nuclei"])
        {'licence': ['MIT'], 'trained_on': ['cells', 'nuclei']}
    """
    datasets = [word.strip() for text in trained_on for word in text.split(";")]
    stated = {"licence": licences, "trained_on": dict.fromkeys(datasets)}
    found = {name: [word for word in words if word] for name, words in stated.items()}
    return {name: words for name, words in found.items() if words}


def read_facets(board: BoardTables) -> dict[str, Facets]:
    """Return by what the algorithms of a board can be filtered.

    Args:
        board: the tables; algorithms is used.

    Returns:
        By name of the algorithm; empty if the board has no algorithms.csv.
    """
    if board.algorithms is None:
        return {}
    rows = board.algorithms[["algorithm", "licence", "trained_on"]].itertuples(index=False)
    return {name: make_facets([licence], [trained_on]) for name, licence, trained_on in rows}
