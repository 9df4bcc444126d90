"""`cellbench pseudo-label`: label maps of a model, and how sure it is of each pixel."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from datasets import make_dataset
from PIL import Image
from torch import nn

from cellbench.cli import main
from cellbench.data.confidence import read_confidence
from cellbench.data.describe import describe
from cellbench.data.folder import MANIFEST, read_dataset
from cellbench.data.hidden_labels import hide_labels
from cellbench.errors import CellbenchError, DatasetError
from cellbench.inference.pseudo_labels import Teacher, pseudo_label
from cellbench.inference.sure_images import segment_sure
from cellbench.labels import cell_ids, read_labels
from cellbench.models.dense import DenseModel
from cellbench.representations import Boundary

GATES = {"foreground": 0.9, "background": 0.1}
OPTIONS = {"precision": "32", "augment": False, "overlap": None, "diameter": None}
BRIGHT, DIM, DARK = 255, 150, 10


class Brightness(nn.Module):
    """The brighter a pixel, the more probable a cell: 1 at the brightest, 0.8 at DIM."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(20.0))

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        cell = self.slope * (image[:, :1] - 0.5)
        return {"classes": torch.cat([0 * cell, cell, 0 * cell - 50], dim=1)}


def make_model() -> DenseModel:
    return DenseModel(Brightness(), Boundary(), window=64).eval()


def pixels(shape: tuple[int, int], squares: Iterable[tuple[int, int, int]]) -> np.ndarray:
    """Draw squares of 20 pixels: row, column and brightness."""
    image = np.full(shape, DARK, np.uint8)
    for row, column, value in squares:
        image[row : row + 20, column : column + 20] = value
    return image


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset with two unlabelled images: two bright cells and a dim one, and nothing."""
    folder = make_dataset(tmp_path / "data")
    (folder / "unlabeled/images").mkdir(parents=True)
    cells = pixels((64, 128), [(10, 10, BRIGHT), (10, 50, DIM), (10, 90, BRIGHT)])
    Image.fromarray(cells).save(folder / "unlabeled/images/cells.png")
    Image.fromarray(pixels((64, 64), [])).save(folder / "unlabeled/images/nothing.png")
    return folder


def teach(root: Path, out: Path, progress: object = iter) -> object:
    teacher = Teacher([make_model()], [Path("best.ckpt")], ["0" * 64], GATES, OPTIONS)
    return pseudo_label(root, out, teacher, progress)  # type: ignore[arg-type]


def test_unlabelled_images_become_training_images(root: Path, tmp_path: Path) -> None:
    done = teach(root, tmp_path / "out")
    assert done.splits == {"train": 3, "tune": 2, "test": 2, "unlabeled": 1}
    assert (done.images, done.cells, done.unsure, done.failed) == (1, 2, ["nothing"], [])
    assert done.used == pytest.approx(1 - 400 / (64 * 128), abs=0.02)
    pseudo = {image.stem: image for image in read_dataset(tmp_path / "out")}["cells"]
    assert pseudo.split == "train"
    assert pseudo.labels is not None
    assert pseudo.confidence is not None
    labels, confidence = read_labels(pseudo.labels), read_confidence(pseudo.confidence)
    assert len(cell_ids(labels)) == 3
    assert labels[20, 60] > 0  # the dim cell is there, but ignored
    assert (confidence[12:28, 52:68] == 0).all()
    assert (confidence[12:28, 12:28] == 255).all()
    assert (confidence[40:] == 255).all()
    with (tmp_path / "out" / MANIFEST).open(encoding="utf-8") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    origins = {
        name: (row["split"], row["labels"], row["original_split"]) for name, row in rows.items()
    }
    assert origins["cells.png"] == ("train", "pseudo", "unlabeled")
    assert origins["nothing.png"] == ("unlabeled", "", "unlabeled")
    assert origins["train0.png"] == ("train", "given", "train")
    assert not describe(tmp_path / "out").attrs["problems"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["data", "out"]


def test_the_confidence_stays_with_its_image(root: Path, tmp_path: Path) -> None:
    teach(root, tmp_path / "pseudo")
    words = ["data", "rescale", str(tmp_path / "pseudo"), str(tmp_path / "half"), "--factor", "0.5"]
    assert main(words) == 0
    hide_labels(tmp_path / "pseudo", tmp_path / "kept", 1)
    for name, step in (("kept", 1), ("half", 2)):
        (image,) = [each for each in read_dataset(tmp_path / name) if each.stem == "cells"]
        assert image.confidence is not None
        values = read_confidence(image.confidence)
        assert values.shape == (64 // step, 128 // step)
        assert values[20 // step, 60 // step] == 0
        assert values[20 // step, 20 // step] == 255


def test_an_interrupted_run_continues(root: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def interrupted(stems: Iterable[str]) -> Iterator[str]:
        for stem in stems:
            if seen:
                raise KeyboardInterrupt
            seen.append(stem)
            yield stem

    with pytest.raises(KeyboardInterrupt):
        teach(root, tmp_path / "out", interrupted)
    assert seen == ["cells"]
    assert not (tmp_path / "out").exists()
    rest: list[str] = []

    def noted(stems: Iterable[str]) -> Iterable[str]:
        rest.extend(stems)
        return rest

    done = teach(root, tmp_path / "out", noted)
    assert rest == ["nothing"]
    assert done.cells == 2
    with pytest.raises(CellbenchError, match="out: exists and is not an empty folder"):
        teach(root, tmp_path / "out")
    teach(root, tmp_path / "again")
    for name in ("labels/cells_label.tiff", "confidence/cells_confidence.tiff"):
        first, second = (tmp_path / out / "train" / name for out in ("out", "again"))
        assert first.read_bytes() == second.read_bytes()


def test_tiles_and_resizing_keep_what_is_sure() -> None:
    """An image of two tiles, with a sure and a dim cell at the border between them."""
    model = make_model()
    model.diameters = (20.0, 40.0, 60.0)
    squares = [(10, 100, BRIGHT), (10, 2540, BRIGHT), (40, 2545, DIM), (10, 5000, BRIGHT)]
    image = np.repeat(pixels((64, 5100), squares)[..., None] / 255, 3, axis=2)
    for diameter in (None, 20):
        labels, confidence = segment_sure([model], image, GATES, precision="32", diameter=diameter)
        assert labels.shape == confidence.shape == (64, 5100)
        assert len(cell_ids(labels)) == 4
        assert (confidence[12:28, 2542:2558] > 230).all()
        assert (confidence[42:58, 2547:2563] == 0).all()
        assert (confidence[:8] > 230).all()


def test_faults_are_one_line(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_checkpoint(small_unet(2), tmp_path / "model.ckpt")
    words = ["pseudo-label", str(root), "--checkpoint", str(checkpoint), "--foreground", "1"]
    assert main(words) == 1
    assert (
        "the model is sure of no cell in any of 2 unlabelled images; train it"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "data-pseudo").exists()
    assert main([*words[:-1], "2"]) == 2
    assert "argument --foreground: '2': must be a number from 0 to 1" in capsys.readouterr().err
    for name in ("cells", "nothing"):
        (root / f"unlabeled/images/{name}.png").unlink()
    assert main(words) == 1
    assert "no images in unlabeled/images; add unlabelled images there" in capsys.readouterr().err


def test_a_folder_in_the_dataset_is_refused(root: Path) -> None:
    with pytest.raises(DatasetError, match="is in the dataset folder"):
        teach(root, root / "new")
    with pytest.raises(CellbenchError, match="no images in unlabeled/images"):
        teach(make_dataset(root.parent / "other"), root.parent / "out")


def test_the_command_writes_beside_the_dataset(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_checkpoint(small_unet(2), tmp_path / "model.ckpt")
    words = ["pseudo-label", str(root), "--checkpoint", str(checkpoint)]
    assert main([*words, "--foreground", "0", "--background", "1"]) == 0
    assert capsys.readouterr().out.startswith(
        f"wrote {tmp_path / 'data-pseudo'}: 8 images (train: "
    )
