"""report.html without a browser: whole, safe, the same twice, and clear about what is missing."""

import itertools
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from boards import bind_again
from pages import HOSTILE, Outline, make_all, scores_of, write_scores

from cellbench.boards import Columns, write_board
from cellbench.boards.reading import read_board
from cellbench.cli import main
from cellbench.report import write_report
from cellbench.report.page import Gallery, write_page
from cellbench.report.page.embedding import LARGEST, content_hash
from cellbench.report.page.sources import Problem

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "published" / "f1.csv"


def page_of(board: Path, **options: object) -> str:
    """Write the page without the figures, which other tests draw."""
    return write_page(read_board(board), [], **options).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_report_is_figures_and_page(tmp_path: Path) -> None:
    board = write_scores(tmp_path / "cells", scores_of(["a", "b"], ["x", "y", "z"]))
    assert main(["report", str(board), "--published", str(PUBLISHED)]) == 0
    text = (board / "report.html").read_text(encoding="utf-8")
    found = Outline(text)
    pictures = [str(image["src"]) for image in found.all("img")]
    assert len(pictures) >= 2
    assert all(re.match(r"data:image/(svg\+xml|png);base64,", uri) for uri in pictures)
    assert all(image["alt"] for image in found.all("img"))
    assert "Published elsewhere" in text


def test_it_says_what_was_ranked_and_how(board: Path) -> None:
    text = page_of(board)
    known = json.loads((board / "provenance.json").read_text())
    expected = [
        "3 algorithms on 6 images",
        "neurips22, version 2",
        "rank-then-mean, ties min",
        "weights 1:1",
        "20 bootstrap samples of the images, seed 2022",
        known["software"]["numpy"],
        known["scores"][0]["sha256"],
        "F1 0 and an infinite rank runtime",
    ]
    assert [words for words in expected if words not in text] == []


def test_the_leaderboard_has_every_number(board: Path) -> None:
    table = pd.read_csv(board / "leaderboard.csv")
    text = page_of(board)
    body = text[text.index('<table id="board"') :]
    rows = re.findall(r"<tr>.*?</tr>", body[: body.index("</table>")], re.DOTALL)[1:]
    assert len(rows) == len(table)
    for row, (_, wanted) in zip(rows, table.iterrows(), strict=True):
        assert f"<bdi>{wanted['algorithm']}</bdi>" in row
        for name in ("score", "mean_rank_f1", "median_f1", "mean_f1", "median_runtime_s"):
            assert f'data-key="{wanted[name]}"' in row, name
        assert f"{wanted['mean_f1_low']:.3f} to {wanted['mean_f1_high']:.3f}" in row
        assert f"{wanted['failed']} of 6" in row


def test_failures_are_listed(board: Path) -> None:
    text = page_of(board)
    assert "1 of 18 results failed" in text
    assert re.search(
        r"<bdi>third</bdi></th><td class=\"name\"><bdi>image2</bdi></td><td>timeout", text
    )


def test_no_failures(tmp_path: Path) -> None:
    board = write_scores(tmp_path, scores_of(["a"], ["x"]))
    assert "There are none: every algorithm has a usable result for every image." in page_of(board)


def test_nothing_but_data_is_loaded(board: Path) -> None:
    """Only links lead elsewhere: the page itself loads nothing."""
    found = Outline(page_of(board))
    outside = [link for link in found.values("href") if link.startswith("https://")]
    assert outside == ["https://doi.org/10.1038/s41592-024-02233-6"]
    assert outside == [link["href"] for link in found.all("a") if link.get("rel")]
    links = [link for name in ("href", "src", "action", "srcset") for link in found.values(name)]
    beside = {path.name for path in board.iterdir()}
    assert [
        link
        for link in links
        if not link.startswith(("#", "data:")) and link not in beside and link not in outside
    ] == []
    anchors = {link[1:] for link in links if link.startswith("#")}
    assert anchors <= set(found.values("id"))
    assert not {"iframe", "object", "embed", "base", "form"} & {tag for tag, _ in found.tags}


def test_ids_and_headings(board: Path) -> None:
    found = Outline(page_of(board))
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "aria-controls", "for"):
        assert set(found.values(name)) <= set(ids)
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(next_ <= level + 1 for level, next_ in itertools.pairwise(levels))


def test_policy_allows_this_style_and_script_alone(board: Path) -> None:
    text = page_of(board)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for element in ("style", "script"):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert f"{element}-src {content_hash(content)}" in policy
    assert Outline(text).values("style") == []
    assert not re.search(r"\son\w+=", re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL))


def test_hostile_names_are_text(tmp_path: Path) -> None:
    images = ["<b>x</b>", "</script><script>alert(2)</script>", "y"]
    scores = scores_of(HOSTILE, images, ["<i>DIC</i>", ""], failed=[(HOSTILE[0], images[0])])
    board = write_scores(tmp_path / "<u>board", scores)
    problems = [Problem(name, images[1], f"broken {name}") for name in HOSTILE]
    found = Outline(page_of(board, gallery=Gallery([], problems=problems)))
    assert not found.all("b")
    assert not found.all("i")
    assert not found.all("u")
    assert not found.all("img")
    assert {script.get("type") for script in found.all("script")} == {None, "application/json"}
    assert len([script for script in found.all("script") if "type" not in script]) == 1


@pytest.mark.slow
def test_json_cannot_end_its_script(tmp_path: Path) -> None:
    names = ["<!--<script>", "__proto__", "a&b'\u2028"]
    board, data, predictions = make_all(tmp_path, names)
    write_report(board, data=data, predictions=predictions)
    text = (board / "report.html").read_text(encoding="utf-8")
    blocks = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', text)
    assert blocks[-1][0] == "gallery-index"
    assert all("<" not in block and "&" not in block for _, block in blocks)
    index = json.loads(blocks[-1][1])
    assert set(index["algorithms"]) == set(names)
    assert all(set(json.loads(block)["drawn"]) == set(names) for _, block in blocks[:-1])


@pytest.mark.slow
def test_same_board_same_bytes(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        board, data, predictions = make_all(tmp_path / name, ["a", "b"])
        paths = write_report(board, data=data, predictions=predictions, published=[PUBLISHED])
        pages.append(paths[-1].read_bytes())
        assert paths[-1] == board / "report.html"
        assert str(tmp_path).encode() not in pages[-1]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("names", "images", "modalities", "timed"),
    [
        pytest.param(["alone"], ["x"], ["DIC"], True, id="one algorithm, one image"),
        pytest.param(["a", "b"], ["x", "y"], ["DIC"], False, id="no runtimes, one modality"),
        pytest.param(["a", "b"], ["x", "y"], ["", "DIC"], True, id="a modality not given"),
    ],
)
def test_small_boards(
    names: list[str], images: list[str], modalities: list[str], timed: bool, tmp_path: Path
) -> None:
    board = write_scores(tmp_path / "b", scores_of(names, images, modalities, timed=timed))
    text = page_of(board)
    assert Outline(text).values("role").count("tab") == (
        len(modalities) + 1 if len(modalities) > 1 else 0
    )
    assert ("Mean rank, time" in text) == timed
    assert ("Runtime" in text) == timed
    assert ("only algorithm" in text) == (len(names) == 1)
    assert "made without images" in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_a_long_table_where_less_is_better(tmp_path: Path) -> None:
    rows = [(name, case, place * 3 + case) for place, name in enumerate("ab") for case in range(4)]
    pd.DataFrame(rows, columns=["who", "case", "HD95 <mm>"]).to_csv(tmp_path / "t.csv", index=False)
    columns = Columns("case", "who", "HD95 <mm>", higher_is_better=False)
    write_board([tmp_path / "t.csv"], tmp_path / "out", bootstrap=10, columns=columns)
    text = page_of(tmp_path / "out")
    assert "HD95 &lt;mm&gt; (lower is better)" in text
    assert "Median HD95 &lt;mm&gt;" in text
    assert "none: a table of values was ranked" in text
    assert "from the smallest to the largest" in text


def test_large_tables_lie_beside(board: Path, tmp_path: Path) -> None:
    text = page_of(board)
    assert 'download="leaderboard.csv"' in text
    copy = tmp_path / "board"
    copy.mkdir()
    for path in board.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(board)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    scores = copy / "scores.csv"
    scores.write_text(scores.read_text() + " " * LARGEST)
    bind_again(copy)
    assert '<a href="scores.csv">' in page_of(copy)
