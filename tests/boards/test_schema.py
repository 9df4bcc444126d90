"""The schema is what the files of a board have, and what reading, help and documentation say."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import bind_again, make_scores
from datasets import make_dataset

from cellbench.boards import schema, write_board
from cellbench.boards.columns import Kind
from cellbench.boards.reading import read_board
from cellbench.cli import main
from cellbench.errors import ScoresError


@pytest.fixture
def board(tmp_path: Path) -> Path:
    make_scores().to_csv(tmp_path / "scores.csv", index=False)
    write_board([tmp_path / "scores.csv"], tmp_path, bootstrap=5)
    return tmp_path


def holds(cells: pd.Series, kind: Kind, choices: tuple[str, ...]) -> bool:
    if kind == Kind.TEXT:
        return True
    if kind == Kind.CHOICE:
        return set(cells) <= set(choices)
    if kind == Kind.YES_NO:
        return set(cells) <= {"True", "False"}
    if kind == Kind.WHOLE:
        return cells.str.fullmatch(r"\d+").all()
    return pd.to_numeric(cells.replace("", "nan")).dtype.kind in "fi"


def test_every_table_has_its_columns_and_nothing_else_is_written(board: Path) -> None:
    tables = {path.stem for path in board.glob("*.csv")}
    assert tables == {*schema.TABLES, "scores"}
    modalities = ["DIC", "fluorescence"]
    for name, table in schema.TABLES.items():
        cells = pd.read_csv(board / table.file, dtype=str, keep_default_na=False)
        if name == "consensus":
            assert list(cells) == schema.consensus_names(modalities)
            continue
        assert list(cells) == table.names()
        for column in table.columns:
            values = cells[column.name.replace("{value}", "f1")]
            assert holds(values, column.kind, column.choices), (name, column.name)
    for folder in ("dic", "fluorescence"):
        written = {path.stem for path in (board / "modalities" / folder).glob("*.csv")}
        assert written == set(schema.TABLES) - {"consensus", "algorithms"}


def test_reading_follows_the_schema(board: Path) -> None:
    tables = read_board(board)
    for name, table in schema.TABLES.items():
        if name != "consensus":
            assert list(getattr(tables, name)) == table.names()
    assert tables.leaderboard["images"].dtype.kind == "i"
    assert tables.significance["significant"].dtype == bool
    assert np.isinf(tables.values["rank_runtime_s"]).sum() == 1
    assert tables.clusters["cluster"].min() == 1


def test_scores_are_what_evaluate_writes(tmp_path: Path) -> None:
    labels = make_dataset(tmp_path / "data", images=1) / "test/labels"
    out = tmp_path / "scores.csv"
    assert main(["evaluate", str(labels), str(labels), "--out", str(out)]) == 0
    assert out.read_text().splitlines()[0].split(",") == schema.SCORES.names()


@pytest.mark.parametrize(("version", "found"), [(None, 1), (1, 1), (99, 99)])
def test_a_board_of_another_version_is_refused(
    version: int | None, found: int, board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = board / "provenance.json"
    facts = json.loads(record.read_text())
    assert facts.pop("schema_version") == schema.SCHEMA_VERSION == 2
    if version is not None:
        facts["schema_version"] = version
    record.write_text(json.dumps(facts))
    message = (
        f"{record}: this board has schema version {found}, but this cellbench reads version 2; "
        "run cellbench rank again"
    )
    with pytest.raises(ScoresError) as caught:
        read_board(board)
    assert str(caught.value) == message
    assert main(["consensus", str(board), "--out", str(board / "c.csv")]) == 1
    assert capsys.readouterr().err == f"cellbench: {message}\n"
    assert main(["report", str(board)]) == 1
    assert message in capsys.readouterr().err


def test_help_and_tables_describe_every_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "100")
    assert main(["rank", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {table.file}" in text for table in schema.TABLES.values())
    assert main(["rank", "--tables"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Schema version 2.")
    for table in (schema.SCORES, *schema.TABLES.values()):
        assert f"## {table.file}\n\n{table.meaning}\n" in text
        for column in table.columns:
            assert f"| `{column.name}` | {column.holds} | {column.meaning} |\n" in text


def test_meanings_are_sentences() -> None:
    for table in (schema.SCORES, *schema.TABLES.values()):
        for meaning in (table.meaning, *(column.meaning for column in table.columns)):
            assert meaning.endswith(".")
            assert "|" not in meaning


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("value", 3),
        ("higher_is_better", "yes"),
        ("ranked_on", None),
        ("modalities", ["DIC"]),
        ("scheme", "best-of-three"),
        ("weights", []),
        ("alpha", "0.05"),
        ("scores", "scores.csv"),
        ("software", ["numpy"]),
        ("schema_version", "2"),
    ],
)
def test_a_record_that_was_edited_by_hand(name: str, wrong: object, board: Path) -> None:
    record = board / "provenance.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {name: wrong}))
    with pytest.raises(
        ScoresError, match=rf"{name.replace('_', '.')}.*{re.escape(repr(wrong))}.*again"
    ):
        read_board(board)


def test_a_word_that_is_no_choice(board: Path) -> None:
    table = pd.read_csv(board / "schemes.csv")
    table.assign(scheme="best-of-three").to_csv(board / "schemes.csv", index=False)
    bind_again(board)
    with pytest.raises(
        ScoresError, match=r"schemes\.csv: line 2: scheme cannot be 'best-of-three'"
    ):
        read_board(board)
