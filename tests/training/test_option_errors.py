"""A wrong option of a training verb is one line: the option, the class, the nearest valid names."""

from inspect import signature
from pathlib import Path

import pytest
from pytorch_lightning import Trainer
from training_runs import CONFIGS

from cellbench.cli import main
from cellbench.models.convnext_stardist import ConvNextStarDist
from cellbench.training.datamodule import CellDataModule
from cellbench.training.help_texts import OTHER_NAMES
from cellbench.training.option_errors import one_line

MODEL = "cellbench.models.convnext_stardist.ConvNextStarDist"
DATA = "cellbench.training.datamodule.CellDataModule"
BASE = ["--config", str(CONFIGS / "base.yaml"), "--model", MODEL]
SMALL = ["--config", str(CONFIGS / "base.yaml"), "--config", str(CONFIGS / "model/unet.yaml")]


def error_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a wrong command; return the one line that it prints."""
    capsys.readouterr()
    assert main(words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("cellbench: ")
    return line.removeprefix("cellbench: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["--model.init_args.nrays", "32"],
            f"model.nrays: {MODEL} has no option nrays; did you mean rays?",
        ),
        (
            ["--data.batchsize", "4"],
            f"data.batchsize: {DATA} has no option batchsize; did you mean batch_size?",
        ),
        (
            ["--trainer.max_epoch", "3"],
            "trainer.max_epoch: there is no such option; did you mean trainer.max_epochs or",
        ),
        (["--tunee", "false"], "tunee: there is no such option; did you mean tune?"),
        (["--epochs", "3"], "epochs: there is no such option; did you mean --trainer.max_epochs?"),
        (
            ["--batch-size", "3"],
            "batch-size: there is no such option; did you mean --data.batch_size?",
        ),
        (["--lr=1"], "lr: there is no such option; did you mean --model.learning_rate?"),
        (
            ["--model.lr", "1"],
            f"model.lr: {MODEL} has no option lr; did you mean --model.learning_rate?",
        ),
        (["--gpus", "1"], "gpus: there is no such option; did you mean --trainer.devices?"),
        (["--resume"], "resume: there is no such option; did you mean --ckpt_path last?"),
        (
            ["--data", "data/cells"],
            "data: data/cells is not a class path such as package.module.Class; to",
        ),
        (["--qqq"], "qqq: there is no such option; show all options with --help"),
        (["stray"], "stray: is neither an option nor the value of one; options begin with --"),
        (["--data.zzz", "1"], f"data.zzz: {DATA} has no option zzz; its options are root, roots, "),
        (["--model.rays", "many"], "model.rays: expected a whole number, but got many"),
        (["--data.batch_size", "2.5"], "data.batch_size: expected a whole number, but got 2.5"),
        (["--tune", "perhaps"], "tune: expected true or false, but got perhaps"),
        (["--data.roots", "[a"], "data.roots: expected a list in square brackets or null, but got"),
        (
            ["--data.balance", "x"],
            "data.balance: expected one of modality, source, appearance, none, but got x",
        ),
        (
            ["--data.augmentation", "much"],
            "data.augmentation: expected a number or a class path such as package.module.Class, "
            "but got much",
        ),
    ],
)
def test_wrong_options_are_one_line(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error_line(["fit", *BASE, *words], capsys).startswith(expected)


@pytest.mark.usefixtures("default_dataset")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--max_cpu_time", "5"], "max_cpu_time 5: write it as days:hours:minutes:seconds"),
        (
            ["--data.shares", "[1]"],
            "data.shares [1.0]: give one share for each folder in data.roots",
        ),
        (
            ["--data.roots", "[a, b]", "--data.shares", "[0.5, 0.6]"],
            "data.shares [0.5, 0.6]: shares must be above 0 and sum to 1",
        ),
        (
            ["--data.roots", "[a, ./a]"],
            "data.roots ['a', './a']: name at least one folder, and each",
        ),
        (["--data.roots", "[a, b/../a]"], "data.roots ['a', 'b/../a']: name at least one folder"),
    ],
)
def test_options_that_do_not_fit_together_are_one_line(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error_line(["fit", *SMALL, *words], capsys).startswith(expected)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "absent_package.Thing",
            "cannot import absent_package.Thing (No module named 'absent_pack",
        ),
        (
            "cellbench.training.datamodule.CellData",
            "cannot import cellbench.training.datamodule.CellData (cellbench.training.datamodule has no "
            "CellData; did you mean CellDataModule?); check its spelling",
        ),
        (
            "CellData",
            "CellData is not a class path such as package.module.Class; to name a dataset folder, write",
        ),
        (MODEL, f"{MODEL} is not a LightningDataModule; name a class that is derived from it"),
    ],
)
def test_classes_that_cannot_be_used_are_one_line(
    path: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = error_line(["fit", *BASE, "--data", path], capsys)
    assert line.startswith(f"data: {expected}")


def test_options_that_must_be_set_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    model = "cellbench.models.dense.DenseModel"
    line = error_line(["fit", "--model", model], capsys)
    assert line == f"model: {model} needs values for its options network, representation"


def test_a_module_that_fails_to_import_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_lab.py").write_text("raise RuntimeError('no licence')\n")
    monkeypatch.syspath_prepend(tmp_path)
    line = error_line(["fit", *BASE, "--data", "broken_lab.Data"], capsys)
    assert line.startswith(
        "data: cannot import broken_lab.Data (RuntimeError: no licence); correct"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "data: {cropsize: 4}",
            f"data.cropsize: {DATA} has no option cropsize; did you mean crop_size?",
        ),
        ("data: {init_args: {cropsize: 4}}", f"data.cropsize: {DATA} has no option cropsize; did"),
        ("trainer: {max_epoch: 4}", "trainer.max_epoch: there is no such option; did you mean"),
        (
            "traner: {max_epochs: 4}",
            "traner.max_epochs: there is no such option; did you mean train",
        ),
        (
            "trainer: {callbacks: [{class_path: cellbench.training.callbacks.AveragedWeights, "
            "init_args: {deacy: 0.5}}]}",
            "trainer.callbacks.deacy: cellbench.training.callbacks.AveragedWeights has no option deacy; "
            "did you mean decay?",
        ),
        ("data: {batch_size: many}", "data.batch_size: expected a whole number, but got many"),
        ("data: {batch_size: 4", "not a valid YAML file (line 1: expected ',' or '}'"),
        ("- 4", "not a configuration file; it must contain options such as seed_everything: 1"),
    ],
)
def test_the_file_of_a_wrong_option_is_named(
    content: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(content)
    line = error_line(["fit", *BASE, "--config", str(config)], capsys)
    assert line.startswith(f"{config}: {expected}")


@pytest.mark.usefixtures("default_dataset")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--data.batch_size", "0"], "data.batch_size 0: must be 1 or more"),
        (["--data.crop_size", "-4"], "data.crop_size -4: must be 1 or more"),
        (["--data.largest_zoom", "0.5"], "data.largest_zoom 0.5: must be 1 or more"),
        (["--data.largest_zoom", "101"], "data.largest_zoom 101.0: must be from 1 to 100"),
        (["--data.num_workers", "-1"], "data.num_workers -1: must be 0 or more"),
        (["--data.smallest_zoom", "0"], "data.smallest_zoom 0.0: must be from 0.01 to 1"),
        (["--data.smallest_zoom", "2"], "data.smallest_zoom 2.0: must be from 0.01 to 1"),
        (["--data.mosaic", "1.5"], "data.mosaic 1.5: must be from 0 to 1"),
        (["--data.mosaic", ".nan"], "data.mosaic nan: must be from 0 to 1"),
        (["--data.cell_intensity", "-1"], "data.cell_intensity -1.0: must be from 0 to 1"),
        (["--data.cell_intensity", "null"], "data.cell_intensity None: must be from 0 to 1"),
        (
            ["--data.cell_sizes", "[4]"],
            "data.cell_sizes [4.0]: must be two numbers, the smaller one",
        ),
        (["--data.cell_sizes", "[9, 4]"], "data.cell_sizes [9.0, 4.0]: must be two numbers"),
        (["--data.cell_sizes", "[0, 4]"], "data.cell_sizes [0.0, 4.0]: must be two numbers"),
        (
            ["--data.cell_sizes", "[4, 1001]"],
            "data.cell_sizes [4.0, 1001.0]: must be two numbers, the smaller one first, both from 1 to "
            "1000",
        ),
        (["--data.boundary_exclusion", "null"], "data.boundary_exclusion None: must be true or"),
        (["--data.augmentation", "-1"], "data.augmentation -1.0: must be 0 or more"),
        (["--data.augmentation", ".nan"], "data.augmentation nan: must be 0 or more"),
        (["--model.learning_rate", "-1"], "model.learning_rate -1.0: must be 0 or more"),
        (["--model.warmup_steps", "-1"], "model.warmup_steps -1: must be 0 or more"),
        (["--model.window", "0"], "model.window 0: must be 1 or more"),
        (["--model.overlap", "1"], "model.overlap 1.0: must be at least 0 and below 1"),
        (["--data.batch_size", "null"], "data.batch_size None: must be 1 or more"),
        (["--data.patches_per_epoch", "null"], "data.patches_per_epoch None: must be 1 or more"),
        (
            ["--data.balance", "null"],
            "data.balance None: must be one of modality, source, appearance, none",
        ),
        (["--data.shares", "[.nan]"], "data.shares [nan]: give one share"),
    ],
)
def test_numbers_out_of_range_are_one_line(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error_line(["fit", *SMALL, *words], capsys).startswith(expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["--data.augmentation", "absent.Thing"],
            "data.augmentation: cannot import absent.Thing (",
        ),
        (["--data.augmentation", MODEL], f"data.augmentation: {MODEL} is not a PatchAugmentation"),
        (
            ["--trainer.callbacks+=pytorch_lightning.callbacks.EarlyStoping"],
            "trainer.callbacks: cannot import pytorch_lightning.callbacks.EarlyStoping "
            "(pytorch_lightning.callbacks has no EarlyStoping; did you mean EarlyStopping",
        ),
        (["--trainer.callbacks", "absent.Thing"], "trainer.callbacks: cannot import absent.Thing"),
        (["--optimizer", "Adam"], "optimizer: there is no such option; a model makes its own"),
        (["--optimizer.lr", "1"], "optimizer.lr: there is no such option; a model makes its own"),
    ],
)
def test_classes_of_any_option_are_explained(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error_line(["fit", *BASE, *words], capsys).startswith(expected)


def test_a_module_that_ends_the_program_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ending_lab.py").write_text("raise SystemExit(5)\n")
    monkeypatch.syspath_prepend(tmp_path)
    line = error_line(["fit", *BASE, "--data", "ending_lab.Data"], capsys)
    assert "ends the program (exit status 5); correct the module" in line


def test_a_missing_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert error_line(["fit"], capsys).startswith("model: missing; name one with --config")


def test_a_file_that_is_no_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.ckpt").write_text("not a checkpoint")
    assert main(["fit", *BASE, "--ckpt_path", str(tmp_path / "a.ckpt")]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"cellbench: ckpt_path: {tmp_path}/a.ckpt is not a readable checkpoint")


def test_an_unknown_message_is_still_one_line() -> None:
    assert one_line('Parser key "config": File\n  does not exist') == "config: File does not exist"


def test_the_options_that_other_names_lead_to_exist() -> None:
    known = {f"trainer.{name}" for name in signature(Trainer).parameters}
    known |= {f"data.{name}" for name in signature(CellDataModule).parameters}
    known |= {f"model.{name}" for name in signature(ConvNextStarDist).parameters}
    known |= {"model.weights", "model.learning_rate", "seed_everything", "ckpt_path"}
    assert {option.partition(" ")[0] for option in OTHER_NAMES.values()} <= known
