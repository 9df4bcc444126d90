"""The page of each board in the site, with the files that it links to."""

import re
import shutil
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from cellbench.boards.reading import read_board
from cellbench.boards.run_id import MODALITIES, RUN_ID
from cellbench.report.figures.drawing import draw_board
from cellbench.report.page.writing import PAGE_FILE, write_page
from cellbench.report.site.boards import SiteBoard

_TABLES = ("*.csv", "*.json", "*.md", "*.tex")
_PLACE_OF_LINK = "<!--site-->"  # in page.html.j2
_LINK = ' · <a href="../../index.html">All boards</a>'
_HREF = re.compile(r'<a [^>]*?href="([^"]{1,500})"')


def place_report(board: SiteBoard, folder: Path) -> None:
    """Put the page of a board, and the files that it links to, into a folder of the site.

    A page of this ranking that is in the board's folder is used as it is, because it may have images. Where
    there is none, it is made without images, and the board's folder is not changed.

    Args:
        board: the board.
        folder: where to write; it is created.

    Raises:
        CellbenchError: if the page cannot be made or written.
    """
    source = board.tables.folder
    page = source / PAGE_FILE
    if page.is_file():
        text = page.read_text(encoding="utf-8", errors="replace")
        if f"Ranking {board.tables.provenance[RUN_ID]}" in text:
            _copy(text, source, folder)
            return
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / board.name
        _copy_tables(source, copy)
        made = write_page(read_board(copy), draw_board(copy))
        _copy(made.read_text(encoding="utf-8"), copy, folder)


def _copy_tables(source: Path, copy: Path) -> None:
    folders = [source, *(part for part in sorted((source / MODALITIES).glob("*")) if part.is_dir())]
    for part in folders:
        target = copy / part.relative_to(source)
        target.mkdir(parents=True)
        for path in sorted(file for pattern in _TABLES for file in part.glob(pattern)):
            if path.is_file():
                shutil.copyfile(path, target / path.name)


def _copy(text: str, source: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in sorted({unescape(link) for link in _HREF.findall(text)}):
        path = source / name
        if _is_own_file(name, path, source):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    page = text.replace(_PLACE_OF_LINK, _LINK, 1)
    (folder / PAGE_FILE).write_text(page, encoding="utf-8", newline="\n")


def _is_own_file(name: str, path: Path, source: Path) -> bool:
    """Return whether a link of a page leads to a file in the board's folder: nothing else is copied."""
    if name.startswith(("#", "/", "data:")) or ":" in name or name == PAGE_FILE:
        return False
    return path.is_file() and path.resolve().is_relative_to(source.resolve())
