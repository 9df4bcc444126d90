"""All importers: the same two images in every layout become the same dataset folder."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from cellbench.data.folder import read_dataset
from cellbench.data.importers import IMPORTERS, import_dataset
from cellbench.errors import CellbenchError, DatasetError
from cellbench.labels import LabelMap, encode_runs, read_labels, write_labels

SHAPE = (5, 7)
TRUTH: dict[str, LabelMap] = {"a": np.zeros(SHAPE, np.uint16), "b": np.zeros(SHAPE, np.uint16)}
TRUTH["a"][0:2, 1:4] = 1
TRUTH["a"][3:5, 2:7] = 2


def save_image(path: Path, shape: tuple[int, int] = SHAPE, level: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(shape, level, np.uint8)).save(path)
    return path


def save_images(folder: Path) -> None:
    for level, stem in enumerate(TRUTH):
        save_image(folder / f"{stem}.png", level=level)


def neurips22(source: Path) -> None:
    save_images(source / "Testing" / "Testing" / "Public" / "images")
    for stem, labels in TRUTH.items():
        write_labels(source / "Testing/Testing/Public/labels" / f"{stem}_label.tiff", labels)


def dsb2018(source: Path) -> None:
    for stem, labels in TRUTH.items():
        save_image(source / "stage1_train" / stem / "images" / f"{stem}.png", level=len(stem))
        masks = source / "stage1_train" / stem / "masks"
        masks.mkdir()
        for number in range(1, int(labels.max()) + 1):
            mask = np.uint8(255) * (labels == number)
            Image.fromarray(mask).save(masks / f"{number:064}.png")


def dsb2018_flat(source: Path) -> None:
    save_images(source / "images")
    for stem, labels in TRUTH.items():
        write_labels(source / "masks" / f"{stem}.tif", labels)


def coco(source: Path) -> None:
    save_images(source / "images")
    size = {"height": SHAPE[0], "width": SHAPE[1]}
    images = [{"id": 9, "file_name": "a.png", **size}, {"id": 4, "file_name": "b.png", **size}]
    square = {"id": 1, "image_id": 9, "segmentation": [[1, 0, 4, 0, 4, 2, 1, 2]]}
    flat = (TRUTH["a"] == 2).T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]))).tolist()
    counts = np.diff([0, *edges, flat.size]).tolist()
    runs = {"id": 2, "image_id": 9, "segmentation": {"size": list(SHAPE), "counts": counts}}
    content = {"images": images, "annotations": [square, runs]}
    (source / "cells.json").write_text(json.dumps(content))


def kaggle_rle(source: Path) -> None:
    save_images(source / "train")
    with (source / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "annotation", "width", "height", "cell_type"])
        for number in (1, 2):
            writer.writerow(["a", encode_runs(TRUTH["a"] == number), SHAPE[1], SHAPE[0], "cort"])
        writer.writerow(["b", "", SHAPE[1], SHAPE[0], "astro"])


def kaggle_predicted(source: Path) -> None:
    save_images(source / "train")
    runs = [f"a,{encode_runs(TRUTH['a'] == number)}" for number in (1, 2)]
    (source / "train.csv").write_text("\n".join(["id,predicted", *runs, "b,"]))


def folder(source: Path) -> None:
    save_images(source / "images")
    tifffile.imwrite(source / "images" / "b.tif", np.zeros(SHAPE, np.uint8))
    (source / "images" / "b.png").unlink()
    write_labels(source / "labels" / "a_masks.tif", TRUTH["a"])
    Image.fromarray(TRUTH["b"].astype(np.uint8)).save(source / "labels" / "b.png")


SOURCES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "neurips22": ("neurips22", neurips22),
    "dsb2018": ("dsb2018", dsb2018),
    "dsb2018-flat": ("dsb2018", dsb2018_flat),
    "coco": ("coco", coco),
    "kaggle-rle": ("kaggle-rle", kaggle_rle),
    "kaggle-rle-predicted": ("kaggle-rle", kaggle_predicted),
    "folder": ("folder", folder),
}


@pytest.fixture(params=SOURCES)
def layout(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    name, build = SOURCES[request.param]
    source = tmp_path / "source"
    source.mkdir()
    build(source)
    return name, source


def files_of(root: Path) -> dict[Path, tuple[int, int]]:
    status = {path: path.stat() for path in root.rglob("*") if path.is_file()}
    return {path: (one.st_ino, one.st_mtime_ns) for path, one in status.items()}


def test_every_importer_is_tested_here() -> None:
    assert {name for name, _ in SOURCES.values()} == set(IMPORTERS)


def test_gives_the_exact_label_maps(layout: tuple[str, Path], tmp_path: Path) -> None:
    name, source = layout
    before = files_of(source)
    root = tmp_path / "root"
    report = import_dataset(name, source, root, split="test", modality="DIC", source_name="ours")
    without_masks = list(source.glob("stage1_train/b/images/b.png"))
    warnings = [
        f"{path}: has no masks, imported as an image without cells" for path in without_masks
    ]
    assert (report.images, report.cells, report.warnings) == (2, 2, warnings)
    images = read_dataset(root)
    assert [(one.stem, one.split, one.modality) for one in images] == [
        ("a", "test", "DIC"),
        ("b", "test", "DIC"),
    ]
    for one in images:
        assert one.labels is not None
        np.testing.assert_array_equal(read_labels(one.labels), TRUTH[one.stem])
    manifest = (root / "manifest.csv").read_text().splitlines()
    assert manifest[:2] == ["image,split,modality,source", "a.png,test,DIC,ours"]
    assert files_of(source) == before
    assert not list(root.rglob("*.partial*"))


def test_images_and_label_maps_are_hard_links(layout: tuple[str, Path], tmp_path: Path) -> None:
    name, source = layout
    import_dataset(name, source, tmp_path / "root")
    nodes = {node for node, _ in files_of(source).values()}
    images = sorted(read_dataset(tmp_path / "root"), key=lambda one: one.stem)
    assert all(one.image.stat().st_ino in nodes for one in images)
    linked = [one.labels is not None and one.labels.stat().st_ino in nodes for one in images]
    flat = (source / "masks").is_dir() or name == "neurips22"
    assert linked == [flat or name == "folder", flat]  # folder: b is a PNG and so converted


def test_running_again_changes_nothing_and_goes_on(
    layout: tuple[str, Path], tmp_path: Path
) -> None:
    name, source = layout
    root = tmp_path / "root"
    first = import_dataset(name, source, root)
    before = files_of(root)
    again = import_dataset(name, source, root)
    after = files_of(root)
    del before[root / "manifest.csv"], after[root / "manifest.csv"]
    assert (again, after) == (first, before)

    lost = next(iter(before))
    lost.unlink()
    import_dataset(name, source, root)
    assert files_of(root).keys() == {*before, root / "manifest.csv"}


def test_newer_annotations_are_drawn_again(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    kaggle_predicted(source)
    root = tmp_path / "root"
    import_dataset("kaggle-rle", source, root, split="tune")
    (source / "train.csv").write_text("id,predicted\na,1 1")
    labels = root / "tune" / "labels" / "a_label.tiff"
    future = labels.stat().st_mtime + 5
    os.utime(source / "train.csv", (future, future))
    import_dataset("kaggle-rle", source, root, split="tune")
    assert np.flatnonzero(read_labels(labels)).tolist() == [0]


@pytest.mark.parametrize("newer", [False, True])
def test_the_label_maps_are_those_of_the_last_source(newer: bool, tmp_path: Path) -> None:
    for name, cells in (("nuclei", TRUTH["a"]), ("cells", np.maximum(TRUTH["a"], 1))):
        save_image(tmp_path / "source" / "images" / "x.png", level=1)
        maps = tmp_path / "source" / name / "x.png"
        maps.parent.mkdir()
        Image.fromarray(cells.astype(np.uint8)).save(maps)
        if not newer:
            os.utime(maps, (1, 1))
        options = {"split": "test", "labels": name}
        import_dataset("folder", tmp_path / "source", tmp_path / "root", **options)
        written = read_labels(tmp_path / "root/test/labels/x_label.tiff")
        np.testing.assert_array_equal(written, cells)


def test_what_was_added_to_the_manifest_by_hand_stays(tmp_path: Path) -> None:
    source, root = tmp_path / "source", tmp_path / "root"
    source.mkdir()
    folder(source)
    import_dataset("folder", source, root, split="test", source_name="first")
    rows = "image,split,modality,source,stain\na.png,test,DIC,first,DAPI\nb.tif,test,,first,\n"
    (root / "manifest.csv").write_text(rows)
    import_dataset("folder", source, root, split="test", source_name="second")
    assert (root / "manifest.csv").read_text() == rows.replace("first", "second")


def test_a_second_import_keeps_the_rows_of_the_first(tmp_path: Path) -> None:
    for split, level in (("train", 1), ("test", 2)):
        source = tmp_path / split
        save_image(source / "images" / "x.png", level=level)
        write_labels(source / "labels" / "x_label.tiff", TRUTH["a"])
        import_dataset("folder", source, tmp_path / "root", split=split, source_name=split)
    rows = (tmp_path / "root" / "manifest.csv").read_text().splitlines()[1:]
    assert rows == ["x.png,train,,train", "x.png,test,,test"]


def test_one_image_never_goes_into_two_splits(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    folder(tmp_path / "source")
    import_dataset("folder", tmp_path / "source", tmp_path / "root", split="train")
    with pytest.raises(DatasetError, match=r"a\.png: is already in .*train/images"):
        import_dataset("folder", tmp_path / "source", tmp_path / "root", split="test")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cityscapes", {}, r"cityscapes: no such importer; choose one of coco, "),
        ("folder", {"split": "validation"}, r"split 'validation': choose one of train"),
        ("folder", {"modality": "x-ray"}, r"modality 'x-ray': choose one of brightfield"),
        ("folder", {"fractions": "80/20"}, r"fractions '80/20': give the shares"),
        (
            "folder",
            {"masks": "m"},
            r"--masks: not an option of the importer folder, which has --images, --labels",
        ),
        ("neurips22", {"images": "m"}, r"--images: not an option of .* neurips22, which has no"),
        ("folder", {"images": "pictures"}, r"pictures: no such folder; .* with --images"),
        ("neurips22", {}, r"no images with label maps in the layout of neurips22"),
        (
            "dsb2018",
            {},
            r"no images with label maps in the layout of dsb2018 \(.*has images but no",
        ),
    ],
)
def test_wrong_calls(name: str, options: dict[str, str], message: str, tmp_path: Path) -> None:
    folder(tmp_path)
    with pytest.raises(CellbenchError, match=message) as caught:
        import_dataset(name, tmp_path, tmp_path / "root", **options)
    assert "\n" not in str(caught.value)
    with pytest.raises(DatasetError, match="nowhere: no such file or folder"):
        import_dataset("folder", tmp_path / "nowhere", tmp_path / "root")


def test_another_image_of_the_stem_is_never_overwritten(tmp_path: Path) -> None:
    source, root = tmp_path / "source", tmp_path / "root"
    source.mkdir()
    folder(source)
    import_dataset("folder", source, root, split="train")
    before = files_of(root)
    (source / "images" / "a.png").unlink()
    save_image(source / "images" / "a.png", level=99)
    with pytest.raises(DatasetError, match=r"a\.png: another image of this stem is in .*train/im"):
        import_dataset("folder", source, root, split="train")
    assert files_of(root) == before


def test_a_manifest_that_cannot_be_kept_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    folder(tmp_path / "source")
    root = tmp_path / "root"
    root.mkdir()
    (root / "manifest.csv").write_bytes(b"image\n\xff\n")
    with pytest.raises(DatasetError, match=r"manifest\.csv: cannot be read as a CSV in UTF-8"):
        import_dataset("folder", tmp_path / "source", root)
    assert len(files_of(root)) == 1
