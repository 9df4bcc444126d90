"""The widget that saves corrected images, and runs the command that trains a model further."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from label_maps import discs
from napari_session import Session

from cellbench.data.folder import read_dataset
from cellbench.images import read_channels
from cellbench.images.pixel_size import PixelSize, read_pixel_size
from cellbench.labels import read_labels
from cellbench.napari.fine_tuning import prepare_fine_tuning


def test_an_image_and_its_corrected_labels_are_saved(session: Session, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    labels = discs(shape=(40, 50), seed=1).astype(int)
    units = ("micrometer", "micrometer")
    session.viewer.add_image(pixels, name="plate", rgb=True, scale=(0.5, 0.5), units=units)
    layer = session.viewer.add_labels(labels, scale=(0.5, 0.5), units=units)
    widget = session.dock("Save and fine-tune")
    assert widget.stem.value == "plate"
    layer.fill(tuple(np.argwhere(labels > 0)[0]), 0)
    widget.dataset.value = tmp_path / "data"
    widget.modality.value, widget.source.value = "brightfield", "our lab"
    widget.save.native.click()
    (image,) = read_dataset(tmp_path / "data", ["train"])
    assert (image.stem, image.modality, image.source) == ("plate", "brightfield", "our lab")
    assert np.array_equal(read_channels(image.image)[0], pixels)
    assert image.labels is not None
    saved = read_labels(image.labels)
    assert np.array_equal(saved, layer.data)
    assert read_pixel_size(image.image) == PixelSize(0.5, 0.5)
    assert widget.saved.value.endswith(f"{len(np.unique(saved)) - 1} cells, and plate_label.tiff")

    layer.fill(tuple(np.argwhere(saved > 0)[0]), 0)
    widget.save.native.click()
    assert "has a row about plate already; choose another name" in widget.saved.value
    assert np.array_equal(read_labels(image.labels), saved)


def test_stacks_are_not_saved(session: Session, tmp_path: Path) -> None:
    session.viewer.add_image(np.zeros((7, 20, 20)))
    session.viewer.add_labels(np.zeros((7, 20, 20), int))
    widget = session.dock("Save and fine-tune")
    widget.save.native.click()
    assert "has 7 planes of 20 × 20 pixels; a dataset holds single images" in widget.saved.value
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_without_tune_images_is_refused(
    session: Session, checkpoint: Path, tmp_path: Path
) -> None:
    session.viewer.add_image(np.zeros((20, 20)), name="a")
    session.viewer.add_labels(np.eye(20, dtype=int))
    widget = session.dock("Save and fine-tune")
    widget.tune.native.click()
    assert "no model is chosen" in widget.training.status.value
    widget.model.add(checkpoint)
    widget.dataset.value = tmp_path / "data"
    widget.save.native.click()
    widget.tune.native.click()
    assert "has no images in tune/images" in widget.training.status.value
    assert not widget.training.is_running


@pytest.mark.slow
def test_fine_tuning_is_shown_and_cancelled(
    session: Session, checkpoint: Path, tmp_path: Path
) -> None:
    widget = session.dock("Save and fine-tune")
    widget.model.add(checkpoint)
    widget.dataset.value = make_dataset(tmp_path / "data")
    widget.out.value = tmp_path / "run"
    widget.tune.native.click()
    assert widget.training.command.value.startswith("cellbench fit --config base.yaml")
    session.wait(lambda: "training starts from" in widget.training.output.value)
    widget.tune.native.click()
    assert "is running already" in widget.training.status.value
    widget.training.cancel.native.click()
    session.wait(lambda: not widget.training.is_running)
    assert widget.training.status.value == "cancelled"
    assert not widget.training.cancel.enabled
    assert widget.out.value == tmp_path / "run_2"


@pytest.mark.slow
def test_a_model_that_was_fine_tuned_segments(
    session: Session, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cellbench.napari.widgets import save

    # The shortest time that can be chosen is a minute; two steps are enough here.
    quick = ["--trainer.max_steps", "2", "--data.batch_size", "2", "--tune", "false"]
    monkeypatch.setattr(
        save, "prepare_fine_tuning", lambda *chosen: [*prepare_fine_tuning(*chosen), *quick]
    )
    data = make_dataset(tmp_path / "data")
    layer = session.viewer.add_image(read_channels(data / "test/images/test0.png")[0][..., 0])
    widget = session.dock("Save and fine-tune")
    widget.model.add(trained)
    widget.dataset.value = data
    widget.out.value, widget.minutes.value = tmp_path / "runs/mine", 1
    widget.tune.native.click()
    session.wait(lambda: not widget.training.is_running, minutes=10)
    assert widget.training.status.value == "done"
    assert widget.model.choice.value == "mine"
    segment = session.dock("Segment")
    segment.model.choice.value = "mine"
    segment.start.native.click()
    session.wait(lambda: segment.start.enabled)
    assert session.viewer.layers[f"{layer.name} cells"].data.max() > 0


def test_the_end_of_a_command_is_shown(session: Session, tmp_path: Path) -> None:
    command = session.dock("Save and fine-tune").training
    command.run(["data", "sample", str(tmp_path / "sample")])
    assert command.status.value == "running …"
    session.wait(lambda: not command.is_running)
    assert command.status.value == "done"
    assert (tmp_path / "sample/manifest.csv").is_file()
    command.run(["data", "describe", str(tmp_path / "absent")])
    session.wait(lambda: not command.is_running)
    assert command.status.value == "failed with exit status 1; the last lines say why"
    assert "absent" in command.output.value


def test_a_command_ends_with_its_window(session: Session, tmp_path: Path) -> None:
    command = session.dock("Save and fine-tune").training
    command.run(["data", "sample", str(tmp_path / "sample")])
    assert command.process.waitForStarted()
    number = command.process.processId()
    session.viewer.close()
    session.wait(lambda: not Path(f"/proc/{number}").exists())  # pytest-qt fails if a slot does
    assert not (tmp_path / "sample/manifest.csv").exists()


def test_a_new_model_is_in_the_lists_of_all_widgets(
    session: Session, checkpoint: Path, tmp_path: Path
) -> None:
    segment, save = session.dock("Segment"), session.dock("Save and fine-tune")
    save.model.add(checkpoint)
    assert segment.model.choice.choices == (f"{checkpoint.parent.name}/unet.ckpt",)
    assert segment.model.checkpoint == checkpoint
    other = tmp_path / checkpoint.parent.name / "unet.ckpt"  # has the same short name
    other.parent.mkdir()
    shutil.copy(checkpoint, other)
    save.model.add(other)
    assert (save.model.checkpoint, segment.model.checkpoint) == (other, checkpoint)


def test_long_names_and_low_windows_leave_everything_in_reach(
    session: Session, checkpoint: Path, tmp_path: Path
) -> None:
    long = "-".join(["plate"] * 30)
    session.viewer.add_image(np.zeros((20, 20)), name=long)
    session.viewer.add_labels(np.eye(20, dtype=int), name=f"{long} cells")
    shutil.copytree(checkpoint.parent, tmp_path / long)
    for name in ("Segment", "Compare", "Save and fine-tune"):
        widget = session.dock(name)
        if name != "Compare":
            widget.model.add(tmp_path / long / checkpoint.name)
    widget.dataset.value = tmp_path / long
    widget.save.native.click()
    widget.tune.native.click()
    assert long in widget.saved.value
    assert long in widget.training.status.value
    session.qtbot.wait(200)
    assert widget.native.minimumSizeHint().height() < 300
    docks = session.viewer.window.dock_widgets.values()
    assert max(each.native.minimumSizeHint().width() for each in docks) < 500
