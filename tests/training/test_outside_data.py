"""Datamodules, augmentations and options from the command line and from YAML, for any class path."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from checkpoints import small_unet
from datasets import make_dataset
from training_runs import CONFIGS, fit

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.images import read_image, read_raw
from cellbench.inference import load_model, segment_files, segment_image
from cellbench.inference.segment import read_model_image
from cellbench.labels import read_labels
from cellbench.training.help_texts import HELP
from cellbench.training.store import DecodedStore

DEFAULT = "cellbench.training.datamodule.CellDataModule"
LAB = '''
import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from cellbench.models.unet import UNetBoundary
from cellbench.training.augmentation import PatchAugmentation
from cellbench.training.datamodule import CellDataModule


class Darker(PatchAugmentation):
    """Darkens every patch.

    Args:
        factor: the factor on all intensities.
    """

    def __init__(self, factor: float = 0.5) -> None:
        self.factor = factor

    def __call__(self, image, labels, rng):
        return image.transpose(2, 0, 1) * np.float32(self.factor / 255), labels


class LabNet(UNetBoundary):
    """A U-Net that sees images scaled by their maximum, up to a brightness."""

    def __init__(self, brightest: int = 255, **options) -> None:
        super().__init__(**options)
        self.brightest = brightest

    def normalise(self, raw):
        scaled = raw[..., :1] / max(1, raw.max()) * self.brightest
        return np.repeat(scaled.astype(np.uint8), 3, axis=2)


class LabData(CellDataModule):
    """A CellDataModule with an option of its own."""

    def __init__(self, most: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        self.most = most

    def train_items(self):
        return super().train_items()[: self.most]


class Squares(LightningDataModule):
    """One square, without any dataset folder."""

    def __init__(self, side: int = 20) -> None:
        super().__init__()
        self.side = side

    def _image(self):
        labels = np.zeros((64, 64), np.int32)
        labels[8 : 8 + self.side, 8 : 8 + self.side] = 1
        return torch.from_numpy(np.stack([labels] * 3).astype(np.float32)), labels

    def train_dataloader(self):
        model = self.trainer.lightning_module
        image, labels = self._image()
        targets = {k: torch.from_numpy(np.array(v)) for k, v in model.target_encoder()(labels).items()}
        patches = [{"image": image, "targets": targets}] * 4
        return DataLoader(patches, batch_size=2, collate_fn=model.collate)

    def val_dataloader(self):
        image, labels = self._image()
        whole = {"image": image, "labels": torch.from_numpy(labels), "stem": "a", "modality": ""}
        return DataLoader([whole], batch_size=1, collate_fn=lambda items: items[0])
'''


@pytest.fixture(autouse=True)
def _lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab_data.py").write_text(LAB)
    monkeypatch.syspath_prepend(tmp_path)
    # The file of another test no longer exists, and the options of a class are read from its source.
    monkeypatch.delitem(sys.modules, "lab_data", raising=False)


def resolved(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[str, dict[str, object]]:
    """Return the class and options of the datamodule that a command line asks for."""
    start = ["fit", "--model", "cellbench.models.unet.UNetBoundary"]
    capsys.readouterr()
    assert main([*start, *words, "--print_config"]) == 0
    data = yaml.safe_load(capsys.readouterr().out)["data"]
    return data["class_path"], data["init_args"]


@pytest.mark.parametrize(
    ("configs", "words", "class_path", "expected"),
    [
        ([], [], DEFAULT, {"root": None, "crop_size": 256, "balance": "modality"}),
        (
            [],
            ["--data.root", "X", "--data.batch_size", "16"],
            DEFAULT,
            {"root": "X", "batch_size": 16},
        ),
        (
            ["data: {crop_size: 96}", "data: {batch_size: 3, root: there}"],
            ["--data.root", "X"],
            DEFAULT,
            {"crop_size": 96, "batch_size": 3, "root": "X"},
        ),
        (
            [f"data: {{class_path: {DEFAULT}, init_args: {{crop_size: 96}}}}"],
            ["--data.batch_size", "3"],
            DEFAULT,
            {"crop_size": 96, "batch_size": 3},
        ),
        (
            [],
            ["--data.roots", "[a, b]", "--data.shares", "[0.8, 0.2]"],
            DEFAULT,
            {"roots": ["a", "b"], "shares": [0.8, 0.2]},
        ),
        (
            ["data: {crop_size: 96}"],
            ["--data", "lab_data.LabData", "--data.init_args.most", "4", "--data.root", "X"],
            "lab_data.LabData",
            {"most": 4, "crop_size": 96, "root": "X"},
        ),
        (
            ["data: {class_path: lab_data.Squares, init_args: {side: 9}}"],
            [],
            "lab_data.Squares",
            {"side": 9},
        ),
        (
            ["data: {augmentation: {class_path: lab_data.Darker, init_args: {factor: 0.3}}}"],
            [],
            DEFAULT,
            {"augmentation": {"class_path": "lab_data.Darker", "init_args": {"factor": 0.3}}},
        ),
        (["data: {augmentation: 0.5}"], [], DEFAULT, {"augmentation": 0.5}),
    ],
)
def test_options_of_any_datamodule(
    configs: list[str],
    words: list[str],
    class_path: str,
    expected: dict[str, object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [tmp_path / f"{number}.yaml" for number in range(len(configs))]
    for file, content in zip(files, configs, strict=True):
        file.write_text(content)
    config_words = [word for file in files for word in ("--config", str(file))]
    found, options = resolved([*config_words, *words], tmp_path, capsys)
    assert found == class_path
    assert {name: options[name] for name in expected} == expected


def test_a_subclass_of_the_datamodule_trains_resumes_and_tunes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    data, run = make_dataset(tmp_path / "data"), tmp_path / "run"
    config = tmp_path / "lab.yaml"
    config.write_text(
        "data: {class_path: lab_data.LabData, init_args: {augmentation: {class_path: lab_data.Darker}}}"
    )
    more = ("--config", str(config), "--tune", "true")
    assert fit("unet", run, data, *more, "--trainer.max_epochs", "1") == 0
    assert "best.ckpt: tuned to threshold" in caplog.text
    assert fit("unet", run, data, *more, "--ckpt_path", "last") == 0
    entry = yaml.safe_load((run / "entry.yaml").read_text())
    assert entry["trained_on"] == ["data"]


def test_a_model_is_used_with_the_normalisation_that_it_was_trained_with(tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / "run"
    words = ("--model.class_path", "lab_data.LabNet", "--trainer.max_epochs", "1")
    assert fit("unet", run, data, *words) == 0
    model = load_model(run / "checkpoints/last.ckpt", "cpu", model_class="lab_data.LabNet")
    (item,) = read_dataset(data, ["test"])
    raw = read_raw(item.image)[..., 0]
    expected = (raw / raw.max() * 255).astype(np.uint8) / np.float32(255)
    image = read_model_image(model, item.image)
    np.testing.assert_array_equal(image[..., 1], expected)
    assert not np.array_equal(image, read_image(item.image))
    segment_files(model, {"a": item.image}, tmp_path / "out", precision="32")
    np.testing.assert_array_equal(
        read_labels(tmp_path / "out/a_label.tiff"), segment_image(model, image, precision="32")
    )
    store = DecodedStore(tmp_path / "store")
    challenge = store.load(item)[0]
    store.normalise = model.normalise
    np.testing.assert_array_equal(store.load(item)[0] / np.float32(255), image)
    darker = type(model)(brightest=100, channels=(4, 8)).normalise
    store.normalise = darker
    np.testing.assert_array_equal(store.load(item)[0], darker(read_raw(item.image)))
    store.normalise = small_unet().normalise
    np.testing.assert_array_equal(store.load(item)[0], challenge)
    assert len(list((tmp_path / "store").iterdir())) == 4  # three images and one label map


def test_two_roots_are_named_in_the_entry(tmp_path: Path) -> None:
    roots = [make_dataset(tmp_path / name, images=1) for name in ("new", "old")]
    more = ("--data.roots", f"[{roots[0]}, {roots[1]}]", "--data.shares", "[0.7, 0.3]")
    assert fit("unet", tmp_path / "run", roots[0], *more, "--trainer.max_epochs", "1") == 0
    entry = yaml.safe_load((tmp_path / "run/entry.yaml").read_text())
    assert entry["trained_on"] == ["new", "old"]
    assert entry["title"] == "UNetBoundary trained on new and old"


def test_a_datamodule_without_dataset_folders_trains_and_is_not_tuned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run = tmp_path / "run"
    words = [
        *("fit", "--model", "cellbench.models.unet.UNetBoundary", "--data", "lab_data.Squares"),
        *("--model.channels", "[4, 8]", "--model.residual_units", "1", "--model.window", "64"),
        *("--trainer.max_epochs", "1", "--trainer.accelerator", "cpu"),
        *("--trainer.default_root_dir", str(run), "--trainer.enable_progress_bar", "false"),
        *("--config", str(CONFIGS / "base.yaml")),
        *("--trainer.max_epochs", "1", "--trainer.check_val_every_n_epoch", "1"),
    ]
    assert main(words) == 0
    assert "best.ckpt: decoding is not tuned, because Squares does not list images" in caplog.text
    entry = yaml.safe_load((run / "entry.yaml").read_text())
    assert (entry["trained_on"], entry["title"]) == ([], "UNetBoundary")


@pytest.mark.parametrize("verb", ["fit", "validate", "test", "predict"])
def test_help_has_a_description_and_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Example:\n  cellbench {verb} --config" in out
    text = " ".join(out.split())
    assert "choose the decoding options of the best checkpoint" in text


def test_the_example_of_the_help_runs() -> None:
    for verb, texts in HELP.items():
        command = texts["epilog"].partition("Example:\n")[2].partition("\n\n")[0]
        example = command.replace("\\\n", "").split()
        assert example[:2] == ["cellbench", verb]
        files = {word: str(CONFIGS / word) for word in example if word.endswith(".yaml")}
        assert main([*(files.get(word, word) for word in example[1:]), "--print_config"]) == 0
