"""The schema of a board in words, for the terminal and for the documentation."""

from collections.abc import Iterator

from cellbench.boards.columns import BOARDS, VALUE
from cellbench.boards.schema import (
    ERROR_SUMMARY,
    GENERALISATION,
    PAPER_TABLES,
    ROBUSTNESS_TABLES,
    SCHEMA_VERSION,
    SCORES,
    TABLES,
)


def list_tables() -> str:
    """Return the files of a board with what they hold, one line each, for a terminal."""
    tables = (*TABLES.values(), GENERALISATION)
    files = {table.file: table.meaning for table in tables} | PAPER_TABLES
    width = max(map(len, files))
    return "\n".join(f"  {name:{width}}  {meaning}" for name, meaning in files.items())


def to_markdown() -> str:
    """Return the description of scores.csv and of every table of a board, as Markdown."""
    return "\n".join(_markdown_lines())


def _markdown_lines() -> Iterator[str]:
    yield (
        f"Schema version {SCHEMA_VERSION}. In the names of columns, `{VALUE}` stands for the measure "
        f"that is ranked (`f1` by default), and `{BOARDS}` for the name of a modality or board."
    )
    further = (GENERALISATION, *ROBUSTNESS_TABLES.values())
    for table in (SCORES, ERROR_SUMMARY, *TABLES.values(), *further):
        yield from ("", f"## {table.file}", "", table.meaning, "")
        yield from ("| column | type | meaning |", "|---|---|---|")
        for column in table.columns:
            yield f"| `{column.name}` | {column.holds} | {column.meaning} |"
    yield ""
