"""What a training prints where the output is no terminal, and the pictures that it leaves."""

import logging
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from label_maps import discs
from pytorch_lightning import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training_runs import fit, fit_words

from cellbench.cli import main
from cellbench.models.unet import UNetBoundary
from cellbench.training.messages import only_useful_messages
from cellbench.training.pictures import draw_result, with_legend
from cellbench.training.progress import ProgressLines
from cellbench.training.run_folder import what_next

_CALLBACKS = (
    "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint need to be"
)
BAR = ("--trainer.enable_progress_bar", "true")


def test_a_training_prints_a_line_per_epoch_and_what_to_do_next(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data, run = make_dataset(tmp_path / "data", images=2), tmp_path / "run"
    assert fit("unet", run, data, *BAR) == 0
    out, _ = capfd.readouterr()
    assert "it/s" not in out
    lines = "\n".join(caplog.messages).splitlines()
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [re.sub(r"[\d.]+", "N", line) for line in epochs] == [
        "epoch N, step N of N: loss N, N% of the training, after N:N:N",
        "epoch N: loss N, mean FN N on the tune split, N% of the training, after N:N:N",
    ] * 2
    assert sum(line.startswith("training UNetBoundary (") for line in lines) == 1
    assert [re.search(r"(\d+)%", line)[1] for line in epochs] == ["25", "50", "75", "100"]
    assert lines[-5:] == [
        f"trained model:   {run}/checkpoints/best.ckpt",
        f"training curves: {run}/logs/version_0/metrics.csv, and with tensorboard --logdir "
        f"{run}/tensorboard",
        f"pictures:        {run}/overlays (outlines on tune images: truth green, prediction orange)",
        f"segment images:  cellbench segment {data}/test/images {run}/predictions --checkpoint "
        f"{run}/checkpoints/best.ckpt",
        f"score them:      cellbench evaluate {data}/test/labels {run}/predictions --out "
        f"{run}/scores.csv",
    ]
    assert not any("Tip" in line or "TPU" in line for line in lines)

    caplog.clear()
    words = fit_words("unet", run, data)[1:]
    assert main(["test", *words, *BAR]) == 0
    assert caplog.messages[-2:] == ["test: 1 of 2 images", "test: 2 of 2 images"]
    assert main(["predict", *words]) == 0
    wrote = f"predict: wrote the label maps of the test images to {run}/predictions"
    assert caplog.messages[-1] == wrote

    events = EventAccumulator(str(run / "tensorboard/version_0"))
    events.Reload()
    assert events.Tags()["images"] == ["overlays/tune0", "overlays/tune1"]


def test_the_next_commands_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / "run"
    assert fit("unet", run, data) == 0
    lines = "\n".join(caplog.messages).splitlines()
    commands = [
        line.split("cellbench ")[1] for line in lines if ":  " in line and "cellbench" in line
    ]
    assert [command.split()[0] for command in commands] == ["segment", "evaluate"]
    for command in commands:
        assert main(command.split()) == 0
    assert (run / "scores.csv").is_file()


def test_no_lines_for_more_images_than_ten_parts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for index in range(200):
            ProgressLines._write_images("test", index, [100, 100])
    assert caplog.messages == [f"test: {count} of 200 images" for count in range(20, 201, 20)]


def test_a_long_epoch_has_a_line_whenever_its_duration_has_doubled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lines, model = ProgressLines(), UNetBoundary(channels=(4, 8))
    trainer = Trainer(logger=False, enable_checkpointing=False, callbacks=[lines])
    clock = [0]
    monkeypatch.setattr("cellbench.training.progress.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("cellbench.training.progress.training_progress", lambda _: 0.0)
    lines.on_train_start(trainer, model)
    with caplog.at_level(logging.INFO):
        for step in range(40):
            clock[0] += 10
            lines.on_train_batch_end(trainer, model, None, None, step)
    minutes = [line.rpartition("after 0:")[2] for line in caplog.messages if "epoch" in line]
    assert minutes == ["00:20", "00:40", "01:20", "02:40", "05:20"]


def test_other_processes_of_a_distributed_training_can_disable_the_lines() -> None:
    ProgressLines().disable()


def test_a_run_without_a_known_dataset(tmp_path: Path) -> None:
    model = UNetBoundary(channels=(4, 8))
    lines = what_next(tmp_path / "a run", model, "last.ckpt", None)
    assert lines == what_next(tmp_path / "a run", model, "last.ckpt", tmp_path)  # no test images
    assert lines == [
        f"trained model:   {tmp_path}/a run/checkpoints/last.ckpt",
        f"segment images:  cellbench segment IMAGES '{tmp_path}/a run/predictions' --checkpoint "
        f"'{tmp_path}/a run/checkpoints/last.ckpt'",
    ]


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("💡 Tip: For seamless cloud uploads and versioning, try installing [litmodels](", False),
        ("TPU available: False, using: 0 TPU cores", False),
        ("GPU available: True (cuda), used: True", True),
        ("`Trainer.fit` stopped: `max_epochs=3` reached.", True),
    ],
)
def test_advertisements_are_not_shown(
    text: str, is_shown: bool, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    with only_useful_messages("fit"):
        logger.info(text)
    assert caplog.messages == [text] * is_shown
    assert not logger.filters


@pytest.mark.parametrize(("verb", "shown"), [("fit", 1), ("test", 0)])
def test_the_state_of_callbacks_matters_only_in_training(
    verb: str, shown: int, recwarn: pytest.WarningsRecorder
) -> None:
    with only_useful_messages(verb):
        warnings.warn(_CALLBACKS, stacklevel=1)
    assert len([each for each in recwarn if "Be aware" in str(each.message)]) == shown


def test_warnings_about_the_data_are_shown_in_one_line(
    capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    with only_useful_messages("fit"):
        warnings.warn("The 'val_dataloader' does not have many workers which may", stacklevel=1)
        warnings.warn("data: no cell in any label map", stacklevel=1)
        assert warnings.formatwarning("two\nlines", UserWarning, "f", 1) == "warning: two lines\n"
    assert [str(each.message) for each in recwarn] == ["data: no cell in any label map"]


def test_a_picture_has_a_legend_in_the_colours_of_its_outlines() -> None:
    picture = draw_result(np.full((96, 112, 3), 0.5), discs(), np.roll(discs(), 5, axis=1))
    with_text = with_legend(picture)
    assert with_text.shape == (112, 128, 3)
    np.testing.assert_array_equal(with_text[:96, :112], picture)
    outlines = {tuple(each) for each in picture.reshape(-1, 3).tolist()} - {(127, 127, 127)}
    legend = {tuple(each) for each in with_text[96:].reshape(-1, 3).tolist()}
    assert len(outlines) == 2
    assert outlines < legend
