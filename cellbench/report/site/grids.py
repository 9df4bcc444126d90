"""Tables of the site: columns of words, with links, and of numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cellbench.report.page.facets import Facets
from cellbench.report.page.leaderboard import Cell, Column
from cellbench.report.page.links import Part
from cellbench.report.page.texts import NOTHING


@dataclass(frozen=True)
class Words:
    """A cell of text.

    Attributes:
        parts: the text, of which parts may be links.
        detail: a second line.
    """

    parts: tuple[Part, ...]
    detail: str = ""


@dataclass(frozen=True)
class TextColumn:
    """A column of [`Words`][].

    Attributes:
        title: the heading.
        note: a few words below the heading.
    """

    title: str
    note: str = ""


@dataclass(frozen=True)
class GridRow:
    """A row: its cells, of which the first names what the row is about, and by what it can be filtered."""

    cells: tuple[Words | Cell, ...]
    facets: Facets = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        id: its id in the page; with the titles of the columns, it makes links to a view permanent.
        caption: what it shows, and in which order.
        what: what its rows are, for the label of the filter.
        columns: the columns; the first is a [`TextColumn`][].
        rows: the rows.
        sorted_by: the title of the column by which the rows are sorted; empty if none.
    """

    id: str
    caption: str
    what: str
    columns: tuple[TextColumn | Column, ...]
    rows: tuple[GridRow, ...]
    sorted_by: str = ""


def words(text: str, href: str = "", detail: str = "") -> Words:
    """Return a cell of one piece of text.

    Args:
        text: the text.
        href: where it links to; empty if it is not a link.
        detail: a second line.
    """
    return Words((Part(text, href),), detail)


def fill(columns: Iterable[Column], cells: dict[str, Cell]) -> tuple[Cell, ...]:
    """Return the cells of a row in the order of some columns; those that it does not have are dashes.

    Args:
        columns: the columns.
        cells: the cells by the title of their column.
    """
    return tuple(cells.get(column.title, Cell(NOTHING)) for column in columns)
