"""Images that users bring: formats that are not read, EXIF orientation, odd TIFFs."""

import struct
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from checkpoints import save_checkpoint, small_unet
from microscope_files import CZI_FILES
from PIL import Image

from cellbench.cli import main
from cellbench.images import read_raw
from cellbench.labels import read_labels, write_labels

ROWS, COLUMNS = np.mgrid[:48, :64]
CELLS = ((ROWS // 16 * 4 + COLUMNS // 16 + 1) * (ROWS % 16 < 12) * (COLUMNS % 16 < 12)).astype(
    np.uint16
)
GRAY = (CELLS > 0).astype(np.uint8) * 180 + (ROWS + COLUMNS).astype(np.uint8) // 2
COLOUR = np.stack([GRAY, GRAY // 2, GRAY // 3], -1)


def turned_jpeg(path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(COLOUR).save(path, exif=exif, quality=95)


def segment(images: Path, out: Path) -> int:
    checkpoint = save_checkpoint(small_unet(), out.parent / "model.ckpt")
    words = ["segment", str(images), str(out), "--checkpoint", str(checkpoint), "--device", "cpu"]
    return main(words)


def test_segment_reads_more_formats_and_names_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.fromarray(GRAY).save(folder / "a.png")
    (folder / "c.jp2").write_bytes(imagecodecs.jpeg2k_encode(GRAY, level=0))
    Image.fromarray(COLOUR).save(folder / "d.webp")
    Image.fromarray(GRAY).save(folder / "e.gif")
    tifffile.imwrite(folder / "f.lsm", GRAY)
    (folder / "h.vsi").write_bytes(b"II*\0 an overview")
    (folder / "i.oib").touch()
    for name in ("Thumbs.db", "notes.txt", ".hidden.vsi"):
        (folder / name).touch()
    assert segment(folder, tmp_path / "out") == 1
    answer = capsys.readouterr()
    assert [line for line in answer.err.splitlines() if str(folder) in line] == [
        f"{folder / 'h.vsi'}: VSI files are not read; export the image as OME-TIFF, TIFF or PNG",
        f"{folder / 'i.oib'}: OIB files are not read; export the image as OME-TIFF, TIFF or PNG",
        f"{folder}: 2 images were not segmented because the format is not read",
    ]
    assert answer.out.splitlines()[-1].startswith("5 images, ")
    for stem in "acdef":
        assert read_labels(tmp_path / "out" / f"{stem}_label.tiff").shape == GRAY.shape


def test_a_folder_with_unread_images_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.dcm").touch()
    assert segment(folder, tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert f"{folder / 'a.dcm'}: DCM files are not read" in error
    assert "contains no images that are read" in error


def test_folders_without_images_are_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    (folder / "plate/well").mkdir(parents=True)
    (folder / "plate/well/a.dcm").touch()
    assert segment(folder, tmp_path / "out") == 1
    assert "its subfolders do (plate/well); add --recursive" in capsys.readouterr().err
    for name in ("a.npy", "notes.txt", ".DS_Store"):
        (folder / "plate" / name).touch()
    assert segment(folder / "plate/well", tmp_path / "out") == 1
    (folder / "plate/well/a.dcm").unlink()
    assert segment(folder / "plate", tmp_path / "out") == 1
    assert "contains no images, only a.npy, notes.txt, well; check" in capsys.readouterr().err


def test_segment_names_the_extra_of_microscopes_formats(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "b.czi").write_bytes((CZI_FILES / "gray.czi").read_bytes())
    monkeypatch.setitem(sys.modules, "czifile", None)
    assert segment(folder, tmp_path / "out") == 1
    assert (
        'b.czi: CZI files need the package czifile, which is not installed; run: pip install "cellbench'
        in (caplog.text)
    )


def test_describe_names_images_that_are_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "test" / "images"
    folder.mkdir(parents=True)
    Image.fromarray(GRAY).save(folder / "a.png")
    write_labels(tmp_path / "test" / "labels" / "a_label.tiff", CELLS)
    (folder / "b.oir").touch()
    (folder / "c.czi").write_text("ZISRAWFILE and no more")
    Image.fromarray(COLOUR).save(folder / "d.webp")
    main(["data", "describe", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert (
        f"{folder / 'b.oir'}: OIR files are not read; export the image as OME-TIFF, TIFF or PNG"
        in lines
    )
    assert any(line.startswith(f"{folder / 'c.czi'}: ") for line in lines)
    assert any(line.startswith(f"{folder / 'd.webp'}: has no label map") for line in lines)


def test_a_label_map_drawn_on_the_displayed_image_is_imported(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    turned_jpeg(tmp_path / "images" / "phone.jpg")
    write_labels(tmp_path / "labels" / "phone_label.tiff", np.rot90(CELLS, -1))
    out = tmp_path / "dataset"
    assert main(["data", "import", "folder", str(tmp_path), str(out), "--split", "test"]) == 0
    (image,) = (out / "test" / "images").iterdir()
    assert read_raw(image).shape == (64, 48, 3)
    labels = read_labels(out / "test" / "labels" / "phone_label.tiff")
    np.testing.assert_array_equal(labels > 0, np.rot90(CELLS, -1) > 0)
    inside = read_raw(image)[..., 0][labels > 0].mean()
    assert inside > read_raw(image)[..., 0][labels == 0].mean() + 100


def test_segment_gives_label_maps_of_the_displayed_image(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    turned_jpeg(tmp_path / "images" / "phone.jpg")
    assert segment(tmp_path / "images", tmp_path / "out") == 0
    assert read_labels(tmp_path / "out" / "phone_label.tiff").shape == (64, 48)


def test_describe_finds_no_problem_in_odd_tiffs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "test" / "images"
    folder.mkdir(parents=True)
    tifffile.imwrite(folder / "exif.tif", GRAY, metadata=None, extratags=[(65000, "I", 1, 8, True)])
    data = bytearray((folder / "exif.tif").read_bytes())
    place = data.index(struct.pack("<HHI", 65000, 4, 1))
    struct.pack_into("<HHII", data, place, 34665, 4, 1, 99_999_999)
    (folder / "exif.tif").write_bytes(data)
    with tifffile.TiffWriter(folder / "slide.svs") as file:
        for level, text in ((1, "Aperio Image\n64x48"), (4, "Aperio Image\nthumbnail")):
            file.write(COLOUR[::level, ::level], description=text, metadata=None, photometric="rgb")
    for name in ("exif", "slide"):
        write_labels(tmp_path / "test" / "labels" / f"{name}_label.tiff", CELLS)
    main(["data", "describe", str(tmp_path)])
    assert "0 problems" in capsys.readouterr().out
