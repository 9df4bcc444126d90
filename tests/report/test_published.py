"""Published numbers: every row is plausible, cites its source, and is read with it."""

from pathlib import Path

import pandas as pd
import pytest

from cellbench.errors import ScoresError
from cellbench.report.page import read_published

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "published"
KINDS = {"challenge paper", "team", "third party"}


def read(name: str) -> pd.DataFrame:
    words = {"algorithm": str, "team": str, "source": str, "kind": str}
    return pd.read_csv(PUBLISHED / name, dtype=words, keep_default_na=False, na_values=[""])


@pytest.mark.parametrize("name", ["f1.csv", "efficiency/maunet.csv"])
def test_every_row_cites_its_source(name: str) -> None:
    table = read(name)
    assert table[["algorithm", "source", "kind"]].notna().all(axis=None)
    assert table["source"].str.contains("https://", regex=False).all()
    assert set(table["kind"]) <= KINDS
    assert not table.duplicated(list(table.columns.difference(["source"]))).any()


def test_f1() -> None:
    table = read("f1.csv")
    assert list(table) == [
        *("algorithm", "team", "images_of", "statistic", "threshold"),
        *("f1", "f1_q1", "f1_q3", "images", "source", "kind"),
    ]
    assert table["f1"].between(0, 1, inclusive="neither").all()
    quartiles = table.dropna(subset=["f1_q1", "f1_q3"])
    assert (quartiles["f1_q1"] <= quartiles["f1"]).all()
    assert (quartiles["f1"] <= quartiles["f1_q3"]).all()
    assert table["threshold"].between(0.5, 1, inclusive="left").all()
    assert set(table["statistic"]) <= {"mean", "median", "not said"}
    images = table["images"].dropna()
    assert ((images > 0) & (images % 1 == 0)).all()
    assert (table.groupby("images_of")["images"].nunique() <= 1).all()  # a test set has one size
    # Stricter thresholds find fewer cells.
    for _, rows in table[table["images_of"].str.contains("updated")].groupby("algorithm"):
        assert rows.sort_values("threshold")["f1"].is_monotonic_decreasing


def test_efficiency() -> None:
    table = read("efficiency/maunet.csv")
    assert list(table) == [
        *("algorithm", "team", "height", "width", "runtime_s", "gpu_memory_mib", "source", "kind")
    ]
    numbers = table[["height", "width", "runtime_s", "gpu_memory_mib"]]
    assert (numbers > 0).all(axis=None)
    assert (table["runtime_s"].diff().dropna() > 0).all()


def test_published_rows_keep_their_source() -> None:
    rows = read_published([PUBLISHED / "f1.csv"])
    assert len(rows) == len(pd.read_csv(PUBLISHED / "f1.csv"))
    assert rows[0].algorithm == "MEDIAR"
    assert (rows[0].f1, rows[0].quartiles) == ("0.897", "0.840 to 0.949")
    assert all(row.source for row in rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop(columns="source"), r"columns( are missing:)? source; it has"),
        (lambda table: table.assign(source=""), "line 2: the source is missing"),
        (lambda table: table.assign(f1=""), "line 2: f1 is missing"),
        (lambda table: table.assign(f1="high"), "line 2: f1 is not a number"),
    ],
)
def test_bad_published_tables(change, words: str, tmp_path: Path) -> None:  # noqa: ANN001
    path = tmp_path / "f1.csv"
    change(pd.read_csv(PUBLISHED / "f1.csv")).to_csv(path, index=False)
    with pytest.raises(ScoresError, match=words):
        read_published([path])
