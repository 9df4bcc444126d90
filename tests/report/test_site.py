"""Several boards as one site, without a browser: what its pages show, link to and refuse."""

import itertools
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from boards import files
from pages import HOSTILE, Outline, scores_of, write_scores
from sites import write_boards

from cellbench.boards.joined import join_boards
from cellbench.boards.reading import read_board
from cellbench.cli import main
from cellbench.errors import EntrantError
from cellbench.report.page.embedding import content_hash
from cellbench.report.site import write_site


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_boards(tmp_path_factory.mktemp("site") / "boards")


@pytest.fixture(scope="module")
def site(boards: Path) -> Path:
    return write_site(boards, boards.parent / "site", title="Cells & <b>").parent


def pages_of(site: Path) -> list[Path]:
    """List the pages that belong to the site itself."""
    return sorted([*site.glob("*.html"), *site.glob("algorithms/*.html")])


def table_of(page: Path, name: str) -> list[list[str]]:
    """Return the texts of the cells of a table."""
    text = page.read_text(encoding="utf-8")
    table = text[text.index(f'<table id="{name}"') :]
    rows = re.findall(r"<tr.*?</tr>", table[: table.index("</table>")], re.DOTALL)
    cells = [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in rows[1:]]
    return [[" ".join(re.sub("<[^>]*>", " ", one).split()) for one in row] for row in cells]


def test_the_index_has_a_line_for_each_board(site: Path, boards: Path) -> None:
    lines = {row[0].split()[0]: row for row in table_of(site / "index.html", "boards")}
    assert list(lines) == ["&lt;b&gt;tissue", "cells", "nuclei"]
    best = read_board(boards / "cells").leaderboard.iloc[0]
    low, high = best["mean_f1_low"], best["mean_f1_high"]
    assert lines["cells"][1].startswith("unet")
    assert lines["cells"][2] == f"{best['mean_f1']:.3f} {low:.3f} to {high:.3f}"
    assert lines["cells"][3:] == [
        *("F1 higher is better", "3", "12", "DIC, fluorescence", "neurips22, version 2")
    ]
    assert lines["nuclei"][1].startswith("mesmer")
    assert lines["&lt;b&gt;tissue"][6] == "brightfield, not given"


def test_the_consensus_is_that_of_the_command(site: Path, boards: Path) -> None:
    rows = table_of(site / "index.html", "algorithms")
    shared = ["unet", "stardist"]
    ranks = {
        board.name: read_board(board).ranking.loc[shared].rank(method="min")
        for board in sorted(boards.iterdir())
    }
    expected = join_boards(ranks)
    for row, (_, wanted) in zip(rows[:2], expected.iterrows(), strict=True):
        assert wanted["algorithm"] in row[0]
        assert row[1:4] == [f"{wanted['rank']:g}", f"{wanted['mean_rank']:.2f}", "3"]
    assert len(rows) == 4 + len(HOSTILE)
    assert all(row[1:4] == ["–", "–", "1"] for row in rows[2:])
    text = (site / "index.html").read_text()
    assert "among the 2 algorithms that are on every board" in text


def test_the_page_of_an_algorithm(site: Path, boards: Path) -> None:
    page = site / "algorithms/stardist.html"
    text = page.read_text()
    assert "<h1><bdi>The star method</bdi></h1>" in text
    assert "Name in the tables: <bdi>stardist</bdi>" in text
    assert 'href="https://spdx.org/licenses/Apache-2.0.html"' in text
    assert "cells; dsb" in text
    scores = {row[0]: row for row in table_of(page, "on-boards")}
    assert scores["cells"][1].startswith("2 of 3")
    part = read_board(boards / "cells/modalities/dic").leaderboard.set_index("algorithm")
    profile = {(row[0], row[1]): row for row in table_of(page, "by-modality")}
    assert set(profile) == {
        *(("DIC", "cells"), ("fluorescence", "cells"), ("fluorescence", "nuclei")),
        *(("brightfield", "&lt;b&gt;tissue"), ("not given", "&lt;b&gt;tissue")),
    }
    assert f"{part.loc['stardist', 'mean_f1']:.3f}" in " ".join(profile["DIC", "cells"])
    running = {row[0]: row for row in table_of(page, "resources")}
    median = read_board(boards / "nuclei").leaderboard.set_index("algorithm")["median_runtime_s"]
    assert f"{median['stardist']:.2f} s" in running["nuclei"]
    assert "do not say how to run it" in text


def test_results_are_of_every_algorithm_board_and_modality(site: Path) -> None:
    rows = table_of(site / "results.html", "results")
    assert len(rows) == 3 * 3 + 3 + 3 * (2 + len(HOSTILE))
    text = (site / "results.html").read_text()
    facets = [json.loads(one) for one in re.findall(r"data-facets='([^']*)'", text)]
    assert len(facets) == len(rows)
    assert {"licence": ["MIT"], "modality": ["all images", "fluorescence"]} in facets


def test_how_to_run_comes_from_entries(boards: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my entry"
    folder.mkdir()
    (folder / "entry.yaml").write_text(
        "name: hover\nlicence: ISC\ncommand: [python, 'a b.py', '{inputs}', '{outputs}']\n"
        "setup: [pip, install, '<b>']\nenv: {TOKEN: not-for-pages}\n"
    )
    written = write_site(boards, tmp_path / "site", entries=[folder]).parent
    text = (written / "algorithms/hover.html").read_text()
    for words in (
        "cellbench run &#39;my entry&#39; --data DATASET --out predictions",
        "python &#39;a b.py&#39; {inputs} {outputs}",
        "pip install &#39;&lt;b&gt;&#39;",
        "licenses/ISC.html",
    ):
        assert words in text
    assert "not-for-pages" not in text
    with pytest.raises(EntrantError, match="another entry has the name 'hover' too"):
        write_site(boards, tmp_path / "other", entries=[folder, folder / "entry.yaml"])


def test_every_link_leads_somewhere(site: Path) -> None:
    """Pages load nothing; their links lead to files of the site, ids, or addresses that entries state."""
    for page in [*pages_of(site), *site.glob("boards/*/report.html")]:
        found = Outline(page.read_text(encoding="utf-8"))
        ids = set(found.values("id"))
        assert not found.values("src")
        for link in found.values("href"):
            if link.startswith("#"):
                assert link[1:] in ids | {""}
            elif not link.startswith(("https://", "data:")):
                assert (page.parent / link).is_file(), link
                assert (page.parent / link).resolve().is_relative_to(site.resolve())
        assert not {"iframe", "object", "embed", "base", "form"} & {tag for tag, _ in found.tags}


def test_ids_headings_and_policy(site: Path) -> None:
    for page in pages_of(site):
        text = page.read_text(encoding="utf-8")
        found = Outline(text)
        ids = found.values("id")
        assert len(ids) == len(set(ids))
        for name in ("aria-labelledby", "aria-controls", "for"):
            assert set(found.values(name)) <= set(ids)
        levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(next_ <= level + 1 for level, next_ in itertools.pairwise(levels))
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
        assert "unsafe" not in policy
        for element in ("style", "script"):
            (content,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
            assert f"{element}-src {content_hash(content)}" in policy.replace("&#39;", "'")
        assert found.values("style") == []
        assert not found.all("b")
        assert not found.all("img")
        assert len(found.all("script")) == 1


def test_names_of_strangers_become_safe_files(site: Path) -> None:
    names = [path.name for path in site.glob("algorithms/*")]
    assert len(names) == len({name.lower() for name in names}) == 4 + len(HOSTILE)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,44}\.html", name) for name in names)
    assert {path.name for path in site.glob("boards/*")} == {"b-tissue", "cells", "nuclei"}


def test_the_page_of_a_board_leads_back(site: Path) -> None:
    text = (site / "boards/cells/report.html").read_text()
    assert 'leaderboard · <a href="../../index.html">All boards</a></p>' in text


def test_same_boards_same_bytes(boards: Path, tmp_path: Path) -> None:
    first = files(write_site(boards, tmp_path / "one").parent)
    again = write_site(boards, tmp_path / "one").parent
    assert files(again) == first
    assert files(write_site(boards, tmp_path / "two" / "deep").parent) == first
    assert not any(str(tmp_path).encode() in content for content in first.values())
    listed = json.loads(first.pop("site.json"))["files"]
    assert listed == sorted(first)


def test_a_board_without_a_page_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellbench.report.site.reports.draw_board", lambda _: [])
    board = write_scores(tmp_path / "boards" / "cells", scores_of(["a", "b"], ["x", "y"]))
    before = files(board)
    site = write_site(tmp_path / "boards", tmp_path / "site").parent
    assert files(board) == before
    text = (site / "boards/cells/report.html").read_text()
    assert "<h1><bdi>cells</bdi></h1>" in text
    (board / "report.html").write_text("of another ranking")
    write_site(tmp_path / "boards", tmp_path / "site")
    assert (site / "boards/cells/report.html").read_text() == text


def test_a_page_cannot_take_other_files_along(tmp_path: Path) -> None:
    board = write_scores(tmp_path / "boards" / "cells", scores_of(["a", "b"], ["x", "y"]))
    run = read_board(board).provenance["run_id"]
    (tmp_path / "boards/secret.txt").write_text("secret")
    (board / "link.txt").symlink_to(tmp_path / "boards/secret.txt")
    links = ["../secret.txt", "link.txt", str(tmp_path / "boards/secret.txt"), "scores.csv"]
    page = "".join(f'<a href="{link}">x</a>' for link in links)
    (board / "report.html").write_text(f"{page} Ranking {run}")
    site = write_site(tmp_path / "boards", tmp_path / "site").parent
    assert {path.name for path in (site / "boards/cells").iterdir()} == {
        "report.html",
        "scores.csv",
    }


def test_boards_of_other_measures(boards: Path, tmp_path: Path) -> None:
    folder = tmp_path / "boards"
    folder.mkdir()
    (folder / "cells").symlink_to(boards / "cells")
    rows = [
        (name, case, place * 3.0 + case) for place, name in enumerate("ab") for case in range(4)
    ]
    pd.DataFrame(rows, columns=["who", "case", "HD95 <mm>"]).to_csv(tmp_path / "t.csv", index=False)
    words = ["--case", "case", "--algorithm", "who", "--value", "HD95 <mm>", "--smaller-is-better"]
    out = ["--out", str(folder / "errors"), "--bootstrap", "10"]
    assert main(["rank", str(tmp_path / "t.csv"), *words, *out]) == 0
    (folder / "cells.txt").write_text("no board")
    from cellbench.report.page import write_page

    write_page(read_board(folder / "errors"), [])
    site = write_site(folder, tmp_path / "site").parent
    line = table_of(site / "index.html", "boards")[1]
    assert line[3] == "HD95 &lt;mm&gt; lower is better"
    assert line[7] == "none: a table of values was ranked"
    assert (
        "There is no consensus: no algorithm is on all boards." in (site / "index.html").read_text()
    )
    assert not re.search(r"\bnan\b", (site / "results.html").read_text(), re.IGNORECASE)
