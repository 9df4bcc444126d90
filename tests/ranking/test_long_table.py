"""From any long table to a board, through the command line."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import files
from hypothesis import given, settings
from hypothesis import strategies as st

from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.ranking import (
    SCHEMES,
    TIES,
    Columns,
    Options,
    bootstrap,
    case_ranks,
    rank_algorithms,
    rank_board,
    read_long_table,
    sensitivity,
)
from cellbench.ranking.board import rank_modalities
from cellbench.ranking.schemes import Scheme
from cellbench.ranking.tables import Missing, Ties

pytestmark = pytest.mark.filterwarnings("error")

GOLDEN = Path(__file__).parents[1] / "golden" / "ranking" / "inputs"
COLUMNS = ["--case", "case", "--algorithm", "team", "--value", "dice"]


def make_table(teams: int = 4, cases: int = 9, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = [(f"team {t}", f"case{c}") for t in range(teams) for c in range(cases)]
    table = pd.DataFrame(names, columns=["team", "case"])
    return table.assign(
        site=[("a", "b")[c % 2] for c in range(cases)] * teams, dice=rng.random(len(table))
    )


def save(table: pd.DataFrame | bytes, folder: Path) -> Path:
    path = folder / "table.csv"
    path.write_bytes(table if isinstance(table, bytes) else table.to_csv(index=False).encode())
    return path


def rank(path: Path, *more: str, out: Path | None = None) -> int:
    out = path.parent / "board" if out is None else out
    return main(["rank", str(path), *COLUMNS, "--out", str(out), "--bootstrap", "20", *more])


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "board" / f"{name}.csv")


def test_the_tables_carry_the_name_of_the_value(tmp_path: Path) -> None:
    table = make_table()
    assert rank(save(table, tmp_path)) == 0
    board = read(tmp_path, "leaderboard")
    assert list(board) == [
        *("rank", "algorithm", "score", "mean_rank", "mean_rank_dice", "mean_rank_runtime"),
        *("rank_low", "rank_high", "median_dice", "dice_q1", "dice_q3"),
        *("mean_dice", "mean_dice_low", "mean_dice_high"),
        *("median_runtime_s", "within_tolerance", "failed", "images"),
    ]
    empty = board[["mean_rank_runtime", "median_runtime_s", "within_tolerance"]]
    assert empty.isna().all(axis=None)
    values = table.pivot(index="case", columns="team", values="dice")
    expected = rank_algorithms(values, "rank-then-mean", higher_is_better=True)
    assert board.set_index("algorithm")["rank"].to_dict() == expected["rank"].to_dict()
    np.testing.assert_allclose(
        board.set_index("algorithm")["mean_rank_dice"][expected.index], expected["value"]
    )
    assert set(read(tmp_path, "schemes")["metric"]) == {"dice", "challenge"}
    assert set(read(tmp_path, "ranks")["metric"]) == {"dice"}
    assert list(read(tmp_path, "values")) == [
        *("algorithm", "image", "modality", "status", "dice", "runtime_s", "rank_runtime_s")
    ]
    assert set(read(tmp_path, "intervals")["quantity"]) == {
        *("score", "mean_rank", "mean_rank_dice", "rank", "mean_dice", "median_dice")
    }
    record = json.loads((tmp_path / "board" / "provenance.json").read_text())
    assert record["protocol"] is None
    assert (record["value"], record["value_title"]) == ("dice", "dice")
    assert record["ranked_on"] == ["dice"]
    assert record["command"].startswith("cellbench rank table.csv --out . --case case")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_smaller_is_better(scheme: str, tmp_path: Path) -> None:
    table = make_table()
    assert rank(save(table, tmp_path), "--smaller-is-better", "--scheme", scheme) == 0
    values = table.pivot(index="case", columns="team", values="dice")
    expected = rank_algorithms(values, scheme, higher_is_better=False)["rank"]
    assert read(tmp_path, "leaderboard").set_index("algorithm")["rank"].to_dict() == (
        expected.to_dict()
    )


@pytest.mark.parametrize("file", ["a_5x20_noties", "d1_1case_5teams", "d2_2teams_10cases"])
def test_the_board_agrees_with_the_library(file: str, tmp_path: Path) -> None:
    """The tables that challengeR's answers are known for; the library is tested against these."""
    rows = pd.read_csv(GOLDEN / f"{file}.csv")
    rows = rows[rows["task"] == rows["task"].iloc[0]]
    path = save(rows, tmp_path)
    words = ["--case", "case", "--algorithm", "team", "--value", "value", "--bootstrap", "30"]
    assert main(["rank", str(path), *words, "--out", str(tmp_path / "board")]) == 0
    table = rows.pivot(index="case", columns="team", values="value")
    for scheme, part in read(tmp_path, "schemes").query("metric == 'value'").groupby("scheme"):
        expected = rank_algorithms(table, scheme, higher_is_better=True)
        found = part.set_index("algorithm").loc[expected.index]
        np.testing.assert_allclose(found["value"], expected["value"], rtol=1e-12)
        assert found["rank"].tolist() == expected["rank"].tolist()
    draws = bootstrap(
        table,
        "rank-then-mean",
        higher_is_better=True,
        samples=30,
        rng=np.random.default_rng(2022),
    )
    taus = read(tmp_path, "kendall_tau").query("metric == 'value'")["tau"]
    np.testing.assert_allclose(taus, draws.tau, rtol=1e-12)


def test_a_table_of_f1_is_no_scores_csv(tmp_path: Path) -> None:
    path = save(make_table().rename(columns={"dice": "f1"}), tmp_path)
    words = [*COLUMNS[:-1], "f1", "--bootstrap", "5", "--out", str(tmp_path / "board")]
    assert main(["rank", str(path), *words]) == 0
    record = json.loads((tmp_path / "board" / "provenance.json").read_text())
    assert (record["value_title"], record["protocol"]) == ("F1", None)
    assert record["ranked_on_reason"] == "the table holds no running times"
    assert record["failures"].startswith("a missing value is infinitely bad")


def lose(table: pd.DataFrame) -> pd.DataFrame:
    """Take two rows and a value away from team 1 and team 2."""
    lost = (table["team"] == "team 1") & table["case"].isin(["case3", "case4"])
    table = table[~lost].astype({"dice": object})
    table.loc[(table["team"] == "team 2") & (table["case"] == "case5"), "dice"] = ""
    return table


@pytest.mark.parametrize("smaller", [True, False])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("missing", ["worst", "drop", "0.25"])
def test_missing_values(
    missing: str, scheme: str, smaller: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = lose(make_table())
    more = ["--smaller-is-better"] if smaller else []
    path = save(table, tmp_path)
    assert rank(path, "--missing", missing, "--scheme", scheme, *more) == 0
    (warning,) = capsys.readouterr().err.strip().splitlines()
    assert "'team 1' 2 of 9, 'team 2' 1 of 9" in warning
    board = read(tmp_path, "leaderboard").set_index("algorithm")
    assert board["failed"].to_dict() == {"team 0": 0, "team 1": 2, "team 2": 1, "team 3": 0}
    assert (board["images"] == 9).all()
    values = table.assign(dice=pd.to_numeric(table["dice"])).pivot(
        index="case", columns="team", values="dice"
    )
    if missing == "worst":
        values = values.fillna(np.inf if smaller else -np.inf)
    how = "worst" if missing == "worst" else missing if missing == "drop" else float(missing)
    expected = rank_algorithms(values, scheme, higher_is_better=not smaller, missing=how)["rank"]
    assert board["rank"].to_dict() == expected.to_dict()
    record = json.loads((tmp_path / "board" / "provenance.json").read_text())
    assert record["missing"] == how
    assert record["failures"] in warning
    statuses = read(tmp_path, "values")["status"]
    assert statuses.value_counts().to_dict() == {"ok": 33, "missing": 3}
    changed = sensitivity(
        values, None, scheme=scheme, decimals=None, higher_is_better=not smaller, missing=how
    )
    assert read(tmp_path, "sensitivity")["rank"].tolist() == changed["rank"].tolist()


def test_a_missing_value_ties_after_all_that_are_there(tmp_path: Path) -> None:
    table = pd.DataFrame({"case": "c", "team": list("abcde"), "dice": [0.8, 0.8, 0.8, None, None]})
    assert rank(save(table, tmp_path)) == 0
    assert read(tmp_path, "ranks")["rank"].tolist() == [1, 1, 1, 4, 4]
    board = read(tmp_path, "leaderboard")
    assert board["mean_dice"].isna().tolist() == [False, False, False, True, True]
    assert board.loc[3:, ["median_dice", "dice_q1", "dice_q3"]].isna().all(axis=None)


def test_who_lacks_a_case_never_gains_by_it(tmp_path: Path) -> None:
    table = make_table()
    assert rank(save(table, tmp_path)) == 0
    before = read(tmp_path, "leaderboard").set_index("algorithm")["mean_rank_dice"]
    worst = table.loc[table["team"] == "team 0", "dice"].idxmin()
    assert rank(save(table.drop(index=worst), tmp_path)) == 0
    after = read(tmp_path, "leaderboard").set_index("algorithm")["mean_rank_dice"]
    assert after["team 0"] >= before["team 0"]


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "rows",
    [
        [("a", "c", 0.5)],
        [("a", "c", 0.5), ("a", "d", 0.7)],
        [("a", "c", 0.5), ("b", "c", 0.7)],
        [("a", "c", 0.5), ("b", "c", 0.5), ("a", "d", 0.5), ("b", "d", 0.5)],
        [("a", "c", 0.0), ("b", "c", None)],
        [("a", "c", 0.5), ("b", "d", 0.5)],
        [("a", "c", 1e100), ("b", "c", -1e100), ("a", "d", -5e-324), ("b", "d", 0.0)],
    ],
)
def test_degenerate_tables_have_a_board(
    rows: list[tuple[str, str, float | None]], scheme: str, ties: str, tmp_path: Path
) -> None:
    table = pd.DataFrame(rows, columns=["team", "case", "dice"])
    assert rank(save(table, tmp_path), "--scheme", scheme, "--ties", ties) == 0
    board = read(tmp_path, "leaderboard")
    assert set(board["algorithm"]) == set(table["team"])
    assert board["rank"].notna().all()


@settings(max_examples=25, deadline=None)
@given(
    cells=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("wxyz"),
            st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(-1e100, 1e100),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda cell: cell[:2],
    ),
    scheme=st.sampled_from(SCHEMES),
    ties=st.sampled_from(TIES),
    missing=st.sampled_from(["worst", "drop", 0.3]),
    higher=st.booleans(),
)
def test_any_table_has_a_board_or_one_error(
    cells: list[tuple[str, str, float | None]],
    scheme: Scheme,
    ties: Ties,
    missing: Missing,
    higher: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    table = pd.DataFrame(cells, columns=["team", "case", "dice"])
    table = table.assign(site=table["case"].isin(["w", "x"]))
    path = save(table, tmp_path_factory.mktemp("any"))
    columns = Columns("case", "team", "dice", "site", higher, missing)
    if table["dice"].isna().all():
        with pytest.raises(ScoresError, match="no value at all"):
            read_long_table([path], columns)
        return
    measured, options = read_long_table([path], columns), Options(ties, scheme, bootstrap=5)
    for board in (rank_board(measured, options), *rank_modalities(measured, options).values()):
        assert set(board.leaderboard["algorithm"]) == set(table["team"])
        assert board.leaderboard["rank"].between(1, table["team"].nunique()).all()
        assert not np.isinf(board.intervals[["estimate", "low", "high"]].to_numpy()).any()


def rows(*lines: str) -> bytes:
    return ("team,case,dice\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a CSV in UTF-8 (No columns"),
        (b"team,case,dice\n", "has a header but no rows"),
        (b"team;case;dice\na;c;1\n", "lacks the columns case, team, dice; it has 'team;case;dice'"),
        (b"team,case,dice,dice\na,c,1,2\n", "has the column 'dice' twice"),
        ("team,case,dice\nm\u00fcller,c,1\n".encode("latin-1"), "cannot be read as a CSV in UTF-8"),
        ("team,case,dice\na,c,1\n".encode("utf-16"), "cannot be read as a CSV in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "cannot be read as a CSV in UTF-8"),
        (rows("a,c,1", "a,d,good"), "line 3: dice is not a number"),
        (rows("a,c,1", "", "a,d,0x1f"), "line 4: dice is not a number"),
        (rows('"a\nb",c,1', '"a\nb",d,1_0'), "line 4: dice is not a number"),
        (rows("a,c,1", "a,d,1,5"), "cannot be read"),
        (rows("a,c,Infinity"), "line 2: dice is infinite, or beyond 1e+100"),
        (rows("a,c,1", "a,d,-1e999"), "line 3: dice is infinite, or beyond 1e+100"),
        (rows("a,c,1e101"), "line 2: dice is infinite, or beyond 1e+100"),
        (rows("a,c,1", ",d,1"), "line 3: names no team"),
        (rows("a,c,1", "a,,1"), "line 3: names no case"),
        (rows("a,c,1", "b,c,1", "a,c,1"), "line 4: is a second row for its algorithm and case"),
        (rows("a,c,1", "b,c,1", "a,c,"), "line 4: is a second row for its algorithm and case"),
        (rows("a,c,", "b,c,NA"), "'dice' has no value at all"),
    ],
)
def test_bad_tables(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(content, tmp_path)
    assert rank(path) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert str(path) in line
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--case", "case"], "needs --algorithm and --value too"),
        (["--missing", "drop"], "--missing: is of a long table"),
        (["--modality", "site"], "--modality: is of a long table"),
        (["--smaller-is-better"], "--smaller-is-better: is of a long table"),
        ([*COLUMNS, "--missing", "best"], "--missing 'best': give worst, drop or a number"),
        ([*COLUMNS, "--missing", "nan"], "missing nan: give worst, drop or a finite number"),
        ([*COLUMNS, "--missing", "inf"], "missing inf: give worst, drop or a finite number"),
        ([*COLUMNS[:-1], "case"], "one column cannot be two things"),
        ([*COLUMNS[:-1], "image"], "value 'image': is a board's own word; rename the column"),
        ([*COLUMNS, "--alpha", "1"], "alpha 1.0: must lie between 0 and 1"),
        ([*COLUMNS, "--ties", "best"], "ties 'best': not known"),
        ([*COLUMNS, "--scheme", "best"], "scheme 'best': not known"),
        ([*COLUMNS, "--seed", "-1"], "seed -1"),
        ([*COLUMNS, "--bootstrap", "0"], "bootstrap 0"),
        ([*COLUMNS, "--weights", "1", "2"], "--weights: a long table has no running times"),
    ],
)
def test_wrong_options(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(make_table(), tmp_path)
    assert main(["rank", str(path), "--out", str(tmp_path / "board"), *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "board").exists()


def test_the_order_of_rows_and_the_folder_change_nothing(tmp_path: Path) -> None:
    table = lose(make_table())
    made = []
    for name, rows_of in (
        ("one", table),
        ("two", table),
        ("three", table.sample(frac=1, random_state=1)),
    ):
        (tmp_path / name).mkdir()
        assert rank(save(rows_of, tmp_path / name), "--modality", "site") == 0
        made.append(files(tmp_path / name / "board"))
    assert made[0] == made[1]
    hashed = {name for name in made[0] if name.endswith("provenance.json")}
    assert len(hashed) == 3
    for name in made[0].keys() - hashed:
        assert made[0][name] == made[2][name], name


HOSTILE = [
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x")',
    "x" * 300,
    "😀👩‍🔬",
    "a, b",
    'say "hi"',
    "line\nbreak",
    "dos\r\nbreak",
    "old\rmac",
    "  spaces  ",
    "\ttab",
    "NA",
    "nan",
    "null",
    "1",
    "01",
    "True",
    "rank",
    "algorithm",
    "mean_rank",
    "../../x",
    "CON",
    "con",
    "a/b",
    "a\\b",
    ".",
    "..",
    "-rf",
    "%s{0}",
]


def cells(path: Path) -> set[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {cell for row in csv.reader(file) for cell in row}


def write_long(rows_of: list[tuple[object, ...]], path: Path) -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("team", "case", "site", "dice"), *rows_of])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def test_hostile_names_come_back_from_every_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = [
        (name, case, f"site {c % 2}", rng.random())
        for name in HOSTILE
        for c, case in enumerate(HOSTILE[::-1])
    ]
    assert rank(write_long(table, tmp_path / "table.csv"), "--modality", "site") == 0
    tables = [name for name in files(tmp_path / "board") if name.endswith(".csv")]
    assert len(tables) == 13 + 2 * 11
    for name in tables:
        if not name.endswith("kendall_tau.csv"):
            assert set(HOSTILE) <= cells(tmp_path / "board" / name), name


def test_hostile_modalities_are_no_paths(tmp_path: Path) -> None:
    modalities = [*HOSTILE, "", "A B", "a-b", "a b"]
    table = [
        (team, f"case {m}", modality, (m * team_number) % 7)
        for team_number, team in enumerate(("a", "b"), start=1)
        for m, modality in enumerate(modalities)
    ]
    (tmp_path / "in").mkdir()
    assert rank(write_long(table, tmp_path / "in" / "table.csv"), "--modality", "site") == 0
    board = tmp_path / "in" / "board"
    folders = json.loads((board / "provenance.json").read_text())["modalities"]
    assert set(folders) == set(modalities)
    assert len({folder.lower() for folder in folders.values()}) == len(modalities)
    assert sorted(path.name for path in (board / "modalities").iterdir()) == sorted(
        folders.values()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    for name, folder in folders.items():
        assert folder.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
        assert 0 < len(folder) < 60
        assert folder not in ("con", "aux")
        part = json.loads((board / "modalities" / folder / "provenance.json").read_text())
        assert part["modality"] == name
    with (board / "consensus.csv").open(newline="") as file:
        header, *_ = csv.reader(file)
    assert header == ["algorithm", *sorted(modalities), "mean_rank", "rank"]


def test_modalities_are_ranked_alone(tmp_path: Path) -> None:
    table = make_table(cases=10)
    assert rank(save(table, tmp_path), "--modality", "site") == 0
    alone = table[table["site"] == "b"].drop(columns="site")
    (tmp_path / "alone").mkdir()
    assert rank(save(alone, tmp_path / "alone")) == 0
    part, whole = tmp_path / "board/modalities/b", tmp_path / "alone/board"
    for name in ("leaderboard", "ranks", "schemes", "significance", "bootstrap", "kendall_tau"):
        assert (part / f"{name}.csv").read_bytes() == (whole / f"{name}.csv").read_bytes()
    ranks = read(tmp_path, "consensus").set_index("algorithm")
    np.testing.assert_allclose(ranks["mean_rank"], ranks[["a", "b"]].mean(axis=1))


def test_a_case_has_one_modality(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table()
    table.loc[0, "site"] = "b"
    assert rank(save(table, tmp_path), "--modality", "site") == 1
    assert "'case0' has the modalities 'a' and 'b'; keep one" in capsys.readouterr().err
    table.loc[0, "site"] = ""  # another team's row says it
    assert rank(save(table, tmp_path), "--modality", "site") == 0
    assert set(read(tmp_path, "values")["modality"]) == {"a", "b"}


def test_case_ranks_are_the_librarys(tmp_path: Path) -> None:
    table = make_table().round({"dice": 1})
    assert rank(save(table, tmp_path), "--ties", "average") == 0
    values = table.pivot(index="case", columns="team", values="dice")
    expected = case_ranks(values, higher_is_better=True, ties="average")
    found = read(tmp_path, "ranks").pivot(index="image", columns="algorithm", values="rank")
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
