"""Tables to rank as users bring them: from Excel, R and challengeR."""

from pathlib import Path

import pandas as pd
import pytest

from cellbench.cli import main

TEAMS = {"alpha": 0.70, "beta": 0.80, "gamma": 0.60}
COLUMNS = ["--case", "image", "--algorithm", "team", "--value", "dice", "--bootstrap", "10"]


def lines(tasks: tuple[str, ...] = ("",), cases: int = 4) -> list[list[str]]:
    return [
        [task, f"case{case:02}", team, f"{dice + case / 1000:.4f}"]
        for task in tasks
        for case in range(cases)
        for team, dice in TEAMS.items()
    ]


def save(rows: list[list[str]], path: Path, separator: str = ",") -> Path:
    table = [["task", "image", "team", "dice"], *rows]
    path.write_text("\n".join(separator.join(row) for row in table) + "\n", encoding="utf-8")
    return path


def rank(path: Path, *more: str) -> pd.DataFrame:
    assert main(["rank", str(path), "--out", str(path.parent / "board"), *COLUMNS, *more]) == 0
    return pd.read_csv(path.parent / "board/leaderboard.csv").set_index("algorithm")


def test_the_same_table_in_every_spelling(tmp_path: Path) -> None:
    """Semicolons and decimal commas, tabs, a byte-order mark, spaces and empty rows change nothing."""
    plain = rank(save(lines(), tmp_path / "plain.csv"))
    assert list(plain.index) == ["beta", "alpha", "gamma"]
    assert plain.loc["beta", "mean_dice"] == pytest.approx(0.8015)
    commas = [[*row[:3], row[3].replace(".", ",")] for row in lines()]
    excel = save(commas, tmp_path / "excel.csv", ";")
    tabs = save(commas, tmp_path / "tabs.txt", "\t")
    tabs.write_bytes(tabs.read_text().encode("utf-16"))
    spaces = save([[f" {cell} " for cell in row] for row in lines()], tmp_path / "spaces.csv")
    spaces.write_bytes(
        b"\xef\xbb\xbf" + spaces.read_bytes().replace(b"team,", b"team ,") + b",,,\n"
    )
    for path in (excel, tabs, spaces):
        pd.testing.assert_frame_equal(rank(path), plain)


def test_tables_of_r_and_of_spreadsheets(tmp_path: Path) -> None:
    """Row names, a title, comments, empty columns without a heading and the sign of a word processor."""
    plain = rank(save(lines(), tmp_path / "plain.csv"))
    header, *body = (tmp_path / "plain.csv").read_text().splitlines()
    shuffled = [*body[6:], *body[:6]]  # R keeps the row names when it sorts a table
    names = [*range(7, len(body) + 1), *range(1, 7)]
    written = {
        "write.table.csv": [
            header,
            *(f'"{name}",{row}' for name, row in zip(names, shuffled, strict=True)),
        ],
        "write.csv.csv": [f'"",{header}', *(f'"{name}",{row}' for name, row in enumerate(body, 1))],
        "title.csv": ["Results of April,,,", "", "# second version", header, *body],
        "sep.csv": ['"sep=,"', header, *body],
        "empty.csv": [header, *(f"{row},," for row in body)],
        "minus.csv": [header, *(row.replace("0.", "−0.") for row in body)],
    }
    for name, text in written.items():
        (tmp_path / name).write_text("\n".join(text), encoding="utf-8")
    for name in list(written)[:-1]:
        pd.testing.assert_frame_equal(rank(tmp_path / name), plain)
    board = rank(tmp_path / "minus.csv")
    assert list(board.index) == ["gamma", "alpha", "beta"]
    assert board.loc["beta", "mean_dice"] == pytest.approx(-0.8015)


def test_decimal_commas_may_be_mixed_with_whole_numbers_but_not_with_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[*row[:3], row[3].replace(".", ",")] for row in lines()]
    rows[0][3] = "1"
    assert rank(save(rows, tmp_path / "t.csv", ";")).loc["alpha", "dice_q3"] > 0.7
    rows[1][3] = "0.81"
    path = save(rows, tmp_path / "t.csv", ";")
    assert main(["rank", str(path), "--out", str(tmp_path / "b"), *COLUMNS]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "has a decimal comma, but '0.81' has a decimal point" in line


@pytest.mark.parametrize(
    ("word", "more", "worst"),
    [
        ("inf", ["--smaller-is-better"], True),
        ("-Inf", [], True),
        ("Infinity", ["--smaller-is-better", "--missing", "5"], False),
        ("NaN", [], True),
        ("#N/A", [], True),
        ("NULL", ["--smaller-is-better"], True),
        ("", [], True),
    ],
)
def test_a_failed_case_is_the_worst_and_is_named(
    word: str, more: list[str], worst: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines()
    rows[1][3] = word  # beta on case00
    board = rank(save(rows, tmp_path / "t.csv"), *more)
    assert board.loc["beta", "failed"] == 1
    assert pd.isna(board.loc["beta", "mean_dice"]) == worst
    ranks = pd.read_csv(tmp_path / "board/ranks.csv").set_index(["algorithm", "image"])["rank"]
    assert ranks["beta", "case00"] == 3
    assert "'beta' 1 of 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "more", "message"),
    [
        ("inf", [], "dice is infinite, and the largest value is the best here"),
        ("-inf", ["--smaller-is-better"], "dice is infinite, and the smallest value is the best"),
        ("-inf", ["--missing", "drop"], "dice is infinite, and --missing drop would leave out"),
        (
            "#DIV/0!",
            [],
            "dice is not a number: '#DIV/0!'; write a number without a unit, or leave the cell empty",
        ),
    ],
)
def test_other_infinite_values_are_refused(
    word: str, more: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines()
    rows[1][3] = word
    path = save(rows, tmp_path / "t.csv")
    assert main(["rank", str(path), "--out", str(tmp_path / "b"), *COLUMNS, *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"t.csv: line 3: {message}" in line


def test_cases_of_two_tasks_are_two_cases(tmp_path: Path) -> None:
    board = rank(save(lines(("T1", "T2")), tmp_path / "t.csv"), "--modality", "task")
    assert set(board["images"]) == {8}
    assert set(board["failed"]) == {0}
    values = pd.read_csv(tmp_path / "board/values.csv")
    assert sorted(set(values["image"]))[3:5] == ["T1/case03", "T2/case00"]
    parts = pd.read_csv(tmp_path / "board/consensus.csv")
    assert list(parts) == ["algorithm", "T1", "T2", "mean_rank", "rank"]


def test_a_case_of_two_tasks_without_the_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [*lines(("T1", "T2")), ["", "case00", "alpha", "0.7"]]
    path = save(rows, tmp_path / "t.csv")
    out = ["--out", str(tmp_path / "b")]
    assert main(["rank", str(path), *out, *COLUMNS, "--modality", "task"]) == 1
    assert "the case 'case00' is in several groups, and one of its" in capsys.readouterr().err
    assert main(["rank", str(path), *out, *COLUMNS]) == 1
    assert "if the table holds several tasks, name their column with --mod" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("out", ["file", "file/board"])
def test_out_that_is_a_file(out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(lines(), tmp_path / "t.csv")
    (tmp_path / "file").touch()
    assert main(["rank", str(path), "--out", str(tmp_path / out), *COLUMNS]) in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / "file") in line
    assert "Errno" not in line


def test_another_table_without_its_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(lines(), tmp_path / "t.csv")
    assert main(["rank", str(path), "--out", str(tmp_path / "b")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "name the columns of another table with --case, --algorithm and --value" in line
