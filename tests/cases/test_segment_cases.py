"""What users meet with `cellbench segment`: results beside images, subfolders, pictures and tables."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from checkpoints import save_checkpoint, small_unet
from PIL import Image
from segmentation_runs import DEVICE, write_image

from cellbench.cli import main
from cellbench.images.pixel_size import read_pixel_size
from cellbench.labels import read_labels

Segment = Callable[..., int]


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """Return a function that runs the command on `images/`."""
    checkpoint = save_checkpoint(small_unet(2), tmp_path / "model.ckpt")

    def run(*words: str, out: Path, inputs: Path = tmp_path / "images") -> int:
        return main(
            ["segment", str(inputs), str(out), "--checkpoint", str(checkpoint), *DEVICE, *words]
        )

    (tmp_path / "images").mkdir()
    return run


def names(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith("."))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_results_in_the_folder_of_the_images_are_not_segmented(
    segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """H07: the same folder for images and results, twice, and with pictures and tables in it."""
    images = tmp_path / "images"
    write_image(images / "a.png", 1)
    write_image(images / "b.c.png", 2)
    own = ["a.png", "a_label.tiff", "b.c.png", "b.c_label.tiff", "runtime.csv", "segmentation.json"]
    for words, more in (
        ([], []),
        (
            ["--overlays", "--table"],
            ["a_cells.csv", "a_overlay.png", "b.c_cells.csv", "b.c_overlay.png"],
        ),
        ([], ["a_cells.csv", "a_overlay.png", "b.c_cells.csv", "b.c_overlay.png"]),
    ):
        assert segment(*words, out=images) == 0
        assert names(images) == sorted(own + more)
    said = capsys.readouterr()
    assert "not segmented, because the names are those of label maps or overlays" in said.err
    assert "a_label.tiff, a_overlay.png, b.c_label.tiff and 1 more" in said.err
    cells = sum(int(read_labels(path).max()) for path in images.glob("*_label.tiff"))
    assert said.out.splitlines()[-1] == f"2 images, {cells} cells in {images}/"


@pytest.mark.parametrize(
    ("name", "segmented"),
    [
        ("a_label.tiff", False),
        ("a_Labels.TIF", False),
        ("a_cp_masks.png", False),
        ("a_mask.png", False),
        ("a_seg.png", False),
        ("a_label_label.tiff", True),  # nothing in the folder has the stem a_label
        ("b_mask.png", True),  # nothing has the stem b
        ("a_overlay.png", True),  # no label map of a: not written by segment
        ("a2.png", True),
        ("a_cp_output.png", False),  # Cellpose
        ("a_flows.tif", False),
        ("a_Probabilities.tif", False),  # ilastik
        ("output.png", True),
        ("b_output.png", True),
    ],
)
def test_which_files_are_label_maps_of_others(
    name: str, segmented: bool, segment: Segment, tmp_path: Path
) -> None:
    write_image(tmp_path / "images/a.png", 1)
    write_image(tmp_path / "images" / name, 2)
    assert segment(out=tmp_path / "out") == 0
    assert len(list((tmp_path / "out").glob("*_label.tiff"))) == 1 + segmented


def test_cellpose_folder(segment: Segment, tmp_path: Path) -> None:
    for name in ("001_img.png", "001_masks.png", "002_img.png", "002_masks.png"):
        write_image(tmp_path / "images" / name, 1)
    assert segment(out=tmp_path / "out") == 0
    found = sorted(path.name for path in (tmp_path / "out").glob("*.tiff"))
    assert found == ["001_img_label.tiff", "002_img_label.tiff"]


def test_a_folder_of_results_alone_has_no_images(
    segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "images/a.png", 1)
    assert segment("--overlays", out=tmp_path / "out") == 0
    assert segment(out=tmp_path / "other", inputs=tmp_path / "out") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "contains no images, only results of earlier runs (a_label.tiff, a_overlay.png)" in line
    assert not (tmp_path / "other").exists()


def test_an_image_is_never_replaced_by_a_result(
    segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    write_image(images / "a.png", 1)
    write_image(images / "a_overlay.png", 2)
    before = (images / "a_overlay.png").read_bytes()
    assert segment("--overlays", out=images) == 1
    assert "a_overlay.png: is one of the images, and would be replaced" in capsys.readouterr().err
    assert segment(out=images) == 0
    assert (images / "a_overlay.png").read_bytes() == before


def make_wells(images: Path) -> None:
    for seed, name in enumerate(("well1/a.png", "well2/a.png", "well2/deep/b.png")):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(images / name, seed)


def test_images_in_subfolders(
    segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """H09: the message names the subfolders; with --recursive they are kept in the results."""
    images, out = tmp_path / "images", tmp_path / "images/results"
    make_wells(images)
    assert segment(out=out) == 1
    line = capsys.readouterr().err
    assert "contains no images itself, but its subfolders do (well1, well2, well2/deep)" in line
    assert "--recursive" in line
    for _ in range(2):
        assert segment("--recursive", "--table", out=out) == 0
        assert names(out) == [
            "runtime.csv",
            "segmentation.json",
            "well1/a_cells.csv",
            "well1/a_label.tiff",
            "well2/a_cells.csv",
            "well2/a_label.tiff",
            "well2/deep/b_cells.csv",
            "well2/deep/b_label.tiff",
        ]
    assert f"{out}: 3 of 3 label maps are kept from an earlier run" in capsys.readouterr().err
    listed = [row["Img Name"] for row in rows(out / "runtime.csv")]
    assert listed == ["well1/a.png", "well2/a.png", "well2/deep/b.png"]
    first, second = (read_labels(out / f"well{number}/a_label.tiff") for number in (1, 2))
    assert (first != second).any()


def test_images_beside_subfolders(
    segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    make_wells(images)
    write_image(images / "top.png", 7)
    (images / ".hidden").mkdir()
    write_image(images / ".hidden/x.png", 8)
    (images / "__MACOSX").mkdir()
    write_image(images / "__MACOSX/y.png", 8)
    assert segment(out=tmp_path / "out") == 0
    assert (
        "(well1, well2, well2/deep) are not segmented; add --recursive" in capsys.readouterr().err
    )
    assert names(tmp_path / "out") == ["runtime.csv", "segmentation.json", "top_label.tiff"]
    assert segment("--recursive", out=tmp_path / "out") == 0
    assert len(list((tmp_path / "out").rglob("*_label.tiff"))) == 4


@pytest.mark.parametrize(
    "labels", ["labels/a_label.tiff", "gt/a_label.tif", "masks/a.tif", "Masks/a_mask.png"]
)
def test_label_maps_in_another_folder_are_not_images(
    labels: str, segment: Segment, tmp_path: Path
) -> None:
    for folder, name in (("images", "a.png"), labels.split("/")):
        (tmp_path / "images" / folder).mkdir()
        write_image(tmp_path / "images" / folder / name, 1)
    assert segment("--recursive", out=tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").rglob("*.tiff")] == ["a_label.tiff"]


def test_the_size_of_pixels_is_kept(segment: Segment, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 4000, (2, 64, 80), np.uint16)
    metadata = {"axes": "CYX", "PhysicalSizeX": 0.325, "PhysicalSizeY": 0.325}
    tifffile.imwrite(tmp_path / "images/a.ome.tif", pixels, ome=True, metadata=metadata)
    assert segment("--table", "--overlays", out=tmp_path / "out") == 0
    size = read_pixel_size(tmp_path / "out/a.ome_label.tiff")
    assert size is not None
    assert (size.x_um, size.y_um) == pytest.approx((0.325, 0.325))
    labels = read_labels(tmp_path / "out/a.ome_label.tiff")
    table = rows(tmp_path / "out/a.ome_cells.csv")
    assert len(table) == labels.max() > 0
    for row in table:
        mask = labels == int(row["id"])
        assert int(row["area_px"]) == mask.sum()
        assert float(row["area_um2"]) == pytest.approx(mask.sum() * 0.325**2, rel=1e-5)
        assert float(row["mean_intensity_2"]) == pytest.approx(pixels[1][mask].mean(), rel=1e-5)
        assert float(row["max_intensity_1"]) == pixels[0][mask].max()
    with Image.open(tmp_path / "out/a.ome_overlay.png") as picture:
        assert picture.size == (80, 64)


def test_pictures_and_tables_can_be_added_later(segment: Segment, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_image(tmp_path / "images/a.png", 1)
    write_image(tmp_path / "images/b.png", 2)
    assert segment(out=out) == 0
    times = {path: path.stat().st_mtime_ns for path in out.glob("*.tiff")}
    assert segment("--table", out=out) == 0
    assert segment("--overlays", "--table", out=out) == 0
    added = ["a_cells.csv", "a_overlay.png", "b_cells.csv", "b_overlay.png"]
    assert set(added) <= set(names(out))
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.tiff")} == times
    (out / "a_overlay.png").unlink()
    written = (out / "b_overlay.png").stat().st_mtime_ns
    assert segment("--overlays", out=out) == 0
    assert (out / "a_overlay.png").is_file()
    assert (out / "b_overlay.png").stat().st_mtime_ns == written


def test_outdated_pictures_and_tables_do_not_stay(segment: Segment, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_image(tmp_path / "images/a.png", 1)
    assert segment("--overlays", "--table", out=out) == 0
    (out / "notes_overlay.png").write_text("of the user")
    write_image(tmp_path / "images/a.png", 9)
    assert segment(out=out) == 0
    assert names(out) == ["a_label.tiff", "notes_overlay.png", "runtime.csv", "segmentation.json"]
    assert segment("--overlays", out=out) == 0
    assert segment("--tta", out=out) == 0
    assert names(out) == ["a_label.tiff", "notes_overlay.png", "runtime.csv", "segmentation.json"]


def test_the_last_line_counts_what_failed(
    segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "images/a.png", 1)
    (tmp_path / "images/b.png").write_text("no picture")
    out = tmp_path / "out"
    assert segment(out=out) == 1
    cells = int(read_labels(out / "a_label.tiff").max())
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"1 of 2 images, {cells} cells in {out}/; 1 failed, see above"
    shutil.rmtree(out)
    (tmp_path / "images/b.png").unlink()
    assert segment(out=out) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 image, ")


@pytest.mark.parametrize("option", ["--overlays", "--table", "--recursive"])
def test_options_that_need_files(
    option: str, segment: Segment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert segment(option, out=tmp_path / "out", inputs=Path("-")) == 2
    assert "cannot be used with INPUTS -" in capsys.readouterr().err
