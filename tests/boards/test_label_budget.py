"""scripts/label_budget.sh: which commands it runs, what it keeps, and its table and figure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """#!/bin/sh
echo "$@" >> "$LOG"
run=$(echo "$@" | sed -n 's/.*default_root_dir \\([^ ]*\\).*/\\1/p')
case $1 in
  fit) touch "$run/entry.yaml"; [ -z "$KILLED" ] ;;
  data) mkdir -p "$4" ;;
  pseudo-label) mkdir -p "$4" ;;
esac
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def run_script(folder: Path, **variables: str) -> tuple[int, list[str], str]:
    """Run the script with a program that writes its arguments down in place of cellbench."""
    program = folder / "bin/cellbench"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(PROGRAM)
        program.chmod(0o755)
        (folder / "data/test/labels").mkdir(parents=True)
        (folder / "data/manifest.csv").touch()
    log = folder / "log"
    log.write_text("")
    environment = {
        **os.environ,
        **{name: str(folder / name.lower()) for name in ("DATA", "WORK", "OUT")},
        "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),
        "LOG": str(log),
        "PYTHON": "true",
        **variables,
    }
    words = ["bash", str(ROOT / "scripts/label_budget.sh")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, log.read_text().splitlines(), done.stderr


def verbs(commands: list[str]) -> list[str]:
    return [command.split()[0] for command in commands]


def test_each_share_is_trained_in_each_way(tmp_path: Path) -> None:
    code, commands, _ = run_script(tmp_path, SHARES="5 100", MODEL="stardist", MINUTES="1")
    assert code == 0
    share = ["data", "fit", "segment", "fit", "segment", "pseudo-label", "fit", "segment"]
    assert verbs(commands) == [*share, *share, "evaluate"]
    hide, supervised, _, teacher, _, label, pseudo, segment = commands[:8]
    work = tmp_path / "work"
    assert hide == f"data hide-labels {tmp_path}/data {work}/data/5 --keep 5% --seed 2022"
    assert "configs/model/stardist.yaml --config configs/data/label-budget.yaml" in supervised
    assert f"--data.root {work}/data/5 " in supervised
    assert supervised.endswith("--max_cpu_time 00:00:01:00")
    assert teacher.endswith("--max_cpu_time 00:00:01:00 --unlabeled.share 1")
    assert label == (
        f"pseudo-label {work}/data/5 --out {work}/data/5-pseudo "
        f"--checkpoint {work}/runs/supervised-5/checkpoints/best.ckpt"
    )
    assert pseudo.endswith(
        f"--data.roots [{work}/data/5,{work}/data/5-pseudo] --data.shares [0.5,0.5]"
    )
    assert segment == (
        f"segment {tmp_path}/data/test/images {work}/predictions/pseudo-labels-5 "
        f"--checkpoint {work}/runs/pseudo-labels-5/checkpoints/best.ckpt"
    )


def test_one_row_alone_and_a_training_that_was_stopped(tmp_path: Path) -> None:
    code, commands, _ = run_script(tmp_path, SHARES="10", WAYS="pseudo-labels", KILLED="yes")
    assert (code, verbs(commands)) == (1, ["data", "fit"])
    # Pseudo-labels need the model that is trained on the labelled images alone.
    _, commands, _ = run_script(tmp_path, SHARES="10", WAYS="pseudo-labels")
    assert verbs(commands) == ["fit", "pseudo-label", "fit", "segment", "evaluate"]
    assert commands[0].startswith("fit --ckpt_path last ")
    _, commands, _ = run_script(tmp_path, SHARES="10", WAYS="supervised pseudo-labels")
    assert verbs(commands) == ["segment", "segment", "evaluate"]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MODEL", "unett", "unknown MODEL=unett; choose from affinity boundary_unet"),
        ("MINUTES", "0", "MINUTES=0: must be a whole number from 1 to 99"),
        ("SHARES", "5 101", "SHARES: 101 is not a whole number from 1 to 100"),
        ("SHARES", " ", "SHARES is empty; name percentages"),
        ("WAYS", "teacher", "unknown way teacher in WAYS; choose from supervised mean-teacher"),
        ("DATA", "absent", "DATA=absent: not there; docs/boards/README.md says"),
    ],
)
def test_a_wrong_variable_is_one_line(
    variable: str, value: str, message: str, tmp_path: Path
) -> None:
    code, commands, error = run_script(tmp_path, **{variable: value})
    assert (code, commands) == (2, [])
    assert error.startswith(f"label_budget: {message}")


def test_the_table_has_means_with_intervals_over_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    f1 = {
        ("supervised", 2): rng.uniform(0.2, 0.6, 40),
        ("mean-teacher", 2): rng.uniform(0.4, 0.8, 40),
        ("supervised", 100): np.full(40, 0.75),
    }
    rows = [
        {
            "algorithm": f"{way}-{share}",
            "image": f"i{number:02}",
            "threshold": threshold,
            "f1": value,
        }
        | {"modality": ("DIC", "fluorescence")[number % 2]}
        for (way, share), values in f1.items()
        for number, value in enumerate(values)
        for threshold in (0.5, 0.9)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "scores.csv", index=False)
    words = [sys.executable, ROOT / "scripts/draw_label_budget.py", "scores.csv", "board"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    table = pd.read_csv(tmp_path / "board/label_budget.csv")
    assert list(table["modality"].unique()) == ["DIC", "all", "fluorescence"]
    own = table[table["modality"] == "all"].reset_index(drop=True)
    assert list(zip(own["way"], own["labels_percent"], strict=True)) == list(f1)
    for row, values in zip(own.itertuples(), f1.values(), strict=True):
        error = values.std() / len(values) ** 0.5
        assert (row.images, row.mean_f1) == (40, pytest.approx(values.mean()))
        assert row.mean_f1_low == pytest.approx(values.mean() - 1.96 * error, abs=0.01)
        assert row.mean_f1_high == pytest.approx(values.mean() + 1.96 * error, abs=0.01)
    assert (tmp_path / "board/label_budget.png").stat().st_size > 5000
