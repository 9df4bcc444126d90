"""All options of training patches at once, from the command line to the model's targets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import tiny_model
from datamodules import attached_data
from datasets import make_dataset
from multi_streams import tiny
from training_runs import fit

from cellbench.data.folder import DatasetImage
from cellbench.errors import UsageError
from cellbench.labels.diameters import median_diameter
from cellbench.models.base import InstanceSegmentationModel
from cellbench.training.augmentation import Augmentation
from cellbench.training.datamodule import CellDataModule
from cellbench.training.draws import Draw
from cellbench.training.patches import PatchDataset
from cellbench.training.store import DecodedStore
from cellbench.training.windows import cut_window, draw_side

ALL: dict[str, Any] = {
    "smallest_zoom": 0.25,
    "largest_zoom": 2.5,
    "cell_sizes": [4, 32],
    "mosaic": 0.5,
    "cell_intensity": 0.5,
    "boundary_exclusion": True,
}
WORDS = [word for name, value in ALL.items() for word in (f"--data.{name}", str(value))]


def data_of(
    root: Path, model: InstanceSegmentationModel | None = None, **options: Any
) -> CellDataModule:
    """Make a datamodule of four batches in each epoch, ready for training."""
    small = {"batch_size": 4, "patches_per_epoch": 16, "cache": str(root / "cache")}
    data = attached_data(model, root=str(root), **small | options)
    data.setup("fit")
    return data


def labels_of(data: CellDataModule) -> PatchDataset:
    """Return the training patches with their label maps instead of targets."""
    data.trainer.lightning_module.target_encoder = lambda: lambda labels: {"labels": labels}
    patches = data.train_dataset(data.train_items())
    assert isinstance(patches, PatchDataset)
    return patches


@pytest.mark.parametrize("name", ["unet", "mediar", "convnext_stardist", "convnext_hover"])
def test_models_learn_from_patches_with_all_options(name: str, tmp_path: Path) -> None:
    model = tiny_model(name)
    data = data_of(make_dataset(tmp_path / "data", images=5), model, **ALL)
    batches = list(data.train_dataloader())
    assert len(batches) == 4
    for batch in batches:
        assert batch["image"].shape == (4, 3, 64, 64)
        assert 0 <= batch["image"].min() <= batch["image"].max() <= 1
        assert all(torch.isfinite(each).all() for each in batch["targets"].values())
    assert torch.isfinite(model.loss(batches[0]))


def test_resumed_draws_are_those_of_a_run_that_was_never_stopped(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=5)

    def epoch(steps: int, workers: int, resumed: bool) -> list[torch.Tensor]:
        data = data_of(root, num_workers=workers, **ALL)
        torch.manual_seed(2022)
        if resumed:
            data.load_state_dict({"steps": steps})
        else:
            data.trainer.global_step = steps
        return [batch["image"] for batch in data.train_dataloader()]

    first, second, resumed = (epoch(*each) for each in ((0, 0, False), (4, 0, False), (4, 2, True)))
    assert all(map(torch.equal, second, resumed))
    assert not any(map(torch.equal, first, second))


@pytest.mark.slow
def test_a_resumed_training_gives_the_same_weights(tmp_path: Path) -> None:
    root, whole, resumed = make_dataset(tmp_path / "data"), tmp_path / "a", tmp_path / "b"
    callback = "--trainer.callbacks"
    kept = (
        f"{callback}+=pytorch_lightning.callbacks.ModelCheckpoint",
        f"{callback}.filename={{epoch}}",
        f"{callback}.save_top_k=-1",
        f"{callback}.mode=max",  # so that Lightning distinguishes it from the others
        f"{callback}.save_on_train_epoch_end=true",
    )
    assert fit("unet", whole, root, *WORDS, *kept) == 0
    start = ("--ckpt_path", str(whole / "checkpoints/epoch=0.ckpt"))
    assert fit("unet", resumed, root, *WORDS, *start) == 0
    states = [
        torch.load(run / "checkpoints/last.ckpt", weights_only=True)["current_model_state"]
        for run in (whole, resumed)
    ]
    assert all(torch.equal(state, states[1][name]) for name, state in states[0].items())


def test_options_that_are_off_change_no_patch(tmp_path: Path) -> None:
    """Not even by drawing a random number: a patch is a window, and then its augmentation."""
    data = data_of(make_dataset(tmp_path / "data"))
    patches = labels_of(data)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        image, labels = data.store.load(patches.items[seed % 2])
        side = draw_side(labels.shape, 64, None, 1.5, rng)
        window = cut_window(image, labels, (64, side), (64, 64), rng)
        expected_image, expected_labels = Augmentation()(*window, rng)
        patch = patches[Draw(seed % 2, seed)]
        np.testing.assert_array_equal(patch["image"], expected_image)
        np.testing.assert_array_equal(patch["targets"]["labels"], expected_labels)


def test_exclusion_separates_what_the_model_learns_from_the_image(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    options = {"augmentation": 0, "largest_zoom": 1.0}
    whole, excluded = (
        labels_of(data_of(root, boundary_exclusion=each, **options)) for each in (False, True)
    )
    for seed in range(8):
        before, after = (patches[Draw(0, seed)] for patches in (whole, excluded))
        assert torch.equal(before["image"], after["image"])
        kept = after["targets"]["labels"]
        assert (kept[kept > 0] == before["targets"]["labels"][kept > 0]).all()
        assert 0 < kept.count_nonzero() < before["targets"]["labels"].count_nonzero()


def test_cells_get_the_size_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellbench.training.cell_changes.RESCALED_SHARE", 1.0)
    root = make_dataset(tmp_path / "data", images=1)
    # The whole image, of 64 × 96 pixels, is in the patch if its cells become this small.
    patches = labels_of(data_of(root, cell_sizes=[8, 8], augmentation=0))
    for seed in range(8):
        labels = patches[Draw(0, seed)]["targets"]["labels"].numpy()
        assert median_diameter(labels) == pytest.approx(8, abs=0.3)


def test_diameters_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_of(make_dataset(tmp_path / "data"), cell_sizes=[4, 32])
    data.train_dataset(data.train_items())
    monkeypatch.setattr(DecodedStore, "load", lambda *_: pytest.fail("the label map is read again"))
    data.train_dataset(data.train_items())


def test_a_mosaic_shows_four_images(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=5)
    data = data_of(root, mosaic=1.0, augmentation=0, largest_zoom=1.0)
    flat = {item: index + 1 for index, item in enumerate(data.train_items())}

    class Flat(DecodedStore):
        """Every image has one intensity and consists of one cell."""

        def load(self, item: DatasetImage) -> tuple[np.ndarray, np.ndarray]:
            return np.full((99, 99, 3), flat[item], np.uint8), np.ones((99, 99), np.uint16)

    data.store = Flat(tmp_path / "flat")
    patches = labels_of(data)
    for seed in range(10):
        patch = patches[Draw(2, seed)]
        levels, ids = (patch["image"][0] * 255).round(), patch["targets"]["labels"]
        assert ids.unique().tolist() == [1, 2, 3, 4]
        assert len(levels.unique()) == 4
        assert 3 in levels
        assert all(len(levels[ids == cell].unique()) == 1 for cell in range(1, 5))


def test_a_model_of_whole_images_refuses_mosaics(tmp_path: Path) -> None:
    data = data_of(make_dataset(tmp_path / "data"), tiny(), mosaic=0.5)
    with pytest.raises(
        UsageError, match=r"data.mosaic 0.5: MultiStream learns what each image is as a whole, but"
    ):
        data.train_dataloader()
    assert len(list(data_of(tmp_path / "data", tiny()).train_dataloader())) == 4
