"""report.html: a whole board in one file that needs no other file and loads nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cellbench.boards.reading import BoardTables
from cellbench.boards.schema import EVALUATION_FILES, PAPER_TABLES, ROBUSTNESS_TABLES
from cellbench.files import written_whole
from cellbench.report.page import parts
from cellbench.report.page.about import read_about
from cellbench.report.page.citation import cite
from cellbench.report.page.embedding import embed_figures, list_downloads
from cellbench.report.page.entries import list_entries
from cellbench.report.page.errors import make_errors
from cellbench.report.page.facets import read_facets
from cellbench.report.page.facts import at_a_glance, origin
from cellbench.report.page.gallery import Gallery
from cellbench.report.page.generalisation import make_generalisation
from cellbench.report.page.headline import make_headline, table_sentences
from cellbench.report.page.leaderboard import make_table
from cellbench.report.page.prose import render_markdown
from cellbench.report.page.published import Published
from cellbench.report.page.robustness import make_robustness
from cellbench.report.rendering import render_page

PAGE_FILE = "report.html"

_STYLES = ("page.css", "tables.css", "pictures.css", "print.css")
_SCRIPTS = ("tables.js", "page.js", "gallery.js")

_TABLES = (
    *("leaderboard", "values", "ranks", "schemes", "significance", "clusters", "bootstrap"),
    *("kendall_tau", "intervals", "outranking", "sensitivity", "consensus", "generalisation"),
    *("algorithms", "scores"),
    *ROBUSTNESS_TABLES,
)


def write_page(
    board: BoardTables,
    figures: Sequence[Path],
    *,
    gallery: Gallery | None = None,
    published: Sequence[Published] = (),
    leaks: Mapping[str, str] | None = None,
) -> Path:
    """Write ``report.html`` into the board's folder; the same board gives the same bytes.

    Args:
        board: the tables.
        figures: files of its figures, as [`cellbench.report.draw_board`][] returns them.
        gallery: the images with outlines; None to make the page without images.
        published: numbers that others published, which are shown in a section of their own.
        leaks: a note for each algorithm that was trained on test images, by name.

    Returns:
        The path of the page.

    Raises:
        ScoresError: if a table of a modality is missing or damaged.
    """
    context = _context(board, figures, published, leaks or {}) | parts.gallery_parts(gallery)
    page = render_page("page.html.j2", context, styles=_STYLES, scripts=_SCRIPTS)
    path = board.folder / PAGE_FILE
    with written_whole(path) as temporary:
        temporary.write_bytes(page)
    return path


def _context(
    board: BoardTables,
    figures: Sequence[Path],
    published: Sequence[Published],
    leaks: Mapping[str, str],
) -> dict[str, Any]:
    notes = parts.notes_of(board, leaks)
    failures = parts.list_failures(board)
    modalities = parts.modality_tabs(board, notes, figures)
    about, entries = read_about(board), list_entries(board)
    errors, robustness = make_errors(board, figures), make_robustness(board, figures)
    optional = {
        "about": bool(about.text.strip()),
        "modalities": bool(modalities),
        "generalisation": board.generalisation is not None,
        "algorithms": entries is not None,
        "errors": errors is not None,
        "robustness": robustness is not None,
        "published": bool(published),
    }
    return {
        "title": about.title,
        "date": about.date,
        "about": render_markdown(about.text),
        "entries": entries,
        "facets": read_facets(board),
        "citation": cite(board, about),
        "unit": board.unit,
        "headline": make_headline(board),
        "glance": at_a_glance(board),
        "origin": origin(board),
        "contents": _contents(optional),
        "sentences": table_sentences(board),
        "board": make_table(board, notes),
        "modalities": modalities,
        "consensus": parts.consensus_table(board),
        "generalisation": make_generalisation(board),
        "figures": embed_figures(figures, board.folder, board),
        "errors": errors,
        "robustness": robustness,
        "failures": failures,
        "failed_caption": parts.failed_caption(board, failures),
        "unmatched": parts.list_unmatched(board),
        "failure_rule": parts.failure_words(board),
        "published": published,
        "downloads": list_downloads(
            board.folder,
            [
                *(f"{name}.csv" for name in _TABLES),
                *(EVALUATION_FILES if errors else ()),
                *(*PAPER_TABLES, "provenance.json"),
            ],
        ),
    }


def _contents(optional: Mapping[str, bool]) -> list[tuple[str, str]]:
    """Return id and title of each section; those in ``optional`` only where they are there."""
    sections = {
        "about": "About",
        "leaderboard": "Leaderboard",
        "modalities": "By modality",
        "generalisation": "Unseen sources",
        "algorithms": "Algorithms",
        "figures": "Figures",
        "errors": "Errors",
        "robustness": "Robustness",
        "gallery": "Errors on images",
        "failures": "Failures",
        "published": "Published elsewhere",
        "cite": "How to cite",
        "downloads": "Downloads",
    }
    return [(id_, words) for id_, words in sections.items() if optional.get(id_, True)]
