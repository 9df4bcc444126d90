"""Commands that users type: verbs without a checkpoint, `best` and `last`, and limits that are used up."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from trained_runs import SMALL, Command, words
from training_runs import fit_words

from cellbench.labels import read_labels

SCORED = {"validate": "val/f1", "test": "test/f1"}


def score(out: str, name: str) -> float:
    return float(re.search(rf"{name}\W+([0-9.]+)", out)[1])


@pytest.mark.parametrize("verb", SCORED)
def test_scoring_uses_the_best_checkpoint(verb: str, trained: Path, command: Command) -> None:
    best = trained / "run/checkpoints/best.ckpt"
    named = command([*words(verb, trained), "--ckpt_path", str(best)])
    word = command([*words(verb, trained), "--ckpt_path", "best"])
    none = command(words(verb, trained))
    assert f"{verb}: uses the checkpoint {best} (choose another with --ckpt_path)" in none[1]
    scores = [score(each[0], SCORED[verb]) for each in (named, word, none)]
    assert scores[0] == scores[1] == scores[2]


def test_predicting_uses_the_best_checkpoint(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained / "run", run)
    line = ["predict", *fit_words("unet", run, trained / "data")[1:], *SMALL]
    folder = run / "predictions"
    written = []
    for more in ([], ["--ckpt_path", str(run / "checkpoints/best.ckpt")]):
        command([*line, *more])
        written.append({path.name: read_labels(path) for path in folder.iterdir()})
        shutil.rmtree(folder)
    assert written[0].keys() == written[1].keys() == {"test0_label.tiff", "test1_label.tiff"}
    for name, labels in written[0].items():
        np.testing.assert_array_equal(labels, written[1][name])


@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
@pytest.mark.parametrize("named", [None, "best", "last"])
def test_an_untrained_model_is_never_used(
    named: str | None, verb: str, trained: Path, command: Command
) -> None:
    line = [*words(verb, trained, "other"), *(["--ckpt_path", named] if named else [])]
    out, err = command(line, status=1 if named else 2)
    file = trained / f"other/checkpoints/{named or 'best'}.ckpt"
    assert "f1" not in out
    assert err.strip().splitlines()[-1] == (
        f"cellbench: ckpt_path: {file} does not exist, and `{verb}` does not use an untrained model; "
        "name a checkpoint with --ckpt_path FILE, or the folder of its training with "
        "--trainer.default_root_dir"
    )
    assert not (trained / "other/predictions").exists()


def test_another_checkpoint_of_the_run_is_named(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "checkpoints").mkdir()
    shutil.copy(trained / "run/checkpoints/last.ckpt", tmp_path / "checkpoints")
    line = [*words("test", trained), "--trainer.default_root_dir", str(tmp_path)]
    assert "best.ckpt does not exist (found there: last.ckpt), and" in command(line, 2)[1]
    assert "test/f1" in command([*line, "--ckpt_path", "last"])[0]


@pytest.mark.parametrize("named", ["best", "last"])
def test_continuing_a_training_that_does_not_exist(
    named: str, trained: Path, tmp_path: Path, command: Command
) -> None:
    run = ("--trainer.default_root_dir", str(tmp_path / "run"), "--ckpt_path", named)
    err = command([*words("fit", trained), *run])[1]
    file = tmp_path / f"run/checkpoints/{named}.ckpt"
    assert f"{file}: does not exist, so training starts from the beginning" in err
    assert torch.load(tmp_path / "run/checkpoints/last.ckpt")["global_step"] == 4


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (("--trainer.max_epochs", "2"), "trainer.max_epochs is 2, and 2 epochs are done"),
        (("--trainer.max_epochs", "1"), "trainer.max_epochs is 1, and 2 epochs are done"),
        (("--trainer.max_steps", "4"), "trainer.max_steps is 4, and 4 steps are done"),
        (
            ("--trainer.max_time", "00:00:00:05"),
            "trainer.max_time is 0:00:05, and 0:01:00 are used",
        ),
        (
            ("--max_cpu_time", "00:00:00:07"),
            "max_cpu_time is 0:00:07, and 0:02:00 are used (hours:",
        ),
    ],
)
@pytest.mark.parametrize("named", ["last", "best"])
def test_limits_that_are_used_up_are_named(
    named: str,
    limit: tuple[str, str],
    expected: str,
    trained: Path,
    tmp_path: Path,
    command: Command,
) -> None:
    file = tmp_path / f"checkpoints/{named}.ckpt"
    file.parent.mkdir()
    content = torch.load(trained / "run/checkpoints/last.ckpt", weights_only=True)
    content["callbacks"]["Timer"] = {"time_elapsed": {"train": 60.0}}
    content["callbacks"]["CpuTimer"] = {"time_elapsed": {"train": 120.0}}
    torch.save(content, file)
    run = ("--trainer.max_epochs", "3", "--trainer.default_root_dir", str(tmp_path), *limit)
    err = command([*words("fit", trained), *run, "--ckpt_path", named])[1]
    assert f"{file}: nothing is left to train, because {expected}" in err
    assert torch.load(file, weights_only=True)["global_step"] == 4
    assert not (tmp_path / "logs").exists()


def test_a_training_that_is_continued_trains(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    run = ("--trainer.max_epochs", "3", "--trainer.default_root_dir", str(tmp_path / "run"))
    err = command([*words("fit", trained), *run, "--ckpt_path", "best"])[1]
    assert "nothing is left to train" not in err
    last = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert last["global_step"] == 6


def test_replacing_an_earlier_training_is_said(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    line = [*words("fit", trained), "--trainer.default_root_dir", str(tmp_path / "run")]
    err = command(line)[1]
    assert f"{tmp_path}/run/checkpoints: the checkpoints of an earlier training will be" in err
    assert "add --ckpt_path last" in err


def test_a_checkpoint_of_an_earlier_training_is_not_taken_for_a_new_one(
    trained: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    line = [*words("fit", trained), "--trainer.default_root_dir", str(tmp_path / "run")]
    err = command([*line, "--trainer.limit_val_batches", "0"])[1]
    assert f"trained model:   {tmp_path}/run/checkpoints/last.ckpt" in err
    entry = yaml.safe_load((tmp_path / "run/entry.yaml").read_text())
    assert entry["command"][-1] == "checkpoints/last.ckpt"
    err = command([*line, "--trainer.max_epochs", "0"])[1]
    assert f"{tmp_path}/run/checkpoints: no checkpoint was written, so there is no model" in err


def test_a_training_on_the_same_batches_is_refused(trained: Path, command: Command) -> None:
    err = command([*words("fit", trained), "--trainer.overfit_batches", "1"], 2)[1]
    assert "trainer.overfit_batches: cannot be used, because each epoch has new random" in err


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            ["fit", "--trainer.max_epoch", "3"],
            "trainer.max_epoch: there is no such option; did you",
        ),
        (["test", "--ckpt", "a"], "ckpt: there is no such option; did you mean --ckpt_path?"),
        (
            ["evaluate", "a", "b", "--thresh", "1"],
            "evaluate: --thresh: there is no such option; did",
        ),
        (["rank", "a", "--out", "b", "--boot", "9"], "rank: --boot: there is no such option; did"),
        (["segment", "a", "b", "--check", "c"], "segment: "),
        (
            ["data", "import", "coco", "a", "b", "--mod", "DIC"],
            "data import: --mod: there is no such option",
        ),
        (["train", "--model", "unet"], "argument VERB: invalid choice: 'train' (choose from "),
        (["evalute", "a", "b"], "argument VERB: invalid choice: 'evalute' (choose from "),
        (["data", "sample", "a", "b"], "data sample: 'b' is not expected here; put a name"),
    ],
)
def test_options_are_not_abbreviated(line: list[str], expected: str, command: Command) -> None:
    if line[0] in ("fit", "test"):
        line = [line[0], "--model", "unet", *line[1:]]
    last = command(line, 2)[1].strip().splitlines()[-1]
    assert last.startswith(f"cellbench: {expected}")
