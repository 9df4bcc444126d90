"""Splits of small imports: none stays empty, and none changes when images are added."""

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cellbench.data.folder import SPLITS, read_dataset
from cellbench.data.importers import import_dataset
from cellbench.data.importers.base import SourceImage
from cellbench.data.importers.splits import assign_splits, parse_fractions

SHARES = parse_fractions("80/10/10")


def images(stems: list[str], splits: tuple[str, ...] = SPLITS) -> list[SourceImage]:
    return [SourceImage(Path(f"{stem}.png"), Path(f"{stem}.tif"), splits) for stem in stems]


@given(st.lists(st.text("abc123", min_size=1, max_size=4), min_size=3, max_size=20, unique=True))
def test_every_split_gets_an_image(stems: list[str]) -> None:
    found = assign_splits(images(stems), SHARES, {})
    assert {*found} == {*SPLITS}
    assert found == assign_splits(images(stems), SHARES, {})
    turned = assign_splits(images(stems[::-1]), SHARES, {})
    assert turned == found[::-1]


def test_splits_without_a_share_stay_empty_and_two_images_cannot_fill_three() -> None:
    assert {*assign_splits(images(["a", "b", "c"]), parse_fractions("1/1/0"), {})} == {
        "train",
        "tune",
    }
    for stems in ("ab", "ac", "bc", "xy"):
        assert sorted(assign_splits(images([*stems]), SHARES, {})) == ["train", "tune"]
        assert assign_splits(images([*stems[:1]]), SHARES, {}) == ["train"]


def test_splits_of_the_source_are_kept() -> None:
    training = images([f"n{number}" for number in range(5)], ("train", "tune"))
    found = assign_splits([*training, *images(["x"], ("test",))], SHARES, {})
    assert Counter(found) == {"train": 4, "tune": 1, "test": 1}


def write_source(folder: Path, count: int) -> None:
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(np.full((4, 5), number, np.uint8)).save(folder / f"images/i{number}.png")
        Image.fromarray(np.eye(4, 5, dtype=np.uint8)).save(folder / f"labels/i{number}.png")


def test_a_small_import_can_be_trained_on_and_an_extended_one_keeps_its_splits(
    tmp_path: Path,
) -> None:
    source, root = tmp_path / "source", tmp_path / "root"
    sizes = []
    before: dict[str, str] = {}
    for count in (3, 12, 40):
        write_source(source, count)
        report = import_dataset("folder", source, root)
        assert report.warnings == []
        after = {one.stem: one.split for one in read_dataset(root)}
        assert {stem: after[stem] for stem in before} == before
        assert min(report.splits.values()) >= 1
        sizes.append(dict(report.splits))
        before = after
    assert sizes[0] == {"train": 1, "tune": 1, "test": 1}
    assert sum(sizes[2].values()) == 40


def test_a_single_image_is_not_enough_to_train(tmp_path: Path) -> None:
    write_source(tmp_path / "source", 1)
    report = import_dataset("folder", tmp_path / "source", tmp_path / "root")
    assert report.splits == {"train": 1, "tune": 0, "test": 0}
    assert report.warnings == [
        f"{tmp_path}/root: no images in tune; training needs images in train and in tune (--fractions and "
        "--split choose the split)"
    ]
