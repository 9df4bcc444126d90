"""Submissions: scores from others, and what a board states about its algorithms."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from boards import make_scores

from cellbench.boards import write_board
from cellbench.cli import main
from cellbench.errors import EntrantError

ENTRY = {
    "title": "A network, of course",
    "authors": ["A. Author", "B. Author"],
    "paper": "https://doi.org/10/x",
    "code": "https://example.org",
    "licence": "MIT",
    "weights_licence": "CC BY 4.0",
    "trained_on": ["ours", "theirs"],
}


def submit(board: Path, name: str = "handed_in", **changes: object) -> Path:
    """Make a submission whose scores are those of one of three algorithms."""
    folder = board / "entries" / name
    folder.mkdir(parents=True)
    (folder / "entry.yaml").write_text(yaml.safe_dump({"name": name, **ENTRY, **changes}))
    scores = make_scores()
    scores = scores[scores["algorithm"] == "algorithm 1"].assign(algorithm=name)
    scores.to_csv(folder / "scores.csv", index=False)
    return folder


def save_scores(board: Path) -> Path:
    board.mkdir(parents=True, exist_ok=True)
    scores = make_scores()
    scores[scores["algorithm"] != "algorithm 1"].to_csv(board / "scores.csv", index=False)
    return board / "scores.csv"


def algorithms(board: Path) -> pd.DataFrame:
    table = pd.read_csv(board / "algorithms.csv", dtype=str, keep_default_na=False)
    return table.set_index("algorithm")


def test_a_submission_joins_the_board(tmp_path: Path) -> None:
    scores, folder = save_scores(tmp_path), submit(tmp_path)
    words = ["rank", str(scores), str(folder), "--out", str(tmp_path), "--bootstrap", "5"]
    assert main(words) == 0
    board = pd.read_csv(tmp_path / "leaderboard.csv")
    assert set(board["algorithm"]) == {"algorithm 0", "algorithm 2", "algorithm 3", "handed_in"}
    table = algorithms(tmp_path)
    assert table.columns.tolist() == [
        *("title", "authors", "paper", "code", "licence", "weights_licence"),
        *("trained_on", "submitted"),
    ]
    row = table.loc["handed_in"]
    assert row["title"] == "A network, of course"
    assert row["authors"] == "A. Author; B. Author"
    assert row["trained_on"] == "ours; theirs"
    assert table["submitted"].to_dict() == {
        name: str(name == "handed_in") for name in board["algorithm"]
    }
    assert (table.drop(index="handed_in").drop(columns="submitted") == "").all(axis=None)
    provenance = (tmp_path / "provenance.json").read_text()
    assert '"file": "entries/handed_in"' in provenance
    assert "rank scores.csv entries/handed_in --out ." in provenance


def test_the_same_entry_may_say_how_it_runs(tmp_path: Path) -> None:
    command = ["run", "{inputs}", "{outputs}"]
    folder = submit(tmp_path, command=command)
    write_board([save_scores(tmp_path), folder], tmp_path, bootstrap=5)
    (folder / "entry.yaml").write_text(yaml.safe_dump({"name": "handed_in", "command": ["run"]}))
    with pytest.raises(EntrantError, match=r"must contain \{inputs\} and \{outputs\}"):
        write_board([save_scores(tmp_path), folder], tmp_path, bootstrap=5)


def test_all_faults_of_a_submission_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = submit(tmp_path, name="mine")
    faults = {"name": "yours", "titel": "typed wrong", "trained_on": "a word", "authors": 3}
    (folder / "entry.yaml").write_text(yaml.safe_dump(faults))
    scores = pd.read_csv(folder / "scores.csv").assign(algorithm="theirs")
    scores.to_csv(folder / "scores.csv", index=False)
    words = ["rank", str(save_scores(tmp_path)), str(folder), "--out", str(tmp_path / "board")]
    assert main(words) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    for fault in ("titel", "trained_on", "authors", "contains the algorithm 'theirs'"):
        assert fault in line
    assert not (tmp_path / "board").exists()
    (folder / "entry.yaml").write_text("name: yours")
    (folder / "scores.csv").unlink()
    assert main(words) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "`name` in the entry is 'yours'; it must be the folder's name" in line
    assert "scores.csv: no such file" in line


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("name: ../../evil", "name: must be 1 to 64 letters"),
        ("name: [", "cannot be read as YAML"),
        ("- name", "must be a mapping with `name`"),
        ("name: mine\ntitle: 2020-99-99", "cannot be read as YAML"),
        ("name: &a [*a]", r"cannot be read as YAML \(references .* are not allowed"),
        ("[" * 5000, "cannot be read as YAML"),
        ("title: no name", "name: Field required"),
        (b"\xff\xfe", "cannot be read as YAML"),
        (None, "has no entry.yaml; a submission is a folder with entry.yaml and scores.csv"),
    ],
)
def test_bad_entries(entry: str | bytes | None, message: str, tmp_path: Path) -> None:
    folder = submit(tmp_path, name="mine")
    (folder / "entry.yaml").unlink()
    if entry is not None:
        (folder / "entry.yaml").write_bytes(entry if isinstance(entry, bytes) else entry.encode())
    with pytest.raises(EntrantError, match=message) as caught:
        write_board([folder], tmp_path / "board")
    assert "entry.yaml" in str(caught.value)


def test_a_submission_of_an_algorithm_that_is_there(tmp_path: Path) -> None:
    scores, folder = save_scores(tmp_path), submit(tmp_path)
    twice = pd.read_csv(scores).replace({"algorithm 2": "handed_in"})
    twice.to_csv(scores, index=False)
    with pytest.raises(ValueError, match="'handed_in' has the image 'image0' twice"):
        write_board([scores, folder], tmp_path / "board")


def test_what_is_told_of_those_that_were_run(tmp_path: Path) -> None:
    scores = save_scores(tmp_path)
    renamed = pd.read_csv(scores).replace({"algorithm 0": "run_here"})
    renamed.to_csv(scores, index=False)
    for name in ("run_here", "not_scored_yet"):
        (tmp_path / "predictions" / name).mkdir(parents=True)
        text = yaml.safe_dump({"name": name, "title": f"It is {name}"})
        (tmp_path / "predictions" / name / "entry.yaml").write_text(text)
    entries = [str(path) for path in sorted((tmp_path / "predictions").iterdir())]
    words = ["rank", str(scores), "--out", str(tmp_path), "--bootstrap", "5", "--entries"]
    assert main([*words, *entries]) == 0
    table = algorithms(tmp_path)
    assert table.loc["run_here", "title"] == "It is run_here"
    assert table.loc["run_here", "submitted"] == "False"
    assert "not_scored_yet" not in table.index
    assert main(words) == 0
    assert algorithms(tmp_path).loc["run_here", "title"] == ""


def test_all_are_scored_against_one_truth(tmp_path: Path) -> None:
    scores, folder = save_scores(tmp_path), submit(tmp_path)
    for path, cells in ((scores, 7), (folder / "scores.csv", 7.0)):
        pd.read_csv(path).assign(true_cells=cells).to_csv(path, index=False)
    write_board([scores, folder], tmp_path, bootstrap=5)
    pd.read_csv(scores).assign(true_cells=8).to_csv(scores, index=False)
    message = "image 'image0' has 8 true cells for 'algorithm 0' and 7 for 'handed_in'"
    with pytest.raises(ValueError, match=message):
        write_board([scores, folder], tmp_path / "board", bootstrap=5)
    # Here the count depends on what was predicted.
    write_board([scores, folder], tmp_path / "board", bootstrap=5, protocol="neurips22-v1")
