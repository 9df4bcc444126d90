"""`cellbench data hide-labels`: a part of each source keeps its labels, the rest becomes unlabelled."""

import csv
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from datasets import make_dataset

from cellbench.cli import main
from cellbench.data.folder import read_dataset, write_manifest
from cellbench.data.hidden_labels import hide_labels, labelled_part
from cellbench.data.leaks import find_leaks
from cellbench.errors import DatasetError, UsageError

SOURCES = {"lab A": 20, "lab B": 9, "lab C": 1}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Thirty training images of three sources, two of each other split, one unlabelled image."""
    folder = make_dataset(tmp_path / "data")
    names = [f"{source[-1]}{n:02}" for source, count in SOURCES.items() for n in range(count)]
    for name in names:
        (folder / f"train/images/{name}.png").hardlink_to(folder / "train/images/train0.png")
        (folder / f"train/labels/{name}_label.tiff").hardlink_to(
            folder / "train/labels/train0_label.tiff"
        )
    for name in ("images/train0.png", "images/train1.png"):
        (folder / "train" / name).unlink()
        (folder / "train/labels" / f"{name[7:13]}_label.tiff").unlink()
    (folder / "unlabeled/images").mkdir(parents=True)
    shutil.copy(folder / "tune/images/tune0.png", folder / "unlabeled/images/A00.png")
    rows = [{"image": name, "split": "train", "source": f"lab {name[0]}"} for name in names]
    rows += [{"image": f"{s}{n}", "split": s} for s in ("tune", "test") for n in range(2)]
    write_manifest(folder, [*rows, {"image": "A00", "split": "unlabeled", "source": "web"}])
    return folder


def kept(out: Path) -> set[str]:
    return {image.stem for image in read_dataset(out, ["train"]) if image.labels is not None}


@pytest.mark.parametrize(
    ("keep", "counts"),
    [("2%", (1, 1, 1)), ("10%", (2, 1, 1)), ("12.5%", (3, 1, 1)), ("50%", (10, 5, 1))],
)
def test_a_part_of_each_source_keeps_its_labels(
    keep: str, counts: tuple[int, ...], root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["data", "hide-labels", str(root), str(out), "--keep", keep]) == 0
    images = read_dataset(out, ["train", "unlabeled"])
    labelled = Counter(image.source for image in images if image.split == "train")
    assert tuple(labelled[source] for source in SOURCES) == counts
    assert all((image.labels is None) == (image.split == "unlabeled") for image in images)
    assert not (out / "unlabeled/labels").exists()
    for image in images:
        if image.split == "unlabeled" and image.source != "web":
            original = root / "train/images" / image.image.name.removeprefix("train_")
            assert image.image.samefile(original)
    # The name of one image is taken: by the image that was unlabelled before.
    names = {image.stem for image in images if image.split == "unlabeled"}
    assert ("train_A00" in names) != ("A00" in kept(out))
    assert len(names) == 31 - len(kept(out))
    with (out / "manifest.csv").open(encoding="utf-8") as file:
        rows = {(row["split"], row["image"]): row for row in csv.DictReader(file)}
    assert set(rows) == {(each.split, each.image.name) for each in images} | {
        (split, f"{split}{n}.png") for split in ("tune", "test") for n in range(2)
    }
    moved = {row["image"] for row in rows.values() if row["original_split"] != row["split"]}
    assert {name.removeprefix("train_")[:3] for name in moved} == {
        f"{source[-1]}{n:02}" for source, count in SOURCES.items() for n in range(count)
    } - kept(out)


def test_smaller_parts_are_in_larger_ones(root: Path, tmp_path: Path) -> None:
    parts = []
    for number, keep in enumerate((0.02, 0.05, 0.1, 0.25, 0.6, 1)):
        hide_labels(root, tmp_path / str(number), keep)
        parts.append(kept(tmp_path / str(number)))
    assert all(small <= large for small, large in pairwise(parts))
    assert [len(part) for part in parts] == [3, 3, 4, 8, 18, 30]


def test_the_choice_is_fixed_by_the_seed(root: Path) -> None:
    images = read_dataset(root, ["train"])
    chosen = labelled_part(images, 0.1, 2022)
    assert {image.stem for image in chosen} == {"A07", "A16", "B08", "C00"}
    assert labelled_part(reversed(images), 0.1, 2022) == chosen
    assert labelled_part(images, 0.1, 1) != chosen


def test_all_labels_leave_the_dataset_as_it_is(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["data", "hide-labels", str(root), str(out), "--keep", "100%"]) == 0
    assert capsys.readouterr().out == (
        f"wrote {out}: 35 images (train: 30, tune: 2, test: 2, unlabeled: 1)\n"
    )
    assert {image.stem for image in read_dataset(out, ["unlabeled"])} == {"A00"}
    assert find_leaks(root)[0].image.name == find_leaks(out)[0].image.name


@pytest.mark.parametrize("keep", ["0%", "101%", "10", "ten%", "nan%", "10%%"])
def test_a_wrong_part_is_one_line(
    keep: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "hide-labels", str(root), str(tmp_path / "out"), "--keep", keep]) == 2
    message = f"argument --keep: {keep!r}: write a percentage up to 100%, such as 10%"
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_labels_are_needed(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"keep 1\.5: must be above 0"):
        hide_labels(root, tmp_path / "out", 1.5)
    shutil.rmtree(root / "train/labels")
    with pytest.raises(DatasetError, match="no training image in the manifest has a label map"):
        hide_labels(root, tmp_path / "out", 0.5)
