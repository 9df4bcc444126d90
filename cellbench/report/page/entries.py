"""What the entries state of the algorithms: authors, paper, code and licences, with links."""

from dataclasses import dataclass

from cellbench.boards.reading import BoardTables
from cellbench.report.page.links import Part, find_links, link_licence

STATEMENTS = {
    "authors": "Authors",
    "paper": "Paper",
    "code": "Code",
    "licence": "Licence of the code",
    "weights_licence": "Licence of the weights",
    "trained_on": "Trained on",
}
"""What entries state of algorithms: columns of algorithms.csv, and their headings."""
_LICENCES = ("licence", "weights_licence")


@dataclass(frozen=True)
class Entries:
    """A table of what the entries state; columns and algorithms without any statement are left out.

    Attributes:
        columns: the headings after that of the algorithm.
        rows: name, title and cells of each algorithm, best first; a cell consists of text and links.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[list[Part], ...]], ...]


def list_entries(board: BoardTables) -> Entries | None:
    """Return what the entries of a board state.

    Args:
        board: the tables; algorithms is used.

    Returns:
        The table; None if nothing is stated.
    """
    if board.algorithms is None:
        return None
    stated = board.algorithms.set_index("algorithm").reindex(board.ranking.index).fillna("")
    table = stated[[column for column in STATEMENTS if (stated[column] != "").any()]]
    table = table[(table != "").any(axis=1)]
    if table.empty:
        return None
    titles = dict(zip(stated.index, stated["title"], strict=True))
    rows = tuple(
        (
            str(name),
            titles[str(name)],
            tuple(link_statement(str(column), str(words)) for column, words in row.items()),
        )
        for name, row in table.iterrows()
    )
    return Entries(tuple(STATEMENTS[column] for column in table.columns), rows)


def link_statement(column: str, words: str) -> list[Part]:
    """Divide what an entry states into links and words.

    Args:
        column: one of [`STATEMENTS`][].
        words: what it states.
    """
    return link_licence(words) if column in _LICENCES else find_links(words)
