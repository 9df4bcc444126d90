"""Long tables as they come: bad ones, any order of rows, hostile names, modalities."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from boards import files
from long_tables import COLUMNS, lose, make_table, rank, read, save

from cellbench.cli import main

pytestmark = pytest.mark.filterwarnings("error")


def rows(*lines: str) -> bytes:
    return ("team,case,dice\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; there is nothing to read"),
        (
            b"Exported in 2024\n\nteam,Case,dice\na,c,1\n",
            "it has 'Exported in 2024'; name the columns",
        ),
        (rows('"a,c,1', "a,d,1"), "line 2: a double quote is not closed; close or remove it"),
        ("team,case,dice\na,c,1\n".encode("utf-16-le"), "(it has null characters); save it as"),
        (b"team,case,dice\n", "there is a header but no rows"),
        (
            b"team|case|dice\na|c|1\n",
            "these columns are missing: case, team, dice; it has 'team|case|dice'; name the columns with",
        ),
        (b"team,case,dice,dice\na,c,1,2\n", "the column 'dice' occurs twice"),
        ("team,case,dice\nm\u00fcller,c,1\n".encode("latin-1"), "cannot be read as a CSV in UTF-8"),
        (b"PK\x03\x04\x14\x00", "is an Excel or OpenDocument file, not a CSV table"),
        (b"case,a,b\nc,1,2\n", "must first get one row for each algorithm and case (pandas: melt"),
        (
            b"team case dice\na c 1\n",
            "spaces separate its columns; save it with commas (in R: write.csv",
        ),
        (
            rows("a,c,0,5"),
            "save it with semicolons if it has decimal commas",
        ),
        (
            rows('a,c,"1,234"'),
            "dice: the comma in '1,234' can be a decimal sign or separate thousands",
        ),
        (b"sep=;\nteam;case;dice\na;c;1\na;d;x\n", "line 4: dice is not a number: 'x'"),
        (
            rows("a,c,1", ",,", "a,d,70 %"),
            "line 4: dice is not a number: '70 %'; write a number without",
        ),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "cannot be read as a CSV in UTF-8"),
        (rows("a,c,1", "a,d,good"), "line 3: dice is not a number"),
        (rows("a,c,1", "", "a,d,0x1f"), "line 4: dice is not a number"),
        (rows('"a\nb",c,1', '"a\nb",d,1_0'), "line 4: dice is not a number"),
        (rows("a,c,1", "a,d,1,5"), "line 3 has more values than the first line has columns"),
        (rows("a,c,Infinity"), "line 2: dice is infinite, and the largest value is the best here"),
        (rows("a,c,1", "a,d,-1e999"), "line 3: dice is larger than 1e+100"),
        (rows("a,c,1e101"), "line 2: dice is larger than 1e+100"),
        (rows("a,c,-inf"), "the column 'dice' is empty or infinite; there is nothing to rank"),
        (rows("a,c,1", ",d,1"), "line 3: team is empty"),
        (rows("a,c,1", "a,,1"), "line 3: case is empty"),
        (
            rows("a,c,1", "b,c,1", "a ,c ,1"),
            "line 4: this algorithm has a row for the case already; keep one of them; if the table holds "
            "several tasks, name their column with --modality",
        ),
        (rows("a,c,1", "b,c,1", "a,c,"), "line 4: this algorithm has a row for the case already"),
        (rows("a,c,", "b,c,NA"), "the column 'dice' is empty or infinite"),
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
        (["--case", "case"], "also needs --algorithm and --value"),
        (["--missing", "drop"], "--missing: is only for tables other than scores.csv"),
        (["--modality", "site"], "--modality: is only for tables other than scores.csv"),
        (["--smaller-is-better"], "--smaller-is-better: is only for tables other than"),
        ([*COLUMNS, "--missing", "best"], "--missing 'best': must be worst, drop or a number"),
        ([*COLUMNS, "--missing", "nan"], "missing nan: must be worst, drop or a finite number"),
        ([*COLUMNS, "--missing", "inf"], "missing inf: must be worst, drop or a finite number"),
        ([*COLUMNS[:-1], "case"], "name a different column for each"),
        (
            [*COLUMNS[:-1], "image"],
            "value 'image': this column name is reserved; rename the column",
        ),
        ([*COLUMNS, "--alpha", "1"], "alpha 1.0: must be between 0 and 1"),
        ([*COLUMNS, "--ties", "best"], "argument --ties: invalid choice: 'best'"),
        ([*COLUMNS, "--scheme", "best"], "argument --scheme: invalid choice: 'best'"),
        ([*COLUMNS, "--seed", "-1"], "seed -1"),
        ([*COLUMNS, "--bootstrap", "0"], "bootstrap 0"),
        ([*COLUMNS, "--measure", "dice"], "--measure: is only for scores.csv"),
        (
            [*COLUMNS, "--weights", "1", "2"],
            "--weights: a table other than scores.csv has no running",
        ),
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


def test_a_board_is_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(make_table(), tmp_path)
    assert main(["rank", str(path), "--out", str(path), *COLUMNS]) == 2
    assert f"--out {path}: is a file; name a folder" in capsys.readouterr().err


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
            # Spaces around a name are typing errors: "alpha" and "alpha " are one algorithm.
            assert {name.strip() for name in HOSTILE} <= cells(tmp_path / "board" / name), name


@pytest.mark.slow
def test_hostile_modalities_are_no_paths(tmp_path: Path) -> None:
    modalities = [*(name.strip() for name in HOSTILE), "", "A B", "a-b", "a b"]
    table = [
        (team, f"case {m}", f" {modality} ", (m * team_number) % 7)
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
