"""Models from outside the package: from training to a label map, and what is refused."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from checkpoints import save_checkpoint, small_unet
from datasets import make_dataset
from outside_packages import on_path, register, write_package
from training_runs import CONF, CONFIGS

from cellbench.cli import main
from cellbench.errors import CheckpointError, UsageError
from cellbench.images import read_image
from cellbench.inference import load_model, load_models, segment_image
from cellbench.labels import read_labels
from cellbench.models.checkpoint_keys import MODEL_KEY
from cellbench.models.class_paths import import_model
from cellbench.models.names import OWN_MODELS
from cellbench.models.unet import UNetBoundary


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """A folder with the package ``lab``, which is importable and not registered."""
    with on_path(write_package(tmp_path / "site")):
        yield tmp_path / "site"


def fit(model: str, run: Path, data: Path, *more: str, verb: str = "fit") -> int:
    configs = [CONFIGS / "base.yaml", CONF / "tiny.yaml"]
    if model.endswith("Spots"):  # it has no windows
        tiny = yaml.safe_load(configs.pop().read_text())
        del tiny["model"]
        configs.append(data / "tiny.yaml")
        configs[-1].write_text(yaml.safe_dump(tiny))
    words = [word for config in configs for word in ("--config", str(config))]
    places = ("--data.root", str(data), "--data.cache", str(data / "cache"))
    root = ("--trainer.default_root_dir", str(run), "--trainer.max_epochs", "1")
    return main([verb, "--model", model, *words, *places, *root, *more])


def checkpoint_of(path: str, file: Path, **options: Any) -> Path:
    return save_checkpoint(import_model(path)(**options), file)


def forget() -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "lab"]:
        del sys.modules[name]


@pytest.mark.slow
def test_a_model_given_by_class_path_goes_from_training_to_label_maps(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "lab_unet"
    path = "lab.unet.LabUNet"
    assert fit(path, run, data, "--model.init_args.depth", "3", "--tune", "true") == 0
    entry = yaml.safe_load((run / "entry.yaml").read_text())
    assert entry["command"][-2:] == ["--model-class", path]
    checkpoint = run / "checkpoints/best.ckpt"
    assert torch.load(checkpoint, weights_only=True)[MODEL_KEY] == path
    out = tmp_path / "out"
    segment = ["segment", str(data / "test/images"), str(out), "--checkpoint", str(checkpoint)]
    capsys.readouterr()
    assert main(segment) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "--model-class lab.unet.LabUNet" in line
    assert main([*segment, "--model-class", path, "--tta"]) == 0
    tune = ["tune", str(checkpoint), "--data", str(data), "--device", "cpu"]
    assert main([*tune, "--model-class", path]) == 0
    assert main(["run", str(run), "--data", str(data), "--out", str(tmp_path / "runs")]) == 0
    found = read_labels(tmp_path / "runs/lab_unet/test0_label.tiff")
    image = read_image(data / "test/images/test0.png")
    model = load_model(checkpoint, "cpu", model_class=path)
    np.testing.assert_array_equal(found, segment_image(model, image))
    board = tmp_path / "board/scores.csv"
    words = [str(data / "test/labels"), str(tmp_path / "runs"), "--out", str(board)]
    assert main(["evaluate", *words]) == 0
    assert "lab_unet" in board.read_text()


def test_a_registered_model_is_trained_and_loaded_by_its_name(lab: Path, tmp_path: Path) -> None:
    register(lab, small="lab.unet:LabUNet")
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / "run"
    assert fit("small", run, data, "--model.init_args.depth", "3") == 0
    assert "--model-class" not in (run / "entry.yaml").read_text()
    model = load_model(run / "checkpoints/best.ckpt", "cpu")
    assert type(model).__name__ == "LabUNet"
    assert model.model_name() == "lab.unet.LabUNet"


def test_a_model_that_proposes_objects_is_trained_and_used(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "spots"
    path = "lab.spots.Spots"
    more = ("--model.init_args.encoder_rate", "0.1", "--tune", "true")
    assert fit(path, run, data, *more) == 0
    assert len(list((run / "overlays").glob("*.jpg"))) == 2
    checkpoint = str(run / "checkpoints/best.ckpt")
    assert fit(path, run, data, "--ckpt_path", checkpoint, verb="predict") == 0
    assert len(list((run / "predictions").glob("*_label.tiff"))) == 2
    model = load_model(checkpoint, "cpu", model_class=path)
    torch.nn.init.constant_(model.head.bias, 1.0)  # type: ignore[arg-type, union-attr]
    labels = segment_image(model, np.zeros((64, 40, 3)))
    assert labels.max() == 8 * 5
    assert segment_image(model, np.zeros((6, 5040, 3))).shape == (6, 5040)

    words = ["segment", str(data / "test/images"), str(tmp_path / "out"), "--model-class", path]
    capsys.readouterr()
    assert main([*words, "--checkpoint", checkpoint]) == 0
    assert main([*words, "--checkpoint", checkpoint, "--checkpoint", checkpoint]) == 2
    assert main([*words, "--checkpoint", checkpoint, "--tta"]) == 2
    tune = ["tune", checkpoint, "--data", str(data), "--model-class", path]
    assert main(tune) == 2
    lines = [each for each in capsys.readouterr().err.splitlines() if "cellbench:" in each]
    assert [each.partition("does not predict dense maps")[1] != "" for each in lines] == [True] * 3


def test_training_ends_well_where_there_is_nothing_to_tune(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cellbench.representations import Boundary

    monkeypatch.setattr(Boundary, "TUNED", {})
    data = make_dataset(tmp_path / "data", images=1)
    assert fit("lab.unet.LabUNet", tmp_path / "run", data, "--tune", "true") == 0


def test_code_of_an_unknown_class_is_not_run(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register(lab, small="lab.unet:LabUNet")  # the package is installed, this class not registered
    file = checkpoint_of("lab.loud.Loud", tmp_path / "loud.ckpt")
    forget()
    capsys.readouterr()
    with pytest.raises(CheckpointError, match=r"lab\.loud\.Loud is not registered") as error:
        load_model(file)
    assert "\n" not in str(error.value)
    assert "lab.loud" not in sys.modules
    assert "was run" not in capsys.readouterr().out
    assert type(load_model(file, "cpu", model_class="lab.loud.Loud")).__name__ == "Loud"
    assert "was run" in capsys.readouterr().out


def test_classes_in_files_of_one_name_do_not_stand_in_for_each_other(
    lab: Path, tmp_path: Path
) -> None:
    ours = save_checkpoint(small_unet(), tmp_path / "ours.ckpt")
    theirs = checkpoint_of("lab.unet.LabUNet", tmp_path / "theirs.ckpt")
    lab_unet = import_model("lab.unet.LabUNet")
    assert load_model(ours, "cpu").model_name() == "unet"
    assert (
        type(load_model(ours, "cpu", model_class="cellbench.models.unet.UNetBoundary"))
        is UNetBoundary
    )
    assert type(load_model(theirs, "cpu", model_class=lab_unet)) is lab_unet
    for file, wrong in ((ours, lab_unet), (theirs, UNetBoundary), (theirs, "unet")):
        with pytest.raises(CheckpointError, match=r"is a checkpoint of .*, not of "):
            load_model(file, model_class=wrong)
    with pytest.raises(CheckpointError, match="is a checkpoint of"):
        load_models([theirs, ours], "cpu", model_class=lab_unet)


@pytest.mark.parametrize("command_line", [True, False])
def test_checkpoints_of_before_are_loaded_where_they_are_ours(
    command_line: bool, lab: Path, tmp_path: Path
) -> None:
    """They store the name of a file; those that the command line wrote have the class path too."""
    ours = save_checkpoint(small_unet(), tmp_path / "ours.ckpt")
    theirs = checkpoint_of("lab.unet.LabUNet", tmp_path / "theirs.ckpt")
    other = checkpoint_of("lab.spots.Spots", tmp_path / "spots.ckpt")
    for file, name, path in (
        (ours, "unet", OWN_MODELS["unet"]),
        (theirs, "unet", "lab.unet.LabUNet"),
        (other, "spots", "lab.spots.Spots"),
    ):
        content = torch.load(file, weights_only=True)
        content[MODEL_KEY] = name
        if command_line:
            content["hyper_parameters"]["_class_path"] = path
        torch.save(content, file)
    assert load_model(ours, "cpu").model_name() == "unet"
    for file, reason in ((theirs, "does not fit"), (other, "does not say")):
        with pytest.raises(CheckpointError, match="not registered" if command_line else reason):
            load_model(file, "cpu")
    if command_line:
        chosen = load_model(theirs, "cpu", model_class="lab.unet.LabUNet")
        assert type(chosen).__name__ == "LabUNet"


@pytest.mark.slow
def test_a_class_that_cannot_be_loaded_again_is_refused_before_training(
    lab: Path, tmp_path: Path
) -> None:
    data = make_dataset(tmp_path / "data", images=1)
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from cellbench.cli import main\n"
        "from lab.unet import LabUNet\n"
        "class Mine(LabUNet):\n"
        "    pass\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main(['fit', '--model', '__main__.Mine', *sys.argv[1:]]))\n"
    )
    words = ("--data.root", str(data), "--trainer.default_root_dir", str(tmp_path / "run"))
    answer = subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, timeout=200
    )
    assert answer.returncode == 2
    assert "defined in a script" in answer.stderr.splitlines()[-1]
    assert not (tmp_path / "run/checkpoints").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nonsense", "choose from"),
        ("lab.absent.Model", "cannot be imported"),
        ("lab.unet.make.<locals>.Model", "defined inside a function"),
    ],
)
def test_training_an_unknown_model_is_one_line(
    model: str, message: str, lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(model, tmp_path / "run", tmp_path) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_class_that_cannot_be_imported_is_wrong_usage(tmp_path: Path) -> None:
    file = save_checkpoint(small_unet(), tmp_path / "ours.ckpt")
    with pytest.raises(UsageError, match="cannot be imported"):
        load_model(file, model_class="absent.Model")
