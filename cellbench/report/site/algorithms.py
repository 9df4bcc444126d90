"""The algorithms of a site, each with what its entries state and what it achieved on every board."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cellbench.boards.folder_names import folder_names
from cellbench.boards.how_to_run import HowToRun
from cellbench.boards.schema import TABLES
from cellbench.report.page.entries import STATEMENTS, link_statement
from cellbench.report.page.facets import Facets, make_facets
from cellbench.report.page.links import Part
from cellbench.report.site.boards import SiteBoard
from cellbench.report.site.results import Result


@dataclass(frozen=True)
class Algorithm:
    """An algorithm.

    Attributes:
        name: its name in the tables.
        title: its title in its entry; the name if none is stated.
        page: the path of its page in the site.
        stated: what its entries state: term and description, of which parts may be links.
        facets: by what it can be filtered; also by the modalities of the boards that it is on.
        results: its results, in the order of the boards.
        how_to_run: how it is run; None if no entry states it.
    """

    name: str
    title: str
    page: str
    stated: tuple[tuple[str, tuple[Part, ...]], ...]
    facets: Facets
    results: tuple[Result, ...]
    how_to_run: HowToRun | None

    @property
    def boards(self) -> list[Result]:
        """The results on all images of each board."""
        return [one for one in self.results if not one.modality]

    @property
    def profile(self) -> list[Result]:
        """The results on single modalities; on all images of a board that has one modality."""
        return [one for one in self.results if one.modality or len(one.board.modalities) == 1]


def list_algorithms(
    boards: Sequence[SiteBoard], results: Sequence[Result], ways: Mapping[str, HowToRun]
) -> dict[str, Algorithm]:
    """List the algorithms of all boards.

    Args:
        boards: the boards.
        results: the results of all algorithms.
        ways: how algorithms are run, by name.

    Returns:
        By name, in alphabetical order.
    """
    own: dict[str, list[Result]] = {one.algorithm: [] for one in results}
    for result in results:
        own[result.algorithm].append(result)
    files = folder_names(sorted(own))
    stated = _read_statements(boards)
    return {
        name: _make(name, f"algorithms/{files[name]}.html", own[name], stated, ways.get(name))
        for name in files
    }


Statements = dict[tuple[str, str], dict[str, list[str]]]
"""By algorithm and column: each text, with the titles of the boards that state it."""


def _read_statements(boards: Sequence[SiteBoard]) -> Statements:
    found: Statements = {}
    columns = TABLES["algorithms"].names()[:-1]
    for board in boards:
        if board.tables.algorithms is None:
            continue
        for name, *texts in board.tables.algorithms[columns].itertuples(index=False, name=None):
            for column, text in zip(columns[1:], texts, strict=True):
                if text:
                    found.setdefault((name, column), {}).setdefault(text, []).append(board.title)
    return found


def _make(
    name: str, page: str, results: Sequence[Result], stated: Statements, way: HowToRun | None
) -> Algorithm:
    texts = {column: stated.get((name, column), {}) for column in ("title", *STATEMENTS)}
    if way is not None and not way.shipped:  # a stranger may use the name of a baseline
        texts = {column: known or _state(way, column) for column, known in texts.items()}
    facts = [(STATEMENTS[column], _describe(column, texts[column])) for column in STATEMENTS]
    modalities = sorted(
        {one for result in results for one in result.board.modalities}, key=str.casefold
    )
    facets = {**make_facets(texts["licence"], texts["trained_on"]), "modality": modalities}
    return Algorithm(
        name,
        next(iter(texts["title"]), name),
        page,
        tuple((term, parts) for term, parts in facts if parts),
        facets,
        tuple(results),
        way,
    )


def _state(way: HowToRun, column: str) -> dict[str, list[str]]:
    stated = getattr(way.entry, column)
    text = stated if isinstance(stated, str) else "; ".join(stated)
    return {text: []} if text else {}


def _describe(column: str, texts: Mapping[str, Sequence[str]]) -> tuple[Part, ...]:
    """Return a statement with its links; where the boards differ, each text with its boards."""
    parts: list[Part] = []
    for text, boards in texts.items():
        parts += [Part(" · ")] if parts else []
        parts += link_statement(column, text)
        parts += [Part(f" (stated for {', '.join(boards)})")] if len(texts) > 1 else []
    return tuple(parts)
