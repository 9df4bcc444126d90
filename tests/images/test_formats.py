"""Files are found by extension and recognised by content; kinds that are not read are named."""

from pathlib import Path

import pytest
from pictures import picture, pillow

from cellbench.errors import ImageError
from cellbench.images import (
    SUFFIXES,
    image_files,
    image_shape,
    image_stem,
    read_raw,
    unread_files,
    unread_message,
)
from cellbench.images.formats import UNREAD_SUFFIXES

UNREAD = [
    "a.vsi",
    "B.OIB",
    "c.oif",
    "d.dcm",
    "e.heic",
    "f.avif",
    "g.jxr",
    "h.mrxs",
    "i.nii",
    "j.h5",
]
OTHERS = [
    "a.png", "a_label.tiff", "a_seg.npy", "a.npz", "a.csv", "a.json", "a.geojson", "a.txt", "a.yaml",
    "a.xml", "a.mat", "a.zip", "Thumbs.db", "desktop.ini", ".hidden.vsi", "._a.dcm", "README",
    "a.companion.ome",
]  # fmt: skip


def test_unread_files(tmp_path: Path) -> None:
    for name in UNREAD + OTHERS:
        (tmp_path / name).touch()
    (tmp_path / "slide.zarr").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "folder.vsi").mkdir()
    found = [path.name for path in unread_files(tmp_path)]
    assert found == sorted([*UNREAD, "slide.zarr"])
    with pytest.raises(ImageError, match="no such folder"):
        unread_files(tmp_path / "absent")


def test_no_kind_is_both_read_and_unread() -> None:
    assert not UNREAD_SUFFIXES & {*SUFFIXES}
    assert all(
        each == each.lower() and each.startswith(".") for each in (*SUFFIXES, *UNREAD_SUFFIXES)
    )


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".TIF", ".Svs", ".CZI"])
def test_images_of_all_formats_are_found_and_have_a_stem(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.b{suffix}"
    path.touch()
    assert image_files(tmp_path) == {"a.b": path}
    assert image_stem(path.name) == "a.b"


def test_a_vsi_file_is_refused_although_it_is_a_tiff(tmp_path: Path) -> None:
    """Its only image is an overview; the pixels are in a folder beside it."""
    pillow(tmp_path / "a.tif", picture("uint8", 3))
    path = (tmp_path / "a.tif").rename(tmp_path / "a.vsi")
    for read in (read_raw, image_shape):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert str(caught.value) == unread_message(path)


def test_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("version https://git-lfs.github.com/spec/v1\nsize 9\n")
    with pytest.raises(ImageError, match=r"a\.tif: only a pointer of Git LFS .*`git lfs pull`"):
        read_raw(tmp_path / "a.tif")
