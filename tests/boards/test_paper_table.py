"""leaderboard.md and leaderboard.tex: right numbers, and names that are never read as markup."""

import re
from pathlib import Path

import pandas as pd
import pytest
from boards import make_scores

from cellbench.boards import Columns, write_board
from cellbench.boards.escaping import escape_latex, escape_markdown, visible

HOSTILE = [
    "<script>alert(1)</script>",
    "a|b",
    r"\input{/etc/passwd}",
    r"\\ \hline & 50 % of $x_1^2$ #1 ~",
    "**bold** _it_ `code` [link](javascript:alert(1)) ![i](x) &lt;",
    "http://x.org www.x.org",
    "line\nbreak\r\x00\x1b[31m",
    "\u202eright to left",
    "a--b “quoted” \"plain\" ''",
    "NA",
    "🧫 cells ≥ 5 − 3",
    "[1]",
]


def cells_of(line: str) -> list[str]:
    """Split a row of a Markdown table, and remove the escapes."""
    inner = re.split(r"(?<!\\)(?:\\\\)*\|", line.strip())[1:-1]
    return [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell.strip()) for cell in inner]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    make_scores().to_csv(folder / "scores.csv", index=False)
    write_board([folder / "scores.csv"], folder, bootstrap=20)
    return folder


def test_markdown_has_the_numbers_of_the_board(board: Path) -> None:
    table = pd.read_csv(board / "leaderboard.csv")
    intervals = pd.read_csv(board / "intervals.csv").set_index(["quantity", "algorithm"])
    heading, rule, *rows = (board / "leaderboard.md").read_text().split("\n\n")[0].splitlines()
    titles = cells_of(heading)
    assert titles[:4] == ["Rank", "Algorithm", "Median F1 [95 % CI]", "Mean F1 [95 % CI]"]
    assert {"Time (s)", "Failed", "Group"} >= set(titles[4:])
    assert re.fullmatch(r"(\| -+:? )+\|", rule)
    assert len(rows) == len(table)
    for row, (_, wanted) in zip(rows, table.iterrows(), strict=True):
        found = dict(zip(titles, cells_of(row), strict=True))
        assert found["Rank"] == f"{wanted['rank']:g}"
        assert found["Algorithm"] == wanted["algorithm"]
        for name in ("median_f1", "mean_f1"):
            low, high = intervals.loc[(name, wanted["algorithm"]), ["low", "high"]]
            title = f"{name.partition('_')[0].title()} F1 [95 % CI]"
            assert found[title] == f"{wanted[name]:.3f} [{low:.3f}, {high:.3f}]"


def test_the_note_says_what_was_compared(board: Path) -> None:
    table = pd.read_csv(board / "leaderboard.csv")
    note = (board / "leaderboard.md").read_text().split("\n\n")[1]
    expected = [
        f"{len(table)} algorithms on {table['images'][0]} images, ranked on F1 (higher is better)",
        "the protocol neurips22, version 2",
        "Ranking scheme rank-then-mean, ties min",
        "20 bootstrap samples of the images (seed 2022)",
        "p ≤ 0.05",
    ]
    assert [words for words in expected if words not in note] == []
    latex = (board / "leaderboard.tex").read_text()
    assert "\\caption{" + escape_latex(note.replace("\\", "")) + "}" in latex
    assert "p $\\leq$ 0.05" in latex
    assert "of the modality DIC" in (board / "modalities/dic/leaderboard.md").read_text()


def test_latex_is_one_table_of_booktabs(board: Path) -> None:
    table = pd.read_csv(board / "leaderboard.csv")
    lines = (board / "leaderboard.tex").read_text().splitlines()
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    (kinds,) = re.findall(r"\\begin\{tabular\}\{([rl]+)\}", "\n".join(lines))
    assert [line.split(" & ")[1] for line in body] == [
        escape_latex(name) for name in table["algorithm"]
    ]
    for line in [lines[lines.index(r"\toprule") + 1], *body]:
        assert line.endswith(r" \\")
        assert line.count(" & ") == len(kinds) - 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_in_latex(name: str) -> None:
    escaped = escape_latex(name)
    commands = r"\\(?:text[a-z]+|char34)\{\}|\\[&%$#_{}]|\$(?:\\geq|\\leq|-)\$|-\{\}(?=-)"
    assert not re.search(r"[\\&%$#_{}~^<>|`\"\x00-\x1f\u202e]", re.sub(commands, "", escaped))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_in_markdown(name: str) -> None:
    escaped = escape_markdown(name)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped) == visible(name)
    assert not re.search(r"(?<!\\)(\\\\)*[`*_\[\]<>|~&$]|(?<!\\)://|\n|\u202e", escaped)


def test_hostile_names_in_both_tables(tmp_path: Path) -> None:
    names = [name for name in HOSTILE if "\0" not in name]  # such tables are refused
    rows = [(name, f"c{c}", (c * 7 + n) % 11) for n, name in enumerate(names) for c in range(3)]
    pd.DataFrame(rows, columns=["who", "case", "x_y|z"]).to_csv(tmp_path / "t.csv", index=False)
    write_board(
        [tmp_path / "t.csv"], tmp_path / "b", bootstrap=5, columns=Columns("case", "who", "x_y|z")
    )
    lines = (tmp_path / "b/leaderboard.md").read_text(encoding="utf-8").split("\n")
    assert cells_of(lines[0])[2] == "Median x_y|z [95 % CI]"
    assert {cells_of(line)[1] for line in lines[2 : 2 + len(names)]} == set(map(visible, names))
    latex = (tmp_path / "b/leaderboard.tex").read_text(encoding="utf-8")
    body = latex[latex.index(r"\midrule") : latex.index(r"\bottomrule")].strip().splitlines()[1:]
    assert {line.split(" & ")[1] for line in body} == set(map(escape_latex, names))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([812.0, 120.0], ["812", "120"]),
        ([812.0, 95.5], ["812.0", "95.5"]),
        ([12.34, 1.5], ["12.34", "1.50"]),
        ([250.25, 0.0], ["250", "0"]),
        ([250.25, 0.4], ["250.250", "0.400"]),
        ([0.5, -0.25], ["0.500", "−0.250"]),
        ([2.5e-7, 1e-7], ["2.50e−07", "1.00e−07"]),
        ([3e12, 1e12], ["3.00e+12", "1.00e+12"]),
        ([0.0, 0.0], ["0.000", "0.000"]),
    ],
)
def test_other_values(values: list[float], expected: list[str], tmp_path: Path) -> None:
    rows = [(name, "one", value) for name, value in zip("ab", values, strict=True)]
    pd.DataFrame(rows, columns=["who", "case", "HD95"]).to_csv(tmp_path / "t.csv", index=False)
    columns = Columns("case", "who", "HD95", higher_is_better=True)
    write_board([tmp_path / "t.csv"], tmp_path / "b", bootstrap=5, columns=columns)
    table, note = (tmp_path / "b/leaderboard.md").read_text(encoding="utf-8").split("\n\n")
    lines = table.splitlines()
    assert "Time" not in lines[0]
    assert [cells_of(line)[2].partition(" ")[0] for line in lines[2:]] == expected
    assert "2 algorithms on 1 case, ranked on HD95 (higher is better)." in note
    assert "protocol" not in note
