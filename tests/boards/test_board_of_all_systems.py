"""scripts/board_open_cells.sh: which commands make the board of all systems, and what is kept."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """#!/bin/sh
echo "$@" >> "$LOG"
run=$(echo "$@" | sed -n 's/.*default_root_dir \\([^ ]*\\).*/\\1/p')
if [ "$1" = fit ]; then
  mkdir -p "$run"
  [ -z "$KILLED" ] && touch "$run/entry.yaml"
fi
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def make_board(folder: Path, **variables: str) -> tuple[int, list[str], str]:
    """Run the script with a program that writes its arguments down in place of cellbench."""
    program = folder / "bin/cellbench"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(PROGRAM)
        program.chmod(0o755)
        (folder / "data/test/labels").mkdir(parents=True)
    places = {name: str(folder / name.lower()) for name in ("DATA", "RUNS", "PREDICTIONS", "BOARD")}
    log = folder / "log"
    log.write_text("")
    environment = {
        **os.environ,
        **places,
        "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),
        "LOG": str(log),
        **variables,
    }
    words = ["bash", str(ROOT / "scripts/board_open_cells.sh")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, log.read_text().splitlines(), done.stderr


def verbs(commands: list[str]) -> list[str]:
    return [command.split()[0] for command in commands]


def test_models_are_trained_run_scored_ranked_and_shown(tmp_path: Path) -> None:
    code, commands, _ = make_board(tmp_path, MODELS="unet unetr", MINUTES="1")
    assert code == 0
    assert verbs(commands) == ["fit", "fit", "run", "evaluate", "rank", "report"]
    fit, _, run, evaluate, _, report = commands
    assert "--config configs/model/unet.yaml" in fit
    assert f"--trainer.default_root_dir {tmp_path}/runs/unet " in fit
    assert fit.endswith("--max_cpu_time 00:00:01:00")
    runs = f"{tmp_path}/runs/unet {tmp_path}/runs/unetr"
    baselines = "baselines/generalist/entry.yaml baselines/otsu_watershed/entry.yaml"
    assert run.startswith(f"run {baselines} {runs} --data")
    assert "--details --cells" in evaluate
    assert "--data" not in report  # no images in a page that is committed


def test_finished_trainings_are_kept_and_others_continued(tmp_path: Path) -> None:
    code, commands, _ = make_board(tmp_path, MODELS="unet", KILLED="yes")
    assert (code, verbs(commands)) == (1, ["fit"])
    _, commands, _ = make_board(tmp_path, MODELS="unet")
    assert verbs(commands)[0] == "fit"
    assert commands[0].startswith("fit --ckpt_path last ")
    _, commands, _ = make_board(tmp_path, MODELS="unet")
    assert verbs(commands) == ["run", "evaluate", "rank", "report"]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MODELS", "unett", "unknown model unett; choose from affinity boundary_unet"),
        ("MINUTES", "1.5", "MINUTES=1.5: must be a whole number from 1 to 99"),
        ("DATA", "absent", "DATA=absent: not there; docs/boards/README.md says"),
    ],
)
def test_a_wrong_variable_is_one_line(
    variable: str, value: str, message: str, tmp_path: Path
) -> None:
    code, commands, error = make_board(tmp_path, **{variable: value})
    assert (code, commands) == (2, [])
    assert error.startswith(f"board_open_cells: {message}")
