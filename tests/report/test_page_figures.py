"""Figures on the page: their titles stand there once, and the same files give the same picture."""

import base64
import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from random_boards import make_board

from cellbench.boards.reading import read_board
from cellbench.report import draw_board
from cellbench.report.figures.captions import FIGURES, TITLES
from cellbench.report.page.embedding import Figure, embed_figures
from cellbench.report.page.pictures import read_picture

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_board(tmp_path_factory.mktemp("board"), [*"abcdefghijkl"], 12)
    draw_board(folder)
    return folder


@pytest.fixture(scope="module")
def figures(board: Path) -> dict[str, Figure]:
    return {
        figure.title: figure
        for figure in embed_figures(board.glob("*.*"), board, read_board(board))
    }


def view_of(svg: str) -> tuple[float, float, float]:
    """Return top, width and height of the view without title, in points."""
    (view,) = re.findall(r'<view id="plot" viewBox="0 (\S+) (\S+) (\S+)"/>', svg)
    top, width, height = map(float, view)
    return top, width, height


@pytest.mark.parametrize("name", [caption.name for caption in FIGURES])
def test_the_view_is_all_below_the_header(name: str, board: Path) -> None:
    svg = (board / f"{name}.svg").read_text()
    (whole,) = re.findall(r'viewBox="0 0 (\S+) (\S+)"', svg[:500])
    top, width, height = view_of(svg)
    assert (width, top + height) == pytest.approx(tuple(map(float, whole)), abs=0.01)
    with Image.open(board / f"{name}.png") as png:
        pixels = png.convert("L")
        edge = round(png.height * top / (top + height))
        header = pixels.crop((0, 0, png.width, edge))
        last_line = pixels.crop((0, edge - 3, png.width, edge + 1))
    assert header.getextrema()[0] < 100  # the title is in the header
    assert last_line.getextrema()[0] > 200  # and no letter of it reaches below


def test_pictures_of_both_kinds_lack_the_header(board: Path, tmp_path: Path) -> None:
    svg, png = board / "podium.svg", board / "podium.png"
    top, width, height = view_of(svg.read_text())
    small = read_picture(svg, png)
    assert small.path == png
    with Image.open(BytesIO(small.content)) as cut, Image.open(png) as whole:
        assert cut.width == whole.width
        assert cut.height == pytest.approx(whole.height * height / (top + height), abs=1)
    (tmp_path / "podium.png").write_bytes(png.read_bytes() + b"\0" * svg.stat().st_size)
    large = read_picture(svg, tmp_path / "podium.png")
    assert large.path == svg
    root = re.search(rb"<svg[^>]+>", large.content)
    assert root is not None
    assert f'viewBox="0 {top:g} {width:g} {height:g}"'.encode() in root.group()
    assert f'height="{height:g}pt"'.encode() in root.group()
    assert (small.width, small.height) == (large.width, large.height)


def test_every_figure_is_embedded_once(figures: dict[str, Figure]) -> None:
    assert list(figures) == list(TITLES.values())
    for figure in figures.values():
        content = base64.b64decode(figure.uri.partition(",")[2])
        assert content.startswith((b"\x89PNG", b"<?xml"))
        assert [file.rpartition(".")[2] for file in figure.files] == ["svg", "png"]


def test_wide_figures_have_the_whole_width(figures: dict[str, Figure]) -> None:
    shapes = {figure.title: figure.shape for figure in figures.values()}
    assert shapes[TITLES["sensitivity"]] == "wide"
    assert shapes[TITLES["significance"]] == "tall"
    assert shapes[TITLES["podium"]] == ""
