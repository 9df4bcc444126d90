"""Writers of label maps in every format that is read, for tests."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.labels import LabelMap, open_labels

Writer = Callable[[Path, npt.NDArray[Any]], Any]

SHAPE = (70, 90)
CELLS = np.kron(np.arange(63).reshape(7, 9), np.ones((10, 10), int)) % 50


def tiff(**options: Any) -> Writer:
    return lambda path, labels: tifffile.imwrite(path, labels, **options)


def png(path: Path, labels: LabelMap) -> None:
    path.write_bytes(imagecodecs.png_encode(labels))


def npy(path: Path, labels: LabelMap) -> None:
    with path.open("wb") as file:
        np.save(file, labels)


def npz(path: Path, labels: LabelMap, save: Callable[..., None] = np.savez_compressed) -> None:
    with path.open("wb") as file:
        save(file, labels)


WRITERS: dict[str, tuple[Writer, str]] = {
    "plain": (tiff(), "u2"),
    "one page of (1, H, W)": (lambda path, labels: tifffile.imwrite(path, labels[None]), "u2"),
    "strips": (tiff(rowsperstrip=7), "u4"),
    "tiles": (tiff(tile=(16, 32)), "u2"),
    "zlib": (tiff(compression="zlib"), "u2"),
    "zlib strips": (tiff(compression="zlib", rowsperstrip=7), "i4"),
    "zlib tiles": (tiff(compression="zlib", tile=(16, 32)), "u4"),
    "predictor": (tiff(compression="zlib", tile=(16, 32), predictor=True), "u2"),
    "lzw": (tiff(compression="lzw", rowsperstrip=9), "u1"),
    "big": (tiff(bigtiff=True, compression="zstd"), "i8"),
    "big-endian": (tiff(byteorder=">"), "u4"),
    "big-endian zlib": (tiff(byteorder=">", compression="zlib", tile=(32, 32)), "u8"),
    "bits": (tiff(), "?"),
    "bits in strips": (tiff(rowsperstrip=4, compression="packbits"), "?"),
    "imagej": (tiff(imagej=True), "u2"),
    "ome": (tiff(ome=True, tile=(16, 16)), "u2"),
    "png": (png, "u1"),
    "png of 16 bits": (png, "u2"),
    "npy": (npy, "u2"),
    "npy of bits": (npy, "?"),
    "npy, big-endian": (npy, ">u4"),
    "npy of 64 bits": (npy, ">u8"),
    "npy by columns": (lambda path, labels: npy(path, np.asfortranarray(labels)), "i8"),
    "npz": (npz, "u2"),
    "npz of 64 bits": (partial(npz, save=np.savez), "u8"),
    "npz by columns": (lambda path, labels: npz(path, np.asfortranarray(labels)), "u4"),
}


def by_bands(path: Path) -> LabelMap:
    opened = open_labels(path)
    bands = list(opened.bands())
    assert {band.dtype for band in bands} == {opened.dtype}
    assert all(band.dtype.isnative for band in bands)
    joined = np.concatenate(bands)
    assert joined.shape == opened.shape
    np.testing.assert_array_equal(np.concatenate(list(opened.bands())), joined)
    return joined
