"""Label maps in the formats and types of other tools: the same cells, or one line that says why not."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from label_maps import discs
from PIL import Image

from cellbench.errors import LabelMapError
from cellbench.labels import LabelMap, read_labels

Writer = Callable[[Path, LabelMap], object]


def saved_as(**options: object) -> Writer:
    return lambda path, labels: tifffile.imwrite(path, labels, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("lzw.tif", saved_as(compression="lzw", predictor=True)),
        ("packbits.tif", saved_as(compression="packbits")),
        ("zstd.tif", saved_as(compression="zstd")),
        ("big.tif", saved_as(byteorder=">", bigtiff=True)),
        ("a.ome.tif", saved_as(ome=True)),
        ("imagej.tif", saved_as(imagej=True)),
        ("int32.tif", lambda path, labels: tifffile.imwrite(path, labels.astype(np.int32))),
        ("uint64.tif", lambda path, labels: tifffile.imwrite(path, labels.astype(np.uint64))),
        ("float.tif", lambda path, labels: tifffile.imwrite(path, labels.astype(np.float32))),
        ("white.tif", saved_as(photometric="miniswhite")),
        ("columns.npy", lambda path, labels: np.save(path, np.asfortranarray(labels))),
        ("big.npy", lambda path, labels: np.save(path, labels.astype(">u4"))),
        ("half.npy", lambda path, labels: np.save(path, labels.astype(np.float16))),
        ("one.npz", lambda path, labels: np.savez(path, labels)),
        ("some.npz", lambda path, labels: np.savez(path, image=labels * 9, Masks=labels)),
        ("some2.npz", lambda path, labels: np.savez(path, instance_map=labels, classes=[1, 2])),
        (
            "objects.npy",
            lambda path, labels: np.save(
                path,
                {"labels": labels, "classes": [1]},  # type: ignore[arg-type]
                allow_pickle=True,
            ),
        ),
        (
            "gray.png",
            lambda path, labels: (
                Image.fromarray(labels.astype(np.uint8)).convert("RGBA").save(path)
            ),
        ),
        (
            "png.tif",
            lambda path, labels: path.write_bytes(imagecodecs.png_encode(labels.astype(np.uint16))),
        ),
    ],
)
def test_the_same_cells(name: str, write: Writer, tmp_path: Path) -> None:
    write(tmp_path / name, discs())
    np.testing.assert_array_equal(read_labels(tmp_path / name), discs())


@pytest.mark.parametrize(
    ("name", "write", "problem"),
    [
        (
            "a.tif",
            lambda path, labels: tifffile.imwrite(
                path, labels.astype(np.uint8), compression="jpeg"
            ),
            "is compressed with JPEG, which changes the ids; save it with LZW or Deflate instead",
        ),
        (
            "a.npz",
            lambda path, labels: np.savez(path, x=labels, y=labels),
            r"contains 2 arrays, of which not exactly one is called labels or masks \(x, y\); save",
        ),
        (
            "classes.npy",  # CoNIC: ids and classes
            lambda path, labels: np.save(path, np.dstack([labels, labels > 0])),
            "has 2 channels, and some cells are transparent if the last one is transparency; save",
        ),
        (
            "a.npy",
            lambda path, labels: np.save(path, {"x": labels}, allow_pickle=True),
            "but no array 'masks', as Cellpose saves, or 'labels'; save the label map alone, as TIFF",
        ),
        (
            "a.png",
            lambda path, labels: Image.fromarray(labels.astype(np.uint8)).save(path, "JPEG"),
            "not a TIFF, PNG, NPY or NPZ file, nor a .mat file; export the label map as TIFF",
        ),
        (
            "minus.tif",
            lambda path, labels: tifffile.imwrite(path, labels.astype(np.int32) - 1),
            "has the negative id -1; use positive ids for cells and 0 for background",
        ),
    ],
)
def test_one_line_that_says_why_not(name: str, write: Writer, problem: str, tmp_path: Path) -> None:
    write(tmp_path / name, discs())
    with pytest.raises(LabelMapError, match=f"^{tmp_path / name}: .*{problem}"):
        read_labels(tmp_path / name)
