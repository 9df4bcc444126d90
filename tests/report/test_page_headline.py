"""The page claims no more than its images show, and says which algorithms were too slow."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pages import scores_of, write_scores

from cellbench.boards.reading import BoardTables, read_board
from cellbench.boards.verdict import FEW_IMAGES
from cellbench.report.page import write_page
from cellbench.report.page.headline import group_words, make_headline, table_sentences
from cellbench.report.page.leaderboard import make_table


def board_of(folder: Path, images: int, names: tuple[str, ...] = ("a", "b"), **more) -> BoardTables:  # noqa: ANN003
    stems = [f"image{number}" for number in range(images)]
    return read_board(write_scores(folder / "board", scores_of(names, stems, ["DIC"], **more)))


@pytest.mark.parametrize("images", [1, FEW_IMAGES - 1])
def test_few_images_prove_nothing(images: int, tmp_path: Path) -> None:
    board = board_of(tmp_path, images)
    text = write_page(board, []).read_text(encoding="utf-8")
    (lede,) = re.findall(r'<p class="lede">(.*?)</p>', text)
    words = re.sub("<[^>]+>", "", lede)
    counted = "1 image is" if images == 1 else f"{images} images are"
    assert words == f"a ranks first, but {counted} too few to tell it apart from b."
    assert f"With fewer than {FEW_IMAGES} images" in text
    assert "stays first" not in text


def test_enough_images_and_a_significant_lead(tmp_path: Path) -> None:
    headline = make_headline(board_of(tmp_path, 24, timed=False))
    assert headline.names == ("a",)
    assert headline.claim.text.startswith("ranks first on 24 images, significantly ahead of b")
    assert headline.caution == ""


def test_first_and_second_in_one_group(tmp_path: Path) -> None:
    board = board_of(tmp_path, 24)
    equal = replace(board, significance=board.significance.assign(significant=False))
    assert make_headline(equal).claim.text == (
        "ranks first, but 24 images are too few to tell it apart from b."
    )


def test_one_algorithm_needs_no_caution(tmp_path: Path) -> None:
    headline = make_headline(board_of(tmp_path, 1, ("alone",)))
    assert headline.claim.text == "is the only algorithm, so there is nothing to compare it with."
    assert headline.caution == ""


def test_slow_algorithms_are_named(tmp_path: Path) -> None:
    scores = scores_of(["fast", "slow", "lost"], ["x", "y", "z"], ["DIC"])
    of = scores["algorithm"]
    scores[["runtime_s", "rank_runtime_s"]] = (4.0, 0.0)
    slow = (of == "slow") & (scores["image"] != "y")
    scores.loc[slow, ["runtime_s", "rank_runtime_s"]] = (15.0, 5.0)
    lost = (of == "lost") & (scores["image"] == "x")
    scores.loc[lost, ["f1", "rank_runtime_s", "status"]] = (0.0, float("inf"), "failed")
    board = read_board(write_scores(tmp_path, scores))
    assert make_headline(board).late == (("slow", 2),)
    text = write_page(board, []).read_text(encoding="utf-8")
    (line,) = re.findall(r'<p class="late">(.*?)</p>', text)
    assert re.sub("<[^>]+>", "", line).endswith("such images: slow (2).")
    in_time = {row.name: row.cells for row in make_table(board, {}).rows}
    titles = [column.title for column in make_table(board, {}).columns]
    place = titles.index("In time")
    assert {name: cells[place].text for name, cells in in_time.items()} == {
        "fast": "3 of 3",
        "slow": "1 of 3",
        "lost": "2 of 3",
    }


def test_no_line_without_slow_algorithms(tmp_path: Path) -> None:
    board = board_of(tmp_path, 2, timed=False)
    assert make_headline(board).late == ()
    assert 'class="late"' not in write_page(board, []).read_text(encoding="utf-8")
    assert not any("time tolerance" in sentence for sentence in table_sentences(board))


def test_the_table_says_which_direction_is_better(tmp_path: Path) -> None:
    notes = {column.title: column.note for column in make_table(board_of(tmp_path, 4), {}).columns}
    assert notes["Score"] == "lower is better"
    assert notes["Mean rank, F1"] == "lower is better"
    assert notes["Median F1"] == "higher is better"
    assert notes["In time"] == "images"


@pytest.mark.parametrize(("metric", "words"), [("f1", "F1"), ("challenge", "F1 and running time")])
def test_groups_say_what_was_tested(metric: str, words: str, tmp_path: Path) -> None:
    rows = [(metric, 1, "a"), (metric, 2, "b"), (metric, 3, "a"), ("rank_runtime", 9, "a")]
    clusters = pd.DataFrame(rows, columns=["metric", "cluster", "algorithm"])
    board = replace(board_of(tmp_path, 12), clusters=clusters)
    assert group_words(board) == words
    table = make_table(board, {})
    assert table.columns[-1].title == "Group"
    assert table.columns[-1].note == f"tests of {words}"
    assert {row.name: row.cells[-1].text for row in table.rows} == {"a": "a c", "b": "b"}
    end = f"do not differ significantly in {words}{' together' if metric == 'challenge' else ''}."
    assert table_sentences(board)[-1].endswith(end)
