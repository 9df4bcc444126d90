"""`cellbench data split`: training sees nothing that is left out, and the test split has all of it."""

import csv
from pathlib import Path

import pytest
from datasets import make_dataset

from cellbench.cli import main
from cellbench.data import split
from cellbench.data.folder import read_dataset, write_manifest
from cellbench.data.split import leave_out
from cellbench.errors import DatasetError, UsageError

SOURCES = ("DSB 2018, rest", "DSB 2018, StarDist", "lab [1]")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images in each split with one source each, and one unlabelled image of each source."""
    folder = make_dataset(tmp_path / "data", images=3)
    (folder / "unlabeled/images").mkdir(parents=True)
    for index in range(3):
        name = f"unlabeled/images/unlabeled{index}.png"
        (folder / name).hardlink_to(folder / f"train/images/train{index}.png")
    rows = [
        {"image": f"{name}{index}.png", "split": name, "source": source, "stain": f"S{index % 2}"}
        for name in ("train", "tune", "test", "unlabeled")
        for index, source in enumerate(SOURCES)
    ]
    write_manifest(folder, rows)
    return folder


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["image"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("where", "unseen"),
    [
        (["source=lab [1]"], {2}),
        (["source=dsb 2018, REST"], {0}),
        (["source=dsb*"], {0, 1}),
        (["source=lab [1]", "source=*rest"], {0, 2}),
        (["source=lab [1]", "stain=s1"], {1, 2}),
    ],
)
def test_what_is_left_out_is_only_tested_on(
    where: list[str], unseen: set[int], root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = [word for each in where for word in ("--leave-out", each)]
    assert main(["data", "split", str(root), str(out), *words]) == 0
    kept = sorted({0, 1, 2} - unseen)
    found = {
        name: {image.stem for image in read_dataset(out, [name])}
        for name in ("train", "tune", "test", "unlabeled")
    }
    moved = {f"{name}{index}" for name in ("train", "tune", "test") for index in unseen}
    assert found["test"] == moved | {f"test{index}" for index in kept}
    for name in ("train", "tune", "unlabeled"):
        assert found[name] == {f"{name}{index}" for index in kept}
    rows = rows_of(out)
    for image in read_dataset(out):
        original = image.stem[:-1]
        row = rows[image.image.name]
        domain = "out-of-source" if int(image.stem[-1]) in unseen else "in-source"
        assert row["domain"] == (domain if image.split == "test" else "")
        assert (row["original_split"], row["stain"]) == (original, f"S{int(image.stem[-1]) % 2}")
        assert image.image.samefile(root / original / "images" / image.image.name)
        assert image.labels is not None
        assert image.labels.samefile(root / original / "labels" / f"{image.stem}_label.tiff")


def test_the_command_says_what_it_wrote(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--leave-out", "source=lab*"]
    assert main(["data", "split", str(root), str(tmp_path / "out"), *words]) == 0
    assert capsys.readouterr().out == (
        f"wrote {tmp_path / 'out'}: 11 images (train: 2, tune: 2, test in-source: 2, unlabeled: 2, "
        "test out-of-source: 3)\n"
    )


def test_namesakes_in_the_test_split_get_the_name_of_their_split(
    root: Path, tmp_path: Path
) -> None:
    for name in ("train", "tune", "test"):
        (root / f"{name}/images/{name}2.png").rename(root / f"{name}/images/a.png")
        (root / f"{name}/labels/{name}2_label.tiff").rename(root / f"{name}/labels/a_masks.tiff")
    rows = [
        {"image": "a", "split": name, "source": SOURCES[2]} for name in ("train", "tune", "test")
    ]
    write_manifest(root, [*rows, {"image": "train0", "split": "train", "source": SOURCES[0]}])
    leave_out(root, tmp_path / "out", {"source": ["lab*"]})
    found = {image.image.name: image for image in read_dataset(tmp_path / "out", ["test"])}
    assert set(found) == {"a.png", "train_a.png", "tune_a.png"}
    for name, image in found.items():
        prefix, original = name[:-5], rows_of(tmp_path / "out")[name]["original_split"]
        assert image.labels is not None
        assert image.labels.name == f"{prefix}a_masks.tiff"
        assert image.labels.samefile(root / original / "labels/a_masks.tiff")
        assert image.source == SOURCES[2]


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ({"sauce": ["x"]}, UsageError, "has no column 'sauce'; choose one of image, split"),
        ({"source": ["nobody"]}, UsageError, "no image has source=nobody; its values are"),
        ({"source": ["*"]}, DatasetError, "all training images have source=\\*; leave out fewer"),
        ({"split": ["unlabeled"]}, DatasetError, "only unlabelled images have split=unlabeled"),
    ],
)
def test_values_that_leave_no_split(
    where: dict[str, list[str]],
    error: type[Exception],
    message: str,
    root: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=message):
        leave_out(root, tmp_path / "out", where)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_test_split_without_seen_sources_is_said(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leave_out(root, tmp_path / "out", {"split": ["test"]})
    (message,) = caplog.messages
    assert message.endswith(
        "does not have split=test; the test split only has out-of-source images"
    )


def test_an_interruption_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(split, "write_images", interrupted)
    with pytest.raises(KeyboardInterrupt):
        leave_out(root, tmp_path / "out", {"source": ["lab*"]})
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_name_with_the_split_in_front_may_be_taken(root: Path, tmp_path: Path) -> None:
    """Two images are called a, and a third one has the name that the second one would get."""
    for split_name, old, new in (
        ("train", "train2", "a"),
        ("test", "test2", "a"),
        ("test", "test1", "train_a"),
    ):
        (root / f"{split_name}/images/{old}.png").rename(root / f"{split_name}/images/{new}.png")
        (root / f"{split_name}/labels/{old}_label.tiff").rename(
            root / f"{split_name}/labels/{new}_label.tiff"
        )
    rows = [
        {"image": "a", "split": "train", "source": SOURCES[2]},
        {"image": "a", "split": "test", "source": SOURCES[0]},
        {"image": "train_a", "split": "test", "source": SOURCES[0]},
        {"image": "train0", "split": "train", "source": SOURCES[0]},
    ]
    write_manifest(root, rows)
    leave_out(root, tmp_path / "out", {"source": [SOURCES[2]]})
    found = {image.image.name for image in read_dataset(tmp_path / "out", ["test"])}
    assert {"a.png", "train_a.png", "train_train_a.png"} <= found
