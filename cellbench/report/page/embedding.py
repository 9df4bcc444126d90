"""Files inside the page: figures and tables as data URIs."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.captions import FIGURES, Caption
from cellbench.report.page.pictures import read_picture
from cellbench.report.page.texts import size

LARGEST = 256_000
"""Size in bytes of the largest table that is stored inside the page; larger ones are linked."""

_TYPES = {
    ".md": "text/markdown",
    ".tex": "application/x-tex",
    ".csv": "text/csv;charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_WIDE = 950  # CSS pixels; a wider picture is not legible in half of the page's width
_TALL = 1.2  # ratio of height to width from which two other pictures fit beside a picture


@dataclass(frozen=True)
class Figure:
    """A figure with its caption.

    Attributes:
        title: the question that the figure answers.
        reading: how to read it.
        uri: the picture without title, as a data URI.
        name: file name of the picture.
        width: natural width in CSS pixels.
        height: natural height in CSS pixels.
        shape: "wide" if it needs the whole width of the page, "tall", or empty.
        files: paths of the files with title, relative to the page.
    """

    title: str
    reading: str
    uri: str
    name: str
    width: int
    height: int
    shape: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Download:
    """A table of the board.

    Attributes:
        name: file name.
        size: size in words.
        link: its content as a data URI, or its path relative to the page.
        inside: whether the page holds it.
    """

    name: str
    size: str
    link: str
    inside: bool


def data_uri(path: Path, content: bytes | None = None) -> str:
    """Return a file as a data URI.

    Args:
        path: the file; its suffix decides the type.
        content: the bytes to use; those of the file if None.
    """
    encoded = base64.b64encode(path.read_bytes() if content is None else content).decode()
    return f"data:{_TYPES[path.suffix]};base64,{encoded}"


def content_hash(text: str) -> str:
    """Return the source expression with which a Content-Security-Policy allows one script or style.

    Args:
        text: the content of the script or style element.
    """
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def embed_figures(
    paths: Iterable[Path],
    folder: Path,
    board: BoardTables,
    captions: Sequence[Caption] = FIGURES,
) -> list[Figure]:
    """Embed the figures of a folder, in the order in which they are best read.

    Args:
        paths: all files that were drawn; files of other folders and unknown names are ignored.
        folder: the folder of the board or of one of its modalities.
        board: the board whose page is written.
        captions: the figures that are wanted.

    Returns:
        One entry for each figure that was drawn as .svg and .png.
    """
    drawn = {path.name for path in paths if path.parent == folder}
    return [
        _embed(folder / name, title, reading.format(unit=board.unit), board.folder)
        for name, title, reading in captions
        if {f"{name}.svg", f"{name}.png"} <= drawn
    ]


def _embed(path: Path, title: str, reading: str, board: Path) -> Figure:
    files = [path.with_name(path.name + suffix) for suffix in (".svg", ".png")]
    picture = read_picture(*files)
    tall = "tall" if picture.height > _TALL * picture.width else ""
    return Figure(
        title=title,
        reading=reading,
        uri=data_uri(picture.path, picture.content),
        name=picture.path.name,
        width=picture.width,
        height=picture.height,
        shape="wide" if picture.width > _WIDE else tall,
        files=tuple(file.relative_to(board).as_posix() for file in files),
    )


def list_downloads(board: Path, names: Sequence[str]) -> list[Download]:
    """List the tables of a board for downloading.

    Args:
        board: the folder of the board.
        names: file names; files that do not exist are ignored.
    """
    downloads = []
    for name in names:
        path = board / name
        if path.is_file():
            inside = _bytes(path) <= LARGEST
            link = data_uri(path) if inside else name
            downloads.append(Download(name, size(_bytes(path)), link, inside))
    return downloads


def _bytes(path: Path) -> int:
    return path.stat().st_size
