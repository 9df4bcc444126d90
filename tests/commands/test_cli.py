"""The command line: the whole path on tiny images, and what it says of bad input."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from datasets import make_dataset

from cellbench.cli import TRAINING_VERBS, VERBS, main
from cellbench.models import list_models
from cellbench.resources import find_configs

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_from_images_to_a_leaderboard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_dataset(tmp_path / "data", images=3)
    run, predictions, board = tmp_path / "runs/unet", tmp_path / "predictions", tmp_path / "board"
    configs = ["configs/base.yaml", "configs/model/unet.yaml", "tests/conf/tiny.yaml"]
    words = [word for config in configs for word in ("--config", str(ROOT / config))]
    words += ["--data.root", str(data), "--data.cache", str(tmp_path / "cache")]
    assert main(["fit", *words, "--trainer.default_root_dir", str(run)]) == 0
    baseline = ROOT / "baselines/otsu_watershed"
    assert (
        main(["run", str(baseline), str(run), "--data", str(data), "--out", str(predictions)]) == 0
    )
    scores = board / "scores.csv"
    assert (
        main(["evaluate", str(data / "test/labels"), str(predictions), "--out", str(scores)]) == 0
    )
    assert main(["rank", str(scores), "--out", str(board), "--bootstrap", "50"]) == 0
    assert main(["report", str(board)]) == 0
    said = capsys.readouterr().out
    assert str(board / "leaderboard.csv") in said
    assert str(board / "report.html") in said

    table = pd.read_csv(board / "leaderboard.csv").set_index("algorithm")
    assert sorted(table.index) == ["otsu_watershed", "unet"]
    assert table.loc["otsu_watershed", "median_f1"] == 1.0  # bright discs on a dark ground
    assert table["images"].tolist() == [3, 3]
    assert set(pd.read_csv(scores)["modality"]) == {"fluorescence", "DIC"}
    names = {path.name for path in board.iterdir()}
    assert {"kendall_tau.csv", "kendall_tau.png", "provenance.json", "ranks.csv"} <= names
    assert not any("journal" in name or "partial" in name for name in names)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert f"cellbench {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["evaluate"],
        ["rank", "--typo"],
        ["data"],
        ["segment", "a"],
        ["fit", "--typo"],
        ["data", "hide-labels", "absent", "out", "--keep", "10%", "--seed", "-1"],
        ["evaluate", "absent", "absent", "--out", "."],
        ["evaluate", "absent", "absent", "--out", "scores.json"],
    ],
)
def test_wrong_usage_exits_2(words: list[str]) -> None:
    assert main(words) == 2


@pytest.mark.parametrize(
    "more",
    [["--thresholds", "0"], ["--thresholds", "1.5"], ["--jobs", "0"], ["--jobs", "-1"]],
)
def test_unknown_values_of_options_exit_2(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = make_dataset(tmp_path / "data", images=1) / "test/labels"
    out = str(tmp_path / "scores.csv")
    assert main(["evaluate", str(labels), str(labels), "--out", out, *more]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "scores.csv").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "absent", "absent"],
        ["rank", "absent.csv", "--out", "board"],
        ["report", "absent"],
        ["data", "describe", "absent"],
        ["data", "import", "folder", "absent", "root"],
        ["run", "absent", "--data", "absent", "--out", "out"],
        ["segment", "absent", "out", "--checkpoint", "absent"],
    ],
)
def test_bad_input_is_one_line_and_exits_1(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    assert main([]) == 0
    assert "leaderboard" in capsys.readouterr().out


BLOCKED = """
import sys
sys.modules["torch"] = sys.modules["monai"] = None  # as if they were not installed
from cellbench.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words",
    [
        *([verb] for verb in TRAINING_VERBS),
        ["fit", "--help"],
        ["segment", "images", "out", "--checkpoint", "best.ckpt"],
        ["tune", "best.ckpt", "--data", "sample"],
        ["models"],
        ["models", "unet"],
        ["profile", "unet"],
    ],
    ids=" ".join,
)
def test_a_missing_training_package_is_one_line(words: list[str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == (
        f"cellbench: {words[0]}: needs packages that are not installed (torch, monai); "
        'run: pip install "cellbench[train]"\n'
    )


def test_another_missing_package_is_a_fault_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cellbench.data.folder", None)
    with pytest.raises(ModuleNotFoundError):
        main(["run", "otsu_watershed", "--data", "data", "--out", "out"])


@pytest.mark.parametrize("option", ["--config {}", "--config={}", "-c {}"])
def test_packaged_configs_are_found_from_everywhere(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = option.format("model/unet.yaml").split()
    assert main(["fit", *words, "--print_config"]) == 0
    options = yaml.safe_load(capsys.readouterr().out)
    assert options["model"]["class_path"] == "cellbench.models.unet.UNetBoundary"
    assert options["data"]["init_args"]["crop_size"] == 256


def test_a_config_of_your_own_comes_before_a_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "model/unet.yaml"
    words = ["fit", "--config", "model/unet.yaml", "--config=absent.yaml", "--config"]
    packaged = str(ROOT / "configs/model/unet.yaml")
    assert find_configs(words) == ["fit", "--config", packaged, "--config=absent.yaml", "--config"]
    own.parent.mkdir()
    own.touch()
    assert find_configs(words) == words


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_names_the_models() -> None:
    answer = subprocess.run(
        ["make", "-C", str(ROOT), "train", "MODEL=nonsense"], capture_output=True, text=True
    )
    assert answer.returncode == 2
    (line,) = [line for line in answer.stderr.splitlines() if "choose one of:" in line]
    assert line.partition("choose one of: ")[2].split() == list_models()


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_reads_the_settings_from_the_general_to_the_special() -> None:
    command = subprocess.run(
        ["make", "-n", "-C", str(ROOT), "train", "MODEL=unet"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    configs = ["base", "model/unet", "data/sample", "data/sample/unet"]
    assert re.findall(r"--config configs/(\S+)\.yaml", command) == configs


@pytest.mark.parametrize(
    "settings", sorted(ROOT.glob("configs/data/*/*.yaml")), ids=lambda path: path.stem
)
def test_settings_of_a_model_for_a_dataset_fit_that_model(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, dataset = settings.stem, settings.parent.name
    configs = ["base", f"model/{model}", f"data/{dataset}", f"data/{dataset}/{model}"]
    words = [word for each in configs for word in ("--config", str(ROOT / f"configs/{each}.yaml"))]
    assert main(["fit", *words, "--print_config"]) == 0
    options = yaml.safe_load(capsys.readouterr().out)
    assert options["model"]["class_path"].startswith(f"cellbench.models.{model}.")
    for room, own in yaml.safe_load(settings.read_text()).items():
        given = options[room].get("init_args", {}) | options[room]
        for name, value in own.get("init_args", own).items():
            assert given[name] == value, name
