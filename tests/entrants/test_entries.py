"""entry.yaml: what is wrong with it is one line, whatever a stranger wrote into it."""

import os
from pathlib import Path

import pytest

from cellbench.cli import main
from cellbench.entrants.entries import read_algorithm, read_entry
from cellbench.entrants.limits import label_map_bytes, memory_limit, parse_memory
from cellbench.errors import EntrantError

COMMAND = "name: a\ncommand: ['{inputs}{outputs}']\n"
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
MERGES = "m0: &m0 {x: 1}\n" + "".join(
    f"m{n}: &m{n}\n  <<: [{', '.join([f'*m{n - 1}'] * 20)}]\n" for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: [", "cannot be read as YAML"),
        ("- 1", "must be a mapping"),
        ("name: a/b\ncommand: ['{inputs}{outputs}']", "name: must be 1 to 64 letters"),
        ("name: ..\ncommand: ['{inputs}{outputs}']", "name: must be 1 to 64 letters"),
        ("name: a", r"yaml: needs either `command` or `image`, and not both$"),
        ("name: a\nimage: b\ncommand: ['{inputs}{outputs}']", "either `command` or `image`"),
        ("name: a\ncommand: [run]", "must contain {inputs} and {outputs}"),
        (
            "name: a\ncommand: ['{inputs}{outputs}']\ntimeout_factor: 0\nnmae: b",
            "timeout_factor: Input should be greater than 0; nmae: unknown key",
        ),
        (COMMAND + "timeout_factor: .inf", "timeout_factor: Input should be a finite number"),
        (COMMAND + "memory: much", "memory: must be a number and a unit, for example 500m or 8g"),
        (COMMAND + "memory: 0g", "memory: must be a number and a unit"),
        (COMMAND + "env: {A B: c}", "env"),
        (COMMAND + 'title: "a\\0b"', r"contains '\\x00', which is not text"),
        (COMMAND + 'title: "a\\e[2Jb"', r"contains '\\x1b', which is not text"),
        (COMMAND + "title: a\ntitle: b", r"title is set twice \(line 4\); remove one of them"),
        (COMMAND + 'trained_on: [" "]', "trained_on.0: String should have at least 1 character"),
        ('name: a\ncommand: ["{inputs}{outputs}\\0"]', "which is not text"),
        (COMMAND + 'env: {A: "\\ud800"}', "which is not text"),
        (COMMAND + "title: \0", "cannot be read as YAML"),
        (LAUGHS + COMMAND, "references .* are not allowed"),
        (MERGES + COMMAND, "references .* are not allowed"),
        (COMMAND + "title: " + "x" * 70_000, "larger than 64 KiB"),
        (COMMAND + "title: " + "[" * 30 + "]" * 30, "more than 20 levels deep"),
        (COMMAND + "title: " + "[" * 60_000, "more than 200 brackets"),
        (COMMAND + "title:\n" + "- " * 30_000, "cannot be read as YAML"),
        (COMMAND + "title: !!timestamp x", "cannot be read as YAML"),
        (COMMAND + "title: !!python/object/apply:os.system [x]", "cannot be read as YAML"),
        (COMMAND + "title: " + "9" * 60_000, "cannot be read as YAML"),
    ],
    ids=lambda text: text[-24:],
)
def test_bad_entries_name_all_faults(
    tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "entry.yaml").write_text(content)
    with pytest.raises(EntrantError, match=message) as error:
        read_entry(tmp_path)
    assert "entry.yaml" in str(error.value)
    assert len(str(error.value)) < 2000
    assert main(["run", str(tmp_path), "--data", "d", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_entries_that_are_no_text_files(tmp_path: Path) -> None:
    (tmp_path / "entry.yaml").write_bytes(b"name: \xff")
    with pytest.raises(EntrantError, match="cannot be read as YAML"):
        read_algorithm(tmp_path)
    (tmp_path / "entry.yaml").unlink()
    os.mkfifo(tmp_path / "entry.yaml")
    with pytest.raises(EntrantError, match="not a regular file"):
        read_algorithm(tmp_path)


def test_memory_sizes() -> None:
    assert parse_memory("500m") == 500 * 2**20
    assert parse_memory("1.5 GiB") == 3 * 2**29
    assert parse_memory("2048") == 2048
    assert memory_limit("100m") == 100 * 2**20
    assert memory_limit("900t") == memory_limit(None) > 2**28
    assert label_map_bytes(1000, 1000) == 64 * 2**20 + 16_000_000
