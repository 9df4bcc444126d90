"""How to cite a board: in words, and for BibTeX."""

import re
from dataclasses import dataclass

import cellbench
from cellbench.boards.escaping import escape_latex
from cellbench.boards.reading import BoardTables
from cellbench.boards.run_id import RUN_ID
from cellbench.report.page.about import About
from cellbench.report.page.links import Part, find_links
from cellbench.report.page.texts import count

_CHALLENGE = (
    "Ma, J. et al. The multimodality cell segmentation challenge: toward universal solutions. Nature "
    "Methods 21, 1103–1113 (2024). https://doi.org/10.1038/s41592-024-02233-6"
)


@dataclass(frozen=True)
class Citation:
    """How to cite a board.

    Attributes:
        words: the reference in words.
        bibtex: the reference for BibTeX.
        rules: the publication of the scoring rules; empty if the values were not scored here.
    """

    words: str
    bibtex: str
    rules: tuple[Part, ...]


def cite(board: BoardTables, about: About) -> Citation:
    """Return how to cite a board.

    Args:
        board: the tables; leaderboard and provenance are used.
        about: title and date of the page.
    """
    compared = (
        f"{count(len(board.leaderboard), 'algorithm')} on "
        f"{count(int(board.leaderboard['images'].iloc[0]), board.unit)}"
    )
    protocol = board.provenance["protocol"]
    scored = f", protocol {protocol['name']} version {protocol['version']}" if protocol else ""
    note = (
        f"Leaderboard of {compared}{scored}, made with cellbench {cellbench.__version__}. "
        f"Ranking {board.provenance[RUN_ID]}"
    )
    day = f" ({about.date})" if about.date else ""
    key = re.sub(r"[^a-z0-9]+", "-", about.title.lower()).strip("-") or "leaderboard"
    fields = {"title": f"{{{escape_latex(about.title)}}}", "note": escape_latex(note)}
    if about.date:
        fields |= {"year": about.date[:4], "month": str(int(about.date[5:7]))}
    entries = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return Citation(
        words=f"{about.title}{day}. {note}.",
        bibtex=f"@misc{{{key},\n{entries}}}",
        rules=tuple(find_links(_CHALLENGE)) if protocol else (),
    )
