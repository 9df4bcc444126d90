"""In-source and out-of-source images side by side: the table, its intervals, the terminal and the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import files, make_scores, save

from cellbench.boards.reading import read_board
from cellbench.boards.schema import GENERALISATION
from cellbench.cli import main

SEEN, NEW = "in_source_mean_f1", "out_of_source_mean_f1"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Images 0 to 7 are in-source, images 8 to 11 out-of-source; other rows are of other splits."""
    rows = [
        {
            "image": f"image{i}.png",
            "split": "test",
            "domain": f"{'in' if i < 8 else 'out-of'}-source",
        }
        for i in range(12)
    ]
    path = tmp_path / "manifest.csv"
    rows += [{"image": "other.png", "split": "train", "domain": ""}]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def rank(scores: pd.DataFrame, folder: Path, *words: str) -> int:
    path = save(scores, folder)
    return main(["rank", str(path), "--out", str(folder / "board"), *words])


def test_means_drops_and_images(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = make_scores()
    assert rank(scores, tmp_path, "--manifest", str(manifest), "--bootstrap", "200") == 0
    printed = capsys.readouterr().out
    table = pd.read_csv(tmp_path / "board/generalisation.csv")
    assert list(table) == GENERALISATION.names()
    half = scores[scores.threshold == 0.5].pivot(index="image", columns="algorithm", values="f1")
    unseen = half.index.str.removeprefix("image").astype(int) >= 8
    expected = pd.DataFrame({SEEN: half[~unseen].mean(), NEW: half[unseen].mean()})
    expected["drop"] = expected[SEEN] - expected[NEW]
    found = table.set_index("algorithm")
    pd.testing.assert_frame_equal(found[[*expected]].sort_index(), expected, rtol=1e-12)
    assert found[NEW].is_monotonic_decreasing
    assert set(found["in_source_images"]) == {8}
    assert set(found["out_of_source_images"]) == {4}
    for name in (SEEN, NEW, "drop"):
        assert (found[f"{name}_low"] < found[name]).all()
        assert (found[name] < found[f"{name}_high"]).all()
    best = found.iloc[0]
    assert f"{best[SEEN]:.4f}" in printed
    assert f"{best['drop_low']:.4f} to {best['drop_high']:.4f}" in printed
    assert "on 4 images of sources that were left out of the training split than on 8" in printed


def test_the_interval_is_that_of_a_difference_of_two_independent_means(
    manifest: Path, tmp_path: Path
) -> None:
    assert rank(make_scores(), tmp_path, "--manifest", str(manifest), "--bootstrap", "4000") == 0
    table = pd.read_csv(tmp_path / "board/generalisation.csv").set_index("algorithm")
    f1 = make_scores().query("threshold == 0.5 and algorithm == 'algorithm 0'")
    unseen = f1["image"].str.removeprefix("image").astype(int) >= 8
    variance = sum(part.var(ddof=0) / len(part) for _, part in f1["f1"].groupby(unseen))
    width = table.loc["algorithm 0", "drop_high"] - table.loc["algorithm 0", "drop_low"]
    assert width == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.05)


def test_algorithms_share_the_draws(manifest: Path, tmp_path: Path) -> None:
    scores = make_scores(algorithms=2).query("threshold == 0.5")
    one = scores[scores.algorithm == "algorithm 0"]
    same = pd.concat([one, one.assign(algorithm="again", f1=one.f1 - 0.0)])
    assert rank(same, tmp_path, "--manifest", str(manifest), "--bootstrap", "50") == 0
    table = pd.read_csv(tmp_path / "board/generalisation.csv")
    assert (table.iloc[0, 1:] == table.iloc[1, 1:]).all()
    assert list(table["algorithm"]) == ["again", "algorithm 0"]


def test_small_values_of_a_long_table_are_better(manifest: Path, tmp_path: Path) -> None:
    rows = [
        {"case": f"image{i}", "team": team, "error": (i >= 8) + wrong}
        for i in range(12)
        for team, wrong in (("a", 1.0), ("b", 0.5))
    ]
    path = tmp_path / "table.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    words = ["--case", "case", "--algorithm", "team", "--value", "error", "--smaller-is-better"]
    out = ["--out", str(tmp_path / "board"), "--manifest", str(manifest), "--bootstrap", "20"]
    assert main(["rank", str(path), *words, *out]) == 0
    table = pd.read_csv(tmp_path / "board/generalisation.csv")
    assert table["algorithm"].to_list() == ["b", "a"]
    assert table["drop"].to_list() == [1.0, 1.0]
    assert table["out_of_source_mean_error"].to_list() == [1.5, 2.0]


def test_the_board_keeps_the_table_only_as_long_as_it_is_asked_for(
    manifest: Path, tmp_path: Path
) -> None:
    more = ["--manifest", str(manifest), "--bootstrap", "20"]
    assert rank(make_scores(), tmp_path, *more) == 0
    board, first = read_board(tmp_path / "board"), files(tmp_path / "board")
    assert board.generalisation is not None
    assert board.generalisation.columns.to_list() == GENERALISATION.names()
    assert "--manifest manifest.csv" in board.provenance["command"]
    assert rank(make_scores(), tmp_path, *more) == 0
    assert files(tmp_path / "board") == first
    assert rank(make_scores(), tmp_path, "--bootstrap", "20") == 0
    assert read_board(tmp_path / "board").generalisation is None
    assert not (tmp_path / "board/generalisation.csv").exists()


def test_the_page_has_a_section(manifest: Path, tmp_path: Path) -> None:
    assert rank(make_scores(), tmp_path, "--manifest", str(manifest), "--bootstrap", "20") == 0
    assert main(["report", str(tmp_path / "board")]) == 0
    page = (tmp_path / "board/report.html").read_text(encoding="utf-8")
    section = page.partition('<section id="generalisation"')[2].partition("</section>")[0]
    assert "Mean F1 on 4 images that were left out of training" in section
    assert "F1, out-of-source" in section
    best = pd.read_csv(tmp_path / "board/generalisation.csv").iloc[0]
    assert section.index(best["algorithm"]) < section.index(f"{best[NEW]:.3f}")
    assert '<a href="#generalisation">Unseen sources</a>' in page
    assert "generalisation.csv" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"domain": None},
            "the column 'domain' is missing; make the dataset with `cellbench data split`",
        ),
        (
            {"domain": "indoor"},
            "domain of the image image0 cannot be 'indoor'; it has to be in-source",
        ),
        ({"domain": "in-source"}, "all images of the scores are in-source; both kinds are needed"),
        ({"image": "x"}, "states nothing about the image 'image0' and 11 more"),
    ],
)
def test_a_manifest_that_does_not_fit(
    change: dict[str, str | None],
    message: str,
    manifest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = pd.read_csv(manifest)[:12]
    ((column, value),) = change.items()
    table = table.drop(columns=column) if value is None else table.assign(**{column: value})
    table.drop_duplicates("image").to_csv(manifest, index=False)
    assert rank(make_scores(), tmp_path, "--manifest", str(manifest)) == 1
    assert f"cellbench: {manifest}: " in (err := capsys.readouterr().err)
    assert message in err
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "manifest.csv: no such file; check the path"),
        ("", "the column 'image' is missing; the first line must name the columns"),
        ("file,domain\nimage0.png,in-source\n", "the column 'image' is missing"),
        ("image,split\nimage0.png,test\n", "the column 'domain' is missing; make the dataset"),
        (
            "image,domain\nimage0.png,in-source\nimage0.tif,out-of-source\n",
            "domain of the image image0 is both 'in-source' and 'out-of-source'; keep one of the rows",
        ),
    ],
)
def test_a_manifest_that_cannot_be_used_is_one_line(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "manifest.csv"
    if content is not None:
        path.write_text(content)
    assert rank(make_scores(), tmp_path, "--manifest", str(path)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cellbench: {tmp_path}")
    assert message in line
    assert "Errno" not in line
    assert not (tmp_path / "board").exists()
