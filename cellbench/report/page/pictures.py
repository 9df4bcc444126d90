"""Figures as the page shows them: without title and explanation, which stand beside them as text."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_SIZE = re.compile(rb'width="(\S+)pt" height="(\S+)pt" viewBox="[^"]+"')
_VIEW = re.compile(rb'<view id="plot" viewBox="0 (\S+) (\S+) (\S+)"/>')
_PIXELS_PER_POINT = 96 / 72  # CSS pixels


@dataclass(frozen=True)
class Picture:
    """A figure without its header.

    Attributes:
        content: the bytes of the file.
        path: the file with the header.
        width: natural width in CSS pixels, at which its text is easy to read.
        height: natural height in CSS pixels.
    """

    content: bytes
    path: Path
    width: int
    height: int


def read_picture(svg: Path, png: Path) -> Picture:
    """Read a figure without its header, from the smaller one of its two files.

    Args:
        svg: the figure with the view ``plot``, as [`cellbench.report.figures.style.save`][] writes it.
        png: the same figure in pixels.

    Returns:
        The picture; the same files give the same bytes.
    """
    drawn = svg.read_bytes()
    view = _VIEW.search(drawn)
    assert view is not None
    top, width, height = (float(number) for number in view.groups())
    size = round(width * _PIXELS_PER_POINT), round(height * _PIXELS_PER_POINT)
    if png.stat().st_size < len(drawn):
        return Picture(_crop(png, top / (top + height)), png, *size)
    box = f'width="{width:g}pt" height="{height:g}pt" viewBox="0 {top:g} {width:g} {height:g}"'
    return Picture(_SIZE.sub(box.encode(), drawn, count=1), svg, *size)


def _crop(png: Path, header: float) -> bytes:
    """Cut the header off, which is given as a share of the height."""
    with Image.open(png) as whole, io.BytesIO() as file:
        plot = whole.crop((0, round(header * whole.height), whole.width, whole.height))
        plot.save(file, "PNG", optimize=True)
        return file.getvalue()
