"""Files inside the page: figures and tables as data URIs."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellbench.report.figures.captions import FIGURES
from cellbench.report.page.texts import size

LARGEST = 256_000
"""Bytes of the largest table inside the page; a link leads to larger ones, which lie beside it."""

_TYPES = {
    ".csv": "text/csv;charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Figure:
    """A figure with its caption.

    Attributes:
        title: what it answers.
        reading: how to read it.
        uri: the smaller of its two files.
        name: of that file.
        path: where it lies beside the page.
        other: where the larger file lies; empty where there is one only.
    """

    title: str
    reading: str
    uri: str
    name: str
    path: str
    other: str


@dataclass(frozen=True)
class Download:
    """A table of the board.

    Attributes:
        name: of the file.
        size: in words.
        link: its content, or its path beside the page.
        inside: whether the page holds it.
    """

    name: str
    size: str
    link: str
    inside: bool


def data_uri(path: Path) -> str:
    """Give a file as a data URI."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:{_TYPES[path.suffix]};base64,{content}"


def content_hash(text: str) -> str:
    """Give the source expression by which a Content-Security-Policy allows one script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def embed_figures(paths: Iterable[Path], folder: Path, board: Path) -> list[Figure]:
    """Choose the smaller file of each figure of a folder, in the order in which they are best read.

    Args:
        paths: all files that were drawn; those of no known figure are passed over.
        folder: the board's or one of a modality.
        board: where the page lies.
    """
    drawn = {path.name: path for path in paths if path.parent == folder}
    figures = []
    for name, title, reading in FIGURES:
        files = [drawn[name + suffix] for suffix in (".svg", ".png") if name + suffix in drawn]
        if files:
            small, *large = sorted(files, key=_bytes)
            beside = [path.relative_to(board).as_posix() for path in (small, *large)]
            other = beside[1] if large else ""
            figures.append(Figure(title, reading, data_uri(small), small.name, beside[0], other))
    return figures


def list_downloads(board: Path, names: Sequence[str]) -> list[Download]:
    """List the board's tables; absent ones are passed over."""
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
